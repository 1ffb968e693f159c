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

POOLS = [{"base": "10.224.0.0/16", "size": 24}]
SETTINGS: dict[str, Any] = {
    "data_root": "/var/lib/docker", "log_driver": "json-file", "log_max_size": "10m", "log_max_file": 3,
    "live_restore": True, "userland_proxy": False, "address_pools": POOLS, "mtu": 0, "nofile": 65536,
    "ipv6": False, "daemon_options": {},
}  # fmt: skip
SIZES = {"max-file": "3", "max-size": "10m"}


def own(**options: Any) -> dict[str, Any]:
    return {"daemon_options": {name.replace("_", "-"): value for name, value in options.items()}}


def nofile(limit: int) -> dict[str, Any]:
    return {"nofile": {"Name": "nofile", "Hard": limit, "Soft": limit}}


# Settings, what the host has, and an option of the daemon.
OPTIONS: list[tuple[dict[str, Any], dict[str, Any], str, Any]] = [
    ({}, {}, "live-restore", True),
    ({}, {}, "userland-proxy", False),
    ({}, {}, "log-opts", SIZES),
    ({"log_driver": "journald"}, {}, "log-opts", None),
    (own(log_driver="journald"), {}, "log-opts", None),
    (own(log_opts={"compress": "true"}), {}, "log-opts", {**SIZES, "compress": "true"}),
    ({}, {"mtu": 1500}, "mtu", None),
    ({}, {"mtu": 1450}, "mtu", 1450),
    ({}, {"mtu": 9000}, "mtu", None),
    ({}, {"mtu": None}, "mtu", None),
    ({"mtu": 9000}, {"mtu": 1450}, "mtu", 9000),
    ({}, {"nofile_limit": 20000}, "default-ulimits", nofile(20000)),
    ({}, {"nofile_limit": 0}, "default-ulimits", nofile(65536)),
    ({"nofile": 0}, {}, "default-ulimits", None),
    ({}, {}, "ip6tables", None),
    ({}, {}, "experimental", None),
    ({"ipv6": True}, {}, "ip6tables", True),
    ({"ipv6": True}, {}, "experimental", True),
    ({"ipv6": True, **own(ip6tables=False)}, {}, "ip6tables", False),
    ({}, {}, "data-root", None),
    ({"data_root": "/srv/docker"}, {}, "data-root", "/srv/docker"),
    ({"address_pools": []}, {}, "default-address-pools", None),
    (own(debug=True), {}, "debug", True),
]


@pytest.mark.parametrize(("changes", "engine", "name", "value"), OPTIONS)
def test_option(changes: dict[str, Any], engine: dict[str, Any], name: str, value: Any) -> None:
    assert daemon_options({**SETTINGS, **changes}, engine).get(name) == value


def test_labels_mark_the_engine_and_the_options_it_has() -> None:
    def labels(**changes: Any) -> Any:
        return daemon_options({**SETTINGS, **changes}, {})["labels"]

    marked, digest, *others = labels(**own(labels=["site=a", "galilean.hub.managed=false"]))
    assert marked == MARKER
    assert digest.startswith("galilean.hub.options=")
    assert others == ["site=a"]
    assert labels() == labels() != labels(log_max_file=4)


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
