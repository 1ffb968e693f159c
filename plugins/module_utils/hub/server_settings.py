# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""With which settings users' servers were started. Pure."""

from __future__ import annotations

import hashlib
import json
import typing as t

LABEL = "galilean.hub.settings"
# What people call it, and which options of a container and of an environment belong to it.
IMAGES = ("image",)
LIMITS = (
    *("mem_limit", "cpu_limit", "memory_limit", "disk_limit", "shared_disk_limit", "cull_timeout"),
    *("memswap_limit", "pids_limit", "tmpfs", "ulimits", "shm_size", "cpu_shares"),
)
FOLDERS = ("volumes", "folders")
CONFINEMENT = ("security_opt", "cap_drop", "read_only", "init")
ASPECTS = ("images", "limits", "folders and shared software", "confinement", "environment")
SPAWNER = ("profiles", "groups", "folders", "repositories", "git_hosts")
DOCKER = ("image", "mem_limit", "cpu_limit", "volumes", "default_url", "environment", "extra_host_config")


def _aspect(name: str) -> str:
    for aspect, names in zip(ASPECTS, (IMAGES, LIMITS, FOLDERS, CONFINEMENT)):
        if name in names:
            return aspect
    return ASPECTS[-1]


def _leaves(value: t.Any, name: str, place: str) -> t.Iterator[tuple[str, str, t.Any]]:
    """Each value that a server is started with: what it belongs to, where it stands, and itself."""
    known = _aspect(name) != ASPECTS[-1]
    if isinstance(value, dict) and not known:
        for key, part in value.items():
            yield from _leaves(part, key, f"{place}.{key}")
    elif isinstance(value, list) and not known:
        for number, part in enumerate(value):
            yield from _leaves(part, name, f"{place}.{number}")
    else:
        yield _aspect(name), place, value


def fingerprint(traits: t.Mapping[str, t.Any]) -> str:
    """One digest for each of ASPECTS, in their order, of the traits that a server's container is made from."""
    found: dict[str, list[t.Any]] = {aspect: [] for aspect in ASPECTS}
    for cls, names in (("DockerSpawner", DOCKER), ("GalileanSpawner", SPAWNER)):
        for name in names:
            for aspect, place, value in _leaves((traits.get(cls) or {}).get(name), name, f"{cls}.{name}"):
                found[aspect].append([place, value])
    texts = [json.dumps(rows, sort_keys=True, default=str) for rows in found.values()]
    return "-".join(hashlib.sha256(text.encode()).hexdigest()[:8] for text in texts)


def differing(label: str, current: str) -> list[str]:
    """What of a server is not as new ones are."""
    mine, wanted = label.split("-"), current.split("-")
    if len(mine) != len(wanted):
        return ["an older release"]
    return [aspect for aspect, one, other in zip(ASPECTS, mine, wanted) if one != other]


def _listed(words: t.Sequence[str], most: int = 5) -> str:
    shown = [*words[:most], *([f"{len(words) - most} more"] if len(words) > most else [])]
    return " and ".join([", ".join(shown[:-1])] * bool(shown[:-1]) + shown[-1:])


def servers_summary(servers: t.Sequence[tuple[str, str]], current: str, url: str, cull: int) -> str:
    """A sentence on servers (user and label) that run with other settings than new ones have; empty for none."""
    old = [(user, found) for user, label in sorted(servers) if (found := differing(label, current))]
    if not old:
        return ""
    what = _listed(
        [name for name in (*ASPECTS, "an older release") if any(name in found for _user, found in old)], 9
    )
    idle = f", or is stopped after {cull} seconds without activity" if cull else ""
    return (
        f"{len(old)} of {len(servers)} running servers ({_listed([user for user, _found in old])}) "
        f"still have the settings of their start ({what}). A server gets the new settings when its "
        f"user stops and starts it{idle}; an administrator stops it at "
        f"{url.rstrip('/')}/hub/admin. Rules of the network hold for all servers at once."
    )
