# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Users who were renamed keep their homes: a volume keeps its name, so it is remembered whose that was."""

from __future__ import annotations

import json
from pathlib import Path

from .files import save

STATE = Path("/srv/jupyterhub/homes.json")

_owners: dict[str, str] | None = None


def read(path: Path = STATE) -> dict[str, str]:
    """User's name today -> the name that the home was made for."""
    try:
        found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def owner(user: str) -> str:
    """The name that the user's home is made for: nearly always the user's own."""
    global _owners
    if _owners is None:
        _owners = read()
    return made_for(user, _owners)


def made_for(user: str, owners: dict[str, str]) -> str:
    """The name that a user's home is made for; modules of the collection decide it in the same way.

    Where that of the user's own name belongs to somebody who was renamed, it gets a number: no user has a
    slash in the name.
    """
    if user in owners:
        return owners[user]
    taken = set(owners.values())
    name, number = user, 1
    while name in taken:
        number += 1
        name = f"{user}/{number}"
    return name


def remember(owners: dict[str, str], path: Path = STATE) -> None:
    """Keep who has whose home, for this start and those to come."""
    global _owners
    save(path, json.dumps(owners, indent=1, sort_keys=True))
    _owners = owners


def renamed(owners: dict[str, str], names: dict[str, str]) -> dict[str, str]:
    """The owners after users were renamed, old name -> new; who was renamed before keeps the first home."""
    changed = dict(owners)
    for old, new in names.items():
        changed[new] = made_for(old, changed)
        changed.pop(old, None)
    return changed
