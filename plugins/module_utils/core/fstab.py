# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The lines of /etc/fstab, as they are meant. Pure."""

from __future__ import annotations

import re
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
