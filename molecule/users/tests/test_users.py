# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The accounts that are listed are there, as listed; everybody else's are as they were."""

from __future__ import annotations

import json

from testinfra.host import Host

SSH = "ssh -i /root/test_key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"


def shadow(host: Host, name: str) -> str:
    return host.check_output(f"getent shadow {name}").split(":")[1]


def test_the_service_account_cannot_log_in(host: Host) -> None:
    user = host.user("hub")
    assert user.exists
    assert user.uid < 1000
    assert user.home == "/srv/hub"
    assert user.shell == "/usr/sbin/nologin"
    assert user.group == "hub"
    assert shadow(host, "hub").startswith("!")
    assert not host.file("/srv/hub").exists


def test_alice_logs_in_with_her_key_and_becomes_root(host: Host) -> None:
    assert host.check_output(f"{SSH} alice@localhost sudo -n id -un") == "root"


def test_alice_is_as_listed(host: Host) -> None:
    user = host.user("alice")
    assert user.gecos == "Alice of the test"
    assert user.shell == "/bin/bash"
    assert sorted(user.groups) == ["alice", "science"]
    assert shadow(host, "alice").startswith("!")
    keys = host.file("/home/alice/.ssh/authorized_keys")
    assert (keys.user, keys.group, keys.mode) == ("alice", "alice", 0o600)
    assert keys.content_string.count("\n") == 1
    folder = host.file("/home/alice/.ssh")
    assert (folder.user, folder.mode) == ("alice", 0o700)


def test_bobs_password_is_his_hash(host: Host) -> None:
    assert host.user("bob").uid == 2001
    assert shadow(host, "bob").startswith("$6$testsalt$")
    assert not host.file("/home/bob/.ssh").exists


def test_sudo_rules_are_valid_and_protected(host: Host) -> None:
    host.run_test("visudo -c")
    for name in ("alice", "bob", "olga"):
        rules = host.file(f"/etc/sudoers.d/galilean-{name}")
        assert (rules.user, rules.group, rules.mode) == ("root", "root", 0o440)
    assert host.check_output("sudo -l -U olga -n").strip().endswith("(root) NOPASSWD: /usr/bin/id")


def test_olga_keeps_what_she_had_and_gets_what_is_listed(host: Host) -> None:
    user = host.user("olga")
    assert user.shell == "/bin/sh"
    assert sorted(user.groups) == ["olga", "science"]
    assert shadow(host, "olga").startswith("$6$before$")
    keys = host.file("/home/olga/.ssh/authorized_keys").content_string
    assert "olga-own" in keys
    assert len([line for line in keys.splitlines() if line.startswith("ssh-")]) == 2


def test_nobody_else_is_touched(host: Host) -> None:
    assert "peter" in host.check_output("cat /root/before")
    assert host.run("grep peter /root/before | sha256sum --check --quiet").succeeded
    assert host.user("peter").shell == "/bin/sh"
    assert shadow(host, "peter").startswith("$6$before$")


def test_the_record_is_private_and_names_what_was_made(host: Host) -> None:
    record = host.file("/var/lib/galilean-hub/accounts.json")
    assert record.mode == 0o600
    accounts = json.loads(record.content_string)["accounts"]
    assert {name: entry["created"] for name, entry in accounts.items()} == {
        "alice": True,
        "bob": True,
        "hub": True,
        "olga": False,
    }
