# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Copies of the hub's databases, consistent while the hub writes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import typing as t
from pathlib import Path

from . import sqlite_copy
from .settings import Problem
from .sqlite_copy import fault as fault
from .sqlite_copy import schema as schema

END = ".sqlite"
TABLES = ("users", "api_tokens", "spawners", "servers", "groups")


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


def rows(path: Path) -> dict[str, list[t.Any]]:
    """Of each table that says who may do what, how many rows it has, and a digest of them."""
    found: dict[str, list[t.Any]] = {}
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        for table in TABLES:
            with contextlib.suppress(sqlite3.OperationalError):
                digest, count = hashlib.sha256(), 0
                for row in database.execute(f"SELECT * FROM {table} ORDER BY rowid"):
                    digest.update(f"{row!r}\n".encode())
                    count += 1
                found[table] = [count, digest.hexdigest()]
    return found


def forget_servers(path: Path) -> None:
    """Let the hub of a copy know no server that runs."""
    with contextlib.closing(sqlite3.connect(path, timeout=sqlite_copy.PATIENCE)) as database, database:
        if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'spawners'").fetchone():
            database.execute("UPDATE spawners SET server_id = NULL, state = '{}'")
