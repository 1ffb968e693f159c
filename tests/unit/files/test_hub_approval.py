# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Lists of approved users as the hub image reads them."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timezone

import pytest
from galilean_hub.shared.approval import (
    Approval,
    ApprovalError,
    check_removal,
    parse_answer,
    parse_list,
    standing,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.org\n# a remark\n\nbob\n",
        json.dumps(["ada@example.org", {"user": "bob", "expires": None}]),
        json.dumps({"approved": [{"user": "ada@example.org", "groups": ["a"]}, {"user": "bob"}]}),
    ],
)
def test_ways_to_write_a_list(text: str) -> None:
    assert sorted(parse_list(text.encode())) == ["ada@example.org", "bob"]


# Tables, and what is no list at all: tests/inputs/approvals.
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[]", "the list is empty"),
        ('[{"name": "ada"}]', "has 'name'"),
        ('[{"groups": []}]', "names no user"),
        ('[{"user": "ada", "expires": "soon"}]', "'ada' expires 'soon'"),
        ('[{"user": "ada", "groups": 7}]', "groups 7"),
        ("[7]", "an entry of the list is 7"),
        # The same names are refused in the settings.
        ('["%2e"]', "no account has: it has nothing but dots"),
    ],
)
def test_entries_that_are_none(text: str, sentence: str) -> None:
    with pytest.raises(ApprovalError, match=sentence):
        parse_list(text.encode())


@pytest.mark.parametrize(
    ("expires", "holds"),
    [
        ("", True),
        # A day counts until its end.
        ("2026-11-22", True),
        ("2026-11-21", False),
        ("2026-11-22T13:00:00", True),
        ("2026-11-22T13:00:00+02:00", False),
        ("2026-11-22T11:59:59+00:00", False),
    ],
)
def test_ends(expires: str, holds: bool) -> None:
    found = parse_list(f"user,expires\nada,{expires}\n".encode())
    approval, reason = standing(found, "ada", NOON)
    assert (approval is not None) is holds
    assert bool(reason) is not holds


def test_two_entries_for_one_user() -> None:
    found = parse_list(b"user,expires,groups\nada,2027-01-01,a\nada,2026-01-01,b\n")["ada"]
    assert found.groups == ("a", "b")
    assert found.expires is not None
    assert found.expires.year == 2027
    assert parse_list(b"user,expires\nada,2027-01-01\nada,\n")["ada"].expires is None


def test_who_is_not_on_the_list_is_told_so() -> None:
    assert standing({}, "eve", NOON) == (None, "The account eve is not on the list of approved users.")


@pytest.mark.parametrize(
    ("status", "text", "approved"),
    [
        (404, "", False),
        (200, '{"approved": false}', False),
        (200, '{"approved": true, "expires": "2099-01-01", "groups": ["a"]}', True),
    ],
)
def test_answers_of_an_endpoint(status: int, text: str, approved: bool) -> None:
    assert (parse_answer(status, text.encode(), "ada") is not None) is approved


@pytest.mark.parametrize(
    ("status", "text", "sentence"),
    [
        (500, "", "status 500"),
        (302, "", "status 302"),
        (200, "yes", "not JSON"),
        (200, "true", "no approved"),
        (200, '{"approved": "true"}', "no approved"),
        (200, '{"approved": true, "expires": 5}', "expires 5"),
    ],
)
def test_answers_that_are_none(status: int, text: str, sentence: str) -> None:
    with pytest.raises(ApprovalError, match=sentence):
        parse_answer(status, text.encode(), "ada")


@pytest.mark.parametrize(
    ("before", "after", "percent", "refused"),
    [
        ("ada bob carl dora", "ada bob", 50, False),
        ("ada bob carl dora", "ada", 50, True),
        ("ada bob carl dora", "ada", 75, False),
        ("ada bob carl dora", "eve", 100, False),
        # One at a time, and those who come, are no reason.
        ("ada", "eve", 0, False),
        ("ada bob", "ada bob eve fay", 0, False),
        ("", "ada", 0, False),
    ],
)
def test_a_list_that_takes_too_much_away(before: str, after: str, percent: float, refused: bool) -> None:
    lists = [{name: Approval(name) for name in names.split()} for names in (before, after)]
    with pytest.raises(ApprovalError, match="more than") if refused else contextlib.nullcontext():
        check_removal(*lists, percent, NOON)


def test_approvals_that_ended_by_themselves_are_not_counted() -> None:
    ended = {name: Approval(name, NOON) for name in ("ada", "bob", "carl")}
    check_removal({**ended, "dora": Approval("dora")}, {"dora": Approval("dora")}, 0, NOON)
    with pytest.raises(ApprovalError, match="3 of 3"):
        check_removal({name: Approval(name) for name in ended}, ended, 50, NOON)
