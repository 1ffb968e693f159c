# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Reads, fills and verifies software volumes."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import json
import os
import secrets
import threading
import typing as t
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.commands import read_tail, run_logged
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli
from ansible_collections.galilean.hub.plugins.module_utils.engine.observed import ObservedVolume
from ansible_collections.galilean.hub.plugins.module_utils.images.plan import addressed_digest
from ansible_collections.galilean.hub.plugins.module_utils.volumes import plan, seed_script

# All that copying takes; a stack image need not be trusted with more.
CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def read_own(folder: str, name: str) -> str:
    """What one of our own files in a volume says. A link would lead out of the volume, to files of the host."""
    with open(os.open(Path(folder, name), os.O_RDONLY | os.O_NOFOLLOW), encoding="utf-8") as stream:
        return stream.read()


def parse_marker(text: str) -> dict[str, t.Any] | None:
    """What a marker says; None for one that is damaged."""
    try:
        marker = json.loads(text)
    except ValueError:
        return None
    return marker if isinstance(marker, dict) else None


def read_marker(engine: DockerCli, volume: ObservedVolume, image: str) -> dict[str, t.Any] | None:
    """What a volume's marker says, straight from the engine's folder; through a container where that is elsewhere."""
    if volume.mountpoint and os.path.isdir(volume.mountpoint):
        try:
            return parse_marker(read_own(volume.mountpoint, plan.MARKER))
        except FileNotFoundError:
            return None
        except PermissionError:
            pass
    if not image or engine.image(image) is None:
        raise HubError(f"The marker of volume {volume.name} cannot be read on this host: use become.")
    mount = f"--mount=type=volume,src={volume.name},dst=/.volume,readonly,volume-nocopy"
    out = engine.call(
        *("run", "--rm", "--network=none", "--user=0:0", mount, "--entrypoint=/bin/sh", image),
        *("-c", f"cat /.volume/{plan.MARKER} 2>/dev/null || true"),
    )
    return parse_marker(out or "")


def desired_volume(
    engine: DockerCli | None, prefix: str, image: str, digest: str, check_mode: bool
) -> plan.VolumeSpec:
    """The version that the module's parameters describe; an older one has the same image with another tag."""
    plan.check_spec(prefix, digest)
    known = addressed_digest(image)
    if digest and digest != known:
        refs = engine.image_refs(image.rpartition(":")[0]) if known and engine is not None else []
        wanted = f"{image.rpartition(':')[0]}:{digest}"
        others = tuple(addressed_digest(ref) or "" for ref in refs)
        return plan.VolumeSpec(prefix, digest, wanted if wanted in refs else "", tuple(filter(None, others)))
    if not known:
        observed = engine.image(image) if engine is not None else None
        if observed is None and not check_mode:
            raise HubError(f"image is {image}, which is not on this host: build or load it first.")
        known = observed.id.rsplit(":", 1)[-1][:12] if observed else "0" * 12
    return plan.VolumeSpec(prefix, known, image)


def observe(
    engine: DockerCli, spec: plan.VolumeSpec, reader: str
) -> tuple[ObservedVolume | None, list[ObservedVolume]]:
    """The version itself, and all other versions of its stack; markers out of reach are read with an image."""
    names = engine.volume_names(f"{plan.LABEL_STACK}={spec.prefix}")
    names = [name for name in names if name != spec.name and plan.version_of(name, spec.prefix)]
    found = engine.volumes([spec.name, *names])
    current = found.pop(spec.name, None)
    if current is not None:
        current = with_marker(engine, current, reader)
    others = [
        dataclasses.replace(
            with_marker(engine, volume, reader),
            users=tuple(
                user for user in engine.volume_users(volume.name) if user not in plan.helpers(volume.name)
            ),
        )
        for volume in found.values()
    ]
    return current, others


def with_marker(engine: DockerCli, volume: ObservedVolume, reader: str) -> ObservedVolume:
    """A volume with what its marker says now."""
    return dataclasses.replace(volume, sealed=read_marker(engine, volume, reader))


@dataclasses.dataclass(frozen=True)
class Job:
    """What the seeding script is to work with, whatever it does."""

    engine: DockerCli
    spec: plan.VolumeSpec
    source: str
    log: Path
    timeout: float

    def run(self, action: str, *arguments: str, mounts: t.Sequence[str] = (), image: str = "") -> None:
        """Run the script in a container of the image."""
        container = f"{self.spec.name}-{action}"
        if action != "seed":
            # What a killed run left: its container may still be at work. A volume to be filled is a new one.
            self.engine.remove_container(container)
        self.log.write_text("", encoding="utf-8")
        argv = [*self.engine.client, "run", "--rm", "--interactive", f"--name={container}"]
        argv += ["--network=none", "--user=0:0", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
        argv += [f"--cap-add={name}" for name in CAPABILITIES]
        argv += [f"--label={plan.LABEL_ROLE}=software", *mounts]
        # The distribution's own interpreter, not one that the stack may put first in PATH.
        argv += ["--entrypoint=/usr/bin/python3", image or self.spec.image, "-I", "-", action, *arguments]
        try:
            status = run_logged(argv, self.log, self.timeout, stdin=inspect.getsource(seed_script))
        except BaseException:
            with contextlib.suppress(HubError):
                self.engine.remove_container(container)
            raise
        if status:
            raise plan.failure(self.spec, action, status, read_tail(self.log, 4000), str(self.log))


def drop_volume(engine: DockerCli, name: str) -> None:
    """Remove a volume, and before that what a killed run left in it: a container may still be at work."""
    engine.call("rm", "--force", "--volumes", *plan.helpers(name), missing_ok=True)
    engine.remove_volume(name)


def _mount(name: str, path: str, readonly: bool = False) -> str:
    return f"--mount=type=volume,src={name},dst={path},volume-nocopy" + (",readonly" if readonly else "")


def seed_volume(
    job: Job, current: ObservedVolume | None, others: t.Sequence[ObservedVolume]
) -> ObservedVolume:
    """Fill a new volume from the image, share with other versions what is the same, verify it and seal it."""
    engine, spec = job.engine, job.spec
    layers = image_layers(engine, spec.image)
    if layers is None:
        raise HubError(f"image is {spec.image}, which is not on this host: build or load it first.")
    if current is not None:
        users = [user for user in engine.volume_users(spec.name) if user not in plan.helpers(spec.name)]
        if users:
            raise HubError(
                f"Volume {spec.name} was not finished, and is in use by {', '.join(users)}: "
                "stop and remove these containers, then run again."
            )
        drop_volume(engine, spec.name)
    engine.create_volume(spec.name, spec.labels)
    new = engine.volumes([spec.name])[spec.name]
    older = [volume for volume in plan.shareable(others) if can_link(volume.mountpoint, new.mountpoint)]
    try:
        token = secrets.token_hex(8)
        mounts = [_mount(spec.name, "/.seed")]
        mounts += [_mount(volume.name, f"/.older/{number}", True) for number, volume in enumerate(older)]
        folders = [f"/.older/{number}" for number in range(len(older))]
        # What is copied is compared anyway, so only links need hashes that can be believed.
        claims = "1" if not older or brings_hashes(layers, job.source) else "0"
        with linking(new.mountpoint, [volume.mountpoint for volume in older], token):
            job.run("seed", job.source, "/.seed", spec.digest, token, claims, *folders, mounts=mounts)
    except HubError:
        # An engine that has gone away has its own sentence; the next run removes what is left.
        with contextlib.suppress(HubError):
            engine.remove_volume(spec.name)
        raise
    return with_marker(engine, new, spec.image)


def repair_volume(job: Job) -> None:
    """Put right in place what differs from the image."""
    job.run("repair", job.source, "/.seed", job.spec.digest, mounts=[_mount(job.spec.name, "/.seed")])


def verify_volume(job: Job, image: str) -> plan.Damage:
    """Compare a sealed volume with its manifest, in a container of any image with Python."""
    job.run("verify", "/.seed", mounts=[_mount(job.spec.name, "/.seed", True)], image=image)
    said = json.loads(read_tail(job.log).splitlines()[-1])
    return plan.Damage(said["count"], said["paths"])


def image_layers(engine: DockerCli, image: str) -> list[str] | None:
    """The folders of an image's layers, the topmost first, where the engine tells them; None without the image."""
    said = engine.call("image", "inspect", "--format={{json .GraphDriver}}", image, missing_ok=True)
    if said is None:
        return None
    driver = json.loads(said or "null") or {}
    data = (driver.get("Data") or {}) if driver.get("Name") == "overlay2" else {}
    return [*filter(None, [data.get("UpperDir"), *(data.get("LowerDir") or "").split(":")])]


def brings_hashes(layers: t.Sequence[str], source: str) -> bool:
    """Whether the hashes that an image brings are as new as its files.

    An image that stands on another one has that one's hashes as well, and perhaps other files of the same size and
    time. So the topmost layer with anything in the folder has to be the one with the hashes.
    """
    for layer in layers:
        folder = Path(layer, source.lstrip("/"))
        if os.path.lexists(folder):
            return os.path.lexists(folder / seed_script.SUMS)
    return False


def can_link(older: str, target: str) -> bool:
    """Whether files of one volume can be linked into another on this host: both are here, and on one file system."""
    try:
        return os.stat(older).st_dev == os.stat(target).st_dev and os.access(target, os.W_OK)
    except OSError:
        return False


def open_folder(root: str, path: str) -> int:
    """Open a folder below a root. No link is followed on the way: what is in a volume comes out of an image."""
    folder = os.open(root, _FOLDER)
    for name in filter(None, path.split("/")):
        if name in (".", ".."):
            os.close(folder)
            raise OSError(f"{path} is no path of our own")
        try:
            inner = os.open(name, _FOLDER, dir_fd=folder)
        finally:
            os.close(folder)
        folder = inner
    return folder


@contextlib.contextmanager
def linking(target: str, older: t.Sequence[str], token: str) -> t.Iterator[None]:
    """Link all of the newest version while the container starts, and then what the seeding script asks for."""
    done = threading.Event()
    answered = Path(target, seed_script.LINKED)

    def answer(link: t.Callable[[], object]) -> None:
        try:
            link()
        finally:
            # It copies what is missing then. Never through a link that is there already.
            with contextlib.suppress(OSError):
                os.close(os.open(answered, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))

    def work() -> None:
        answer(lambda: link_version(target, older[0]))
        while not done.wait(0.01):
            if os.path.lexists(os.path.join(target, seed_script.LINKS)):
                answer(lambda: link_files(target, older, token))
                return

    worker = threading.Thread(target=work, daemon=True)
    if older:
        worker.start()
    try:
        yield
    finally:
        done.set()
        if older:
            worker.join()


def link_version(target: str, older: str) -> None:
    """Link all files of a version into a new volume, in folders of the same names.

    The seeding script takes out what is not the same in the new version, and copies what cannot be linked.
    """
    owner = os.stat(target)
    folders = [""]
    while folders:
        inside = folders.pop()
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            into = open_folder(target, inside)
            stack.callback(os.close, into)
            out_of = open_folder(older, inside)
            stack.callback(os.close, out_of)
            for entry in stack.enter_context(os.scandir(out_of)):
                name, path = entry.name, inside + entry.name
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        os.mkdir(name, 0o700, dir_fd=into)
                        folders.append(f"{path}/")
                        # Root in the engine's containers need not be root here.
                        os.chown(name, owner.st_uid, owner.st_gid, dir_fd=into, follow_symlinks=False)
                    elif entry.is_file(follow_symlinks=False) and path not in seed_script.OWN:
                        os.link(name, name, src_dir_fd=out_of, dst_dir_fd=into, follow_symlinks=False)


def link_files(target: str, older: t.Sequence[str], token: str) -> int:
    """Link into a new volume what the seeding script found in older ones; return how many files.

    What cannot be linked (too many links to a file, a version that was just removed) is copied afterwards.
    """
    try:
        asked = json.loads(read_own(target, seed_script.LINKS))
    except (OSError, ValueError):
        return 0
    # A folder of the same name on a host that is not the engine's.
    if asked.get("token") != token:
        return 0
    by_folder: dict[tuple[str, int, str], list[tuple[str, str]]] = {}
    for path, (number, old) in asked["links"].items():
        (folder, _, name), (old_folder, _, old_name) = path.rpartition("/"), old.rpartition("/")
        by_folder.setdefault((folder, number, old_folder), []).append((name, old_name))
    count = 0
    for (folder, number, old_folder), names in by_folder.items():
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError, IndexError):
            into = open_folder(target, folder)
            stack.callback(os.close, into)
            out_of = open_folder(older[number], old_folder)
            stack.callback(os.close, out_of)
            for name, old_name in names:
                with contextlib.suppress(OSError):
                    os.link(old_name, name, src_dir_fd=out_of, dst_dir_fd=into, follow_symlinks=False)
                    count += 1
    return count
