# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The people whom a site lists, and what has to be done for them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.authorization.user_list import (
    user_list,
    user_list_problems,
)
from ansible_collections.galilean.hub.plugins.module_utils.authorization.user_plan import user_plan


def people(*users: t.Any, text: str | None = None, **others: t.Any) -> dict[str, t.Any]:
    file = {"file": "people.csv", "content": text.encode()} if text is not None else {"file": ""}
    return {"users": list(users), **file, **others}


PROBLEMS: list[tuple[str, dict[str, t.Any], str]] = [
    ("misspelled key", people({"name": "a", "grops": []}), "entry 1, has 'grops': write groups"),
    ("no name", people({"admin": True}), "entry 1, has no name"),
    ("only a name", people("anna"), "entry 1, is 'anna': give a mapping, such as {name: anna}"),
    ("truth", people({"name": True}), "entry 1, has no name: give the account's name as text"),
    ("impossible name", people({"name": "a/b"}), "the name 'a/b': a name has no slash"),
    ("twice", people({"name": "anna"}, {"name": "Anna"}), "entry 2, has 'anna', who is already"),
    ("spelled twice", people({"name": "Jos\u00e9"}, {"name": "Jose\u0301"}), "entry 2, has 'jos\u00e9', who"),
    (
        "blocked in another spelling",
        people({"name": "Jos\u00e9"}, blocked_users=["Jose\u0301"]),
        "and in jupyterhub_blocked_users",
    ),
    ("a group without a name", people({"name": "a", "groups": ["/"]}), "give a list of names that can be"),
    ("twice in both", people({"name": "anna"}, text="name\nanna\n"), "line 2, has 'anna', who is already"),
    ("state", people({"name": "a", "state": "abset"}), "(a) has state 'abset': write absent"),
    ("no truth", people({"name": "a", "admin": "maybe"}), "has admin 'maybe': give yes or no"),
    ("groups", people({"name": "a", "groups": "x"}), "has groups 'x': give a list"),
    ("admin and blocked", people({"name": "a", "admin": True, "blocked": True}), "is admin and blocked"),
    ("admin and absent", people({"name": "a", "admin": True, "state": "absent"}), "is admin and absent"),
    ("no columns", people(text=""), "people.csv is empty"),
    ("doubled column", people(text="name,name\na,b\n"), "has the column 'name' twice"),
    ("no name in a row", people(text="name,admin\n,true\n"), "line 2, has no name"),
    (
        "absent and allowed",
        people({"name": "a", "state": "absent"}, allowed_users=["A"]),
        "'a' is absent in jupyterhub_users and is in jupyterhub_allowed_users",
    ),
    (
        "blocked and admin",
        people({"name": "a", "blocked": True}, admin_users=["a"]),
        "'a' is blocked in jupyterhub_users and is in jupyterhub_admin_users",
    ),
    ("listed and blocked", people({"name": "a"}, blocked_users=["a"]), "and in jupyterhub_blocked_users"),
    ("no admin and admin", people({"name": "a", "admin": False}, admin_users=["a"]), "has admin: false"),
    ("everybody unlisted", people(unlisted="remove"), "so it would apply to all users"),
    ("others come", people({"name": "a"}, unlisted="block", allow_all=True), "jupyterhub_allow_all allows"),
    (
        "an organisation comes",
        people({"name": "a"}, unlisted="block", kind="github", own={"organizations": ["x"]}),
        "jupyterhub_login_github allows users",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "sentence"), [case[1:] for case in PROBLEMS], ids=[case[0] for case in PROBLEMS]
)
def test_problem(value: dict[str, t.Any], sentence: str) -> None:
    found = user_list_problems(value)
    assert len(found) == 1, found
    assert sentence in found[0]
    assert "\n" not in found[0]


TABLE = """\ufeffname, groups ,admin,state,blocked
# a course

Anna, x; y ,yes,,
berta,,,,TRUE
carl,,,absent,
"d,e",z,no,,
"""


def test_a_table_and_a_list() -> None:
    value = people({"name": "emil"}, text=TABLE, unlisted="remove", allowed_users=["fay"])
    assert user_list_problems(value) == []
    listed = user_list(value)
    assert listed["allowed"] == ["emil", "anna", "d,e"]
    assert listed["admin_users"] == ["anna"]
    # Who is absent must not come back by another setting.
    assert listed["blocked"] == ["berta", "carl"]
    assert listed["absent"] == ["carl"]
    assert listed["groups"] == {"x": ["anna"], "y": ["anna"], "z": ["d,e"]}
    by_name = {user["name"]: user for user in listed["users"]}
    assert by_name["anna"]["groups"] == ["x", "y"]
    assert (by_name["emil"]["admin"], by_name["emil"]["groups"]) == (None, None)
    assert by_name["d,e"]["admin"] is False


def test_groups_are_called_as_in_other_settings() -> None:
    listed = user_list(
        people({"name": "ada", "groups": ["/staff", "staff/", "/a/b"]}, text="name,groups\nbob,/staff\n")
    )
    assert listed["groups"] == {"staff": ["ada", "bob"], "a/b": ["ada"]}


def test_nobody_is_listed() -> None:
    assert user_list_problems(people()) == []
    assert user_list(people())["users"] == []


def account(
    name: str, admin: bool = False, groups: t.Sequence[str] = (), running: bool = False
) -> dict[str, t.Any]:
    return {
        "name": name,
        "admin": admin,
        "groups": list(groups),
        "servers": [{"name": ""}] if running else [],
    }


def state(
    users: list[dict[str, t.Any]], accounts: list[dict[str, t.Any]], **others: t.Any
) -> dict[str, t.Any]:
    names = [one["name"] for one in accounts]
    return {
        "list": user_list(people(*users)),
        "settings": [],
        "accounts": accounts,
        "homes": [{"user": name, "volume": f"home-{name}"} for name in [*names, *others.pop("left", [])]],
        "archives": [],
        "unlisted": "keep",
        "removed_homes": "archive",
        "check_user": "hub-check",
        **others,
    }


def test_nothing_to_do() -> None:
    plan = user_plan(
        state([{"name": "a", "groups": ["x"]}], [account("a", groups=["x"]), account("hub-check")])
    )
    assert plan["words"] == []
    assert plan["changes"] == [{"name": "a", "groups": ["x"]}]
    assert not any(
        plan[key] for key in ("anew", "missing", "archive", "delete_homes", "gone_accounts", "unlisted")
    )


@pytest.mark.parametrize("unlisted", ["block", "remove"])
def test_an_account_in_another_spelling_is_somebody_who_is_listed(unlisted: str) -> None:
    """An account of before names were composed keeps its home."""
    plan = user_plan(state([{"name": "Jos\u00e9"}], [account("jose\u0301")], unlisted=unlisted))
    assert (plan["archive"], plan["gone_accounts"], plan["unlisted"]) == ([], [], [])


def test_somebody_leaves() -> None:
    listed = [{"name": "a", "state": "absent"}]
    plan = user_plan(state(listed, [account("a", running=True)]))
    assert plan["changes"] == [{"name": "a", "stop": True}]
    assert (plan["archive"], plan["busy"], plan["delete_homes"]) == (["a"], ["a"], [])
    assert plan["gone_accounts"] == [{"name": "a"}]
    assert plan["words"] == ["Stop the servers of a", "Archive the home of a", "Delete the account of a"]
    kept = user_plan(state(listed, [account("a")], removed_homes="keep"))
    assert (kept["archive"], kept["delete_homes"]) == ([], [])
    deleted = user_plan(state(listed, [account("a")], removed_homes="delete"))
    assert (deleted["archive"], deleted["delete_homes"]) == (["a"], ["a"])


def test_somebody_has_left() -> None:
    listed = [{"name": "a", "state": "absent"}]
    done = {"left": ["a"], "archives": [{"volume": "home-a", "user": "a"}]}
    assert user_plan(state(listed, [], **done))["words"] == []
    # The run before was killed.
    assert user_plan(state(listed, [], left=["a"]))["archive"] == ["a"]
    # Now the home shall go as well.
    assert user_plan(state(listed, [], removed_homes="delete", **done))["delete_homes"] == ["a"]


def test_blocked_people_keep_account_and_home() -> None:
    plan = user_plan(state([{"name": "a", "blocked": True, "groups": ["x"]}], [account("a", running=True)]))
    assert plan["words"] == ["Stop the servers of a"]
    assert plan["changes"] == [{"name": "a", "stop": True}]
    assert plan["gone_accounts"] == []
    # Nobody is made to be blocked.
    assert user_plan(state([{"name": "b", "blocked": True}], []))["words"] == []


@pytest.mark.parametrize(
    ("unlisted", "gone", "archive"),
    [("keep", [], []), ("block", [{"name": "old"}], []), ("remove", [{"name": "old"}], ["old"])],
)
def test_people_whom_no_setting_names(unlisted: str, gone: list[dict[str, str]], archive: list[str]) -> None:
    accounts = [account("a"), account("old", running=True), account("named"), account("hub-check")]
    plan = user_plan(
        state([{"name": "a"}], accounts, unlisted=unlisted, settings=["Named"], removed_homes="delete")
    )
    assert plan["unlisted"] == ["old"]
    assert (plan["gone_accounts"], plan["archive"], plan["delete_homes"]) == (gone, archive, [])
    assert ("No setting names old" in plan["words"][-1]) is (unlisted == "keep")


def test_administration_is_taken_away_by_a_new_account() -> None:
    listed: list[dict[str, t.Any]] = [
        {"name": "a", "admin": False, "groups": ["x"]},
        {"name": "b", "admin": True},
        {"name": "c"},
    ]
    plan = user_plan(state(listed, [account("a", True, ["x"]), account("b", True), account("c", True)]))
    assert plan["anew"] == ["a"]
    assert plan["changes"] == [{"name": "a", "groups": ["x"]}]
    # Its groups went with the old one.
    assert "Put into the groups of the list a" in plan["words"]


def test_missing_accounts_come_with_the_next_start() -> None:
    plan = user_plan(state([{"name": "a", "groups": ["x"]}, {"name": "b"}], [account("b")]))
    assert plan["missing"] == ["a"]
    assert plan["words"] == ["Create a", "Put into the groups of the list a"]


def test_long_lists_are_shortened() -> None:
    plan = user_plan(state([{"name": f"u{number:03}"} for number in range(25)], []))
    assert plan["words"][0].endswith("u019 and 5 more")
