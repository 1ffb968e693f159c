# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Key rotation: all logins encrypted with the newest key; as a program, a report of which keys are needed.

`python3 -m galilean_hub.state.key_rotation` prints JSON: how many keys are listed, how many logins the newest
one decrypts (newest), who needs an older one (older), and whom none helps (lost).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import Connection

from . import database
from .keys import key_usage, read, reencrypted

CONFIG = Path("/etc/jupyterhub/config.json")
KEYS = Path("/run/secrets/crypt-key")


def _logins(connection: Connection | None) -> dict[str, bytes]:
    """What is encrypted, by the user's name."""
    if connection is None:
        return {}
    query = "SELECT name, encrypted_auth_state FROM users WHERE encrypted_auth_state IS NOT NULL"
    return {row[0]: bytes(row[1]) for row in connection.execute(text(query))}


def rotate(db_url: str, keys: Sequence[bytes]) -> None:
    """Encrypt with the newest key what needs an older one, before the hub reads the database.

    JupyterHub does that for each user when it next reads their login: who stays away would need the old key
    for ever. What has been renewed is left alone, so a start that is interrupted is finished by the next one.
    """
    if len(keys) < 2:
        return
    with database.users(db_url) as connection:
        logins = _logins(connection)
        found = key_usage(logins.items(), keys)
        changed = [{"new": reencrypted(logins[name], keys), "name": name} for name in found.older]
        if connection is not None and changed:
            connection.execute(
                text("UPDATE users SET encrypted_auth_state = :new WHERE name = :name"), changed
            )
    said = f"logins encrypted anew with the newest key: {len(found.older)}, before: {found.newest}"
    print(f"Key rotation: {said}", file=sys.stderr)
    for name in found.lost:
        print(f"Key rotation: no key decrypts the login of {name}, who has to log in again", file=sys.stderr)


def main() -> None:
    """Entry point of `python -m galilean_hub.state.key_rotation`."""
    keys = read(KEYS.read_text(encoding="utf-8"))
    db_url = json.loads(CONFIG.read_text(encoding="utf-8"))["traits"]["JupyterHub"]["db_url"]
    with database.users(db_url) as connection:
        found = key_usage(_logins(connection).items(), keys)
    json.dump({"keys": len(keys), **asdict(found)}, sys.stdout)


if __name__ == "__main__":
    main()
