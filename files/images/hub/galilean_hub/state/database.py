# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub's database: SQLite whose commits do not wait for the disk each time, and a way in before the hub's.

A start of a user server makes about ten commits. In SQLite's default mode each of them waits for the disk,
and the whole hub with it. With a write-ahead log and synchronous=NORMAL the database stays consistent when
the power fails; only the last moments may be lost (https://www.sqlite.org/wal.html and
https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jupyterhub import dbutil
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import Connection, Engine


def _on_connect(connection: Any, _record: Any) -> None:
    # PostgreSQL and MySQL connections come here too and know no pragmas.
    if type(connection).__module__.startswith("sqlite3"):
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.close()


def tune() -> None:
    """Apply to every connection that is made from now on."""
    if not event.contains(Engine, "connect", _on_connect):
        event.listen(Engine, "connect", _on_connect)


def upgrade(db_url: str) -> None:
    """Bring the schema of a SQLite database to this JupyterHub's. The deploy keeps a copy of the one before.

    A database elsewhere is not copied: a site that has one says itself when it is upgraded (upgrade_db).
    """
    if db_url.startswith("sqlite:"):
        dbutil.upgrade_if_needed(db_url, backup=False, log=logging.getLogger("jupyterhub"))


def forget_servers(db_url: str) -> None:
    """For a trial on a copy of the database: servers that run are none of its business."""
    with users(db_url) as connection:
        if connection is not None:
            connection.execute(text("UPDATE spawners SET server_id = NULL, state = '{}'"))


@contextmanager
def users(db_url: str) -> Iterator[Connection | None]:
    """A transaction on the table of users; None where a hub that never ran has not made it yet."""
    engine = create_engine(db_url)
    try:
        with engine.begin() as connection:
            yield connection if inspect(connection).has_table("users") else None
    finally:
        engine.dispose()
