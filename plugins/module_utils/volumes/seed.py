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
    older = next(
        (volume for volume in plan.shareable(others) if can_link(volume.mountpoint, new.mountpoint)), None
    )
    try:
        mounts, folder = [_mount(spec.name, "/.seed")], []
        if older is not None:
            # Its image may still be at work in it, after a run that was killed while it repaired.
            engine.call("rm", "--force", *plan.helpers(older.name), missing_ok=True)
            link_version(new.mountpoint, older.mountpoint, job.log, job.timeout)
            mounts, folder = [*mounts, _mount(older.name, "/.older", True)], ["/.older"]
        # What is copied is compared anyway, so only what is shared needs hashes that can be believed.
        claims = "1" if older is None or brings_hashes(layers, job.source) else "0"
        job.run("seed", job.source, "/.seed", spec.digest, claims, *folder, mounts=mounts)
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
    """Whether files of one volume can be linked into a new one on this host: both are here, and on one file system.

    With an engine elsewhere there may be folders of the same names here; the one of another volume is hardly empty.
    """
    try:
        here = os.stat(older).st_dev == os.stat(target).st_dev and os.access(target, os.W_OK)
        return here and not os.listdir(target)
    except OSError:
        return False


def link_version(target: str, older: str, log: Path, timeout: float) -> None:
    """Link all of an older version into a new volume, which nobody else has yet.

    In the container that is impossible: each mount is a file system of its own. And one mount for both would be that of all
    volumes, the users' homes too, for a program of the image. The seeding script takes out what is not the same in the new
    version, and copies what could not be linked.
    """
    entries = [os.path.join(older, name) for name in os.listdir(older) if name not in seed_script.OWN]
    # Symbolic links are linked as such and never followed. What fails is copied later.
    argv = ["cp", "--archive", "--link", f"--target-directory={target}", "--", *entries]
    run_logged(argv, log, timeout)
