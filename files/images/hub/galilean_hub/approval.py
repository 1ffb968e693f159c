# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Lists of approved users: how they are written, and what an entry means today. Pure: no I/O, no clock.

A list is JSON (a list, or an object with the list as `approved`), CSV with a header row, or one name a line.
An entry has the user's name, and may have the day or time at which it ends, and groups:

    [{"user": "ada@example.org", "expires": "2027-03-31", "groups": ["genomics"]}]

    user,expires,groups
    ada@example.org,2027-03-31,genomics;teaching
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timezone
from typing import Any

KEYS = {"user", "expires", "groups"}


class ApprovalError(ValueError):
    """A list, or an answer, that cannot be understood; one sentence."""


class Unsure(str):
    """A reason that is no answer: whether somebody is approved could not be found out.

    Nobody comes in with it, and nobody whose server runs is stopped for it.
    """

    __slots__ = ()


UNSURE = Unsure("Whether you are approved cannot be found out at the moment. Try again later.")


@dataclass(frozen=True)
class Approval:
    """One user's approval; `expires` is None where it never ends."""

    user: str
    expires: datetime | None = None
    groups: tuple[str, ...] = ()

    def valid(self, now: datetime) -> bool:
        """Whether it holds at that time."""
        return self.expires is None or now < self.expires


def parse_expiry(value: Any, user: str) -> datetime | None:
    """A day (until its end) or a time, as ISO 8601 writes them; UTC where no zone is named."""
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise ApprovalError(
            f"the approval of {user!r} expires {value!r}: write a day such as 2027-03-31"
        ) from None
    if len(str(value)) == 10:
        moment = datetime.combine(moment.date(), time.max)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def parse_entry(entry: Any) -> Approval:
    """One entry of a list, or the answer of an endpoint with its user added."""
    if isinstance(entry, str):
        entry = {"user": entry}
    if not isinstance(entry, dict):
        raise ApprovalError(f"an entry of the list is {entry!r}: write a name, or an object with user")
    unknown = sorted(set(entry) - KEYS)
    if unknown:
        raise ApprovalError(f"an entry of the list has {unknown[0]!r}: it may have user, expires and groups")
    user = entry.get("user")
    if not isinstance(user, str) or not user.strip():
        raise ApprovalError(f"the list has the entry {entry!r}, which names no user")
    user = user.strip().lower()
    groups = entry.get("groups") or []
    if isinstance(groups, str):
        groups = groups.split(";")
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise ApprovalError(f"the approval of {user!r} has groups {groups!r}: write a list of names")
    return Approval(
        user,
        parse_expiry(entry.get("expires"), user),
        tuple(sorted({group.strip() for group in groups if group.strip()})),
    )


def _entries(text: str) -> list[Any]:
    stripped = text.lstrip("\ufeff \t\r\n")
    if stripped[:1] in ("[", "{"):
        try:
            content = json.loads(stripped)
        except ValueError as exc:
            raise ApprovalError(f"the list is not complete JSON: {exc}") from None
        if isinstance(content, dict):
            content = content.get("approved")
        if not isinstance(content, list):
            raise ApprovalError("the list is a JSON object without the key approved: put the list there")
        return content
    lines = [line for line in stripped.splitlines() if line.strip() and not line.startswith("#")]
    if lines and lines[0].lstrip().startswith("<"):
        # What a server or a single sign-on in between says instead of the list.
        raise ApprovalError("the list is a page in HTML: give an address that answers with the list itself")
    header = [cell.strip().lower() for cell in lines[0].split(",")] if lines else []
    if "user" in header:
        rows = csv.DictReader(io.StringIO("\n".join([",".join(header), *lines[1:]])), restkey="more columns")
        return [{key: value for key, value in row.items() if value is not None} for row in rows]
    return [line.strip() for line in lines]


def parse_list(text: str) -> dict[str, Approval]:
    """The approvals of a list by the users' names; ApprovalError where it cannot be understood.

    An empty list is refused: it is far more often a source that failed than an institution without anybody.
    Of two entries for one user the one that ends later counts, with the groups of both.
    """
    found: dict[str, Approval] = {}
    for entry in map(parse_entry, _entries(text)):
        if entry.user in found:
            entry = _joined(found[entry.user], entry)
        found[entry.user] = entry
    if not found:
        raise ApprovalError("the list is empty")
    return found


def _joined(one: Approval, other: Approval) -> Approval:
    ends = [moment for moment in (one.expires, other.expires) if moment]
    return Approval(
        one.user, max(ends) if len(ends) == 2 else None, tuple(sorted({*one.groups, *other.groups}))
    )


def parse_answer(status: int, text: str, user: str) -> Approval | None:
    """What an endpoint says about one user: None where it does not approve.

    404 is a no. 200 has a JSON object with `approved` (true or false), and may have `expires` and `groups`.
    """
    if status == 404:
        return None
    if status != 200:
        raise ApprovalError(f"the endpoint answered with status {status}")
    try:
        content = json.loads(text)
    except ValueError:
        raise ApprovalError("the endpoint's answer is not JSON") from None
    if not isinstance(content, dict) or not isinstance(content.get("approved"), bool):
        raise ApprovalError("the endpoint's answer has no approved that is true or false")
    if not content["approved"]:
        return None
    return parse_entry({"user": user, "expires": content.get("expires"), "groups": content.get("groups")})


def standing(approvals: Mapping[str, Approval], user: str, now: datetime) -> tuple[Approval | None, str]:
    """The user's approval where it holds; otherwise None and what to tell the user."""
    approval = approvals.get(user)
    if approval is None:
        return None, f"The account {user} is not on the list of approved users."
    if not approval.valid(now):
        assert approval.expires is not None
        return None, f"The approval of {user} has ended ({approval.expires:%d %B %Y})."
    return approval, ""
