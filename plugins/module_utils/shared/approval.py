# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Lists of approved users: how they are written, and what an entry means today. Pure: no I/O, no clock.

A list is JSON (a list, or an object with the list as `approved`), a table with a header row, or one name a
line.
An entry has the user's name, and may have the day or time at which it ends, and groups:

    [{"user": "ada@example.org", "expires": "2027-03-31", "groups": ["genomics"]}]

    user,expires,groups
    ada@example.org,2027-03-31,genomics;teaching
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timezone
from typing import Any

from .claims import group_name
from .tables import TableError, decode, name_fault, read_table, split_names
from .usernames import composed, name_problem

KEYS = ("user", "expires", "groups")
# As spreadsheets of most of Europe write a day. With slashes nobody knows which is the month.
# A day alone, in each of the ways in which Python reads one; it ends with its last moment.
DAY = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}|\d{4}-?W\d{2}(-?\d)?")
DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


class ApprovalError(ValueError):
    """A list, or an answer, that cannot be understood; one sentence."""


class RemovalError(ApprovalError):
    """A list that would take the approval from too many at once."""


class UnknownApproval(str):
    """A reason that is no answer: whether somebody is approved could not be found out.

    Nobody comes in with it, and nobody whose server runs is stopped for it.
    """

    __slots__ = ()


UNKNOWN_APPROVAL = UnknownApproval(
    "Whether you are approved cannot be found out at the moment. Try again later."
)


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
    """Return a day (until its end) or a time in ISO 8601, or 31.3.2027, in UTC without a zone; ApprovalError otherwise."""
    if value is None or value == "":
        return None
    text = str(value).strip()
    dotted = DOTTED.fullmatch(text)
    if dotted:
        text = f"{dotted[3]}-{int(dotted[2]):02}-{int(dotted[1]):02}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ApprovalError(
            f"the approval of {user!r} expires {value!r}: write a day such as 2027-03-31"
        ) from None
    if DAY.fullmatch(text):
        moment = datetime.combine(moment.date(), time.max)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def parse_entry(entry: Any) -> Approval:
    """Return an entry of a list, or an endpoint's answer with its user added; ApprovalError if it is not valid."""
    if isinstance(entry, str):
        entry = {"user": entry}
    if not isinstance(entry, dict):
        raise ApprovalError(f"an entry of the list is {entry!r}: write a name, or an object with user")
    unknown = sorted(set(entry) - set(KEYS))
    if unknown:
        raise ApprovalError(f"an entry of the list has {unknown[0]!r}: it may have user, expires and groups")
    user = entry.get("user")
    if not isinstance(user, str) or not user.strip():
        raise ApprovalError(f"the list has the entry {entry!r}, which names no user")
    user = composed(user.strip()).lower()
    problem = name_problem(user) or name_fault(user)
    if problem:
        raise ApprovalError(f"the list has the user {user!r}, a name that no account has: {problem}")
    groups = entry.get("groups") or []
    if isinstance(groups, str):
        groups = split_names(groups)
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise ApprovalError(f"the approval of {user!r} has groups {groups!r}: write a list of names")
    return Approval(
        user,
        parse_expiry(entry.get("expires"), user),
        tuple(sorted({name for name in map(group_name, groups) if name})),
    )


def _entries(content: bytes) -> list[Any]:
    try:
        text = decode(content).strip()
        if not text.startswith(("[", "{")):
            return [row.cells for row in read_table(content, KEYS, "user", plain=True)]
    except TableError as exc:
        raise ApprovalError(f"the list {exc}") from None
    try:
        entries = json.loads(text)
    except RecursionError:
        raise ApprovalError(
            "the list is JSON nested deeper than a list of users is: give the list itself"
        ) from None
    except ValueError as exc:
        raise ApprovalError(f"the list is not complete JSON: {exc}") from None
    if isinstance(entries, dict):
        entries = entries.get("approved")
    if not isinstance(entries, list):
        raise ApprovalError("the list is a JSON object without the key approved: put the list there")
    return entries


def parse_list(content: bytes) -> dict[str, Approval]:
    """The approvals of a list by the users' names; ApprovalError where it cannot be understood.

    An empty list is refused: it is far more often a source that failed than an institution without anybody.
    Of two entries for one user the one that ends later counts, with the groups of both.
    """
    found: dict[str, Approval] = {}
    for entry in map(parse_entry, _entries(content)):
        if entry.user in found:
            entry = _joined(found[entry.user], entry)
        found[entry.user] = entry
    if not found:
        raise ApprovalError("the list is empty")
    return found


def check_removal(
    before: Mapping[str, Approval], after: Mapping[str, Approval], percent: float, now: datetime
) -> None:
    """RemovalError where a new list takes the approval from more than that part of those who have it.

    One at a time may always lose it. Whose approval has ended by its own date is not counted.
    """
    had = {name for name, approval in before.items() if approval.valid(now)}
    lost = {name for name in had if name not in after or not after[name].valid(now)}
    if len(lost) > 1 and len(lost) * 100 > percent * len(had):
        raise RemovalError(
            f"the list would take the approval from {len(lost)} of {len(had)} users, more than {percent:g} %: if this is right, raise max_removed in jupyterhub_approval"
        )


def _joined(one: Approval, other: Approval) -> Approval:
    ends = [moment for moment in (one.expires, other.expires) if moment]
    return Approval(
        one.user, max(ends) if len(ends) == 2 else None, tuple(sorted({*one.groups, *other.groups}))
    )


def parse_answer(status: int, text: bytes, user: str) -> Approval | None:
    """Return an endpoint's answer about a user, None if not approved; ApprovalError for any other answer.

    404 is a no. 200 has a JSON object with `approved` (true or false), and may have `expires` and `groups`.
    """
    if status == 404:
        return None
    if status != 200:
        raise ApprovalError(f"the endpoint answered with status {status}")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
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
