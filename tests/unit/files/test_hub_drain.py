# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A drained hub: who may start a server, and whose server ends when. test_site.py has the real thing."""

from __future__ import annotations

import asyncio
import json
import types
import typing as t
from datetime import datetime, timezone
from pathlib import Path

import pytest
from galilean_hub.spawner.drain import SAID, Drain

AT = 1_800_000_000


def drained(path: Path, **facts: t.Any) -> Drain:
    path.write_text(json.dumps({"drain": {"message": "New disks.", "at": None, "stop": False, **facts}}))
    return Drain(path)


def request(name: str, everybody: bool = False, **more: t.Any) -> types.SimpleNamespace:
    asking = types.SimpleNamespace(name=name, **more)
    return types.SimpleNamespace(current_user=asking, has_scope=lambda _scope: everybody)


@pytest.mark.parametrize(
    ("handler", "refused"),
    [
        (request("ada", spawners={}), True),
        # Whoever may start everybody's.
        (request("root", True, spawners={}), False),
        (request("everybody", True), False),
        # The check's service, and a user of that name.
        (request("check"), False),
        (request("check", spawners={}), True),
        (request("a-service"), True),
        (None, True),
    ],
)
def test_who_starts_servers(tmp_path: Path, handler: t.Any, refused: bool) -> None:
    path = tmp_path / "operations.json"
    assert Drain(path).refusal(handler) == ""
    assert drained(path).refusal(handler) == ("New disks." if refused else "")
    path.write_text(json.dumps({"announcement": {"text": "Hello"}}))
    assert Drain(path).refusal(handler) == ""


def test_a_drain_is_seen_at_once_and_kept_while_the_file_cannot_be_read(tmp_path: Path) -> None:
    path, handler = tmp_path / "operations.json", request("ada", spawners={})
    drain = drained(path, message="")
    assert drain.refusal(handler) == SAID
    path.write_text("{")
    assert drain.refusal(handler) == SAID
    path.unlink()
    assert drain.refusal(handler) == ""


@pytest.mark.parametrize(
    ("facts", "started", "now", "due"),
    [
        ({"at": AT, "stop": True}, AT - 10, AT, True),
        ({"at": AT, "stop": True}, AT - 10, AT - 1, False),
        # One that was started afterwards, by an administrator or the check.
        ({"at": AT, "stop": True}, AT + 1, AT + 60, False),
        ({"at": AT, "stop": True}, None, AT + 60, True),
        ({"at": AT, "stop": False}, AT - 10, AT + 60, False),
        ({"stop": True}, AT - 10, AT + 60, False),
    ],
)
def test_whose_server_ends(
    tmp_path: Path, facts: dict[str, t.Any], started: int | None, now: float, due: bool
) -> None:
    # As JupyterHub has it: UTC, and it does not say so.
    when = None if started is None else datetime.fromtimestamp(started, timezone.utc).replace(tzinfo=None)
    assert drained(tmp_path / "operations.json", **facts).due(when, now) is due


class App:
    """A hub with one user, who has servers with these names."""

    def __init__(self, *names: str, named: bool) -> None:
        self.allow_named_servers, self.stopped, self.proxy = named, list[str](), self
        self.spawners = {
            name: types.SimpleNamespace(
                active=True, pending=None, _log_name=name, orm_spawner=types.SimpleNamespace(started=None)
            )
            for name in names
        }
        self.users = {1: self}

    async def delete_user(self, _user: t.Any, _name: str) -> None:
        pass

    async def stop(self, name: str) -> None:
        self.stopped.append(name)


@pytest.mark.parametrize(("named", "stopped"), [(True, []), (False, ["gpu", "r"])])
def test_servers_with_names_end_where_there_may_be_none(
    tmp_path: Path, named: bool, stopped: list[str]
) -> None:
    """JupyterHub's API would stop none of them then, for their users, administrators or the culler."""
    app = App("", "gpu", "r", named=named)
    asyncio.run(Drain(tmp_path / "operations.json").once(app))
    assert app.stopped == stopped
