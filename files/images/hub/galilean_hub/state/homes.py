# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Users who were renamed keep their homes: a volume keeps its name, so it is remembered whose that was."""

from __future__ import annotations

import json
from pathlib import Path

from ..shared.home_owners import made_for
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


def remember(owners: dict[str, str], path: Path = STATE) -> None:
    """Keep who has whose home, for this start and those to come."""
    global _owners
    save(path, json.dumps(owners, indent=1, sort_keys=True))
    _owners = owners
