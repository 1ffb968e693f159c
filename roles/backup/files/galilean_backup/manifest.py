# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a backup says of itself, so that everything can be made anew from it; and which backup is meant. Pure."""

from __future__ import annotations

import datetime
import json
import re
import typing as t

from .engine import LABEL, ROLE, USER
from .home_owners import user_today
from .settings import Problem

FORMAT = 1
# The tag of a snapshot that was made before a restore; it stays until somebody removes it.
BEFORE = "before-restore"
SHOWN = 5


def volume(
    found: t.Mapping[str, t.Any], owners: t.Mapping[str, str], owner: tuple[int, int]
) -> dict[str, t.Any]:
    """A volume as it is made anew. A renamed user keeps the home: owners has the name today, and the one that the home was made for."""
    labels = found.get("Labels") or {}
    user = user_today(str(labels.get(USER, "")), owners)
    return {
        "name": str(found["Name"]),
        "user": user,
        "labels": labels,
        "options": found.get("Options") or {},
        "owner": list(owner),
    }


def parse(text: str) -> dict[str, t.Any]:
    """A manifest; raises Problem where this program is too old for it."""
    try:
        found = json.loads(text)
        number = int(found["format"])
    except (ValueError, KeyError, TypeError) as exc:
        raise Problem(
            "The snapshot has no manifest that can be read: choose another one (restore_snapshot)."
        ) from exc
    if number > FORMAT:
        raise Problem(
            f"The backup was made by version {found.get('version')} of galilean.hub, which is newer than this one: restore with that one."
        )
    return t.cast("dict[str, t.Any]", found)


def moment(text: str) -> datetime.datetime | None:
    """A time as restic or people write it, in UTC where it says nothing else; a day alone means its end. None for what is no time."""
    found = re.fullmatch(
        r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.]\d+)?)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?",
        text.strip(),
    )
    if not found:
        return None
    day, clock, seconds, zone = found.groups()
    offset = "+00:00" if zone in (None, "Z", "UTC") else f"{zone[:3]}:{zone[-2:]}"
    try:
        return datetime.datetime.fromisoformat(
            f"{day}T{clock or '23:59'}:{seconds or ('00' if clock else '59')}{offset}"
        ).astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        return None


def in_words(snapshot: t.Mapping[str, t.Any]) -> str:
    when = moment(str(snapshot["time"]))
    return f"{str(snapshot['id'])[:8]} of {when:%Y-%m-%d %H:%M:%S} UTC" if when else str(snapshot["id"])[:8]


def choose(snapshots: t.Sequence[dict[str, t.Any]], wanted: str) -> dict[str, t.Any]:
    """The snapshot that is meant by latest, by the beginning of its id, or by a time: the newest one that is not later.

    One that was made before a restore has what was to be replaced, so only its id means it.
    """
    wanted = wanted.strip() or "latest"
    usual = [one for one in snapshots if BEFORE not in (one.get("tags") or ())]
    if wanted == "latest" and usual:
        return usual[-1]
    named = [one for one in snapshots if len(wanted) >= 4 and str(one["id"]).startswith(wanted)]
    if len(named) == 1:
        return named[0]
    when = moment(wanted)
    if when is not None and not named:
        earlier = [one for one in usual if (made := moment(str(one["time"]))) and made <= when]
        if earlier:
            return earlier[-1]
    there = ", ".join(in_words(one) for one in snapshots[-SHOWN:])
    reason = "which several snapshots begin with" if named else "and no snapshot has this id or is so old"
    if wanted == "latest":
        reason = "and each snapshot was made before a restore"
    raise Problem(
        f"restore_snapshot is '{wanted}', {reason}: give latest, an id or a time such as 2026-11-30 12:00 (UTC). The newest ones are {there}."
    )


def volumes_of(manifest: t.Mapping[str, t.Any], user: str) -> list[dict[str, t.Any]]:
    """The homes of a user; raises Problem where there are none."""
    found = [one for one in manifest["volumes"] if one["user"] == user]
    if not found:
        others = sorted({one["user"] for one in manifest["volumes"]})
        shown = ", ".join(others[:20]) + (" and others" if len(others) > 20 else "")
        raise Problem(
            f"restore_user is '{user}', of whom this backup has no home: it has those of {shown or 'nobody'}."
        )
    return found


def conflicts(
    manifest: t.Mapping[str, t.Any], instance: str, present: t.Mapping[str, t.Mapping[str, str]]
) -> list[str]:
    """Volumes of this host that have the name of a home and are something else; present: labels by name."""
    return sorted(
        one["name"]
        for one in manifest["volumes"]
        if one["name"] in present
        and (present[one["name"]].get(LABEL), present[one["name"]].get(ROLE)) != (instance, "home")
    )
