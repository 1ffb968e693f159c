# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Rename users in the hub's database, before it starts."""

from __future__ import annotations

import sys
from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from ..shared import home_owners
from . import database, homes


def rename(db_url: str, names: dict[str, str], path: Path = homes.STATE) -> list[str]:
    """Rename users in the database, once, before the hub reads it; return the new names of those who were.

    Whose old name is not there was renamed before, or never came. The homes stay where they are: the file
    that says so is written first, so a start that is interrupted in between does the rest at the next one.
    """
    if not names:
        return []
    with database.users(db_url) as connection:
        if connection is None:
            return []
        known = {row[0] for row in connection.execute(text("SELECT name FROM users"))}
        due = {old: new for old, new in names.items() if old in known and new not in known}
        for old in sorted(set(names) & known - set(due)):
            print(
                f"{old} is not renamed to {names[old]}: there is a user of that name already",
                file=sys.stderr,
            )
        owners = homes.read(path)
        # Whose new name is there was written down by a start that was interrupted.
        homes.remember(home_owners.renamed(owners, {o: n for o, n in due.items() if n not in owners}), path)
        signed_up = inspect(connection).has_table("users_info")
        for old, new in due.items():
            pair = {"old": old, "new": new}
            connection.execute(text("UPDATE users SET name = :new WHERE name = :old"), pair)
            if signed_up:
                _rename_sign_up(connection, pair)
    return sorted(due.values())


def _rename_sign_up(connection: Connection, pair: dict[str, str]) -> None:
    """Whoever logs in with NativeAuthenticator, logs in by the new name, and keeps the password."""
    there = connection.execute(text("SELECT id FROM users_info WHERE username = :old"), pair).first()
    if there is not None:
        # Somebody else who has asked for that name, and never came in: it is not theirs.
        connection.execute(text("DELETE FROM users_info WHERE username = :new"), pair)
        connection.execute(text("UPDATE users_info SET username = :new WHERE username = :old"), pair)
