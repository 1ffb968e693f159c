# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The people whom a site lists, in its settings or in a table. Pure: no I/O."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.galilean.hub.plugins.module_utils.authorization.usernames import user_name
from ansible_collections.galilean.hub.plugins.module_utils.shared.claims import group_name
from ansible_collections.galilean.hub.plugins.module_utils.shared.tables import (
    TableError,
    near,
    read_table,
    split_names,
)
from ansible_collections.galilean.hub.plugins.module_utils.shared.usernames import name_problem

KEYS = ("name", "admin", "groups", "blocked", "state")
STATES = ("present", "absent")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Listed:
    """One person. None: not said, so left as it is."""

    name: str
    present: bool = True
    admin: bool | None = None
    groups: tuple[str, ...] | None = None
    blocked: bool = False

    @property
    def welcome(self) -> bool:
        """Whether the person may log in."""
        return self.present and not self.blocked


def _yes_or_no(value: t.Any) -> bool | None:
    """What somebody wrote for yes or no; ValueError for anything else, None for nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in _WORDS:
        raise ValueError(value)
    return _WORDS[word]


def _groups(value: t.Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, (list, tuple)):
        raise ValueError(value)
    names = tuple(map(group_name, value))
    if any(not name or not name.isprintable() for name in names):
        raise ValueError(value)
    return tuple(dict.fromkeys(names))


def _listed(entry: t.Any, where: str) -> tuple[Listed | None, list[str]]:
    """One entry of a list and what is wrong with it."""
    if not isinstance(entry, dict):
        return None, [f"{where} is {entry!r}: give a mapping, such as {{name: anna}}"]
    found = [f"{where} has {key!r}: {near(str(key), KEYS)}" for key in entry if str(key) not in KEYS]
    name = entry.get("name")
    if isinstance(name, (int, float)) and not isinstance(name, bool):
        name = str(name)
    if not isinstance(name, str):
        return None, [*found, f"{where} has no name: give the account's name as text"]
    problem = name_problem(name)
    if problem:
        return None, [*found, f"{where} has the name {name!r}: {problem}, so no account can have it"]
    values: dict[str, t.Any] = {}
    for key, read, fix in (
        # Not true and false: spreadsheets write these in the language of their user.
        ("admin", _yes_or_no, "give yes or no"),
        ("blocked", _yes_or_no, "give yes or no"),
        ("groups", _groups, "give a list of names that can be printed"),
    ):
        try:
            values[key] = read(entry.get(key))
        except ValueError:
            found.append(f"{where} ({name}) has {key} {entry.get(key)!r}: {fix}")
    state = entry.get("state") or "present"
    if state not in STATES:
        found.append(f"{where} ({name}) has state {state!r}: {near(str(state), STATES)}")
    listed = Listed(
        user_name(name),
        state == "present",
        values.get("admin"),
        values.get("groups"),
        bool(values.get("blocked")),
    )
    if listed.admin and not listed.welcome:
        found.append(
            f"{where} ({name}) is admin and {'blocked' if listed.present else 'absent'}: take one of them away"
        )
    return listed, found


def _table(path: str, content: bytes) -> tuple[list[tuple[str, dict[str, t.Any]]], list[str]]:
    """The rows of a CSV file as entries, with where they stand."""
    try:
        rows = read_table(content, KEYS, "name")
    except TableError as exc:
        return [], [f"{path} {exc}"]
    return [
        (
            f"{path}, line {row.line},",
            {key: split_names(cell) if key == "groups" else cell for key, cell in row.cells.items()},
        )
        for row in rows
    ], []


def _read(value: t.Mapping[str, t.Any]) -> tuple[list[Listed], list[str]]:
    entries: list[tuple[str, t.Any]] = [
        (f"jupyterhub_users, entry {number},", entry) for number, entry in enumerate(value["users"], 1)
    ]
    found: list[str] = []
    # A file that is not there is told where its path is checked.
    if value.get("file") and value.get("content") is not None:
        rows, found = _table(f"jupyterhub_users_file {value['file']}", value["content"])
        entries += rows
    people: dict[str, Listed] = {}
    places: dict[str, str] = {}
    for where, entry in entries:
        listed, problems = _listed(entry, where)
        found += problems
        if listed is None:
            continue
        if listed.name in people:
            found.append(
                f"{where} has {listed.name!r}, who is already in {places[listed.name].rstrip(',')}: keep one of them"
            )
        people[listed.name], places[listed.name] = listed, where
    return list(people.values()), found


def _names(value: t.Mapping[str, t.Any], key: str) -> set[str]:
    return set(map(user_name, value.get(key) or []))


def _against_others(value: t.Mapping[str, t.Any], people: t.Sequence[Listed]) -> list[str]:
    """Where another setting says the opposite."""
    found = []
    for listed in people:
        unwelcome = "blocked" if listed.present else "absent"
        for setting in ("allowed_users", "admin_users"):
            if not listed.welcome and listed.name in _names(value, setting):
                found.append(
                    f"{listed.name!r} is {unwelcome} in jupyterhub_users and is in jupyterhub_{setting}: remove it there"
                )
        if listed.welcome and listed.name in _names(value, "blocked_users"):
            found.append(
                f"{listed.name!r} is in jupyterhub_users and in jupyterhub_blocked_users: remove it there, or set blocked: true in jupyterhub_users"
            )
        if listed.admin is False and listed.name in _names(value, "admin_users"):
            found.append(
                f"{listed.name!r} has admin: false in jupyterhub_users and is in jupyterhub_admin_users: remove it there"
            )
    return found


def _unlisted_problems(value: t.Mapping[str, t.Any], people: t.Sequence[Listed]) -> list[str]:
    """Doing something to everybody whom no setting names needs settings that name everybody who may come."""
    unlisted = value.get("unlisted") or "keep"
    if unlisted == "keep":
        return []
    named = (
        any(listed.welcome for listed in people)
        or _names(value, "allowed_users")
        or _names(value, "admin_users")
    )
    if not named:
        return [
            f"jupyterhub_unlisted_users is {unlisted!r} while no setting names a user who may log in, so it would apply to all users: fill jupyterhub_users, or use keep"
        ]
    others = [key for key in ("allow_all", "allowed_groups", "admin_groups") if value.get(key)]
    others += [
        f"login_{value.get('kind')}" for own in [value.get("own") or {}] if any(map(own.get, NARROWS))
    ][:1]
    if others:
        return [
            f"jupyterhub_unlisted_users is {unlisted!r} while jupyterhub_{others[0]} allows users whom no setting names: use keep, or list all users"
        ]
    return []


# Settings of a login kind that let in people without naming them.
NARROWS = ("domains", "organizations", "groups", "projects", "providers", "search_filter")


def user_list_problems(value: t.Mapping[str, t.Any]) -> list[str]:
    """What is wrong with the listed people, one sentence each.

    users: jupyterhub_users; file, content: path and bytes of jupyterhub_users_file; allowed_users, admin_users, blocked_users, allow_all,
    allowed_groups, admin_groups: the settings of these names; unlisted: jupyterhub_unlisted_users; kind, own: of the login.
    """
    people, found = _read(value)
    return found + _against_others(value, people) + _unlisted_problems(value, people)


def user_list(value: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The listed people by what they may, for a list without problems; names in the small letters that JupyterHub gives them."""
    people, _ = _read(value)
    groups: dict[str, list[str]] = {}
    for listed in people:
        for group in listed.groups or () if listed.welcome else ():
            groups.setdefault(group, []).append(listed.name)
    return {
        "users": [
            {
                "name": listed.name,
                "state": "present" if listed.present else "absent",
                "admin": listed.admin,
                "groups": None if listed.groups is None else list(listed.groups),
                "blocked": listed.blocked,
            }
            for listed in people
        ],
        "allowed": [listed.name for listed in people if listed.welcome],
        "admin_users": [listed.name for listed in people if listed.welcome and listed.admin],
        # Who shall be absent must not come back by another setting while the home is being archived, nor later.
        "blocked": [listed.name for listed in people if not listed.welcome],
        "absent": [listed.name for listed in people if not listed.present],
        "groups": groups,
    }
