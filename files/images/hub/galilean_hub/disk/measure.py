# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a tree takes on the disk. The tree belongs to somebody who may change it meanwhile, and mean it badly.

Every step goes from an open folder to a name in it, and follows no link: no path is ever too long, and none
leads elsewhere. Blocks count and not lengths, so holes take nothing. What would take too much memory or too
many open folders is not measured further, and counts as too much.
"""

from __future__ import annotations

import os
from typing import NamedTuple

# A path of one-letter names that programs can still use (PATH_MAX) is not deeper.
DEEPEST = 2100
# Names of folders that wait for their turn.
MOST_WAITING = 400_000
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Measured(NamedTuple):
    """Bytes and entries of a tree; `excess` says why it was not measured to its end."""

    bytes: int
    files: int
    excess: str = ""


class _Folder:
    def __init__(self, number: int, names: list[str]) -> None:
        self.number, self.names = number, names


def measure(path: str, most_files: int = 0) -> Measured:
    """Measure a tree, with `most_files` until it has more entries; OSError where it cannot be opened."""
    top = os.open(path, FOLDER)
    stack: list[_Folder] = []
    waiting = 0
    try:
        here = os.fstat(top)
        total, files = here.st_blocks * 512, 1
        entered = top
        while True:
            size, count, names = _read(entered, here.st_dev)
            total, files = total + size, files + count
            stack.append(_Folder(entered, names))
            waiting += len(names)
            if waiting > MOST_WAITING or (most_files and files > most_files):
                return Measured(total, files, "more files and folders than it may have")
            while True:
                while stack and not stack[-1].names:
                    os.close(stack.pop().number)
                if not stack:
                    return Measured(total, files)
                waiting -= 1
                try:
                    entered = os.open(stack[-1].names.pop(), FOLDER, dir_fd=stack[-1].number)
                except OSError:
                    # Gone meanwhile, or no folder any more.
                    continue
                if os.fstat(entered).st_dev == here.st_dev:
                    break
                # Something is mounted there.
                os.close(entered)
            if len(stack) >= DEEPEST:
                os.close(entered)
                return Measured(total, files, "folders nested too deeply")
    finally:
        for folder in stack:
            os.close(folder.number)


def _read(number: int, device: int) -> tuple[int, int, list[str]]:
    """What the entries of an open folder take, how many they are, and which of them are folders."""
    total = count = 0
    names = []
    try:
        with os.scandir(number) as entries:
            for entry in entries:
                try:
                    found = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                if found.st_dev != device:
                    continue
                count += 1
                folder = entry.is_dir(follow_symlinks=False)
                # A file with several names counts a part with each of them.
                total += found.st_blocks * 512 // (1 if folder else max(1, found.st_nlink))
                if folder:
                    names.append(entry.name)
                    if len(names) > MOST_WAITING:
                        break
    except OSError:
        pass
    return total, count, names
