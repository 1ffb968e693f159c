# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The number (uid and gid) that users' servers run as, and their homes and shared folders belong to.

Who is who on the disk decides, not a note beside it: homes that were copied to another host, or a move that was broken off, are seen
as they are.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

# Of a new instance. The range is nobody's: below are accounts, those of systemd and nobody; above are the ranges of subuid.
NEW = 77000
LOWEST, HIGHEST = 65536, 99999
# Of every instance made before there was a choice: the first account that a host makes has it, too.
LEGACY = 1000

# Written by files/images/notebook/Dockerfile; the account that it makes.
LABEL_UID = "galilean.hub.uid"
ACCOUNT = "jovyan"

SETTING = "images_user_id"


def recorded(state_dir: Path) -> int:
    """Return the UID that the instance's servers were last set up with, 0 without a hub; HubError if it cannot be read."""
    path = state_dir / "config" / "config.json"
    try:
        data: dict[str, t.Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as exc:
        raise HubError(f"{path} cannot be read ({exc}): restore it from a backup.") from exc
    return int(data.get("user_id") or LEGACY)


def in_words(found: t.Mapping[int, t.Sequence[str]]) -> str:
    """Who owns what, for people."""
    return ", ".join(
        f"{len(names)} to {uid} ({', '.join(names[:3])}{', ...' if names[3:] else ''})"
        for uid, names in sorted(found.items())
    )


def decide(
    wanted: int, found: t.Mapping[int, t.Sequence[str]], last: int, account: t.Callable[[int], str]
) -> int:
    """Return the UID of users' servers; HubError if it is not allowed or cannot be decided.

    wanted: the setting, 0 if not set; found: owners of homes and shared folders, with their names; last: as recorded();
    account: tells who of the host has a number, or nothing.
    """
    if not wanted and len(found) > 1:
        raise HubError(
            f"Homes and shared folders belong to more than one number: {in_words(found)}. Set {SETTING} to the owner of all of them."
        )
    uid = wanted or next(iter(found), last or NEW)
    known = uid in found or uid == last
    if not known and not LOWEST <= uid <= HIGHEST:
        raise HubError(
            f"{SETTING} is {uid}: give a number from {LOWEST} to {HIGHEST}, which are neither for accounts of the host nor for containers, "
            "or leave it out."
        )
    owner = account(uid)
    if owner and not (known and uid == LEGACY):
        raise HubError(
            f"{SETTING} is {uid}, which {owner} of this host has: give a number from {LOWEST} to {HIGHEST} that is free there."
        )
    return uid


def refuse_running(uid: int, found: t.Mapping[int, t.Sequence[str]], running: t.Sequence[str]) -> None:
    """Raise HubError if homes must change their owner while servers run."""
    others = {owner: names for owner, names in found.items() if owner != uid}
    if others and running:
        raise HubError(
            f"{SETTING} is {uid}, and homes and shared folders are to change hands ({in_words(others)}), but {len(running)} servers of "
            f"users run ({', '.join(running[:3])}{', ...' if running[3:] else ''}): stop them first, on the hub's page Admin for instance, "
            f"or leave {SETTING} out."
        )
