# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Take what apt has just installed out of the system, into a tree that works from its own place.

    tree.py remember         before the installation
    tree.py collect TARGET   after it

Nothing here knows R's files one by one: what is new on the disk is copied, links are made to work from the
new place, and text files that name the old place are rewritten where PLACES says so.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

STATE = Path("/build/before.json")
ROOTS = ("/usr", "/etc")
# All but libraries, fonts and R itself; of R what nobody needs while working with it.
LEFT_OUT = re.compile(
    r"^/etc/(?!R/)|^/usr/s?bin/(?!(un)?zip$)|^/usr/lib/(?!R/|tcltk/|[^/]+-linux-gnu/)"
    r"|^/usr/lib/[^/]+-linux-gnu/(krb5|sasl2|glib-2.0|perl|pkgconfig)/"
    r"|^/usr/share/(?!R/|fonts/|tcltk/|zoneinfo/)|^/usr/share/fonts/(?!truetype/dejavu/)"
    r"|^/usr/share/R/(doc/(manual/|html/|NEWS)|include/)"
    r"|^/usr/lib/R/library/translations/"
    # There is no compiler for the headers.
    r"|^/usr/lib/R/(site-)?library/[^/]+/(tests|tinytest|unitTests|doc|po|demo|include)/"
)
# Files that name places, as R's own scripts do.
PLACES = re.compile(r"^/etc/R/|^/usr/lib/R/bin/|^/usr/lib/R/etc/")
NAMED = re.compile(r"(?<![\w.-])/(usr/(lib|share)/R|etc/R)(?![\w.-])")


def packages() -> dict[str, str]:
    """Installed packages with their versions."""
    out = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Package}:${Architecture}=${Version}\n"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return dict(line.split("=", 1) for line in out.split())


def on_disk() -> set[str]:
    """Every file and link below ROOTS."""
    found = set()
    for root in ROOTS:
        for folder, subfolders, files in os.walk(root):
            links = [name for name in subfolders if os.path.islink(os.path.join(folder, name))]
            found.update(os.path.join(folder, name) for name in files + links)
    return found


def remember() -> None:
    STATE.write_text(json.dumps({"packages": packages(), "files": sorted(on_disk())}))


def collect(target: Path) -> None:
    before = json.loads(STATE.read_text())
    now = packages()
    replaced = [name for name, version in before["packages"].items() if now.get(name) != version]
    if replaced:
        raise SystemExit(
            f"These packages of the base had to be renewed for R: {', '.join(replaced)}."
            " Give images_base_serial a new value, so that all images get them."
        )
    old = set(before["files"])
    new = sorted(path for path in on_disk() - old if not LEFT_OUT.search(path))
    kept = set(new)
    for path in new:
        place = target / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        real = os.path.realpath(path)
        if not os.path.islink(path):
            shutil.copy2(path, place)
            if PLACES.search(path) and not place.read_bytes().startswith(b"\x7fELF"):
                place.write_text(NAMED.sub(rf"{target}/\1", place.read_text()))
        elif real in kept:
            place.symlink_to(os.path.relpath(target / real.lstrip("/"), place.parent))
        elif real in old or (os.path.isdir(real) and not any(name.startswith(real + "/") for name in new)):
            place.symlink_to(real)
        elif os.path.isdir(real):
            place.symlink_to(os.path.relpath(target / real.lstrip("/"), place.parent))
        elif os.path.exists(real) and not LEFT_OUT.search(path):
            # The link was kept, what it names was not: the way over /etc/alternatives.
            shutil.copy2(real, place)


if __name__ == "__main__":
    if sys.argv[1] == "remember":
        remember()
    else:
        collect(Path(sys.argv[2]))
