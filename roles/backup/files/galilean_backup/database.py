# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Copies of the hub's databases, consistent while the hub writes."""

from __future__ import annotations

import os
from pathlib import Path

from . import sqlite_copy
from .settings import Problem
from .sqlite_copy import fault as fault
from .sqlite_copy import schema as schema

END = ".sqlite"


def copy(source: Path, target: Path) -> None:
    """As of the other module; raises Problem."""
    try:
        sqlite_copy.copy(source, target)
    except sqlite_copy.SqliteError as exc:
        raise Problem(str(exc)) from exc


def put_back(source: Path, folder: Path) -> None:
    """Move a copy to where the hub has its database, without what an older one has left."""
    for end in ("-wal", "-shm", "-journal"):
        (folder / f"{source.name}{end}").unlink(missing_ok=True)
    os.replace(source, folder / source.name)
