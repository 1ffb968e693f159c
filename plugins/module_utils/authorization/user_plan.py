# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What has to be done so that a hub's accounts and homes are as its settings list them. Pure: no I/O."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.authorization.usernames import user_name

SHOWN = 20


def _some(names: t.Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def _unarchived(
    home_rows: t.Sequence[t.Mapping[str, t.Any]], archives: t.Sequence[t.Mapping[str, t.Any]]
) -> set[str]:
    """Users who have a home that was never archived."""
    archived = {row["volume"] for row in archives}
    return {row["user"] for row in home_rows if row["volume"] not in archived}


def user_plan(value: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What has to be done, and the same in words.

    list: what user_list() says; settings: names that other settings have; accounts: what hub_info says; homes, archives: what home_info
    says; unlisted, removed_homes: the settings of these names; check_user: the account that the check plays.
    """
    listed = value["list"]
    accounts = {account["name"]: account for account in value["accounts"]}
    homes: dict[str, list[str]] = {}
    for row in value["homes"]:
        homes.setdefault(row["user"], []).append(row["volume"])
    keep_homes = value["removed_homes"] == "keep"
    unarchived = set() if keep_homes else _unarchived(value["homes"], value["archives"])

    named = {user["name"] for user in listed["users"]} | {user_name(name) for name in value["settings"]}
    # Accounts of earlier versions may be spelled otherwise: nobody is to be removed for that.
    unlisted = sorted(name for name in accounts if user_name(name) not in {*named, value["check_user"]})
    drop = unlisted if value["unlisted"] in ("block", "remove") else []

    absent = sorted(name for name in listed["absent"] if name in accounts)
    # The account may be gone while its home is not archived yet: a run that was killed, or a home from before there were archives.
    archive = {
        name for name in listed["absent"] if name in homes and (name in accounts or name in unarchived)
    }
    if value["unlisted"] == "remove":
        archive |= {name for name in unlisted if name in homes}
    if keep_homes:
        archive = set()
    delete_homes = sorted(set(listed["absent"]) & set(homes)) if value["removed_homes"] == "delete" else []
    # Once more just before they go; a home that has not changed since is not archived again.
    archive |= set(delete_homes)

    anew = sorted(
        user["name"]
        for user in listed["users"]
        if user["admin"] is False
        and user["name"] in listed["allowed"]
        and accounts.get(user["name"], {}).get("admin")
    )
    missing = sorted(set(listed["allowed"]) - set(accounts))
    blocked = set(listed["blocked"]) - set(listed["absent"])
    busy = {name for name, account in accounts.items() if account["servers"]}
    stop = sorted((blocked | set(absent) | set(drop)) & busy)
    known = set(accounts) | set(listed["allowed"])
    changes: dict[str, dict[str, t.Any]] = {name: {"name": name, "stop": True} for name in stop}
    changed_groups = []
    for user in listed["users"]:
        name = user["name"]
        if user["groups"] is None or name not in listed["allowed"]:
            continue
        changes.setdefault(name, {"name": name})["groups"] = user["groups"]
        now = [] if name in anew else accounts.get(name, {}).get("groups") or []
        if sorted(user["groups"]) != sorted(now):
            changed_groups.append(name)
    gone = sorted({*absent, *drop})
    plan = {
        # Names: what is made anew or missing comes with the hub's next start.
        "anew": anew,
        "missing": missing,
        "archive": sorted(archive),
        # Homes that nobody can look at before their servers are stopped.
        "busy": sorted(set(stop) & archive),
        "delete_homes": delete_homes,
        "unlisted": unlisted,
        # For the module hub_user.
        "anew_accounts": [{"name": name} for name in anew],
        "changes": [changes[name] for name in sorted(changes) if name in known],
        "gone_accounts": [{"name": name} for name in gone],
    }
    said = [
        ("Stop the servers of", stop),
        ("Remove administrator rights, for which the account is created anew:", anew),
        ("Create", sorted({*missing} - {*anew})),
        ("Put into the groups of the list", changed_groups),
        ("Archive the home of", plan["archive"]),
        ("Delete the account of", gone),
        ("Delete the archived home of", delete_homes),
    ]
    words = [f"{what} {_some(names)}" for what, names in said if names]
    if unlisted and not drop:
        words.append(
            f"No setting names {_some(unlisted)}, and nothing happens to them since jupyterhub_unlisted_users is keep"
        )
    return {**plan, "words": words}
