# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.galilean.hub.plugins.module_utils._account_params import desired, service_result
from ansible_collections.galilean.hub.plugins.module_utils._accounts_plan import Account, Group
from ansible_collections.galilean.hub.plugins.module_utils._errors import HubError

SERVICE: dict[str, Any] = {
    "name": "no-such-hub",
    "group": None,
    "uid": None,
    "gid": 900,
    "home": "/srv/x",
    "groups": [],
}
ADMIN: dict[str, Any] = {
    "name": "alice",
    "state": "present",
    "uid": None,
    "comment": None,
    "shell": None,
    "groups": [],
    "ssh_keys": [],
    "sudo": [],
    "password_hash": None,
}


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


def test_numbers_are_unknown_until_the_account_exists() -> None:
    accounts, _ = desired(params(service=SERVICE))
    expected = {"name": "no-such-hub", "group": "no-such-hub", "uid": None, "gid": None, "home": "/srv/x"}
    assert service_result(accounts) == expected
