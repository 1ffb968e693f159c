# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.galilean.hub.plugins.module_utils._account_rules import sudo_file
from ansible_collections.galilean.hub.plugins.module_utils._accounts_plan import (
    Account,
    Group,
    Host,
    Plan,
    Seen,
    plan_accounts,
)
from ansible_collections.galilean.hub.plugins.module_utils._errors import HubError

ALICE = Seen(1001, 1001, "", "/home/alice", "/bin/bash")
OURS = {"created": True, "instances": ["hub"]}
THEIRS = {"created": False, "instances": ["hub"], "keys": ["k1"], "groups": ["science"]}


def host(**values: Any) -> Host:
    record = {"accounts": values.pop("known", {}), "groups": values.pop("known_groups", {})}
    groups = values.pop("groups", {"science": 900})
    return Host(values.pop("accounts", {}), groups, values.pop("sudo", {}), record, **values)


def kinds(plan: Plan) -> list[str]:
    return [f"{action.kind} {action.name}" for action in plan.actions]


CASES: list[tuple[str, list[Account], list[Group], Host, list[str]]] = [
    ("nothing at all", [], [], host(), []),
    (
        "a bare host",
        [Account("alice", keys=("k",), sudo=("nopasswd",))],
        [],
        host(),
        ["account_add alice", "account_keys alice", "sudo_write alice"],
    ),
    ("as it should be", [Account("alice")], [], host(accounts={"alice": ALICE}, known={"alice": OURS}), []),
    (
        "the service account",
        [Account("hub", system=True, group="hub")],
        [Group("hub")],
        host(),
        ["group_add hub", "account_add hub"],
    ),
    (
        "a missing group is made first",
        [Account("alice", groups=("g",))],
        [Group("g")],
        host(),
        ["group_add g", "account_add alice", "account_groups alice"],
    ),
    (
        "dropped from the list",
        [],
        [],
        host(accounts={"alice": ALICE}, known={"alice": OURS}, sudo={"alice": "x"}),
        ["sudo_remove alice", "account_remove alice"],
    ),
    (
        "absent is dropped",
        [Account("alice", present=False)],
        [],
        host(accounts={"alice": ALICE}, known={"alice": OURS}),
        ["account_remove alice"],
    ),
    ("dropped, and gone already", [], [], host(known={"alice": OURS}), []),
    (
        "dropped here, listed by another instance",
        [],
        [],
        host(accounts={"alice": ALICE}, known={"alice": {"created": True, "instances": ["hub", "proto"]}}),
        [],
    ),
    (
        "listed by another instance only",
        [],
        [],
        host(accounts={"alice": ALICE}, known={"alice": {"created": True, "instances": ["proto"]}}),
        [],
    ),
    (
        "not ours, listed",
        [Account("alice", keys=("k",))],
        [],
        host(accounts={"alice": ALICE}),
        ["account_keys alice"],
    ),
    ("not ours, absent", [Account("alice", present=False)], [], host(accounts={"alice": ALICE}), []),
    ("a group that is dropped", [], [], host(known_groups={"science": OURS}), ["group_remove science"]),
    ("a group that was there before", [], [], host(known_groups={"science": {**OURS, "created": False}}), []),
    (
        "a password that is not listed",
        [Account("alice")],
        [],
        host(
            accounts={"alice": Seen(1001, 1001, "", "/home/alice", "/bin/bash", password="$6$x")},
            known={"alice": OURS},
        ),
        ["account_password alice"],
    ),
    (
        "a password of somebody who was there before",
        [Account("alice")],
        [],
        host(accounts={"alice": Seen(1001, 1001, "", "/home/alice", "/bin/sh", password="$6$x")}),
        [],
    ),
    (
        "a shell that was changed",
        [Account("alice")],
        [],
        host(accounts={"alice": Seen(1001, 1001, "", "/home/alice", "/bin/sh")}, known={"alice": OURS}),
        ["account_change alice"],
    ),
]


@pytest.mark.parametrize(
    ("accounts", "groups", "seen", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_plan(accounts: list[Account], groups: list[Group], seen: Host, expected: list[str]) -> None:
    assert kinds(plan_accounts("hub", accounts, groups, seen)) == expected


REFUSED: list[tuple[list[Account], list[Group], Host, str]] = [
    (
        [Account("alice", uid=2000)],
        [],
        host(accounts={"alice": ALICE}),
        "has uid 1001, the settings say 2000",
    ),
    (
        [Account("alice")],
        [],
        host(accounts={"alice": Seen(105, 105)}),
        "has a system account of this name (uid 105)",
    ),
    (
        [Account("hub", system=True)],
        [],
        host(accounts={"hub": ALICE}),
        "an account with a login shell has this name",
    ),
    (
        [Account("alice", groups=("nope",))],
        [],
        host(),
        "is to be in group 'nope', which the host does not have",
    ),
    ([], [Group("science", gid=901)], host(), "Group 'science' has gid 900, the settings say 901"),
    (
        [],
        [],
        host(accounts={"alice": ALICE}, known={"alice": OURS}, connected=frozenset(["alice"])),
        "connected as",
    ),
]


@pytest.mark.parametrize(("accounts", "groups", "seen", "words"), REFUSED)
def test_what_must_not_be_done(accounts: list[Account], groups: list[Group], seen: Host, words: str) -> None:
    with pytest.raises(HubError) as caught:
        plan_accounts("hub", accounts, groups, seen)
    assert words in caught.value.message


def test_an_account_that_was_there_before_loses_only_what_it_was_given() -> None:
    seen = Seen(1001, 1001, "", "/home/alice", "/bin/bash", ("science", "video"), "!", ("own", "k1"))
    plan = plan_accounts("hub", [], [], host(accounts={"alice": seen}, known={"alice": THEIRS}))
    assert kinds(plan) == ["account_keys alice", "account_groups alice"]
    assert plan.actions[0].values["keys"] == ["own"]
    assert plan.actions[1].values["groups"] == ["video"]
    assert plan.record["accounts"] == {}


def test_only_what_was_not_there_before_is_recorded_as_given() -> None:
    seen = Seen(1001, 1001, "", "/home/alice", "/bin/bash", (), "!", ("own",))
    plan = plan_accounts("hub", [Account("alice", keys=("own", "new"))], [], host(accounts={"alice": seen}))
    assert plan.actions[0].values["keys"] == ["own", "new"]
    assert plan.record["accounts"]["alice"] == {
        "created": False,
        "groups": [],
        "instances": ["hub"],
        "keys": ["new"],
    }


def test_a_home_that_was_kept_comes_back_to_its_owner() -> None:
    plan = plan_accounts("hub", [Account("alice")], [], host(home_owners={"/home/alice": 1007}))
    assert plan.actions[0].values["uid"] == 1007


def test_a_run_that_was_killed_before_the_account_was_made_makes_it() -> None:
    plan = plan_accounts("hub", [Account("alice")], [], host(known={"alice": OURS}))
    assert kinds(plan) == ["account_add alice"]
    assert plan.record["accounts"]["alice"]["created"]


def test_the_diff_never_holds_a_hash() -> None:
    plan = plan_accounts("hub", [Account("alice", password="$6$secret")], [], host(accounts={"alice": ALICE}))
    assert kinds(plan) == ["account_password alice"]
    assert "secret" not in repr((plan, plan.before, plan.after))


def test_sudo_rules_that_are_right_are_left() -> None:
    seen = host(
        accounts={"alice": ALICE}, known={"alice": OURS}, sudo={"alice": sudo_file("alice", ["nopasswd"])}
    )
    assert kinds(plan_accounts("hub", [Account("alice", sudo=("nopasswd",))], [], seen)) == []
    assert kinds(plan_accounts("hub", [Account("alice")], [], seen)) == ["sudo_remove alice"]


def test_absent_for_somebody_elses_account_is_said_not_done() -> None:
    plan = plan_accounts("hub", [Account("alice", present=False)], [], host(accounts={"alice": ALICE}))
    assert len(plan.notes) == 1
    assert "users_admins has 'alice' as absent, but this role did not make the account" in plan.notes[0]
