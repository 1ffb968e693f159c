# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""After the list changed and a second instance came and went: what was dropped is gone, and only that."""

from __future__ import annotations

from testinfra.host import Host


def test_bob_is_gone_and_his_files_stay(host: Host) -> None:
    assert not host.user("bob").exists
    assert not host.file("/etc/sudoers.d/galilean-bob").exists
    assert host.file("/home/bob").uid == 2001


def test_who_was_dropped_by_both_instances_at_once_is_gone(host: Host) -> None:
    for name in ("erin", "grace", "heidi"):
        assert not host.user(name).exists
        assert not host.file(f"/etc/sudoers.d/galilean-{name}").exists


def test_what_a_killed_run_made_is_removed_like_everything(host: Host) -> None:
    assert not host.user("frank").exists
    assert not host.file("/etc/sudoers.d/galilean-frank").exists


def test_the_group_is_gone(host: Host) -> None:
    assert not host.group("science").exists


def test_olga_is_as_she_was_before(host: Host) -> None:
    assert host.user("olga").exists
    assert host.user("olga").groups == ["olga"]
    assert not host.file("/etc/sudoers.d/galilean-olga").exists
    keys = host.file("/home/olga/.ssh/authorized_keys").content_string.splitlines()
    assert [line.split()[-1] for line in keys if line.startswith("ssh-")] == ["olga-own"]


def test_alice_has_less(host: Host) -> None:
    assert host.user("alice").groups == ["alice"]
    assert host.file("/home/alice/.ssh/authorized_keys").content_string.rstrip().endswith("renamed")
    assert host.check_output("sudo -u alice sudo -n /usr/bin/id -un") == "root"
    assert host.run("sudo -u alice sudo -n /usr/bin/cat /etc/shadow").failed
    host.run_test("visudo -c")


def test_the_second_instance_left_nothing_and_took_nothing(host: Host) -> None:
    for name in ("prototype", "dave"):
        assert not host.user(name).exists
        assert not host.group(name).exists
    assert host.user("alice").exists
    assert host.user("hub").exists
    assert "prototype" not in host.file("/var/lib/galilean-hub/accounts.json").content_string


def test_what_was_refused_left_nothing(host: Host) -> None:
    assert not host.user("mallory").exists
    assert not host.file("/etc/sudoers.d/galilean-mallory").exists
    assert not host.file("/nowhere").exists
    assert not host.user("www-data").shell.endswith("bash")
