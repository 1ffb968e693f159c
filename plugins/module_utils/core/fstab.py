# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The lines of /etc/fstab, read and replaced one by one. Pure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

# Tools take options that begin with x- for remarks: this one says that a line is ours to change.
MARK = "x-galilean-hub"


@dataclass(frozen=True)
class Entry:
    """One line that mounts or swaps something."""

    source: str
    path: str
    fstype: str
    options: tuple[str, ...]

    @property
    def ours(self) -> bool:
        return MARK in self.options


def decoded(word: str) -> str:
    """A field as it is meant: blanks stand as octal numbers in these tables, which the kernel's have, too."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), word)


def entry_of(line: str) -> Entry | None:
    """What a line says; nothing for a comment, a blank line or one that is not complete."""
    words = line.split()
    if len(words) < 3 or words[0].startswith("#"):
        return None
    options = words[3].split(",") if len(words) > 3 else []
    # Quotes are allowed around what stands behind UUID= and LABEL=.
    return Entry(decoded(words[0]).replace('"', ""), decoded(words[1]), words[2], tuple(options))


def entries(text: str) -> list[Entry]:
    """All that is mounted or swapped by the table."""
    return [entry for entry in map(entry_of, text.splitlines()) if entry]


def line_of(entry: Entry, check: int = 0) -> str:
    """An entry as a line; ``check`` is its turn when file systems are checked at boot, 0 for never."""
    return f"{entry.source} {entry.path} {entry.fstype} {','.join(entry.options)} 0 {check}"


def replaced(text: str, drop: t.Callable[[Entry], bool], line: str = "") -> str:
    """The table with this line where the first dropped one was, or at its end; without a line, only less those."""
    kept: list[str] = []
    place = None
    for old in text.splitlines():
        entry = entry_of(old)
        if entry is None or not drop(entry):
            kept.append(old)
        elif place is None:
            place = len(kept)
    if line:
        kept.insert(len(kept) if place is None else place, line)
    return "".join(f"{one}\n" for one in kept)
