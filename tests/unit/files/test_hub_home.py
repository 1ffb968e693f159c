# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the home page tells of servers. test_web.py has the page of a real hub."""

from __future__ import annotations

import types
import typing as t
from datetime import datetime

import pytest
from galilean_hub.pages import home

GIB = 2**30
MAIN, GPU = {"name": "main"}, {"name": "gpu", "groups": ["lab"]}


def someone(**more: t.Any) -> t.Any:
    spawner = types.SimpleNamespace(profiles=[MAIN, GPU], default_profile_users=(), group_names=set, **more)
    return types.SimpleNamespace(name="ada", spawner=spawner, server_url=lambda name: f"/user/ada/{name}")


RUNS = {
    "pending": None,
    "active": True,
    "orm_spawner": types.SimpleNamespace(started=datetime(2026, 11, 30, 12, 0, 0, 5)),
    "facts": {"environment": "R", "memory": 2 * GIB},
    "object_id": "a" * 64,
}


@pytest.mark.parametrize(
    ("spawner", "told"),
    [
        (RUNS, ("running", "2026-11-30T12:00:00Z", "R", "512.0 MiB of 2.0 GiB")),
        # What it is started with is known, and not since when.
        ({**RUNS, "pending": "spawn"}, ("spawn", "", "R", "up to 2.0 GiB")),
        ({**RUNS, "active": False}, ("stopped", "", "", "")),
        # Found running by a newer hub; and what the database knows of one that does not run.
        ({**RUNS, "facts": {}}, ("running", "2026-11-30T12:00:00Z", "", "512.0 MiB")),
        ({"started": datetime(2026, 1, 1)}, ("stopped", "", "", "")),
    ],
)
def test_what_is_told_of_a_server(spawner: dict[str, t.Any], told: tuple[str, ...]) -> None:
    held = {"a" * 64: GIB // 2}
    one = home.described(someone(), types.SimpleNamespace(name="gpu", display_name="", **spawner), held)
    assert (one["state"], one["started"], one["environment"], one["memory"]) == told
    assert (one["label"], one["url"]) == ("gpu", "/user/ada/gpu")


def test_who_has_a_choice() -> None:
    user = someone()
    assert home.has_choice(user) is False
    user.spawner.group_names = lambda: {"lab"}
    assert home.has_choice(user) is True
    user.spawner.default_profile_users = ("ada",)
    assert home.has_choice(user) is False
