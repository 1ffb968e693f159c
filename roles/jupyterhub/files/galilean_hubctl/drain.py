# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""No new servers; those that run go on, or end at a time."""

from __future__ import annotations

import argparse
import time
import typing as t

from . import operations
from .settings import Settings
from .words import moment, shown

NAME, HELP = "drain", "start no new servers, and tell users; --stop ends those that run at a time"
# Open tabs of JupyterLab ask for news every five minutes.
GRACE = 10 * 60
SHORT = 6 * 60


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--at", default="", help="when the work begins: 18:30, '2026-12-01 18:30', 30m, 2h")
    parser.add_argument("--message", default="", help="why, a sentence for users")
    parser.add_argument(
        "--stop", action="store_true", help="stop the servers that run at that time, or in ten minutes"
    )


def message(why: str, at: float | None, stop: bool) -> str:
    """The sentences for users."""
    parts = [
        why or ("Maintenance of this hub." if stop or at is None else f"Maintenance begins on {shown(at)}.")
    ]
    if stop and at is not None:
        parts.append(f"All servers are stopped on {shown(at)}: save your work before.")
    elif why and at is not None:
        parts.append(f"It begins on {shown(at)}.")
    parts.append(f"No new servers are started until it is over{'' if stop else ', running ones go on'}.")
    return " ".join(parts)


def run(settings: Settings, given: argparse.Namespace) -> dict[str, t.Any]:
    now = time.time()
    at = moment(given.at, now) if given.at else now + GRACE if given.stop else None
    why = operations.sentence(given.message) if given.message else ""
    if why and why[-1] not in ".!?":
        why += "."
    # To the second: it goes through YAML and JSON.
    drain = operations.signed(
        message=message(why, at, given.stop), at=None if at is None else int(at), stop=given.stop
    )
    operations.write(settings, {**operations.read(settings), "drain": drain})
    short = given.stop and at is not None and at - now < SHORT
    notice = (
        "Open tabs of JupyterLab ask for news every five minutes: some users may not be told in time, and what they typed in the "
        "last two minutes may not be saved."
        if short
        else ""
    )
    return {"drain": drain, "notice": notice}


def words(answer: t.Mapping[str, t.Any]) -> list[str]:
    drain = answer["drain"]
    ends = (
        f"Servers that run are stopped on {shown(drain['at'])}."
        if drain["stop"]
        else "Servers that run go on."
    )
    return [
        f"No new servers are started now, but those of administrators and of the check. {ends}",
        f"Users read: {drain['message']}",
        *filter(None, [answer["notice"]]),
        "End it with hubctl undrain.",
    ]
