# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Writes a tree like a software stack: packages with many small files and few large ones. Runs in a build.

    python3 software_tree.py FOLDER FILES BYTES [CHANGED]

The same arguments give the same tree. With CHANGED one of the packages has other content, as after an update.
Standard library only.
"""

from __future__ import annotations

import os
import random
import sys

PACKAGES = 120
# What a build that fixes the times of its files leaves.
TIME = 1_600_000_000


def write(path: str, content: bytes) -> None:
    with open(path, "wb") as stream:
        stream.write(content)
    os.utime(path, (TIME, TIME))


def make_package(folder: str, name: str, files: int, size: int, changed: str) -> None:
    """One package: modules and compiled modules, half of them small, and libraries that make up the rest."""
    draw = random.Random(name + changed)
    total = 0
    for number in range(files - 2):
        inside = os.path.join(folder, name, f"part{number // 40}", "__pycache__" if number % 2 else "")
        os.makedirs(inside, exist_ok=True)
        count = min(int(draw.lognormvariate(8.3, 1.5)), 1 << 20)
        total += count
        write(
            os.path.join(inside, f"module{number // 2}.{'pyc' if number % 2 else 'py'}"),
            draw.randbytes(count),
        )
    # One of them is much larger than the other, as libraries are.
    rest = max(size - total, 2)
    for number, count in enumerate((rest // 6, rest - rest // 6)):
        write(os.path.join(folder, name, f"library{number}.so"), draw.randbytes(count))


def main(folder: str, files: str, size: str, changed: str = "") -> None:
    for number in range(PACKAGES):
        # Half of the packages have most of what there is.
        share = 1.6 if number % 2 else 0.4
        name = f"package{number:03d}"
        # One of the larger ones.
        word = changed if number == PACKAGES // 2 - 1 else ""
        make_package(
            folder, name, int(int(files) / PACKAGES * share), int(int(size) / PACKAGES * share), word
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
