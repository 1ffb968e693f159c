# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Copies of a hub's database, consistent while the hub writes. The standard library only: the backup's program has it, too."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

PATIENCE = 60


class SqliteError(Exception):
    """One sentence for the operator."""


def copy(source: Path, target: Path) -> None:
    """Copy a database by SQLite's own backup, with owner and mode; raises SqliteError when it is not sound."""
    with contextlib.suppress(FileNotFoundError):
        target.unlink()
    if source.is_symlink() or not source.is_file():
        # Its folder is the hub's, and this runs as root.
        raise SqliteError(
            f"The database {source} is no plain file: look who has put that there, before anything else."
        )
    try:
        with contextlib.ExitStack() as stack:
            address = f"file:{source}?mode=ro"
            there = stack.enter_context(
                contextlib.closing(sqlite3.connect(address, uri=True, timeout=PATIENCE))
            )
            here = stack.enter_context(contextlib.closing(sqlite3.connect(target)))
            there.backup(here)
            # One file, wherever it goes.
            here.execute("PRAGMA journal_mode = DELETE")
        found = source.stat()
        os.chown(target, found.st_uid, found.st_gid)
        os.chmod(target, found.st_mode & 0o777)
    except (sqlite3.Error, OSError) as exc:
        raise SqliteError(
            f"The database {source} cannot be copied ({exc}): look at the hub's log, and whether its disk is full."
        ) from exc
    wrong = fault(target)
    if wrong:
        raise SqliteError(
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
