# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The people whom a site lists, in its settings or in a table. Pure: no I/O."""

from __future__ import annotations

import csv
import difflib
import io
import typing as t
from dataclasses import dataclass

from ansible_collections.galilean.hub.plugins.module_utils._hub_accounts import name_problem

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


def _near(word: str, words: t.Sequence[str]) -> str:
    near = difflib.get_close_matches(word, words, 1)
    return f"write {near[0]}" if near else f"use {', '.join(words)}"


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
    names = tuple(str(group).strip() for group in value)
    if any(not name or not name.isprintable() for name in names):
        raise ValueError(value)
    return tuple(dict.fromkeys(names))


def _listed(entry: t.Any, where: str) -> tuple[Listed | None, list[str]]:
    """One entry of a list and what is wrong with it."""
    if not isinstance(entry, dict):
        return None, [f"{where} is {entry!r}: give a mapping, such as {{name: anna}}"]
    found = [f"{where} has {key!r}: {_near(str(key), KEYS)}" for key in entry if str(key) not in KEYS]
    name = entry.get("name")
    if not isinstance(name, str):
        return None, [*found, f"{where} has no name: give the account's name as text"]
    problem = name_problem(name)
    if problem:
        return None, [*found, f"{where} has the name {name!r}: {problem}, so no account can have it"]
    values: dict[str, t.Any] = {}
    for key, read, fix in (
        ("admin", _yes_or_no, "give true or false"),
        ("blocked", _yes_or_no, "give true or false"),
        ("groups", _groups, "give a list of names that can be printed"),
    ):
        try:
            values[key] = read(entry.get(key))
        except ValueError:
            found.append(f"{where} ({name}) has {key} {entry.get(key)!r}: {fix}")
    state = entry.get("state") or "present"
    if state not in STATES:
        found.append(f"{where} ({name}) has state {state!r}: {_near(str(state), STATES)}")
    listed = Listed(
        name.lower(),
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


def _table(path: str, text: str) -> tuple[list[tuple[str, dict[str, t.Any]]], list[str]]:
    """The rows of a CSV file as entries, with where they stand."""
    # A spreadsheet may mark its files as UTF-8 in this way.
    rows = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), strict=True)
    entries: list[tuple[str, dict[str, t.Any]]] = []
    found: list[str] = []
    header: list[str] = []
    try:
        for row in rows:
            where = f"{path}, line {rows.line_num},"
            cells = [cell.strip() for cell in row]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if not header:
                header = cells
                found += [
                    f"{path} has the column {name!r}: {_near(name, KEYS)}"
                    for name in header
                    if name not in KEYS
                ]
                found += [
                    f"{path} has the column {name!r} twice"
                    for name in sorted({n for n in header if header.count(n) > 1})
                ]
                if "name" not in header:
                    found.append(
                        f"{path} has no column name: its first line names the columns, such as name,groups"
                    )
                if found:
                    return [], found
                continue
            if len(cells) > len(header):
                found.append(
                    f"{where} has {len(cells)} cells for {len(header)} columns: put a cell with a comma into quotes, and "
                    "semicolons between groups"
                )
                continue
            entry: dict[str, t.Any] = {key: cell for key, cell in zip(header, cells) if cell}
            if "groups" in entry:
                entry["groups"] = [group for group in entry["groups"].split(";") if group.strip()]
            entries.append((where, entry))
    except csv.Error as exc:
        return [], [f"{path}, line {rows.line_num}, is no CSV: {exc}"]
    if not header:
        found.append(f"{path} is empty: its first line names the columns, such as name,groups")
    return entries, found


def _read(value: t.Mapping[str, t.Any]) -> tuple[list[Listed], list[str]]:
    entries: list[tuple[str, t.Any]] = [
        (f"jupyterhub_users, entry {number},", entry) for number, entry in enumerate(value["users"], 1)
    ]
    found: list[str] = []
    if value.get("file"):
        rows, found = _table(f"jupyterhub_users_file {value['file']}", value.get("text") or "")
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
                f"{where} has {listed.name!r}, who stands already in {places[listed.name].rstrip(',')}: keep one of them"
            )
        people[listed.name], places[listed.name] = listed, where
    return list(people.values()), found


def _names(value: t.Mapping[str, t.Any], key: str) -> set[str]:
    return {str(name).lower() for name in value.get(key) or []}


def _against_others(value: t.Mapping[str, t.Any], people: t.Sequence[Listed]) -> list[str]:
    """Where another setting says the opposite."""
    found = []
    for listed in people:
        unwelcome = "blocked" if listed.present else "absent"
        for setting in ("allowed_users", "admins"):
            if not listed.welcome and listed.name in _names(value, setting):
                found.append(
                    f"{listed.name!r} is {unwelcome} in jupyterhub_users and stands in jupyterhub_{setting}: take the name out there"
                )
        if listed.welcome and listed.name in _names(value, "blocked_users"):
            found.append(
                f"{listed.name!r} stands in jupyterhub_users and in jupyterhub_blocked_users: take the name out there, or say "
                "blocked: true in jupyterhub_users"
            )
        if listed.admin is False and listed.name in _names(value, "admins"):
            found.append(
                f"{listed.name!r} has admin: false in jupyterhub_users and stands in jupyterhub_admins: take the name out there"
            )
    return found


def _unlisted_problems(value: t.Mapping[str, t.Any], people: t.Sequence[Listed]) -> list[str]:
    """Doing something to everybody whom no setting names needs settings that name everybody who may come."""
    unlisted = value.get("unlisted") or "keep"
    if unlisted == "keep":
        return []
    named = (
        any(listed.welcome for listed in people) or _names(value, "allowed_users") or _names(value, "admins")
    )
    if not named:
        return [
            f"jupyterhub_unlisted_users is {unlisted!r} while no setting names anybody who may log in, so it would mean everybody: "
            "fill jupyterhub_users, or use keep"
        ]
    others = [key for key in ("allow_all", "allowed_groups", "admin_groups") if value.get(key)]
    others += [
        f"login_{value.get('kind')}" for own in [value.get("own") or {}] if any(map(own.get, NARROWS))
    ][:1]
    if others:
        return [
            f"jupyterhub_unlisted_users is {unlisted!r} while jupyterhub_{others[0]} lets in people whom no setting names: use keep, or "
            "list everybody"
        ]
    return []


# Settings of a login kind that let in people without naming them.
NARROWS = ("domains", "organizations", "groups", "projects", "providers", "search_filter")


def user_list_problems(value: t.Mapping[str, t.Any]) -> list[str]:
    """What is wrong with the listed people, one sentence each.

    users: jupyterhub_users; file, text: path and content of jupyterhub_users_file; allowed_users, admins, blocked_users, allow_all,
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
        "admins": [listed.name for listed in people if listed.welcome and listed.admin],
        # Who shall be absent must not come back by another setting while the home is being archived, nor later.
        "blocked": [listed.name for listed in people if not listed.welcome],
        "absent": [listed.name for listed in people if not listed.present],
        "groups": groups,
    }
