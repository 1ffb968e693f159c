# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Whether users would lose their homes by a change of what names are made of. Pure: no I/O."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.authorization.usernames import (
    name_problems,
    user_name,
)

# More names than anybody reads.
SHOWN = 10


def renames(rename_map: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Old and new names as the hub has them, of those who shall be called otherwise."""
    names = {user_name(old): user_name(new) for old, new in rename_map.items() if new}
    return {old: new for old, new in names.items() if old != new}


def map_problems(rename_map: t.Mapping[str, t.Any]) -> list[str]:
    """What is wrong with a rename map in itself, one sentence each."""
    found = []
    for old, new in rename_map.items():
        if isinstance(new, bool) or not isinstance(new, (str, int, float, type(None))):
            found.append(
                f"jupyterhub_rename_map has {new!r} for {old!r}: give a name in quotes, or an empty one"
            )
    found += name_problems("jupyterhub_rename_map has", [name for name in rename_map.values() if name])
    found += name_problems("jupyterhub_rename_map has", rename_map)
    olds = [user_name(old) for old in rename_map]
    found += [
        f"jupyterhub_rename_map has {name!r} twice, in different spellings: keep one of them"
        for name in sorted({name for name in olds if olds.count(name) > 1})
    ]
    targets = [user_name(new) for new in rename_map.values() if new]
    found += [
        f"jupyterhub_rename_map gives the name {name!r} to two users: only one of them can have it"
        for name in sorted({name for name in targets if targets.count(name) > 1})
    ]
    chains = sorted(set(renames(rename_map)) & set(renames(rename_map).values()))
    found += [
        f"jupyterhub_rename_map has {name!r} as old and as new name: rename in two runs, one after the other"
        for name in chains
    ]
    return found


def change_problem(
    before: t.Mapping[str, t.Any] | None,
    after: t.Mapping[str, t.Any],
    users: t.Sequence[str],
    rename_map: t.Mapping[str, t.Any],
) -> str:
    """Why the names of users must not be made otherwise, in one sentence; empty where nobody loses anything.

    before, after: what names are made of (None where that is not known, as for a hub of before); users: those who have a
    home; rename_map: old -> new name. A user whose new name is there already was renamed before.
    """
    if before is None or before == after:
        return ""
    taken = sorted(new for old, new in renames(rename_map).items() if old in users and new in users)
    if taken:
        return f"jupyterhub_rename_map gives the name {taken[0]!r} to a user, but a home of that name exists: give another new name, or rename that home's user first."
    old_names = set(map(user_name, rename_map))
    new_names = {user_name(new) for new in rename_map.values() if new}
    lost = [user for user in users if user not in old_names and user not in new_names]
    if not lost:
        return ""
    changed = ", ".join(
        f"{key} {before.get(key)!r} -> {after.get(key)!r}"
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    )
    more = f" and {len(lost) - SHOWN} more" if len(lost) > SHOWN else ""
    return (
        f"Users would get other names ({changed}) and lose their homes: give the new name of each in jupyterhub_rename_map, "
        f"old: new (empty for none), or keep that setting; {', '.join(lost[:SHOWN])}{more} "
        f"{'has a home' if len(lost) == 1 else 'have homes'}."
    )
