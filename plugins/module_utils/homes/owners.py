# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Whose homes are whose: a home keeps the name that it was made for when its user is renamed.

owners, everywhere here: what the hub remembers of users who were renamed, name today -> name that the home was made for.
"""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

# Where the hub keeps them, in the folder of its state.
FILE = "homes.json"


def read_owners(hub_dir: Path) -> dict[str, str]:
    """What the hub remembers; nothing where nobody was renamed. Raise HubError where the file cannot be read."""
    path = hub_dir / FILE
    try:
        owners: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise HubError(f"{path} cannot be read ({exc}): restore it from a backup.") from exc
    return owners


def user_today(made_for: str, owners: t.Mapping[str, str]) -> str:
    """Who has the home that was made for this name."""
    today = {old: new for new, old in owners.items()}
    return today.get(made_for, re.sub(r"/\d+$", "", made_for))


def made_for(user: str, owners: t.Mapping[str, str]) -> str:
    """The name that a user's home is made for, as the hub decides it (homes.py in its image).

    Where that of the user's own name belongs to somebody who was renamed, it gets a number; no user has a slash in the name.
    """
    if user in owners:
        return owners[user]
    taken = set(owners.values())
    name, number = user, 1
    while name in taken:
        number += 1
        name = f"{user}/{number}"
    return name
