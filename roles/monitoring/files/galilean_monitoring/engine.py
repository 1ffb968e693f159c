# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The instance's containers: those of the engine's interface, and what the kernel counts of each.

Not the engine's own statistics: with cgroups of version 1 and some kernels they are all zero.
"""

from __future__ import annotations

import http.client
import json
import typing as t
from pathlib import Path
from urllib.parse import quote

from .text import Text
from .unix_socket import exchange

LABEL = "galilean.hub."
CGROUPS = Path("/sys/fs/cgroup")
TIMEOUT = 20.0


class Engine:
    """The engine behind a socket; OSError where it does not answer."""

    def __init__(self, path: str) -> None:
        self._path = path

    def ask(self, target: str, method: str = "GET") -> t.Any:
        try:
            status, text = exchange(self._path, method, target, TIMEOUT)
        except http.client.HTTPException as exc:
            raise OSError(f"the engine does not answer as one ({exc})") from exc
        if status >= 400:
            raise OSError(f"the engine answers {status}: {text.strip()[:200]}")
        return json.loads(text) if text.strip() else None

    def containers(self, instance: str) -> list[dict[str, t.Any]]:
        """All of the instance, as the engine shows each. One that goes meanwhile is left out."""
        filters = quote(json.dumps({"label": [f"{LABEL}instance={instance}"]}))
        found = []
        for one in self.ask(f"/containers/json?all=1&filters={filters}"):
            try:
                found.append(self.ask(f"/containers/{one['Id']}/json"))
            except OSError:
                continue
        return found

    def volumes(self, instance: str) -> list[dict[str, t.Any]]:
        filters = quote(json.dumps({"label": [f"{LABEL}instance={instance}", f"{LABEL}role=home"]}))
        found: list[dict[str, t.Any]] = self.ask(f"/volumes?filters={filters}")["Volumes"] or []
        return found


class Usage(t.NamedTuple):
    """Bytes of memory without what the kernel can take back, and seconds of processors."""

    memory: int
    cpu: float


def _numbers(path: Path) -> dict[str, int]:
    """A file with a name and a number in each line."""
    pairs = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}


def usage(pid: int, proc: Path = Path("/proc"), root: Path = CGROUPS) -> Usage:
    """What the group of a process has used; OSError or ValueError where the kernel does not tell."""
    places: dict[str, str] = {}
    for line in (proc / str(pid) / "cgroup").read_text(encoding="utf-8").splitlines():
        _number, controllers, path = line.split(":", 2)
        places.update(dict.fromkeys(controllers.split(","), path.lstrip("/")))
    if "memory" in places:
        memory, cpu = root / "memory" / places["memory"], root / "cpuacct" / places["cpuacct"]
        used = int((memory / "memory.usage_in_bytes").read_text(encoding="ascii"))
        cached = _numbers(memory / "memory.stat")["total_inactive_file"]
        seconds = int((cpu / "cpuacct.usage").read_text(encoding="ascii")) / 1e9
    else:
        here = root / places[""]
        used = int((here / "memory.current").read_text(encoding="ascii"))
        cached = _numbers(here / "memory.stat")["inactive_file"]
        seconds = _numbers(here / "cpu.stat")["usage_usec"] / 1e6
    return Usage(max(0, used - cached), seconds)


def _server(container: t.Mapping[str, t.Any]) -> str:
    """Name of a named server of a user; empty for the one without."""
    lines = container["Config"].get("Env") or []
    return next((line.partition("=")[2] for line in lines if line.startswith("JUPYTERHUB_SERVER_NAME=")), "")


def metrics(containers: t.Iterable[dict[str, t.Any]], parts: t.Mapping[str, str]) -> str:
    """Of the instance's own parts, whether they are there or not, and of users' servers."""
    text = Text()
    up = dict.fromkeys(parts, False)
    for one in containers:
        labels, state = one["Config"].get("Labels") or {}, one["State"]
        part, user = labels.get(f"{LABEL}role", ""), labels.get(f"{LABEL}user", "")
        running = bool(state.get("Running"))
        if part in up:
            up[part] = running and (state.get("Health") or {}).get("Status") != "unhealthy"
        if not running or (part not in up and part != "user"):
            continue
        told = {"part": part, "user": user, "server": _server(one)}
        try:
            used = usage(int(state["Pid"]))
        except (OSError, ValueError, KeyError):
            # It has ended meanwhile.
            continue
        prefix = "galilean_hub_container"
        text.add(
            f"{prefix}_memory_bytes",
            "Memory of a container, without what the kernel can take back.",
            used.memory,
            **told,
        )
        text.add(
            f"{prefix}_memory_limit_bytes",
            "Most memory of a container; 0 for no limit.",
            one["HostConfig"].get("Memory") or 0,
            **told,
        )
        text.add(f"{prefix}_cpu_seconds_total", "Processor time of a container.", used.cpu, "counter", **told)
    for part, well in sorted(up.items()):
        text.add(
            "galilean_hub_part_up",
            "1 while the container of a part runs and is not unhealthy.",
            int(well),
            part=part,
        )
    return str(text)
