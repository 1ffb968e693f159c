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

from .settings import Problem

PATIENCE = 60
END = ".sqlite"
TABLES = ("users", "api_tokens", "spawners", "servers", "groups")


def copy(source: Path, target: Path) -> None:
    """Copy a database by SQLite's own backup, with owner and mode; raises Problem when it is not sound."""
    target.unlink(missing_ok=True)
    if source.is_symlink() or not source.is_file():
        # Its folder is the hub's, and this runs as root.
        raise Problem(
            f"The database {source} is no plain file: look who has put that there, before anything else."
        )
    try:
        with (
            contextlib.closing(
                sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=PATIENCE)
            ) as there,
            contextlib.closing(sqlite3.connect(target)) as here,
        ):
            there.backup(here)
            # One file, wherever it goes.
            here.execute("PRAGMA journal_mode = DELETE")
        found = source.stat()
        os.chown(target, found.st_uid, found.st_gid)
        os.chmod(target, found.st_mode & 0o777)
    except (sqlite3.Error, OSError) as exc:
        raise Problem(
            f"The database {source} cannot be copied ({exc}): look at the hub's log, and whether its disk is full."
        ) from exc
    wrong = fault(target)
    if wrong:
        raise Problem(
            f"The database {source} is damaged ({wrong}): the former backups have it as it was, see docs/backup.md."
        )


def fault(path: Path) -> str:
    """What is wrong with a database; empty for nothing."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=PATIENCE)
        ) as database:
            said = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as exc:
        return str(exc)
    return "" if said == "ok" else " ".join(said.split())


def schema(path: Path) -> str:
    """The version of JupyterHub's schema; empty where there is none."""
    with (
        contextlib.suppress(sqlite3.Error, TypeError),
        contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database,
    ):
        return str(database.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    return ""


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
    with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE)) as database, database:
        if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'spawners'").fetchone():
            database.execute("UPDATE spawners SET server_id = NULL, state = '{}'")
