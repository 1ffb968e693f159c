# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a user gets: environments to choose from, limits, folders, repositories, by groups. Pure: no I/O."""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ..shared.sizes import parse_size

Settings = Mapping[str, Any]

# What a server's state calls its idle time, for the culler: seconds, or 0 for never.
CULL_STATE = "cull_timeout"


class ProfileNotAllowed(ValueError):
    """An environment that is not the user's to choose; one sentence for the user."""


def open_to(entry: Settings, groups: Collection[str]) -> bool:
    """Whether an entry is for members of these groups: it names none of its own, or one of them."""
    wanted = entry.get("groups") or []
    return not wanted or bool(set(wanted) & set(groups))


def allowed(profiles: Sequence[Settings], groups: Collection[str]) -> list[Settings]:
    """The environments that members of these groups may choose, in the order of the settings."""
    return [profile for profile in profiles if open_to(profile, groups)]


def selected(profiles: Sequence[Settings], groups: Collection[str], name: Any) -> Settings:
    """The environment of that name, or the first one where no name is given; ProfileNotAllowed otherwise.

    An empty mapping where the settings have no environments, also for somebody who chose one when they had.
    """
    if not profiles:
        return {}
    mine = allowed(profiles, groups)
    if not mine:
        raise ProfileNotAllowed("None of this hub's environments is open to you.")
    if name in (None, ""):
        return mine[0]
    for profile in mine:
        if profile["name"] == name:
            return profile
    # No difference between one that is not there and one that is somebody else's.
    raise ProfileNotAllowed("The environment that was asked for is not open to you. Choose another one.")


# A server that leaves out what its user has installed and set; what it is for the image says (cleanstart.py).
CLEAN = (
    '<div class="form-check mb-3">'
    '<input class="form-check-input" type="checkbox" name="clean" id="clean" value="1">'
    '<label class="form-check-label" for="clean">Start without my changes<br><small>'
    "Skips your own packages, kernels, startup files and settings of JupyterLab this time, and "
    "removes nothing. Use it if one of them prevents a start.</small></label></div>"
)


def clean(options: Settings) -> bool:
    """Whether a start without the user's changes is asked for; ValueError for what is no answer to that."""
    asked = options.get("clean")
    if asked in (None, False, "", "0", 0):
        return False
    if asked in (True, "1", 1):
        return True
    raise ValueError(f'The option "clean" is {asked!r:.40}: give true or false.')


def options_form(profiles: Sequence[Settings], groups: Collection[str], last: Any = None) -> str:
    """The start page's menu in HTML; empty where there is nothing to choose.

    last: what the user chose last. The hub would take it again; where it is not offered any more, the menu
    comes also with a single environment.
    """
    mine = allowed(profiles, groups)
    names = [profile["name"] for profile in mine]
    if not mine or (len(mine) == 1 and last in (None, "", *names)):
        return ""
    preferred = last if last in names else names[0]
    rows = []
    for profile in mine:
        name = html.escape(profile["name"], quote=True)
        checked = " checked" if profile["name"] == preferred else ""
        description = html.escape(profile.get("description") or "")
        rows.append(
            f'<label class="list-group-item list-group-item-action d-flex gap-3" for="profile-{name}">'
            f'<input class="form-check-input flex-shrink-0" type="radio" name="profile" id="profile-{name}" '
            f'value="{name}" required{checked}>'
            f"<span><strong>{html.escape(profile.get('label') or profile['name'])}</strong>"
            f"{f'<br><small>{description}</small>' if description else ''}</span></label>"
        )
    return (
        '<fieldset class="mb-3"><legend class="fs-5">Choose an environment</legend>'
        f'<div class="list-group">{"".join(rows)}</div></fieldset>{CLEAN}'
    )


def limits(groups: Mapping[str, Settings], mine: Collection[str], profile: Settings) -> dict[str, Any]:
    """memory_limit, cpu_limit, pids_limit and disk_limit that differ from the hub's.

    The environment's own, or else the most generous of the user's groups.
    """
    found: dict[str, Any] = {}
    rules = [groups[name] for name in sorted(mine) if name in groups]
    sizes = (("memory_limit", parse_size), ("cpu_limit", float), ("pids_limit", int), ("disk_limit", _room))
    for key, size in sizes:
        values = [rule[key] for rule in rules if rule.get(key)]
        if profile.get(key):
            found[key] = profile[key]
        elif values:
            found[key] = max(values, key=size)  # type: ignore[arg-type]
    return found


def _room(size: str) -> float:
    """A size of which 0 is the largest: no limit."""
    return parse_size(size) or float("inf")


def folders(entries: Sequence[Settings], groups: Collection[str]) -> dict[str, dict[str, str]]:
    """The shared folders of a user, as DockerSpawner's volumes: source -> {bind, mode}.

    An entry has name, source, target, and may have groups, read_groups and read_only. Who is in one of its
    groups may write, who is only in one of its read_groups may read; with neither it is everybody's.
    """
    found = {}
    for entry in entries:
        writers, readers = entry.get("groups") or [], entry.get("read_groups") or []
        if (not writers and not readers) or set(writers) & set(groups):
            mode = "ro" if entry.get("read_only") else "rw"
        elif set(readers) & set(groups):
            mode = "ro"
        else:
            continue
        found[entry["source"]] = {"bind": entry["target"], "mode": mode}
    return found


def limited_folders(entries: Sequence[Settings], groups: Collection[str]) -> list[str]:
    """The shared folders with a limit that a user may write to, as disk/watch.py calls them."""
    mine = folders(entries, groups)
    return [
        f"shared/{entry['name']}"
        for entry in entries
        if entry.get("disk_limit") and mine.get(entry["source"], {}).get("mode") == "rw"
    ]


def repositories(
    everybody: Sequence[Settings], groups: Mapping[str, Settings], mine: Collection[str], profile: Settings
) -> list[dict[str, str]]:
    """A user's git repositories: those of all, of the groups, of the environment; each one once.

    Two for one place are told to the user, by the notebook image; the settings have none.
    """
    found: list[dict[str, str]] = []
    lists = [
        everybody,
        *((groups[name].get("repositories") or []) for name in sorted(mine) if name in groups),
    ]
    for entry in [entry for part in [*lists, profile.get("repositories") or []] for entry in part]:
        name = entry["url"].rstrip("/").rsplit("/", 1)[-1].removesuffix(".git")
        path = entry.get("path") or name
        one = {"url": entry["url"], "branch": entry.get("branch") or "", "path": path}
        if one not in found:
            found.append(one)
    return found


def cull_timeout(groups: Mapping[str, Settings], mine: Collection[str]) -> int | None:
    """Seconds without activity until a user's server is stopped: the longest of the groups', 0 for never.

    None where no group of the user has a time of its own.
    """
    values = [groups[name].get("cull_timeout") for name in mine if name in groups]
    own = [int(value) for value in values if value is not None]
    return None if not own else 0 if 0 in own else max(own)


def time_left(
    *, active: datetime | None, started: datetime | None, limit: int, max_age: int, now: datetime
) -> dict[str, Any]:
    """Seconds until a server is stopped: for being idle, and for its age; None for never."""

    def left(since: datetime | None, seconds: int) -> float | None:
        if not since or not seconds:
            return None
        # The database has no zones.
        return seconds - (now - since.replace(tzinfo=timezone.utc)).total_seconds()

    return {"limit": limit, "idle_left": left(active or started, limit), "age_left": left(started, max_age)}


def git_identity(info: Mapping[str, Any], user: str) -> dict[str, str]:
    """git's variables for a user, from what the provider tells of them."""
    name = info.get("name") or info.get("display_name") or user
    mail = info.get("email") or info.get("mail") or (user if "@" in user else "")
    found = {}
    for variable, value in (("NAME", name), ("EMAIL", mail)):
        # One line each; git refuses angle brackets.
        text = "".join(letter for letter in str(value) if letter.isprintable() and letter not in "<>").strip()
        if text:
            found[f"GIT_AUTHOR_{variable}"] = found[f"GIT_COMMITTER_{variable}"] = text
    return found
