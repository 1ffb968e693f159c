# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Which home belongs to which user after users were renamed. In the image of the hub, too, so it needs the standard library only.

owners, everywhere here: user's name today -> name that the home was made for. Users who were never renamed are not in it.
"""

from __future__ import annotations

import re
import typing as t


def made_for(user: str, owners: t.Mapping[str, str]) -> str:
    """The name that a user's home is made for: nearly always the user's own.

    Where the home of that name belongs to somebody who was renamed, it gets a number: no user has a slash in the name.
    """
    if user in owners:
        return owners[user]
    taken = set(owners.values())
    name, number = user, 1
    while name in taken:
        number += 1
        name = f"{user}/{number}"
    return name


def user_today(made_for: str, owners: t.Mapping[str, str]) -> str:
    """The user who has the home that was made for this name."""
    today = {old: new for new, old in owners.items()}
    return today.get(made_for, re.sub(r"/\d+$", "", made_for))


def renamed(owners: t.Mapping[str, str], names: t.Mapping[str, str]) -> dict[str, str]:
    """The owners after users were renamed, old name -> new. A user who was renamed before keeps the first home."""
    changed = dict(owners)
    for old, new in names.items():
        changed[new] = made_for(old, changed)
        changed.pop(old, None)
    return changed
