# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.settings import names
from ansible_collections.galilean.hub.plugins.module_utils.settings.names import Placed
from ansible_collections.galilean.hub.plugins.module_utils.settings.renamed import RENAMED

ROLES = ["docker", "edge", "jupyterhub", "users"]
SPECS: dict[str, dict[str, t.Any]] = {
    "docker_packages": {"type": "list"},
    "edge_port": {"type": "int"},
    "edge_bind_address": {"type": "str"},
    "jupyterhub_instance": {"type": "str"},
    "jupyterhub_cookie_secret": {"type": "str", "no_log": True},
    "users_accounts": {"type": "list"},
}

NAMES: list[tuple[str, t.Any, list[str]]] = [
    # right, or none of our business
    ("edge_port", 8000, []),
    ("docker_cli", ["docker"], []),
    ("ansible_host", "192.0.2.1", []),
    ("ansible_docker_extra_args", "", []),
    ("__edge_port", 1, []),
    ("inventory_hostname", "hub", []),
    ("my_edge_port", 8000, []),
    ("institute_name", "Arcetri", []),
    ("teardown_confirm", "hub", []),
    # a wrong beginning
    (
        "jupterhub_instance",
        "proto",
        ["jupterhub_instance (it is 'proto') is not a setting: did you mean jupyterhub_instance?"],
    ),
    (
        "jupyter_hub_instance",
        "p",
        ["jupyter_hub_instance (it is 'p') is not a setting: did you mean jupyterhub_instance?"],
    ),
    ("user_accounts", [], ["user_accounts is not a setting: did you mean users_accounts?"]),
    ("Edge_port", 80, ["Edge_port (it is 80) is not a setting: did you mean edge_port?"]),
    ("egde_port", 80, ["egde_port (it is 80) is not a setting: did you mean edge_port?"]),
    # a wrong end
    ("edge_prot", 80, ["edge_prot (it is 80) is not a setting: did you mean edge_port?"]),
    (
        "edge_bindaddress",
        "::",
        ["edge_bindaddress (it is '::') is not a setting: did you mean edge_bind_address?"],
    ),
    (
        "docker_xyz",
        True,
        ["docker_xyz is not a setting of the role docker: remove it, or see docs/roles/docker.md."],
    ),
    # secrets stay out
    (
        "jupyterhub_cookie_secert",
        "hunter2",
        ["jupyterhub_cookie_secert is not a setting: did you mean jupyterhub_cookie_secret?"],
    ),
    (
        "jupyterhub_instance_token",
        "hunter2",
        ["jupyterhub_instance_token is not a setting: did you mean jupyterhub_instance?"],
    ),
]


@pytest.mark.parametrize(("name", "value", "expected"), NAMES)
def test_names(name: str, value: t.Any, expected: list[str]) -> None:
    assert names.misspelled({name: value}, SPECS, ROLES) == expected


@pytest.mark.parametrize(("former", "name"), sorted(RENAMED.items()))
def test_a_former_name_is_refused_with_the_new_one(former: str, name: str) -> None:
    assert names.misspelled({former: 1}, SPECS, ROLES) == [
        f"{former} is called {name} now: rename it (docs/upgrading.md)."
    ]


def hub(host: str, machine: str = "192.0.2.1", **rest: str) -> Placed:
    return Placed(
        host=host,
        machine=machine,
        instance=rest.get("instance", "hub"),
        address=rest.get("address", "127.0.0.1"),
        ports={"edge_port": rest.get("port", "8000"), "edge_http_port": rest.get("http", "0")},
        subnet=rest.get("subnet", ""),
        shared="shared" in rest,
        names=tuple(rest.get("shared", "").split()),
        subdomains="subdomains" in rest,
    )


CLASHES: list[tuple[list[Placed], list[str]]] = [
    ([hub("a")], []),
    ([hub("a"), hub("b", "192.0.2.2")], []),
    ([hub("a"), hub("b", instance="proto", port="8001")], []),
    ([hub("a"), hub("b", instance="proto", address="127.0.0.2")], []),
    ([hub("a", subnet="10.1.0.0/24"), hub("b", instance="p", port="8001", subnet="10.2.0.0/24")], []),
    ([hub("a", subnet="nonsense"), hub("b", instance="p", port="8001", subnet="10.2.0.0/24")], []),
    ([hub("x", "192.0.2.2"), hub("y", "192.0.2.2")], []),  # not this host's business
    (
        [hub("a"), hub("b", port="8001")],
        [
            "a and b are the same machine (192.0.2.1) and both have jupyterhub_instance 'hub': "
            "give one of them another name (and edge_port)."
        ],
    ),
    (
        [hub("a"), hub("b", instance="proto")],
        [
            "a and b are the same machine (192.0.2.1) "
            "and both use port 8000 of 127.0.0.1 (edge_port and edge_port): "
            "give one of them another edge_port."
        ],
    ),
    (
        [hub("b", instance="proto", address="0.0.0.0"), hub("a")],
        [
            "b and a are the same machine (192.0.2.1) "
            "and both use port 8000 of 0.0.0.0 (edge_port and edge_port): "
            "give one of them another edge_port."
        ],
    ),
    (
        [hub("a", port="443", http="80"), hub("b", instance="proto", port="80")],
        [
            "a and b are the same machine (192.0.2.1) "
            "and both use port 80 of 127.0.0.1 (edge_http_port and edge_port): "
            "give one of them another edge_http_port."
        ],
    ),
    # Behind one SNI router by name, also where they want different ports.
    ([hub("a", shared="a.org"), hub("b", instance="proto", shared="b.org x.org")], []),
    (
        [hub("a", shared="a.org", port="443"), hub("b", instance="p", port="80", http="443", shared="b.org")],
        [],
    ),
    (
        [hub("a", shared="a.org x.org"), hub("b", instance="proto", port="8001", shared="b.org X.org")],
        [
            "a and b are the same machine (192.0.2.1) and both have the name x.org (edge_server_name, "
            "edge_server_aliases) while edge_sni_routing is true: give one of them another."
        ],
    ),
    (
        [hub("a", shared="a.org", subdomains="yes"), hub("b", instance="proto", shared="b.org beta.A.org")],
        [
            "a and b are the same machine (192.0.2.1) and both have the names a.org and beta.a.org while "
            "jupyterhub_subdomains is true: names below the first belong to its users, so give the other "
            "another."
        ],
    ),
    ([hub("a", shared="a.org *.a.org"), hub("b", instance="proto", shared="beta.a.org")], []),
    # The same name behind two SNI routers, each with an address of its own.
    ([hub("a", shared="a.org"), hub("b", instance="proto", address="127.0.0.2", shared="a.org")], []),
    (
        [hub("a", shared="a.org"), hub("b", instance="proto")],
        [
            "a and b are the same machine (192.0.2.1) "
            "and both use port 8000 of 127.0.0.1 (edge_port and edge_port): "
            "give one of them another edge_port, or both edge_sni_routing."
        ],
    ),
    (
        [hub("a", shared="a.org"), hub("b", instance="proto", address="0.0.0.0", shared="b.org")],
        [
            "a and b are the same machine (192.0.2.1) "
            "and both use port 8000 of 127.0.0.1 (edge_port and edge_port): "
            "give one of them another edge_port, or both the same edge_bind_address."
        ],
    ),
    (
        [hub("a", subnet="10.1.0.0/16"), hub("b", instance="p", port="8001", subnet="10.1.2.0/24")],
        [
            "a and b are the same machine (192.0.2.1) and both use the network 10.1.0.0/16 for user servers: "
            "give one of them another jupyterhub_users_subnet."
        ],
    ),
]


@pytest.mark.parametrize(("placed", "expected"), CLASHES)
def test_clashes(placed: list[Placed], expected: list[str]) -> None:
    assert names.clashes(placed, "a") == expected


FOLDERS: list[tuple[str, str, bool]] = [
    ("/srv/hub", "/var/lib/docker", False),
    ("/srv/hub", "/srv/docker", False),
    ("/srv/docker2", "/srv/docker", False),
    # The settings of a role that is not part of the play are not known.
    ("/srv/docker", "", False),
    ("/srv/docker", "/srv/docker", True),
    ("/srv/docker", "/srv/docker/", True),
    ("/var/lib/docker/hub", "/var/lib/docker", True),
    ("/srv/hub", "/srv/hub/docker", True),
]


@pytest.mark.parametrize(("state", "data", "shared"), FOLDERS)
def test_an_instance_and_the_engine_do_not_share_a_folder(state: str, data: str, shared: bool) -> None:
    found = names.shared_folder("docker", state, data)
    assert bool(found) is shared
    if found:
        assert found == [
            f"jupyterhub_instance is 'docker', whose folder {state} would share files with {data}, where "
            "Docker keeps its data (docker_data_root): give the instance another name, or set "
            "docker_data_root to another folder."
        ]
