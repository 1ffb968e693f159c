# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A host that the instance has left. What is there stays as it was, and nothing starts it."""

from __future__ import annotations

from pathlib import Path

from .json_file import read_json
from .settings import Problem, Settings

# Written by the role backup (backup retire).
MARK = "moved"


def refuse_moved(settings: Settings) -> None:
    """Raise Problem where the instance is not on this host any more."""
    mark = Path(settings.state_dir) / MARK
    if mark.exists():
        found = read_json(mark)
        raise Problem(
            f"The instance {settings.instance} has moved from this host to {found.get('to', 'another one')} ({found.get('time', '')}): "
            "run hubctl there, or see docs/moving.md for the way back."
        )
