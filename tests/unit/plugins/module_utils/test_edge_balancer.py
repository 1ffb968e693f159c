# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.edge.balancer import (
    balancer_problems,
    trusted_networks,
)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"trusted_proxies": ["10.0.0.5", "10.1.0.0/16", "2001:db8::/32", "::1", "127.0.0.1"]},
        {"trusted_proxies": ["10.0.0.5"], "proxy_protocol": True},
    ],
)
def test_accepts(change: dict[str, t.Any]) -> None:
    assert balancer_problems({"trusted_proxies": [], "proxy_protocol": False, **change}) == []


@pytest.mark.parametrize(
    ("proxies", "begin", "fix"),
    [
        ("lb.example.org", "'lb.example.org':", "10.0.0.0/24"),
        ("10.0.0.0/33", "'10.0.0.0/33':", "10.0.0.0/24"),
        (True, "True:", "10.0.0.0/24"),
        (167772165, "167772165:", "10.0.0.0/24"),
        ("10.0.0.5/24", "'10.0.0.5/24',", "10.0.0.0/24 or 10.0.0.5"),
        ("0.0.0.0/0", "'0.0.0.0/0':", "balancer's addresses"),
        ("::/0", "'::/0':", "balancer's addresses"),
    ],
)
def test_refuses(proxies: t.Any, begin: str, fix: str) -> None:
    (problem,) = balancer_problems({"trusted_proxies": [proxies], "proxy_protocol": False})
    assert problem.startswith(f"edge_trusted_proxies has {begin}")
    assert fix in problem
    assert not problem.endswith(".")


def test_nobody_who_could_speak_the_protocol() -> None:
    (problem,) = balancer_problems({"trusted_proxies": [], "proxy_protocol": True})
    assert problem.startswith("edge_proxy_protocol is true while edge_trusted_proxies is empty: name")


@pytest.mark.parametrize(
    ("given", "gateways", "expected"),
    [
        ([], ["10.224.3.1"], []),
        (["10.0.0.5", "10.1.0.0/16"], ["10.224.3.1"], ["10.0.0.5/32", "10.1.0.0/16"]),
        (["127.0.0.1"], ["10.224.3.1", "fd12::1"], ["10.224.3.1/32", "fd12::1/128"]),
        (["127.0.0.0/8", "::1", "2001:db8::5"], ["10.224.3.1"], ["2001:db8::5/128", "10.224.3.1/32"]),
        # Not known yet, on a host that has no such network.
        (["::1"], [""], []),
    ],
)
def test_the_host_itself_is_its_gateway(given: list[str], gateways: list[str], expected: list[str]) -> None:
    assert trusted_networks(given, gateways) == expected
