# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Limits of homes and shared folders, and the reserve of the disk: who is told, who may start or is stopped.

Pure: no I/O.

`space` is a file system as the agent sees it: total, free, files, files_free (free for who is not root).
`usage` is a home or a folder as it was measured: bytes, files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..shared.sizes import parse_size

Space = Mapping[str, int]
Usage = Mapping[str, Any]

MIB, GIB = 1024**2, 1024**3
# Part of the file system that one home may take where the settings say auto.
SHARE = 2
# The reserve where the settings say auto: the smaller of these.
RESERVE, RESERVE_PART = 4 * GIB, 20
# As ext4 makes inodes: who fills the disk with empty files takes others' room just as well.
BYTES_PER_FILE, FEWEST_FILES = 16 * 1024, 50_000
FILES_RESERVE, FILES_RESERVE_PART = 100_000, 20
# In hundredths of the limit: from here on users are told, and beyond this servers are stopped.
NEAR, HARD = 90, 110
# What a server may write that was started with a home over its limit: enough to work with while one deletes.
SLACK, LEAST_SLACK, SLACK_FILES = 64 * MIB, 8 * MIB, 2_000
# Seconds from the first sign until a server that writes has ended.
AHEAD = 10
# Less than this within the window makes nobody the one who fills the disk.
WRITER = 16 * MIB
# What a server writes that only starts or idles; some hundred new files leave more.
TRACE = 256 * 1024
# Seconds until the next start after a server was stopped for its home's size, and how it grows each time.
PAUSE, PAUSE_FACTOR, LONGEST_PAUSE = 15, 4, 24 * 3600
# A state that is older says nothing about now.
STALE = 120

NO_RATE: Mapping[str, int] = MappingProxyType({"bytes": 0, "files": 0})

OK, NEARLY, OVER, FULL = "ok", "near", "over", "full"


def limit_of(setting: str, space: Space) -> int:
    """Bytes of a home; 0 is no limit."""
    if setting in ("", "0"):
        return 0
    return space["total"] // SHARE if setting == "auto" else parse_size(setting)


def reserve_of(setting: str, space: Space) -> int:
    """Bytes that stay free."""
    return min(RESERVE, space["total"] // RESERVE_PART) if setting == "auto" else parse_size(setting or "0")


def files_of(limit: int) -> int:
    """How many files a home of that limit may have; 0 is no limit."""
    return max(FEWEST_FILES, limit // BYTES_PER_FILE) if limit else 0


def hundredths(usage: Usage, limit: int) -> int:
    """How much of its limit a home takes: of bytes or of files, whichever is more."""
    if not limit:
        return 0
    # What could not be measured to its end is too much, whatever was counted.
    least = HARD if usage.get("excess") else 0
    return max(least, usage["bytes"] * 100 // limit, usage["files"] * 100 // files_of(limit))


def verdict(usage: Usage | None, limit: int) -> str:
    """How a home stands."""
    used = hundredths(usage, limit) if usage else 0
    return FULL if used >= HARD else OVER if used >= 100 else NEARLY if used >= NEAR else OK


def _lacking(space: Space, reserve: int, tenths: int) -> str:
    """What there is too little of, compared with so many tenths of the reserve; empty: nothing."""
    if space["free"] * 10 < reserve * tenths:
        return "bytes"
    # Without a reserve in bytes there is none of files either; file systems without a table of inodes say 0.
    spare = min(FILES_RESERVE, space["files"] // FILES_RESERVE_PART) if reserve else 0
    return "files" if space["files_free"] * 10 < spare * tenths else ""


def reached(space: Space, reserve: int) -> str:
    """Whether the reserve is touched, and of what."""
    return _lacking(space, reserve, 10)


def threatened(space: Space, reserve: int, rate: Mapping[str, int] = NO_RATE) -> str:
    """Whether it is time to stop who writes: early enough that others can still start.

    rate: bytes and files that the disk takes up in a second. It takes some until a server has been stopped.
    """
    soon = {
        key: space[key] - rate[what] * AHEAD for key, what in (("free", "bytes"), ("files_free", "files"))
    }
    return _lacking({**space, **soon}, reserve, 10) or _lacking(space, reserve, 15)


def in_danger(
    spaces: Mapping[str, Space], reserve: int, rates: Mapping[str, Mapping[str, int]] = MappingProxyType({})
) -> bool:
    """Whether one of them is threatened, the disk of the homes or the hub's; each grows at its rate."""
    return any(threatened(space, reserve, rates.get(name, NO_RATE)) for name, space in spaces.items())


@dataclass(frozen=True)
class Running:
    """A server that runs: its home, the home's limit, and how it stood when the server was started."""

    home: str
    limit: int
    usage: Usage | None = None
    base: Usage | None = None
    written: int = 0


def ceiling(limit: int, base: Usage | None) -> dict[str, int]:
    """What a home may grow to while its server runs; who came with more may delete, and not go on writing."""
    before = base or {"bytes": 0, "files": 0}
    files = files_of(limit)
    found = {"bytes": limit * HARD // 100, "files": files * HARD // 100}
    if before["bytes"] >= limit:
        slack = min(SLACK, max(LEAST_SLACK, limit // 20))
        found["bytes"] = max(found["bytes"], before["bytes"] + slack)
    if before["files"] >= files:
        found["files"] = max(found["files"], before["files"] + SLACK_FILES)
    return found


def beyond(server: Running) -> bool:
    """Whether a server has to be stopped for its own home's size."""
    if not server.limit or not server.usage:
        return False
    if server.usage.get("excess") and not (server.base or {}).get("excess"):
        return True
    most = ceiling(server.limit, server.base)
    return bool(server.usage["bytes"] > most["bytes"] or server.usage["files"] > most["files"])


def writer(servers: Iterable[Running]) -> Running | None:
    """Whose server is stopped when the disk runs full: of those who write, who is over the limit, or most."""

    def grown(server: Running) -> int:
        if not server.usage or not server.base:
            return 0
        files = (server.usage["files"] - server.base["files"]) * BYTES_PER_FILE
        return int(max(server.usage["bytes"] - server.base["bytes"], files))

    def weight(server: Running) -> tuple[bool, int]:
        return verdict(server.usage, server.limit) in (OVER, FULL), max(server.written, grown(server))

    busy = [server for server in servers if weight(server)[1] >= WRITER]
    return max(busy, key=weight, default=None)


@dataclass(frozen=True)
class Suspect:
    """May write to a shared folder: what it wrote of late, and whether it has files open there."""

    home: str
    written: int
    touched: bool


def culprit(suspects: Iterable[Suspect]) -> str:
    """Whose server is stopped when a shared folder grows beyond its limit; empty where none of them writes.

    All files there have the same owner. Who has them open while they grow is told from who writes elsewhere.
    """
    busy = [one for one in suspects if one.written > (0 if one.touched else TRACE)]
    found = max(busy, key=lambda one: (one.touched, one.written), default=None)
    return found.home if found else ""


def pause(times: int) -> int:
    """Seconds until somebody may start again whose servers were stopped so many times in a row."""
    return int(min(LONGEST_PAUSE, PAUSE * PAUSE_FACTOR ** min(max(times, 1) - 1, 10)))


def words(size: int) -> str:
    """A size as people read it."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size // 1024} KiB"


def notice(usage: Usage | None, limit: int, quota: bool = False, folder: str = "") -> str:
    """What is told of a home to its owner, or of a shared folder to who may write there, if anything.

    quota: the file system itself keeps the limit. JupyterLab shows no more than 140 characters.
    """
    state = verdict(usage, limit)
    if state == OK or not usage:
        return ""
    what = folder or "Your home"
    if usage.get("excess"):
        takes = f"{what} has {usage['excess']}."
    elif usage["files"] * 100 // files_of(limit) > usage["bytes"] * 100 // limit:
        takes = f"{what} has {usage['files']:,} files, its limit is {files_of(limit):,}."
    else:
        takes = f"{what} takes {words(usage['bytes'])}, its limit is {words(limit)}."
    if state == NEARLY:
        return f"{takes} Delete what you do not need."
    if quota:
        return f"{takes} Delete what you can: beyond {HARD} % of it nothing can be written."
    if folder:
        when = f"at {HARD} %" if state == OVER else "now"
        return f"{takes} Delete what you can: {when} the server that writes is stopped."
    if state == OVER:
        return f"{takes} Delete what you do not need: at {HARD} % of the limit your server is stopped."
    return f"{takes} Please clean up: you can delete, and the server is stopped when the home grows."


def stopped(usage: Usage | None, limit: int, seconds: int, folder: str = "") -> str:
    """What is told after a server was stopped for its home's or a folder's size, or for filling the disk."""
    takes = notice(usage, limit, folder=folder).split(" Please ")[0].split(" Delete ")[0]
    why = takes or "Your server wrote more than this hub's disk has room for."
    wrote = " Your server wrote to it, and was stopped" if folder else " Your server was stopped"
    return (
        f"{why}{wrote} so that the disk does not run full. "
        f"You can start it again in {seconds} seconds to clean up."
    )


REFUSED = {
    "bytes": "This hub's disk is nearly full, so no server can start now. Your files are kept. "
    "Tell the people who run this hub, and try again later.",
    "files": "This hub's disk has nearly no room for further files, so no server can start now. "
    "Your files are kept. Tell the people who run this hub, and try again later.",
}
