# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Jar files, smaller and the same in every build.

jars.py slim FOLDER          take libraries for other machines out of all jars
jars.py pack FOLDER JAR      put a folder into a jar
"""

from __future__ import annotations

import platform
import re
import sys
import zipfile
from pathlib import Path

LIBRARY = re.compile(r"\.(so|dll|jnilib|dylib)(\.zst)?$|/[^/]+\.(so|a)\.\d+$")
# Names of this machine in the names of libraries or their folders, next to "linux".
MACHINES = {"x86_64": r"x86_64|amd64|linux64\.so", "aarch64": r"aarch64|arm64"}
MOMENT = (1980, 1, 1, 0, 0, 0)


def is_foreign(name: str) -> bool:
    """Whether an entry is a library for another system or processor."""
    if not LIBRARY.search(name):
        return False
    ours = re.search(MACHINES.get(platform.machine(), "."), name)
    # Debian's C library is not musl.
    return not ours or not re.search("linux", name, re.IGNORECASE) or "musl" in name


def slim(jar: Path) -> None:
    with zipfile.ZipFile(jar) as old:
        kept = [entry for entry in old.infolist() if not is_foreign(entry.filename)]
        if len(kept) == len(old.infolist()):
            return
        part = jar.with_suffix(".part")
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as new:
            for entry in kept:
                new.writestr(entry, old.read(entry))
    print(f"{jar.name}: {jar.stat().st_size >> 20} -> {part.stat().st_size >> 20} MiB", flush=True)
    part.replace(jar)


def pack(folder: Path, jar: Path) -> None:
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as new:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            new.writestr(zipfile.ZipInfo(str(file.relative_to(folder)), MOMENT), file.read_bytes())


if __name__ == "__main__":
    if sys.argv[1] == "slim":
        for path in sorted(Path(sys.argv[2]).glob("*.jar")):
            slim(path)
    else:
        pack(Path(sys.argv[2]), Path(sys.argv[3]))
