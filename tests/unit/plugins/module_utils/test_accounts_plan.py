# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.accounts.plan import (
    Account,
    Group,
    Host,
    Plan,
    Seen,
    desired,
    plan_accounts,
)
from ansible_collections.galilean.hub.plugins.module_utils.accounts.rules import sudo_file
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

ALICE = Seen(1001, 1001, "", "/home/alice", "/bin/bash")
KEYED = Seen(1001, 1001, "", "/home/alice", "/bin/bash", keys=("k",))
OURS = {"created": True, "instances": ["hub"]}
THEIRS = {"created": False, "instances": ["hub"], "keys": ["k1"], "groups": ["science"]}


def host(**values: Any) -> Host:
    record = {"accounts": values.pop("known", {}), "groups": values.pop("known_groups", {})}
    groups = values.pop("groups", {"science": 900})
    return Host(values.pop("accounts", {}), groups, values.pop("sudo", {}), record, **values)


def kinds(plan: Plan) -> list[str]:
    return [f"{action.kind} {action.name}" for action in plan.actions]


def ours(seen: Seen = ALICE, **more: Any) -> Host:
    """A host with alice, whom we have made."""
    return host(accounts={"alice": seen}, known={"alice": OURS}, **more)


ALL_OF_SUDO = {"alice": sudo_file("alice", ["nopasswd"])}
WITH_PASSWORD = Seen(1001, 1001, "", "/home/alice", "/bin/bash", password="$6$x")
OTHER_SHELL = Seen(1001, 1001, "", "/home/alice", "/bin/sh", password="$6$x")

# What it is about; accounts, groups, the host; what is done.
CASES: dict[str, tuple[list[Account], list[Group], Host, list[str]]] = {
    "nothing at all": ([], [], host(), []),
    "a bare host": (
        [Account("alice", keys=("k",), sudo=("nopasswd",))],
        [],
        host(),
        ["account_add alice", "account_keys alice", "sudo_write alice"],
    ),
    "as it should be": ([Account("alice")], [], ours(), []),
    "the service account": (
        [Account("hub", system=True, group="hub")],
        [Group("hub")],
        host(),
        ["group_add hub", "account_add hub"],
    ),
    "a missing group is made first": (
        [Account("alice", groups=("g",))],
        [Group("g")],
        host(),
        ["group_add g", "account_add alice", "account_groups alice"],
    ),
    "dropped": ([], [], ours(sudo={"alice": "x"}), ["sudo_remove alice", "account_remove alice"]),
    "dropped: keys go, wherever the home stays": (
        [],
        [],
        ours(KEYED),
        ["account_keys alice", "account_remove alice"],
    ),
    "a number of somebody who leaves": (
        [Account("bob", uid=1001)],
        [Group("staff", gid=1001)],
        ours(groups={"alice": 1001}, uids={1001: "alice"}),
        ["account_remove alice", "group_add staff", "account_add bob"],
    ),
    "connected as, with another key and all of sudo by other words": (
        [Account("alice", keys=("k2",), sudo=("ALL=(root) NOPASSWD: ALL",))],
        [],
        ours(KEYED, sudo=ALL_OF_SUDO, connected=frozenset(["alice"])),
        ["account_keys alice", "sudo_write alice"],
    ),
    "absent is dropped": ([Account("alice", present=False)], [], ours(), ["account_remove alice"]),
    "dropped, and gone already": ([], [], host(known={"alice": OURS}), []),
    "dropped here, listed by another instance": (
        [],
        [],
        host(accounts={"alice": ALICE}, known={"alice": {"created": True, "instances": ["hub", "proto"]}}),
        [],
    ),
    "listed by another instance only": (
        [],
        [],
        host(accounts={"alice": ALICE}, known={"alice": {"created": True, "instances": ["proto"]}}),
        [],
    ),
    "not ours, listed": (
        [Account("alice", keys=("k",))],
        [],
        host(accounts={"alice": ALICE}),
        ["account_keys alice"],
    ),
    "not ours, absent": ([Account("alice", present=False)], [], host(accounts={"alice": ALICE}), []),
    "a dropped group": ([], [], host(known_groups={"science": OURS}), ["group_remove science"]),
    "a group of before": ([], [], host(known_groups={"science": {**OURS, "created": False}}), []),
    "a password that is not listed": (
        [Account("alice")],
        [],
        ours(WITH_PASSWORD),
        ["account_password alice"],
    ),
    "a password of somebody of before": ([Account("alice")], [], host(accounts={"alice": OTHER_SHELL}), []),
    "a shell that was changed": (
        [Account("alice", password="$6$x")],
        [],
        ours(OTHER_SHELL),
        ["account_change alice"],
    ),
    "sudo rules that are right": ([Account("alice", sudo=("nopasswd",))], [], ours(sudo=ALL_OF_SUDO), []),
    "sudo rules that go": ([Account("alice")], [], ours(sudo=ALL_OF_SUDO), ["sudo_remove alice"]),
}


@pytest.mark.parametrize(("accounts", "groups", "seen", "expected"), CASES.values(), ids=CASES)
def test_plan(accounts: list[Account], groups: list[Group], seen: Host, expected: list[str]) -> None:
    assert kinds(plan_accounts("hub", accounts, groups, seen)) == expected


CONNECTED: dict[str, Any] = {"connected": frozenset(["alice"])}


REFUSED: list[tuple[list[Account], list[Group], Host, str]] = [
    (
        [Account("alice", uid=2000)],
        [],
        host(accounts={"alice": ALICE}),
        "has uid 1001, the settings say 2000",
    ),
    ([Account("alice")], [], host(accounts={"alice": Seen(105, 105)}), "has a system account of this name"),
    ([Account("hub", system=True)], [], host(accounts={"hub": ALICE}), "an account with a login shell has"),
    ([Account("alice", groups=("nope",))], [], host(), "in group 'nope', which the host does not have"),
    ([], [Group("science", gid=901)], host(), "Group 'science' has gid 900, the settings say 901"),
    ([], [], ours(**CONNECTED), "connected as"),
    (
        [Account("alice", sudo=("nopasswd",))],
        [],
        ours(KEYED, **CONNECTED),
        "users_admins[alice].ssh_keys is empty, and this run is connected as 'alice'",
    ),
    *(
        (
            [Account("alice", keys=("k",), sudo=rules)],
            [],
            ours(KEYED, sudo=ALL_OF_SUDO, **CONNECTED),
            f"users_admins[alice].sudo is {list(rules)}, and this run is connected as 'alice'",
        )
        for rules in ((), ("ALL=(root) NOPASSWD: /usr/bin/id",))
    ),
    ([Account("bob", uid=1001)], [], host(uids={1001: "carol"}), "is 1001, which the account 'carol' has"),
    (
        [Account("hub", system=True, uid=998)],
        [],
        host(uids={998: "other"}),
        "users_service_uid is 998, which the account 'other' has",
    ),
    ([], [Group("new", gid=900)], host(), "Group 'new' is to have gid 900, which the group 'science' has"),
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


def test_absent_for_somebody_elses_account_is_said_not_done() -> None:
    plan = plan_accounts("hub", [Account("alice", present=False)], [], host(accounts={"alice": ALICE}))
    assert len(plan.notes) == 1
    assert "users_admins has 'alice' as absent, but this role did not make the account" in plan.notes[0]


SERVICE: dict[str, Any] = {
    "name": "no-such-hub", "group": None, "uid": None, "gid": 900, "home": "/srv/x", "groups": []
}  # fmt: skip
ADMIN: dict[str, Any] = {
    "name": "alice", "state": "present", "uid": None, "comment": None, "shell": None, "groups": [],
    "ssh_keys": [], "sudo": [], "password_hash": None,
}  # fmt: skip


def params(**values: Any) -> dict[str, Any]:
    return {"service": None, "groups": [], "admins": [], **values}


def test_the_service_brings_its_group() -> None:
    accounts, groups = desired(params(service=SERVICE))
    assert groups == [Group("no-such-hub", 900)]
    assert accounts[0].system
    assert accounts[0].group == "no-such-hub"


def test_a_listed_group_is_not_doubled() -> None:
    listed = {"name": "no-such-hub", "gid": 900, "system": False, "state": "present"}
    assert desired(params(service=SERVICE, groups=[listed]))[1] == [Group("no-such-hub", 900, system=False)]


def test_keys_are_stripped_and_absent_is_kept() -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 a\n"
    accounts, _ = desired(params(admins=[{**ADMIN, "ssh_keys": [key], "state": "absent"}]))
    assert accounts == [Account("alice", present=False, keys=(key.strip(),))]


def test_what_cannot_be_meant_is_refused_without_the_value() -> None:
    with pytest.raises(HubError) as caught:
        desired(params(service=SERVICE, admins=[{**ADMIN, "password_hash": "clear-text"}]))
    assert "is not a crypt hash" in caught.value.message
    assert "clear-text" not in caught.value.message
