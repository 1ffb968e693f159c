# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.network.egress import (
    ALWAYS,
    PRIVATE,
    egress_names,
    egress_problems,
    egress_rules,
)

NOTHING: dict[str, t.Any] = {"allowed": [], "blocked": [], "private": False}
DATABASE = {"address": "10.1.2.3", "ports": ["5432", "8000-8100"], "protocol": "tcp"}


def problems(egress: dict[str, t.Any] | None = None, **settings: t.Any) -> list[str]:
    return egress_problems({"egress": {**NOTHING, **(egress or {})}, "addresses": {}, **settings})


def test_private_networks_are_blocked_unless_they_are_opened() -> None:
    blocked = {rule["address"] for rule in egress_rules(NOTHING)["others"]}
    assert blocked == set(PRIVATE)
    opened = egress_rules({**NOTHING, "private": True})
    assert opened == {"never": list(ALWAYS), "services": [], "others": []}


def test_a_service_is_one_address_with_ports() -> None:
    found = egress_rules(
        {
            **NOTHING,
            "allowed": [DATABASE, {"address": "10.1.2.4"}, {"address": "10.2.0.0/16", "ports": [443]}],
        }
    )
    assert found["services"] == [
        {"address": "10.1.2.3/32", "protocol": "tcp", "ports": ["5432", "8000:8100"]}
    ]
    assert [(rule["address"], rule["action"]) for rule in found["others"]][:2] == [
        ("10.1.2.4/32", "allow"),
        ("10.2.0.0/16", "allow"),
    ]


def test_the_narrower_network_counts_first_and_an_open_range_before_the_default() -> None:
    found = egress_rules(
        {
            "allowed": [{"address": "10.0.0.0/8"}, {"address": "192.168.7.0/24"}],
            "blocked": ["10.9.0.0/16", "198.51.100.0/24"],
            "private": False,
        }
    )["others"]
    order = [(rule["action"], rule["address"]) for rule in found]
    assert order.index(("block", "10.9.0.0/16")) < order.index(("allow", "10.0.0.0/8"))
    assert order.index(("allow", "10.0.0.0/8")) < order.index(("block", "10.0.0.0/8"))
    assert order.index(("allow", "192.168.7.0/24")) < order.index(("block", "192.168.0.0/16"))
    assert ("block", "198.51.100.0/24") in order


@pytest.mark.parametrize(
    ("egress", "sentence"),
    [
        ({"blocked": ["storage"]}, "jupyterhub_egress_blocked has 'storage': give an IPv4 network such as"),
        ({"blocked": ["10.0.0.1/8"]}, "jupyterhub_egress_blocked has '10.0.0.1/8': give an IPv4 network"),
        ({"blocked": ["$(id)"]}, "jupyterhub_egress_blocked has '$(id)': give an IPv4 network"),
        ({"blocked": ["fc00::/7"]}, "reach nothing over IPv6, so leave it out"),
        ({"allowed": [{"address": "fd00::1"}]}, "so give the service's IPv4 address"),
        ({"allowed": [{"address": "db.example.org"}]}, "give an IPv4 address or network such as 10.1.2.3"),
        ({"allowed": [{"address": "10.1.2.3/8"}]}, "give an IPv4 address or network such as 10.1.2.3"),
        ({"allowed": [{"address": "169.254.169.254"}]}, "which is in 169.254.0.0/16 (the host"),
        ({"allowed": [{"address": "100.100.100.200"}]}, "which is in 100.100.100.200/32"),
        ({"allowed": [{"address": "127.0.0.1", "ports": [22]}]}, "which is in 127.0.0.0/8"),
        ({"allowed": [{"address": "10.1.2.3", "ports": ["0"]}]}, "with port '0': give a number up to 65535"),
        ({"allowed": [{"address": "10.1.2.3", "ports": ["9-2"]}]}, "with port '9-2': give a number"),
        ({"allowed": [{"address": "10.1.2.3", "ports": ["1;id"]}]}, "with port '1;id': give a number"),
        ({"allowed": [{"address": "10.1.2.3"}], "blocked": ["10.1.2.3/32"]}, "has as well: keep one of them"),
    ],
)  # fmt: skip
def test_a_bad_entry_is_refused_in_one_sentence(egress: dict[str, t.Any], sentence: str) -> None:
    found = problems(egress)
    assert len(found) == 1, found
    assert sentence in found[0]


REPOSITORY = [{"url": "https://me:secret@10.1.2.3/course.git"}]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"repositories": REPOSITORY},
            "jupyterhub_repositories has https://10.1.2.3, which user servers may not reach: "
            "add {address: 10.1.2.3, ports: [443]} to jupyterhub_egress_allowed",
        ),
        ({"groups": [{"name": "g", "repositories": REPOSITORY}]}, "'g' in jupyterhub_groups has https://10.1.2.3"),
        ({"profiles": [{"name": "r", "repositories": REPOSITORY}]}, "'r' in jupyterhub_profiles has https://10.1.2.3"),
        ({"git_hosts": {"192.168.1.9:8443": "oauth2"}}, "jupyterhub_git_hosts has https://192.168.1.9:8443"),
        ({"git_links": ["192.168.1.9:8443/course"]}, "jupyterhub_git_links has https://192.168.1.9:8443"),
        (
            {"profiles": [{"name": "r", "spark_remote": "sc://10.1.2.3"}]},
            "'r' in jupyterhub_profiles has sc://10.1.2.3, which user servers may not reach: "
            "add {address: 10.1.2.3, ports: [15002]} to jupyterhub_egress_allowed",
        ),
        ({"profiles": [{"name": "r", "gateway_url": "http://10.1.2.3:8888"}]}, "has http://10.1.2.3:8888"),
        (
            {"config_extra": {"DockerSpawner": {"environment": {"P": "http://10.0.0.7:3128", "X": "y"}}}},
            "P of DockerSpawner in jupyterhub_config_extra has http://10.0.0.7:3128, which user servers "
            "may not reach: add {address: 10.0.0.7, ports: [3128]} to jupyterhub_egress_allowed",
        ),
        (
            {"proxies": ["http://ada:secret@10.0.0.7:3128"] * 2},
            "bootstrap_http_proxy has http://10.0.0.7:3128, which user servers may not reach: "
            "add {address: 10.0.0.7, ports: [3128]} to jupyterhub_egress_allowed",
        ),
        (
            {"repositories": [{"url": "https://git.lan/x"}], "addresses": {"git.lan": ["10.4.4.4"]}},
            "jupyterhub_repositories has https://git.lan (10.4.4.4), which user servers may not reach: "
            "add {address: 10.4.4.4, ports: [443]} to jupyterhub_egress_allowed",
        ),
        ({"repositories": [{"url": "https://[fd00::9]/x"}]}, "user servers have IPv4 only, so give a name"),
        ({"repositories": [{"url": "https://127.0.0.1/x"}]}, "name it in a network that is not blocked"),
    ],
)  # fmt: skip
def test_a_source_that_would_be_blocked_is_told(settings: dict[str, t.Any], sentence: str) -> None:
    found = problems(**settings)
    assert len(found) == 1, found
    assert sentence in found[0]
    assert "secret" not in found[0]


@pytest.mark.parametrize(
    ("egress", "settings"),
    [
        ({}, {"repositories": [{"url": "https://198.51.100.9/x"}]}),
        ({}, {"repositories": [{"url": "https://git.example.org/x"}]}),
        ({"allowed": [{"address": "10.1.2.3", "ports": ["443"]}]}, {"repositories": REPOSITORY}),
        ({"allowed": [{"address": "10.1.2.0/24"}]}, {"repositories": REPOSITORY}),
        ({"private": True}, {"repositories": REPOSITORY}),
        ({}, {"repositories": [{"url": "https://a.lan/x"}], "addresses": {"a.lan": ["10.4.4.4", "8.8.8.8"]}}),
    ],
)  # fmt: skip
def test_a_source_in_reach_is_none(egress: dict[str, t.Any], settings: dict[str, t.Any]) -> None:
    assert problems(egress, **settings) == []


FIB_TRIE = """Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 198.51.100.0/24 2 0 2
        |-- 198.51.100.0
           /24 link UNICAST
        |-- 198.51.100.7
           /32 host LOCAL
        |-- 198.51.100.9
           /32 link UNICAST
"""


@pytest.mark.parametrize(
    ("address", "allowed", "told"),
    [
        ("198.51.100.7", [], True),
        # A network does not open the host, nor does an address without ports.
        ("198.51.100.7", [{"address": "198.51.100.0/24"}], True),
        ("198.51.100.7", [{"address": "198.51.100.7"}], True),
        ("198.51.100.7", [{"address": "198.51.100.7", "ports": ["8080"]}], False),
        ("198.51.100.9", [], False),
    ],
)
def test_the_host_itself_is_out_of_reach_by_any_address(
    address: str, allowed: list[dict[str, t.Any]], told: bool
) -> None:
    for host in (address, "git.lan"):
        url, addresses = f"http://{host}:8080/x", {"git.lan": [address]}
        found = problems(
            {"allowed": allowed}, repositories=[{"url": url}], addresses=addresses, fib_trie=FIB_TRIE
        )
        fix = f"add {{address: {address}, ports: [8080]}} to jupyterhub_egress_allowed"
        assert [fix in one for one in found] == [True] * told


def test_only_names_are_looked_up() -> None:
    urls = ["https://git.example.org/a", "https://git.example.org/b", "https://10.1.2.3/c"]
    assert egress_names({"repositories": [{"url": url} for url in urls]}) == ["git.example.org"]
    assert egress_names({}) == []
