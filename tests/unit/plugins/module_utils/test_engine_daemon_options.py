# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.daemon_options import (
    MARKER,
    daemon_options,
    options_problems,
)

SETTINGS: dict[str, Any] = {
    "data_root": "/var/lib/docker",
    "log_driver": "json-file",
    "log_max_size": "10m",
    "log_max_file": 3,
    "live_restore": True,
    "userland_proxy": False,
    "address_pools": [{"base": "10.224.0.0/16", "size": 24}],
    "mtu": 0,
    "nofile": 65536,
    "ipv6": False,
    "daemon_options": {},
}

OPTIONS: list[tuple[dict[str, Any], dict[str, Any], str, Any]] = [
    ({}, {}, "live-restore", True),
    ({}, {}, "userland-proxy", False),
    ({}, {}, "log-opts", {"max-file": "3", "max-size": "10m"}),
    ({"log_driver": "journald"}, {}, "log-opts", None),
    ({"daemon_options": {"log-driver": "journald"}}, {}, "log-opts", None),
    (
        {"daemon_options": {"log-opts": {"compress": "true"}}},
        {},
        "log-opts",
        {"max-file": "3", "max-size": "10m", "compress": "true"},
    ),
    ({}, {"mtu": 1500}, "mtu", None),
    ({}, {"mtu": 1450}, "mtu", 1450),
    ({}, {"mtu": 9000}, "mtu", None),
    ({}, {"mtu": None}, "mtu", None),
    ({"mtu": 9000}, {"mtu": 1450}, "mtu", 9000),
    (
        {},
        {"nofile_limit": 20000},
        "default-ulimits",
        {"nofile": {"Name": "nofile", "Hard": 20000, "Soft": 20000}},
    ),
    (
        {},
        {"nofile_limit": 0},
        "default-ulimits",
        {"nofile": {"Name": "nofile", "Hard": 65536, "Soft": 65536}},
    ),
    ({"nofile": 0}, {}, "default-ulimits", None),
    ({}, {}, "ip6tables", None),
    ({}, {}, "experimental", None),
    ({"ipv6": True}, {}, "ip6tables", True),
    ({"ipv6": True}, {}, "experimental", True),
    ({"ipv6": True, "daemon_options": {"ip6tables": False}}, {}, "ip6tables", False),
    ({}, {}, "data-root", None),
    ({"data_root": "/srv/docker"}, {}, "data-root", "/srv/docker"),
    ({"address_pools": []}, {}, "default-address-pools", None),
    ({"daemon_options": {"debug": True}}, {}, "debug", True),
]


@pytest.mark.parametrize(("changes", "engine", "name", "value"), OPTIONS)
def test_option(changes: dict[str, Any], engine: dict[str, Any], name: str, value: Any) -> None:
    assert daemon_options({**SETTINGS, **changes}, engine).get(name) == value


def test_labels_mark_the_engine_and_the_options_it_has() -> None:
    labels = daemon_options(
        {**SETTINGS, "daemon_options": {"labels": ["site=a", "galilean.hub.managed=false"]}}, {}
    )["labels"]
    assert labels[0] == MARKER
    assert labels[1].startswith("galilean.hub.options=")
    assert labels[2:] == ["site=a"]
    assert daemon_options(SETTINGS, {})["labels"] == daemon_options(SETTINGS, {})["labels"]
    assert (
        daemon_options({**SETTINGS, "log_max_file": 4}, {})["labels"]
        != daemon_options(SETTINGS, {})["labels"]
    )


PROBLEMS: list[tuple[dict[str, Any], str]] = [
    ({"address_pools": [{"base": "10.0.0.1/16", "size": 24}]}, "docker_address_pools has base '10.0.0.1/16'"),
    (
        {"address_pools": [{"base": "10.0.0.0/16", "size": 8}]},
        "docker_address_pools has size 8 for 10.0.0.0/16: use 16 to 30.",
    ),
    ({"mtu": 100}, "docker_mtu is 100: use 576 to 65535"),
]


@pytest.mark.parametrize(("changes", "words"), PROBLEMS)
def test_problems_are_named(changes: dict[str, Any], words: str) -> None:
    problems = options_problems({**SETTINGS, **changes})
    assert len(problems) == 1
    assert words in problems[0]
    with pytest.raises(HubError):
        daemon_options({**SETTINGS, **changes}, {})
