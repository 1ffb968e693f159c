# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.hub.server_settings import (
    differing,
    fingerprint,
    servers_summary,
)

TRAITS: dict[str, t.Any] = {
    "JupyterHub": {"active_server_limit": 10},
    "DockerSpawner": {
        "image": "galilean/notebook:1",
        "mem_limit": 2048,
        "cpu_limit": 2.0,
        "volumes": {"software-1": {"bind": "/opt/software", "mode": "ro"}},
        "environment": {"A": "1"},
        "extra_host_config": {"pids_limit": 1024, "security_opt": ["no-new-privileges"]},
    },
    "GalileanSpawner": {
        "profiles": [{"name": "small", "image": "galilean/notebook:1", "memory_limit": 1024}]
    },
}


def changed(*place: t.Any, value: t.Any) -> str:
    traits = copy.deepcopy(TRAITS)
    part = traits
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    return fingerprint(traits)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("JupyterHub", "active_server_limit"), 20, []),
        (("DockerSpawner", "image"), "galilean/notebook:2", ["images"]),
        (("GalileanSpawner", "profiles", 0, "image"), "galilean/notebook:2", ["images"]),
        (("DockerSpawner", "mem_limit"), 4096, ["limits"]),
        (("DockerSpawner", "cpu_limit"), 1.0, ["limits"]),
        (("DockerSpawner", "extra_host_config", "pids_limit"), 2048, ["limits"]),
        (("GalileanSpawner", "profiles", 0, "memory_limit"), 4096, ["limits"]),
        (("DockerSpawner", "volumes"), {}, ["folders and shared software"]),
        (("DockerSpawner", "extra_host_config", "security_opt"), [], ["confinement"]),
        (("DockerSpawner", "environment", "A"), "2", ["environment"]),
        (("GalileanSpawner", "repositories"), [{"url": "https://example.org/x"}], ["environment"]),
    ],
)
def test_what_of_a_server_is_old(place: tuple[t.Any, ...], value: t.Any, said: list[str]) -> None:
    assert differing(fingerprint(TRAITS), changed(*place, value=value)) == said


def test_what_is_said() -> None:
    old, new = fingerprint(TRAITS), changed("DockerSpawner", "mem_limit", value=4096)
    url = "https://hub.example.org/"
    assert servers_summary([("ada", new)], new, url, 3600) == ""
    assert servers_summary([], new, url, 3600) == ""
    assert servers_summary([("ada", old), ("bob", new)], new, url, 3600) == (
        "1 of 2 running servers (ada) still have the settings of their start (limits). A server gets "
        "the new settings when its user stops and starts it, or is stopped after 3600 seconds "
        "without activity; an "
        "administrator stops it at https://hub.example.org/hub/admin. Rules of the network hold for all "
        "servers at once."
    )
    many = [(f"user{number}", old) for number in range(7)]
    said = servers_summary([*many, ("zoe", "")], new, url, 0)
    assert said.startswith("8 of 8 running servers (user0, user1, user2, user3, user4 and 3 more) still have")
    assert "(limits and an older release)" in said
    assert "without activity" not in said
