# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What operators have told the hub: an announcement, a drain. Neither needs a restart, and both survive one.

The file is beside the settings. The hub reads it at each start of a server; its pages and JupyterLab read the announcement from
look.json, and the edge's own pages from announcement.html. site.yml makes these two from its settings and from this file.
"""

from __future__ import annotations

import json
import os
import pwd
import time
import typing as t
from pathlib import Path

from .atomic_file import replace_file
from .json_file import read_json
from .settings import Problem, Settings
from .words import stamp

FILE, LOOK, EDGE = "operations.json", "web/look.json", "announcement.html"
LONGEST = 1000

Operations = dict[str, t.Any]


def read(settings: Settings) -> Operations:
    return read_json(Path(settings.config_dir) / FILE)


def signed(**facts: t.Any) -> dict[str, t.Any]:
    """What is told, with who tells it and when."""
    number = int(os.environ.get("SUDO_UID") or os.getuid())
    try:
        who = pwd.getpwuid(number).pw_name
    except KeyError:
        who = str(number)
    return {**facts, "by": who, "since": stamp(time.time())}


def sentence(text: str) -> str:
    """Text for pages on one line; raises Problem."""
    plain = " ".join(text.split())
    if not plain or not plain.isprintable() or len(plain) > LONGEST:
        raise Problem(f"The text is '{plain[:80]}': give 1 to {LONGEST} letters, without control characters.")
    return plain


def announcement(settings: Settings, found: Operations) -> str:
    """What pages show: why no servers start, then what was announced, or else what the settings announce; and their notice."""
    told = (found.get("announcement") or {}).get("text") or settings.announcement
    return " ".join(
        part for part in ((found.get("drain") or {}).get("message"), told, settings.notice) if part
    )


def look(before: t.Mapping[str, t.Any], found: Operations, text: str) -> dict[str, t.Any]:
    """What hub and JupyterLab read."""
    rest = {key: value for key, value in before.items() if key != "drain"}
    drain = found.get("drain")
    return {
        **rest,
        "announcement": text,
        **({"drain": {key: drain[key] for key in ("at", "stop")}} if drain else {}),
    }


def escaped(text: str) -> str:
    """As Jinja does it, so that the next run of site.yml finds nothing to change."""
    for letter, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "#34"), ("'", "#39")):
        text = text.replace(letter, f"&{name};")
    return text


def write(settings: Settings, found: Operations) -> None:
    """Keep it, and show it."""
    folder = Path(settings.config_dir)
    shown = read_json(folder / LOOK)
    if not shown:
        raise Problem(f"{folder / LOOK} cannot be read: run site.yml again.")
    text = announcement(settings, found)
    page = f'<p class="announcement">{escaped(text)}</p>' if text else ""
    files = {
        folder / FILE: json.dumps(found, indent=2) + "\n",
        folder / LOOK: json.dumps(look(shown, found, text), indent=4, sort_keys=True) + "\n",
        Path(settings.edge_dir) / EDGE: page,
    }
    try:
        for path, content in files.items():
            replace_file(str(path), content, mode=0o644)
    except OSError as exc:
        raise Problem(f"The announcement cannot be written ({exc}): look whether the disk is full.") from exc
