# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub's database: SQLite whose commits do not wait for the disk each time, and a way in before the hub's.

A start of a user server makes about ten commits. In SQLite's default mode each of them waits for the disk,
and the whole hub with it. With a write-ahead log and synchronous=NORMAL the database stays consistent when
the power fails; only the last moments may be lost (https://www.sqlite.org/wal.html and
https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import create_engine, event, inspect
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


@contextmanager
def users(db_url: str) -> Iterator[Connection | None]:
    """A transaction on the table of users; None where a hub that never ran has not made it yet."""
    engine = create_engine(db_url)
    try:
        with engine.begin() as connection:
            yield connection if inspect(connection).has_table("users") else None
    finally:
        engine.dispose()
