# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a disk holds and where it is mounted, from what kernel and tools say. Pure: reads no disk itself."""

from __future__ import annotations

import json
import struct
import typing as t
import uuid
from dataclasses import dataclass

from ansible_collections.galilean.hub.plugins.module_utils.core.fstab import decoded

# How much of a disk's beginning `filesystem_of` wants to see.
SUPERBLOCK = 4096
# File systems that can be used, and grown while they are mounted.
SUPPORTED = ("ext4", "xfs")
# What a file system of ours is called, from the moment at which mkfs begins. XFS has room for 12 letters.
LABEL = "hub-data"
# virtio shows as much of a serial number, and a shorter beginning would not tell volumes apart for sure.
SERIAL_CUT, SERIAL_MIN = 20, 8

_EXT_MAGIC, _EXT_64BIT = 0xEF53, 0x80
# The features quota and project together, and XFS's note that it counts for projects.
_EXT_PROJECT, _XFS_PROJECT = 0x2100, 0x8


@dataclass(frozen=True)
class FileSystem:
    """A file system by its first block.

    interrupted: never finished, and so never mounted; projects: the next mount can keep limits for projects.
    """

    kind: str
    uuid: str
    label: str
    size: int
    log: int = 0
    interrupted: bool = False
    projects: bool = False


@dataclass(frozen=True)
class Mount:
    """A line of /proc/self/mountinfo; ``root`` is what of the file system is mounted."""

    device: str
    root: str
    path: str
    source: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Disk:
    """A disk as the host sees it, and what is on it."""

    path: str
    number: str
    size: int
    # All words that an entry of /etc/fstab may call it by.
    names: frozenset[str] = frozenset()
    signatures: tuple[str, ...] = ()
    filesystem: FileSystem | None = None
    parts: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    readonly: bool = False
    busy: bool = False

    @property
    def blank(self) -> bool:
        """Whether there is nothing on it, or only what a stopped run left of a file system."""
        if self.filesystem:
            return self.filesystem.interrupted
        return not (self.signatures or self.parts or self.holders)


def gib(size: float) -> float:
    """Bytes as people read them."""
    return round(size / 2**30, 2)


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace")


def _ext(block: bytes) -> FileSystem:
    low, shift, incompat, high = (struct.unpack_from("<I", block, at)[0] for at in (0x4, 0x18, 0x60, 0x150))
    blocks = low | (high << 32 if incompat & _EXT_64BIT else 0)
    compatible, projects = (struct.unpack_from("<I", block, at)[0] for at in (0x64, 0x26C))
    return FileSystem(
        "ext4", str(uuid.UUID(bytes=block[0x68:0x78])), _text(block[0x78:0x88]), blocks * (1024 << shift),
        projects=compatible & _EXT_PROJECT == _EXT_PROJECT and projects != 0,
    )  # fmt: skip


def _xfs(block: bytes) -> FileSystem:
    size, blocks, logstart = struct.unpack_from(">IQ", block, 4) + struct.unpack_from(">Q", block, 48)
    logblocks, last_change = struct.unpack_from(">I", block, 96)[0], struct.unpack_from(">Q", block, 240)[0]
    return FileSystem(
        "xfs",
        str(uuid.UUID(bytes=block[32:48])),
        _text(block[108:120]),
        blocks * size,
        # An internal log is no part of what statvfs counts.
        logblocks * size if logstart else 0,
        # The kernel mounts none that carries the first mark, and leaves the second when it mounts one.
        interrupted=block[126] == 1 and last_change == 0,
        # One that was never mounted has nothing to count yet.
        projects=last_change == 0 or bool(struct.unpack_from(">H", block, 176)[0] & _XFS_PROJECT),
    )


def filesystem_of(kind: str, start: bytes) -> FileSystem | None:
    """What the beginning of a disk says of a file system of this kind; nothing where it is another."""
    if len(start) < SUPERBLOCK:
        return None
    if kind == "ext4" and struct.unpack_from("<H", start, 1024 + 0x38)[0] == _EXT_MAGIC:
        return _ext(start[1024:2048])
    if kind == "xfs" and start[:4] == b"XFSB":
        return _xfs(start)
    return None


def signatures(wipefs: str, blkid: str) -> tuple[str, ...]:
    """All that is known to be on a disk, of `wipefs --json` and `blkid --probe --output export`.

    Each finds what the other does not: wipefs all signatures, blkid some partition tables that have none.
    """
    found = [item["type"] for item in json.loads(wipefs or "{}").get("signatures") or []]
    for line in blkid.splitlines():
        key, _, value = line.partition("=")
        if key in ("TYPE", "PTTYPE"):
            found.append(value)
    return tuple(sorted(set(found)))


def mounts(mountinfo: str) -> list[Mount]:
    """The lines of /proc/self/mountinfo; where two have the same path, the later one is on top."""
    found = []
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        words, last = left.split(), right.split()
        if len(words) < 6 or len(last) < 3:
            continue
        options = tuple(dict.fromkeys([*words[5].split(","), *last[2].split(",")]))
        found.append(Mount(words[2], decoded(words[3]), decoded(words[4]), decoded(last[1]), options))
    return found


def chosen(wanted: str, serials: t.Mapping[str, str]) -> list[str]:
    """The disks, of serial numbers by name, that a serial number or the beginning of one means."""
    same = sorted(name for name, serial in serials.items() if serial == wanted)
    if same or len(wanted) < SERIAL_MIN:
        return same
    return sorted(
        name
        for name, serial in serials.items()
        if serial.startswith(wanted) or (len(serial) >= SERIAL_CUT and wanted.startswith(serial))
    )
