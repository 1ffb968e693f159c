# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What has to be done so that a hub's accounts are as wanted."""

from __future__ import annotations

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.hub.accounts import Account, parse_account, refusal
from ansible_collections.galilean.hub.plugins.module_utils.hub.user_plan import (
    Wanted,
    check_names,
    plan_users,
)
from ansible_collections.galilean.hub.plugins.module_utils.shared.hub_api import HubApiError
from ansible_collections.galilean.hub.plugins.module_utils.shared.usernames import name_problem

ANNA = Account("anna", False, ("staff",), ())
BUSY = Account("busy", True, ("staff", "x"), ("", "second"))
ACCOUNTS = {account.name: account for account in (ANNA, BUSY)}

PLANS: list[tuple[str, Wanted, list[str]]] = [
    ("as it is", Wanted("anna"), []),
    ("nothing to stop", Wanted("anna", stop=True), []),
    ("same groups", Wanted("anna", groups=("staff",)), []),
    ("no groups", Wanted("anna", groups=()), ["take anna from the group staff"]),
    ("one more", Wanted("anna", groups=("new",), append=True), ["add anna to the group new"]),
    (
        "another one",
        Wanted("anna", groups=("new",)),
        ["take anna from the group staff", "add anna to the group new"],
    ),
    ("administrator", Wanted("anna", admin=True), ["make anna an administrator"]),
    ("none any more", Wanted("busy", admin=False), ["take administration from busy"]),
    ("stopped", Wanted("busy", stop=True), ["stop the servers of busy"]),
    ("absent", Wanted("anna", present=False), ["delete the account anna"]),
    (
        "absent while busy",
        Wanted("busy", present=False, groups=("y",)),
        ["stop the servers of busy", "delete the account busy"],
    ),
    ("absent already", Wanted("nobody", present=False), []),
    (
        "new",
        Wanted("nobody", groups=("b", "a")),
        ["create nobody", "add nobody to the group a", "add nobody to the group b"],
    ),
    ("new administrator", Wanted("nobody", admin=True), ["create nobody as administrator"]),
    ("small letters", Wanted("ANNA", groups=()), ["take anna from the group staff"]),
]


@pytest.mark.parametrize(("wanted", "actions"), [case[1:] for case in PLANS], ids=[case[0] for case in PLANS])
def test_plan(wanted: Wanted, actions: list[str]) -> None:
    plan = plan_users([wanted], ACCOUNTS)
    assert plan.actions() == actions
    assert plan.changed is bool(actions)
    assert bool(plan.before or plan.after) is bool(actions)


def test_groups_are_asked_for_once() -> None:
    plan = plan_users([Wanted(name, groups=("course",)) for name in ("b", "a", "anna")], ACCOUNTS)
    assert plan.join == {"course": ["b", "a", "anna"]}


@pytest.mark.parametrize(
    ("account", "wanted", "scope"),
    [
        (Account("a", None), Wanted("a", admin=True), "read:users"),
        (Account("a", False, None), Wanted("a", groups=()), "read:users:groups"),
        (Account("a", False, (), None), Wanted("a", stop=True), "read:servers"),
        (Account("a", False, (), None), Wanted("a", present=False), "read:servers"),
    ],
)
def test_what_the_token_may_not_see_is_said(account: Account, wanted: Wanted, scope: str) -> None:
    with pytest.raises(HubError, match=f"lacks the scope {scope}"):
        plan_users([wanted], {"a": account})


@pytest.mark.parametrize("name", ["anna", "a b", "x@y", "..a", "%2e%41", "ünï", "a\\b"])
def test_names_that_are_fine(name: str) -> None:
    assert not name_problem(name)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        *((name, "it is empty, or starts or ends with a space") for name in ("", " a", "a ", "a\n")),
        *((name, "a name has no slash") for name in ("a/b", "../x")),
        *((name, "it has nothing but dots") for name in (".", "..", "%2e", "%2E%2e")),
        ("a\x00b", "it has a character that cannot be printed"),
        ("a\nb", "it has a character that cannot be printed"),
    ],
)
def test_names_that_are_none(name: str, sentence: str) -> None:
    assert name_problem(name) == sentence
    with pytest.raises(HubError, match=sentence) as caught:
        check_names([Wanted(name)])
    assert "\n" not in caught.value.message


def test_no_name_twice() -> None:
    with pytest.raises(HubError, match="'Anna' twice"):
        check_names([Wanted("anna"), Wanted("Anna")])
    with pytest.raises(HubError, match="groups of 'anna'"):
        check_names([Wanted("anna", groups=(" ",))])


def test_account_out_of_its_description() -> None:
    account = parse_account(
        {
            "name": "anna",
            "admin": False,
            "groups": ["b", "a"],
            "servers": {"": {"name": "", "stopped": False}, "old": {"name": "old", "stopped": True}},
        }
    )
    assert (account.groups, account.servers) == (("a", "b"), ("",))
    assert parse_account({"name": "anna"}) == Account("anna", None, None, None)


@pytest.mark.parametrize(
    ("message", "status", "sentence"),
    [
        (
            "Action is not authorized with current scopes; requires any of [admin:users] (HTTP 403)",
            403,
            "The hub did not try: the token lacks the scope admin:users.",
        ),
        (
            "Missing or invalid credentials. (HTTP 403)",
            403,
            "The hub did not try: the hub refuses the token: Missing",
        ),
        ("Group management via API is disabled (HTTP 400)", 400, "login provider or its settings"),
        ("Only admins can modify other admins (HTTP 403)", 403, "service with admin: true"),
        ("no reason given (HTTP 404)", 404, "does not know it"),
        ("Invalid username: x (HTTP 400)", 400, "The hub did not try: Invalid username: x (HTTP 400)."),
    ],
)
def test_refusals(message: str, status: int, sentence: str) -> None:
    assert sentence in str(refusal("try", HubApiError(message, status)))
