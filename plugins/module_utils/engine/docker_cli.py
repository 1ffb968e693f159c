# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The Docker engine through a command-line client."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.observed import (
    ObservedImage,
    ObservedVolume,
)
from ansible_collections.galilean.hub.plugins.module_utils.engine.state import buildkit_of

# Where distributions put their client when another one comes first in PATH.
FALLBACK_CLIENT = "/usr/bin/docker"
# The last one is what "docker info --format" of some clients comes to, which then know nothing of a server.
_AWAY = re.compile(
    r"Cannot connect to the Docker daemon|permission denied.*docker\.sock|error during connect"
    r"|nil pointer to embedded struct field Info"
)
_NOT_THERE = re.compile(
    r"no such (?:image|object|volume|container|network)|network \S+ not found", re.IGNORECASE
)


# A list fails where something of it is removed while the engine makes it: the next one is right.
_LISTS = {"ps", "ls"}
_LIST_TRIES = 5


class EngineAway(HubError):
    """There is no client, or no engine behind it."""


@dataclass(frozen=True)
class Builder:
    """A client that can build with BuildKit, and how."""

    client: tuple[str, ...]
    kind: str

    @property
    def env(self) -> dict[str, str]:
        # Attestations would turn the result into an index that older engines cannot load.
        return {"DOCKER_BUILDKIT": "1"} if self.kind == "builtin" else {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}


class DockerCli:
    """The engine that a ``docker`` command on this host talks to."""

    def __init__(self, client: t.Sequence[str] | None = None) -> None:
        found = list(client or ())
        if not found:
            found = [shutil.which("docker") or FALLBACK_CLIENT]
        if not shutil.which(found[0]):
            raise EngineAway(
                f"There is no docker client {found[0]} on this host: install Docker, or name one in docker_cli."
            )
        self.client = tuple(found)

    def call(self, *args: str, missing_ok: bool = False, timeout: float = 300) -> str | None:
        """The output of a docker command; None when what it names does not exist and that is fine."""
        tries = _LIST_TRIES if _LISTS & {*args[:2]} else 1
        while True:
            done = self._run(args, timeout)
            if done.returncode == 0:
                return done.stdout
            error = done.stderr.strip()
            if missing_ok and _NOT_THERE.search(error):
                return None
            if _AWAY.search(error):
                raise EngineAway(f"The Docker engine does not answer: {error}")
            tries -= 1
            if not tries:
                raise HubError(f"docker {' '.join(args[:2])} failed: {error}")
            time.sleep(0.5)

    def _run(self, args: t.Sequence[str], timeout: float) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [*self.client, *args],
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            raise HubError(f"docker {' '.join(args[:2])} did not answer within {timeout:.0f} s.") from None

    def _rows(self, *args: str) -> list[str]:
        return list(dict.fromkeys((self.call(*args) or "").split()))

    def image(self, ref: str) -> ObservedImage | None:
        out = self.call("image", "inspect", ref, missing_ok=True)
        if out is None:
            return None
        return self._observed_image(json.loads(out)[0])

    @staticmethod
    def _observed_image(data: dict[str, t.Any]) -> ObservedImage:
        return ObservedImage(
            data["Id"], (data.get("Config") or {}).get("Labels") or {}, int(data.get("Size") or 0)
        )

    def images(self, refs: t.Sequence[str]) -> dict[str, ObservedImage]:
        found = {}
        for data in self.existing("image", refs):
            for ref in data.get("RepoTags") or []:
                found[ref] = self._observed_image(data)
        return {ref: found[ref] for ref in refs if ref in found}

    def existing(self, kind: str, names: t.Sequence[str]) -> list[dict[str, t.Any]]:
        """Inspect several objects at once: the client prints those that exist and fails for the rest."""
        if not names:
            return []
        argv = [*self.client, kind, "inspect", *names]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        wrong = [line for line in done.stderr.splitlines() if line.strip() and not _NOT_THERE.search(line)]
        if done.returncode and wrong:
            # The same again for its error.
            self.call(kind, "inspect", *names)
        rows: list[dict[str, t.Any]] = json.loads(done.stdout or "[]")
        return rows

    def image_ids(self, repository: str) -> list[str]:
        return self._rows("image", "ls", "--no-trunc", "--quiet", f"--filter=reference={repository}")

    def image_refs(self, repository: str) -> list[str]:
        rows = self._rows(
            "image", "ls", "--format={{.Repository}}:{{.Tag}}", f"--filter=reference={repository}"
        )
        return sorted(row for row in rows if not row.endswith(":<none>"))

    def remove_image(self, ref: str) -> None:
        try:
            self.call("image", "rm", ref, missing_ok=True)
        except HubError as exc:
            if "conflict" in exc.message:
                raise HubError(f"{ref} is in use by a container: stop and remove that first. {exc}") from exc
            raise

    def volumes(self, names: t.Sequence[str]) -> dict[str, ObservedVolume]:
        found = {}
        for data in self.existing("volume", names):
            found[data["Name"]] = ObservedVolume(
                data["Name"],
                data.get("Labels") or {},
                data.get("Mountpoint") or "",
                data.get("CreatedAt") or "",
            )
        return found

    def volume_names(self, label: str) -> list[str]:
        return sorted(self._rows("volume", "ls", "--quiet", f"--filter=label={label}"))

    def volume_users(self, name: str) -> list[str]:
        return sorted(self._rows("ps", "--all", "--format={{.Names}}", f"--filter=volume={name}"))

    def log(self, container: str) -> str:
        """All that a container has printed, on both streams; the client's complaint where there is none."""
        argv = [*self.client, "logs", container]
        done = subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
        )
        return done.stdout

    def hub_folders(self, target: str) -> list[str]:
        """Folders of this host that hubs have there."""
        found = self.existing(
            "container", self._rows("ps", "--all", "--quiet", "--filter=label=galilean.hub.role=hub")
        )
        mounts = [mount for one in found for mount in one.get("Mounts") or []]
        return [str(mount["Source"]) for mount in mounts if mount.get("Destination") == target]

    def create_volume(self, name: str, labels: t.Mapping[str, str]) -> None:
        self.call(
            "volume", "create", *[f"--label={key}={value}" for key, value in sorted(labels.items())], name
        )

    def remove_volume(self, name: str) -> None:
        self.call("volume", "rm", name, missing_ok=True)

    def remove_container(self, name: str) -> None:
        self.call("rm", "--force", "--volumes", name, missing_ok=True)

    def free_bytes(self) -> tuple[str, int] | None:
        """Where the engine keeps its data, and what is free there; None where that is not on this host."""
        folder = (self.call("info", "--format={{.DockerRootDir}}") or "").strip()
        try:
            return folder, shutil.disk_usage(folder).free
        except OSError:
            return None

    def builder(self) -> Builder:
        """A client on this host that can build with BuildKit: with buildx, or an older one that has it built in."""
        tried = []
        for client in dict.fromkeys([self.client, (FALLBACK_CLIENT,)]):
            if not os.access(shutil.which(client[0]) or client[0], os.X_OK):
                continue
            has_buildx = self._output([*client, "buildx", "version"]) is not None
            version = self._output([*client, "version", "--format={{.Client.Version}}"]) or ""
            kind = buildkit_of(version, has_buildx)
            if kind:
                return Builder(client, kind)
            tried.append(f"{client[0]} {version.strip() or '(no version)'}")
        raise HubError(
            f"No docker client on this host can build with BuildKit (tried {', '.join(tried) or FALLBACK_CLIENT}): "
            "install the package docker-buildx, or name another client in docker_cli."
        )

    @staticmethod
    def _output(argv: t.Sequence[str]) -> str | None:
        try:
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None
