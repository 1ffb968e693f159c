# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.accounts.rules import account_problems, sudo_file

SERVICE = {"name": "hub", "group": "hub", "uid": None, "gid": None}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG93bmtleW93bmtleW93bmtleW93bmtleW93bmtleTAw a@b"
HASH = "$6$salt$" + "x" * 86

GOOD: list[dict[str, Any]] = [
    {"name": "alice"},
    {"name": "alice", "ssh_keys": [KEY], "sudo": ["nopasswd"], "uid": 1000},
    {"name": "alice", "ssh_keys": ['from="10.0.0.0/8" ' + KEY], "sudo": ["all"], "password_hash": HASH},
    {"name": "alice", "password_hash": "$y$j9T$abcdefgh$ijklmnop"},
    {"name": "alice", "sudo": ["ALL=(root) NOPASSWD: /usr/bin/id, /usr/bin/true"]},
    {"name": "alice", "state": "absent", "password_hash": "whatever"},
]

BAD: list[tuple[dict[str, Any], str]] = [
    ({"name": "Alice"}, "users_admins.name is 'Alice': use 1 to 32 lower-case letters"),
    ({"name": "root"}, "users_admins.name is 'root': this name belongs to the system"),
    ({"name": "root", "state": "absent"}, "users_admins.name is 'root'"),
    ({"name": "alice", "uid": 999}, "users_admins[alice].uid is 999: use a number from 1000"),
    ({"name": "alice", "sudo": ["all"]}, "asks for a password that is locked"),
    ({"name": "alice", "sudo": ["everything"]}, "users_admins[alice].sudo has 'everything'"),
    ({"name": "alice", "sudo": ["ALL=ALL\nbob ALL=ALL"]}, "one rule on one line"),
    ({"name": "alice", "ssh_keys": ["-----BEGIN OPENSSH PRIVATE KEY-----\nabc"]}, "is a private key"),
    ({"name": "alice", "ssh_keys": ["/home/alice/.ssh/id.pub"]}, "give one public key"),
    ({"name": "alice", "ssh_keys": [KEY + "\n" + KEY]}, "give one public key"),
    ({"name": "alice", "comment": "a:b"}, "users_admins[alice].comment has a colon"),
    ({"name": "alice", "shell": "bash"}, "users_admins[alice].shell is 'bash': give a full path"),
    ({"name": "hub"}, "users_admins has 'hub', the service account"),
]

SECRETS = [
    "secret-word", "", "!", "*", "$6$", "$1$salt$abcdefghijk", "5f4dcc3b5aa765d61d8327deb882cf99",
    "$6$a b$cccccccccc",
]  # fmt: skip


@pytest.mark.parametrize("admin", GOOD)
def test_good_entries_have_no_problems(admin: dict[str, Any]) -> None:
    assert account_problems(SERVICE, [], [admin]) == []


@pytest.mark.parametrize(("admin", "words"), BAD)
def test_bad_entries_are_named(admin: dict[str, Any], words: str) -> None:
    problems = account_problems(SERVICE, [], [admin])
    assert len(problems) == 1
    assert words in problems[0]


@pytest.mark.parametrize("value", SECRETS)
def test_what_is_not_a_hash_is_refused_and_never_shown(value: str) -> None:
    problems = account_problems(SERVICE, [], [{"name": "alice", "password_hash": value}])
    assert len(problems) == 1
    assert "is not a crypt hash" in problems[0]
    assert "openssl passwd -6" in problems[0]
    if len(value) > 4:
        assert value not in problems[0]


def test_doubles_are_named_once() -> None:
    admins = [{"name": "a", "uid": 1001}, {"name": "a", "uid": 1001}]
    assert account_problems(SERVICE, [{"name": "g"}, {"name": "g"}], admins) == [
        "users_admins.name has 'a' more than once: keep one.",
        "users_admins.uid has 1001 more than once: keep one.",
        "users_groups.name has 'g' more than once: keep one.",
    ]


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ({"name": "proxy", "group": "x"}, "users_service_account is 'proxy'"),
        ({"name": "hub", "group": "shadow"}, "users_service_group is 'shadow'"),
        ({"name": "hub", "group": "hub", "uid": 0}, "users_service_uid is 0"),
    ],
)
def test_the_service_account_is_checked(service: dict[str, Any], words: str) -> None:
    assert [problem for problem in account_problems(service, [], []) if words in problem]


def test_sudo_file() -> None:
    assert sudo_file("alice", []) == ""
    assert sudo_file("alice", ["nopasswd", "ALL=(root) /bin/id"]).splitlines()[1:] == [
        "alice ALL=(ALL:ALL) NOPASSWD: ALL",
        "alice ALL=(root) /bin/id",
    ]
