# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Sizes as people write them: 8G, 8g, 8 GB, 8GiB, 0.5G, or bytes. Pure: no I/O.

In the image of the hub, too: settings, hub and broker read sizes alike. It needs
the standard library only.
"""

from __future__ import annotations

import re

# As Docker and JupyterHub have it: each unit is 1024 of the one before, however it is written.
UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(?:I?B|I)?", re.IGNORECASE)


def parse_size(value: object) -> int:
    """The bytes of a size; ValueError where it is none."""
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is no size")
    found = SIZE.fullmatch(str(value).strip())
    if not found:
        raise ValueError(f"{value!r} is no size")
    whole, _, part = found[1].partition(".")
    unit = UNITS[found[2].upper()]
    # In whole numbers: 8.1T as a floating point number would be some bytes more or less.
    return int(whole) * unit + (int(part) * unit // 10 ** len(part) if part else 0)


def size_problem(value: object, least: int, words: tuple[str, ...] = ()) -> str:
    """What to write instead of a size that does not fit; empty where it does.

    least: the smallest that makes sense, in bytes; words: what may stand there instead of a size.
    """
    if str(value).strip() in words:
        return ""
    example = f"{', '.join(words)}{' or ' if words else ''}a number with K, M, G or T, such as 8G"
    try:
        size = parse_size(value)
    except ValueError:
        return f"give {example}"
    if size < least:
        # 4 is most often meant as 4G.
        plain = str(value).strip().isdigit() and size > 0
        meant = f"it is {size} bytes, so write {size}G if you mean that, or " if plain else ""
        return f"{meant}give at least {least // UNITS['M']}M"
    return ""
