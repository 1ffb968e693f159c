# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Project quotas of XFS and ext4: the kernel refuses what a home would take beyond its limit.

Each home has a project number of its own, which new files inherit from their folder. No tools are needed:
both file systems answer the same calls (quotactl_fd(2), FS_IOC_FSSETXATTR).
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import struct
from collections.abc import Iterable

from .measure import DEEPEST, FOLDER, MOST_WAITING

# The same number on every architecture (Linux 5.14).
_QUOTACTL_FD = 443
_Q_GETQUOTA, _Q_SETQUOTA, _PROJECTS = 0x800007, 0x800008, 2
_LIMITS = 1 | 4  # QIF_BLIMITS, QIF_ILIMITS
_BLOCK = 1024
# struct if_dqblk: limits of blocks and use in bytes, limits of inodes and use, two times, what is valid.
_DQBLK = struct.Struct("=8QI4x")
_GET, _SET, _ATTRIBUTES = 0x801C581F, 0x401C5820, struct.Struct("=5I8x")
_INHERIT = 0x200
# Docker counts its own from 1 on.
FIRST, _NUMBERS = 1 << 30, 1 << 30

_libc = ctypes.CDLL(None, use_errno=True)


def supported(mountinfo: str, device: str) -> bool:
    """Whether the file system of this number ("8:1") is mounted with limits for projects."""
    for line in mountinfo.splitlines():
        fields, _, rest = line.partition(" - ")
        words = fields.split()
        if len(words) > 5 and words[2] == device:
            kind, _, options = rest.split(" ")[:3]
            if kind in ("xfs", "ext4") and {"prjquota", "pquota"} & set(options.strip().split(",")):
                return True
    return False


def _call(folder: int, command: int, project: int, block: ctypes.Array[ctypes.c_char]) -> None:
    number = command << 8 | _PROJECTS
    if _libc.syscall(_QUOTACTL_FD, folder, ctypes.c_uint(number), ctypes.c_uint(project), block) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def limit(folder: int, project: int, size: int, files: int) -> None:
    """Set what a project may take on the folder's file system; 0 is no limit."""
    blocks = -(-size // _BLOCK)
    values = _DQBLK.pack(blocks, blocks, 0, files, files, 0, 0, 0, _LIMITS)
    _call(folder, _Q_SETQUOTA, project, ctypes.create_string_buffer(values, _DQBLK.size))


def used(folder: int, project: int) -> tuple[int, int]:
    """Bytes and files of a project."""
    block = ctypes.create_string_buffer(_DQBLK.size)
    _call(folder, _Q_GETQUOTA, project, block)
    values = _DQBLK.unpack(block.raw)
    return values[2], values[5]


def project_of(number: int) -> tuple[int, bool]:
    """The project of an open file or folder, and whether new files in it inherit that."""
    block = bytearray(_ATTRIBUTES.size)
    fcntl.ioctl(number, _GET, block)
    flags, _, _, project, _ = _ATTRIBUTES.unpack(block)
    return project, bool(flags & _INHERIT)


def _assign(number: int, project: int, folder: bool) -> None:
    block = bytearray(_ATTRIBUTES.size)
    fcntl.ioctl(number, _GET, block)
    flags, extent, extents, _, cow = _ATTRIBUTES.unpack(block)
    flags = flags | _INHERIT if folder else flags
    fcntl.ioctl(number, _SET, _ATTRIBUTES.pack(flags, extent, extents, project, cow))


def choose(name: str, taken: Iterable[int]) -> int:
    """A project number for a volume that no other volume has."""
    others = set(taken)
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % _NUMBERS
    while FIRST + number in others:
        number = (number + 1) % _NUMBERS
    return FIRST + number


def assign_tree(path: str, project: int) -> None:
    """Give a tree to a project, the top first: from then on new files are the project's by themselves.

    Follows no link, and opens nothing but files and folders.
    """
    stack: list[tuple[int, list[str]]] = []
    try:
        entered = os.open(path, FOLDER)
        device = os.fstat(entered).st_dev
        while True:
            stack.append((entered, []))
            if os.fstat(entered).st_dev == device and len(stack) < DEEPEST:
                _assign(entered, project, folder=True)
                stack[-1][1].extend(_assign_files(entered, project))
            while True:
                while stack and not stack[-1][1]:
                    os.close(stack.pop()[0])
                if not stack:
                    return
                try:
                    entered = os.open(stack[-1][1].pop(), FOLDER, dir_fd=stack[-1][0])
                    break
                except OSError:
                    # Gone meanwhile, or no folder any more.
                    continue
    finally:
        for number, _ in stack:
            os.close(number)


def _assign_files(number: int, project: int) -> list[str]:
    """Give the files in an open folder to the project, and return the folders in it."""
    folders = []
    with os.scandir(number) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if len(folders) < MOST_WAITING:
                    folders.append(entry.name)
            elif entry.is_file(follow_symlinks=False):
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                try:
                    below = os.open(entry.name, flags, dir_fd=number)
                except OSError:
                    continue
                try:
                    _assign(below, project, folder=False)
                except OSError:
                    pass
                finally:
                    os.close(below)
    return folders
