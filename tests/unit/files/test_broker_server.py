# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the broker asks the engine before it passes a request on."""

from __future__ import annotations

import json
import typing as t

import pytest
from galilean_broker import server
from galilean_broker.policy import Call, Denied

OTHERS = {"Labels": {"galilean.hub.instance": "other"}}


@pytest.mark.parametrize(
    ("status", "found", "passed"),
    [
        (404, {"message": "no such volume"}, True),
        (200, {"Labels": {"galilean.hub.instance": "hub"}}, True),
        (200, {"Labels": None}, True),
        (200, OTHERS, False),
        # Before: whatever the engine did not tell was taken for nobody's.
        (500, {"message": "the driver does not answer"}, False),
        (400, {}, False),
    ],
)
def test_a_volume_that_cannot_be_looked_at(
    monkeypatch: pytest.MonkeyPatch, status: int, found: dict[str, t.Any], passed: bool
) -> None:
    asked: list[Call] = []

    class Engine:
        def ask(self, call: Call) -> None:
            asked.append(call)

        def close(self) -> None:
            pass

    monkeypatch.setattr(server, "inspect", lambda path: (status, json.dumps(found).encode()))
    monkeypatch.setattr(server, "Engine", Engine)
    monkeypatch.setattr(server.Handler, "_stream", lambda self, answer: None)
    handler = server.Handler.__new__(server.Handler)
    call = Call("POST", "/v1.41/containers/create", volumes=("x",))
    if passed:
        handler._pass(call, {"instance": "hub"})
    else:
        with pytest.raises(Denied, match=f"the volume x is another instance's, or .* \\({status}\\)"):
            handler._pass(call, {"instance": "hub"})
    assert bool(asked) == passed
