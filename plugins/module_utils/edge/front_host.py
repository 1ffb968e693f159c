# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The front of a host, its files and its container. PRIVATE to the collection: may change at any time."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.commands import locked
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.edge import front
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli, EngineAway
from ansible_collections.galilean.hub.plugins.module_utils.usage.observe import seconds_of

# Seconds for nginx to load something.
PATIENCE = 20.0
# nginx tells its old processes to close 100 ms after it has started the new ones; until then both answer. So after a reload
# the right answer counts when it comes that often in a row, LOOK seconds apart.
ANSWERS, LOOK = 3, 0.2


@contextlib.contextmanager
def alone(base: str) -> t.Iterator[None]:
    """One run at a time. The lock is not in the folder, which the last instance removes."""
    with locked(Path("/run") / f"{base}.lock"):
        yield


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


class Front:
    """The front of one address: a folder, a network and a container of the same name."""

    def __init__(self, root: str, base: str, address: str, group: int, client: t.Sequence[str]) -> None:
        self.address, self.group, self._client = address, group, client
        self.name = f"{base}-{front.slug(address)}"
        self.folder = Path(root, base, front.slug(address))
        self.configuration = self.folder / "nginx.conf"

    def file(self, instance: str) -> Path:
        """What an instance contributes."""
        return self.folder / "names" / f"{instance}.conf"

    def sockets(self, instance: str) -> Path:
        """Where an instance's edge listens for the front."""
        return self.folder / "sockets" / instance

    def members(self) -> dict[str, front.Member]:
        """Who is behind it."""
        return {
            file.stem: front.read_member(file.stem, file.read_text(encoding="utf-8"))
            for file in sorted(self.folder.glob("names/*.conf"))
        }

    # --- files

    def _mkdir(self, path: Path, owner: int, mode: int) -> bool:
        """Ensure a folder; whether that changed anything."""
        with contextlib.suppress(FileNotFoundError):
            found = path.stat()
            if (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (owner, self.group, mode):
                return False
        path.mkdir(parents=True, exist_ok=True)
        os.chown(path, owner, self.group)
        path.chmod(mode)
        return True

    def _write(self, path: Path, text: str) -> None:
        """Replace a file in one step."""
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chown(name, 0, self.group)
        os.chmod(name, 0o640)
        os.replace(name, path)

    def _folders(self, instance: str) -> list[tuple[Path, int, int]]:
        parts = (self.folder.parent, self.folder, self.folder / "names", self.folder / "sockets")
        return [*((part, 0, 0o750) for part in parts), (self.sockets(instance), self.group, 0o700)]

    def join(
        self, one: front.Member, configuration: str, image: str, check_mode: bool
    ) -> list[dict[str, str]]:
        """Put the instance's file and nginx.conf in place, once nginx has taken both; the differences.

        What nginx does not take never stands where it reads: another run may have it reload at any moment.
        """
        front.check_names(one, [other for name, other in self.members().items() if name != one.instance])
        wanted = {
            self.configuration: front.configuration_text(configuration),
            self.file(one.instance): front.member_text(one),
        }
        differing = {path: text for path, text in wanted.items() if _read(path) != text}
        found = [
            {"before_header": str(path), "after_header": str(path), "before": _read(path), "after": text}
            for path, text in differing.items()
        ]
        if check_mode:
            return found + [
                {"before_header": str(path), "after_header": str(path), "before": "", "after": "(a folder)\n"}
                for path, _owner, _mode in self._folders(one.instance)
                if not path.is_dir()
            ]
        for path, owner, mode in self._folders(one.instance):
            if self._mkdir(path, owner, mode):
                found.append(
                    {
                        "before_header": str(path),
                        "after_header": str(path),
                        "before": "",
                        "after": "(a folder)\n",
                    }
                )
        if differing:
            self._test(differing, image)
        for path, text in differing.items():
            self._write(path, text)
        return found

    def _test(self, differing: t.Mapping[Path, str], image: str) -> None:
        """Have nginx read a copy of the folder with these files in it."""
        self._tidy()
        folder = Path(tempfile.mkdtemp(dir=self.folder.parent, prefix=".candidate-"))
        try:
            candidate = folder / "front"
            for path in (folder, candidate, candidate / "names"):
                self._mkdir(path, 0, 0o750)
            for path in [*self.folder.glob("names/*.conf"), self.configuration, *differing]:
                self._write(candidate / path.relative_to(self.folder), differing.get(path) or _read(path))
            self._call_nginx(front.check_arguments(str(candidate), image))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _tidy(self) -> None:
        """Remove what a run left that was killed."""
        for stray in self.folder.parent.glob(".candidate-*"):
            shutil.rmtree(stray, ignore_errors=True)

    def _call_nginx(self, arguments: t.Sequence[str]) -> None:
        try:
            self._docker.call(*arguments, timeout=120)
        except EngineAway:
            raise
        except HubError as exc:
            raise HubError(
                f"nginx does not take the new configuration of {self.name}, which goes on with the old one: "
                f"{' '.join(exc.message.split())}"
            ) from exc

    def leave(self, instance: str, check_mode: bool) -> str:
        """Take the instance out; the front goes with its last one. What was done."""
        rest = [one for name, one in self.members().items() if name != instance]
        if check_mode:
            return "left" if rest else "removed"
        self.file(instance).unlink()
        shutil.rmtree(self.sockets(instance), ignore_errors=True)
        if not rest:
            # No engine has no containers.
            with contextlib.suppress(EngineAway):
                for name in (f"{self.name}-old", self.name):
                    self._docker.call("rm", "--force", name, missing_ok=True)
                self._remove_network()
            shutil.rmtree(self.folder)
            self._tidy()
            with contextlib.suppress(OSError):
                self.folder.parent.rmdir()
            return "removed"
        with contextlib.suppress(EngineAway):
            have = self.container()
            if have is not None and have.running:
                self._reload(instance, rest[0].ports[0])
        return "left"

    # --- the engine

    @property
    def _docker(self) -> DockerCli:
        return DockerCli(self._client)

    def _inspect(self, kind: str, name: str) -> dict[str, t.Any] | None:
        found = self._docker.call(kind, "inspect", name, missing_ok=True)
        return t.cast("dict[str, t.Any]", json.loads(found)[0]) if found else None

    def _created(self, image: str) -> tuple[str, float]:
        found = self._inspect("image", image)
        if found is None:
            raise HubError(
                f"image is {image!r}, which is not on this host: run the role galilean.hub.images first."
            )
        return str(found["Id"]), seconds_of(found.get("Created"))

    def container(self) -> front.Container | None:
        """The container as it is."""
        found = self._inspect("container", self.name)
        if found is None:
            return None
        bound = (found["HostConfig"].get("PortBindings") or {}).get(f"{front.LISTEN}/tcp") or []
        image, created = self._created(found["Image"])
        return front.Container(
            image,
            created,
            (found["Config"].get("Labels") or {}).get(front.LABEL_DEFINITION, ""),
            frozenset(
                f"[{row['HostIp']}]:{row['HostPort']}"
                if ":" in row["HostIp"]
                else f"{row['HostIp']}:{row['HostPort']}"
                for row in bound
            ),
            bool(found["State"]["Running"]),
        )

    def start(self, instance: str, image: str, mtu: int, memory: str, check_mode: bool) -> list[str]:
        """Have the container run and the instance's file loaded; what was done for it."""
        members = self.members()
        me = members.get(instance)
        if me is None:
            # On a first run in check mode nothing has joined.
            if check_mode:
                return ["create"]
            raise HubError(f"{instance} has no file in {self.folder}: use the state joined before.")
        ports = front.published(self.address, members.values())
        want = front.Wanted(
            *self._created(image),
            front.definition(self.name, str(self.folder), memory),
            frozenset(ports),
            len(members) > 1,
        )
        have = self.container()
        task = front.what_to_do(have, want)
        if task == "replace" and have is not None and want.created < have.created:
            # A port is missing, which is no reason to go back to an older nginx.
            image = have.image
        done = [task] if task else []
        if not check_mode:
            if self._ensure_network(mtu):
                done.insert(0, "network")
            if task in ("create", "replace"):
                self._call_nginx(front.check_arguments(str(self.folder), image))
                self._run(
                    front.run_arguments(self.name, str(self.folder), image, ports, memory), task == "replace"
                )
            elif task == "start":
                self._docker.call("start", self.name)
        if task not in ("create", "replace", "start") and self._loaded(
            instance, me.ports[0]
        ) != self._on_disk(instance):
            done.append("reload")
            if not check_mode:
                self._reload(instance, me.ports[0])
        elif not check_mode:
            self._wait(instance, me.ports[0])
        return done

    def _ensure_network(self, mtu: int) -> bool:
        if self._inspect("network", self.name) is not None:
            return False
        self._docker.call(*front.network_arguments(self.name, self.address, mtu))
        return True

    def _remove_network(self) -> None:
        network = self._inspect("network", self.name)
        # Somebody else's container in it keeps it.
        if network is not None and not network.get("Containers"):
            self._docker.call("network", "rm", self.name)

    def _run(self, arguments: t.Sequence[str], replace: bool) -> None:
        """Start the container; the one before it comes back when that fails."""
        old = f"{self.name}-old"
        self._docker.call("rm", "--force", old, missing_ok=True)
        if replace:
            self._docker.call("rename", self.name, old)
            self._docker.call("stop", "--time", "5", old)
        try:
            self._docker.call(*arguments)
        except HubError as exc:
            self._docker.call("rm", "--force", self.name, missing_ok=True)
            if replace:
                self._docker.call("rename", old, self.name)
                self._docker.call("start", self.name)
            raise HubError(f"The front {self.name} cannot be started: {exc.message}") from exc
        self._docker.call("rm", "--force", old, missing_ok=True)

    # --- what nginx has loaded

    def _on_disk(self, instance: str) -> str:
        return front.state(_read(self.configuration), _read(self.file(instance)))

    def _loaded(self, instance: str, port: int) -> str:
        """What nginx says it has loaded; empty when it does not answer."""
        connection = http.client.HTTPConnection(front.probe_host(self.address), port, timeout=5)
        try:
            connection.request("GET", f"/_edge/front/{instance}")
            answer = connection.getresponse()
            return answer.read().decode(errors="replace").strip() if answer.status == 200 else ""
        except (OSError, http.client.HTTPException):
            return ""
        finally:
            connection.close()

    def _reload(self, instance: str, port: int) -> None:
        """New connections get what is on disk, open ones stay with the processes that carry them."""
        nginx = ("exec", self.name, "nginx", "-e", "/dev/stderr", "-c", "/etc/front/nginx.conf")
        self._call_nginx([*nginx, "-q", "-t"])
        self._docker.call(*nginx, "-s", "reload")
        self._wait(instance, port, ANSWERS)

    def _wait(self, instance: str, port: int, wanted: int = 1) -> None:
        """Return when new connections get what is on disk: so many in a row."""
        deadline = time.monotonic() + PATIENCE
        answers = 0
        while answers < wanted:
            if (seen := self._loaded(instance, port)) == self._on_disk(instance):
                answers += 1
            elif time.monotonic() > deadline:
                raise HubError(
                    f"The front {self.name} answers {seen!r} at {front.probe_host(self.address)}:{port} after {PATIENCE:.0f} s, not "
                    f"{self._on_disk(instance)!r}: see docker logs {self.name}."
                )
            else:
                answers = 0
            if answers < wanted:
                time.sleep(LOOK)


def fronts_of(root: str, base: str, instance: str) -> list[str]:
    """The folders of all fronts that an instance is behind, by their names."""
    return sorted(file.parents[1].name for file in Path(root, base).glob(f"*/names/{instance}.conf"))
