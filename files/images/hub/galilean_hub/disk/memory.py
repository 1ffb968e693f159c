# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What users' servers hold in memory, for the hub's home page. The agent reads it from control groups.

The engine's own figures would take the hub a request each, and engines have none on some hosts.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

# Where the agent has the host's /sys/fs/cgroup.
ROOT = Path("/cgroup")
FILE = "memory.json"
# Seconds between two looks, and after which one says nothing any more.
EVERY = 10.0
STALE = 60.0
# Letters of a container's number.
ID = 64


class Memory:
    """The groups of containers: found once, by a folder's name, wherever the engine has put it."""

    def __init__(self, root: Path = ROOT) -> None:
        # The first version of control groups has a tree for each kind.
        self._root = root / "memory" if (root / "memory").is_dir() else root
        self._folders: dict[str, Path] = {}
        self._looked = float("-inf")

    def tick(self, folder: Path, containers: set[str], now: float) -> None:
        """Write what these hold, now and then, where there are any."""
        if now - self._looked < EVERY or not (containers or self._folders):
            return
        self._looked = now
        part = folder / f"{FILE}.part"
        part.write_text(json.dumps({"time": now, "memory": self.of(containers)}), encoding="utf-8")
        part.chmod(0o640)
        part.replace(folder / FILE)

    def of(self, containers: set[str]) -> dict[str, int]:
        """Bytes by container; those that have just ended, or begun, are left out."""
        self._folders = {one: path for one, path in self._folders.items() if one in containers}
        if containers - self._folders.keys():
            self._find(containers)
        found = {}
        for one, path in list(self._folders.items()):
            try:
                found[one] = used(path)
            except (OSError, ValueError, KeyError):
                del self._folders[one]
        return found

    def _find(self, containers: set[str]) -> None:
        for top, names, _files in os.walk(self._root):
            for name in list(names):
                # docker/<id>, or docker-<id>.scope.
                number = name.removeprefix("docker-").removesuffix(".scope")
                if len(number) == ID and number in containers:
                    # What is in it is its own.
                    names.remove(name)
                    self._folders[number] = Path(top, name)


def used(group: Path) -> int:
    """Bytes of a control group, without what the kernel can take back at once."""
    first = (group / "memory.usage_in_bytes").exists()
    size = int((group / ("memory.usage_in_bytes" if first else "memory.current")).read_text(encoding="ascii"))
    pairs = (line.split() for line in (group / "memory.stat").read_text(encoding="ascii").splitlines())
    cached = {name: int(value) for name, value in pairs}["total_inactive_file" if first else "inactive_file"]
    return max(0, size - cached)


def read(folder: Path) -> dict[str, int]:
    """The agent's last answer; empty where there is none, or none of late."""
    try:
        read = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return dict(read["memory"]) if time.time() - read["time"] < STALE else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
