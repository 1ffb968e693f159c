# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import socket

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.shared import hub_http as transport


@pytest.mark.parametrize("name", ["hub.localhost", "Anna.hub.LOCALHOST", "hub.localhost."])
def test_names_below_localhost_are_this_machine(name: str) -> None:
    for host in (name, name.encode()):
        found = transport.resolve(host, 8000, type=socket.SOCK_STREAM)
        assert {entry[4] for entry in found} == {("127.0.0.1", 8000)}


def test_others_are_asked_for_and_named_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(host: object, *rest: object, **more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    assert transport.resolve("127.0.0.1", 80)
    monkeypatch.setattr(transport, "_resolve", nobody)
    with pytest.raises(socket.gaierror) as info:
        transport.resolve("hub-check.hub.example.org", 443)
    assert transport.os_reason(info.value) == (
        "the name hub-check.hub.example.org is not found (Name or service not known): "
        "it, or a wildcard in the DNS, must lead to the hub"
    )
