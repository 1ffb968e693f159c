# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Events of the audit log that somebody asks for. Pure: no I/O, no clock."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t
from datetime import datetime, timedelta, timezone

Event = dict[str, t.Any]

# All actions there are (docs/audit.md): the first word is the subject.
ACTIONS = (
    "login",
    "logout",
    "server.start",
    "server.stop",
    "server.exit",
    "server.enter",
    "server.share",
    "server.unshare",
    "account.create",
    "account.delete",
    "account.rename",
    "account.admin",
    "account.signup",
    "account.discard",
    "account.password",
    "group.create",
    "group.delete",
    "group.add",
    "group.remove",
    "role.add",
    "role.remove",
    "token.create",
    "token.revoke",
    "approval.grant",
    "approval.withdraw",
    "access.withdraw",
    "access.refused",
    "notebook.open",
    "code.run",
    "hub.start",
    "audit.lost",
    "audit.unreadable",
    "request",
)
COLUMNS = ("TIME", "ACTOR", "ACTION", "USER", "OUTCOME", "ADDRESS", "VIA", "DETAIL")
# What a terminal would obey, or show in another order.
UNSEEN = re.compile(r"[^\x20-\x7e\u00a1-\u1fff\u2c00-\ud7ff\uf900-\ufdff]")
# A day alone; newer versions of Python read 20261130 and 2026-W49-1 as well.
DAY = re.compile(r"\d{4}-?(\d{2}-?\d{2}|W\d{2}(-?\d)?)")
UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


class QueryError(Exception):
    """One sentence: which option, its value, and what to give."""


def moment(text: str, option: str, now: datetime, end: bool = False) -> str:
    """A moment as events have it, from 2026-11-30, 2026-11-30T12:00 or 2h (ago). end: of a day alone, its end."""
    ago = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    try:
        if ago:
            found = now - timedelta(seconds=int(ago[1]) * UNITS[ago[2]])
        else:
            found = datetime.fromisoformat(text.replace("Z", "+00:00"))
            if end and DAY.fullmatch(text):
                found += timedelta(days=1)
        found = found.replace(tzinfo=found.tzinfo or timezone.utc).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise QueryError(
            f"{option} is {text!r}: give a day or a time in UTC, such as 2026-11-30 or 2026-11-30T12:00, or how long ago, such as 90m, 6h or 7d."
        ) from None
    return found.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def action_of(text: str) -> str:
    """An action, or what several of them begin with."""
    if text and not any(one == text or one.startswith(f"{text}.") for one in ACTIONS):
        words = sorted({one.partition(".")[0] for one in ACTIONS})
        raise QueryError(
            f"--action is {text!r}: give one of {', '.join(words)}, or more exactly one such as server.enter."
        )
    return text


@dataclasses.dataclass(frozen=True)
class Query:
    """name: of the actor or the user, empty for all; since, until: moments; action: see action_of."""

    name: str = ""
    since: str = ""
    until: str = ""
    action: str = ""


def events_of(lines: t.Iterable[bytes]) -> t.Iterator[Event]:
    """The events in lines, and what is none as such."""
    for line in lines:
        if not line.strip():
            continue
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        if isinstance(event, dict) and isinstance(event.get("time"), str):
            yield event
        else:
            yield {
                "time": "",
                "action": "audit.unreadable",
                "detail": ascii(line[:200].decode(errors="replace")),
            }


def names_of(name: str, renames: t.Iterable[tuple[str, str]]) -> set[str]:
    """The name, and those that the same person had before and has had since."""
    pairs, found = list(renames), {name}
    while True:
        more = {one for pair in pairs if found & set(pair) for one in pair} - found
        if not more or not name:
            return found
        found |= more


def renames_in(events: t.Iterable[Event]) -> list[tuple[str, str]]:
    """Old and new names, as events tell them."""
    return [
        (str(event.get("detail", "")).replace("was ", "", 1), str(event.get("user")))
        for event in events
        if event.get("action") == "account.rename"
    ]


def select(events: t.Iterable[Event], query: Query, names: set[str]) -> list[Event]:
    """The events that are asked for, by time, each with what the edge says of the same request."""
    chosen, requests = [], {}
    for event in events:
        when, action = event["time"], str(event.get("action", ""))
        if (query.since and when < query.since) or (query.until and when >= query.until):
            continue
        if action == "request" and event.get("request"):
            requests[event["request"]] = event
        if query.action:
            if action != query.action and not action.startswith(f"{query.action}."):
                continue
        elif action == "request":
            continue
        if query.name and not names & {event.get("actor"), event.get("user")}:
            continue
        chosen.append(event)
    chosen.sort(key=lambda event: str(event["time"]))
    # A keeper that was killed writes some again.
    once = [event for event, before in zip(chosen, [None, *chosen]) if event != before]
    return [_joined(event, requests.get(event.get("request"))) for event in once]


def _joined(event: Event, request: Event | None) -> Event:
    if request is None or request is event:
        return event
    told = {key: request[key] for key in ("address", "method", "path", "status", "agent") if key in request}
    return {**event, "edge": told}


def row(event: Event) -> tuple[str, ...]:
    """An event for people."""
    action = str(event.get("action", ""))
    user = str(event.get("user", ""))
    if event.get("server"):
        user += f"/{event['server']}"
    details = [str(event[key]) for key in ("detail", "token") if event.get(key)]
    if action == "request":
        details = [f"{event.get('method')} {event.get('path')} {event.get('status')}"]
    edge = event.get("edge") or {}
    if edge.get("address") and event.get("address") and edge["address"] != event["address"]:
        details.append(f"the edge says {edge['address']}")
    if event.get("received"):
        details.append(f"came at {event['received']}")
    words = (
        str(event["time"])[:19].replace("T", " "),
        str(event.get("actor") or "-"),
        action,
        user or "-",
        str(event.get("outcome") or "-"),
        str(event.get("address") or "-"),
        str(event.get("via") or event.get("source") or "-"),
        "; ".join(details),
    )
    return tuple(UNSEEN.sub("\ufffd", word) for word in words)
