# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
import pwd
import shlex
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.accounts import host as accounts
from ansible_collections.galilean.hub.plugins.module_utils.accounts.plan import Action
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

ADD = {"uid": None, "group": None, "shell": "/bin/bash", "home": "/home/a", "comment": "", "system": False}
SYSTEM = {**ADD, "uid": 998, "group": "g", "system": True, "shell": "/usr/sbin/nologin"}
BARE = "useradd --shell /bin/bash --comment '' --home-dir /home/a --user-group --create-home a"
SERVICE = (
    "useradd --uid 998 --shell /usr/sbin/nologin --comment '' --home-dir /home/a --gid g --system "
    "--no-create-home a"
)

COMMANDS: list[tuple[str, dict[str, Any], str, str]] = [
    ("group_add", {"gid": None, "system": True}, "groupadd --system a", ""),
    ("group_add", {"gid": 900, "system": False}, "groupadd --gid 900 a", ""),
    ("account_add", ADD, BARE, ""),
    ("account_add", SYSTEM, SERVICE, ""),
    ("account_change", {"shell": "/bin/sh"}, "usermod --shell /bin/sh a", ""),
    ("account_groups", {"groups": ["x", "y"]}, "usermod --groups x,y a", ""),
    ("account_groups", {"groups": []}, "usermod --groups '' a", ""),
    ("account_password", {"password": "$6$x"}, "chpasswd --encrypted", "a:$6$x\n"),
    ("account_remove", {"remove_home": False}, "userdel a", ""),
    ("account_remove", {"remove_home": True}, "userdel --remove a", ""),
]


@pytest.mark.parametrize(("kind", "values", "command", "data"), COMMANDS)
def test_command(kind: str, values: dict[str, Any], command: str, data: str) -> None:
    assert accounts.command(Action(kind, "a", "", values)) == (shlex.split(command), data)


def user(home: Path) -> pwd.struct_passwd:
    return pwd.struct_passwd(("someone", "x", os.getuid(), os.getgid(), "", str(home), "/bin/sh"))


def test_keys_are_read_without_comments(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/authorized_keys").write_text("# mine\n\n key one \nkey two\n")
    assert accounts.read_keys(user(tmp_path)) == ("key one", "key two")


def test_no_keys(tmp_path: Path) -> None:
    assert accounts.read_keys(user(tmp_path)) == ()
    assert accounts.read_keys(user(tmp_path / "no-home")) == ()


def test_keys_are_written_for_the_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts.pwd, "getpwnam", lambda name: user(tmp_path))
    accounts.write_keys("someone", ["one", "two"])
    path = tmp_path / ".ssh/authorized_keys"
    assert path.read_text() == "one\ntwo\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_links_of_the_account_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    monkeypatch.setattr(accounts.pwd, "getpwnam", lambda name: user(home))
    (home / ".ssh").symlink_to(elsewhere)
    with pytest.raises(HubError, match="cannot be used"):
        accounts.write_keys("someone", ["one"])
    assert list(elsewhere.iterdir()) == []
    (home / ".ssh").unlink()
    (home / ".ssh").mkdir()
    (home / ".ssh/authorized_keys").symlink_to(elsewhere / "victim")
    with pytest.raises(HubError, match="cannot be read"):
        accounts.read_keys(user(home))
    accounts.write_keys("someone", ["one"])
    assert not (elsewhere / "victim").exists()
    assert not (home / ".ssh/authorized_keys").is_symlink()


def test_the_record_is_written_whole_and_read_back(tmp_path: Path) -> None:
    path = str(tmp_path / "accounts.json")
    assert accounts.read_record(path) == {"accounts": {}, "groups": {}}
    record: dict[str, Any] = {"accounts": {"a": {"created": True, "instances": ["hub"]}}, "groups": {}}
    accounts.write_record(path, record)
    assert accounts.read_record(path) == record
    assert [one.name for one in tmp_path.iterdir()] == ["accounts.json"]


def test_a_damaged_record_is_not_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    path.write_text('{"accounts": {')
    with pytest.raises(HubError, match="is damaged"):
        accounts.read_record(str(path))


@pytest.mark.parametrize(("kind", "code"), [("account_remove", 12), ("group_remove", 6)])
def test_what_is_gone_already_is_no_failure(kind: str, code: int) -> None:
    accounts.apply(Action(kind, "a", "", {"remove_home": True}), lambda argv, data: (code, "", "gone"))


def test_who_is_logged_in_is_named_with_the_way_out() -> None:
    action = Action("account_remove", "a", "", {"remove_home": False})
    with pytest.raises(HubError, match="loginctl terminate-user a"):
        accounts.apply(action, lambda argv, data: (8, "", "userdel: user a is currently used by process 1"))


def test_rules_that_visudo_refuses_are_named() -> None:
    rules = [Action("account_add", "a", ""), Action("sudo_write", "a", "", {"content": "a nonsense\n"})]
    with pytest.raises(HubError, match=r"users_admins\[a\].sudo is not a valid rule, .*: syntax error"):
        accounts.check_rules(rules, lambda argv, data: (1, "", "syntax error"), "/usr/sbin/visudo")
    with pytest.raises(HubError, match="install the package sudo"):
        accounts.check_rules(rules, lambda argv, data: (0, "", ""), None)
    accounts.check_rules(rules, lambda argv, data: (0, "", ""), "/usr/sbin/visudo")
    accounts.check_rules(rules[:1], lambda argv, data: (1, "", ""), None)


def test_rules_are_for_root_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "SUDO_DIR", str(tmp_path))
    action = Action("sudo_write", "a", "", {"content": "a ALL=ALL\n"})
    accounts.apply(action, lambda argv, data: (1, "", "no tool is run"))
    assert (tmp_path / "galilean-a").read_text() == "a ALL=ALL\n"
    assert (tmp_path / "galilean-a").stat().st_mode & 0o777 == 0o440
