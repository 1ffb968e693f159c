# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a deployment is to consist of, out of a module's parameters."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.cloud import wanted as w
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA ada@example.org"
SERVER = {"name": "hub", "image": "Debian 12", "flavor": "m1.large"}
PARAMS: dict[str, t.Any] = {
    "cloud": "mycloud",
    "name": "arcetri",
    "public_key": f"{KEY}\n",
    "ssh_networks": ["192.0.2.0/24"],
    "servers": [SERVER],
}


def wanted(**changes: t.Any) -> w.Wanted:
    return w.wanted_of({**PARAMS, **changes})


def test_names_follow_from_the_deployment() -> None:
    made = wanted(servers=[{**SERVER, "volume_gib": 10}])
    assert made.common == "galilean-arcetri"
    assert made.address_mark("hub") == f"{made.mark} hub"
    assert made.servers[0].volume == "hub-data"
    assert made.public_key == KEY
    assert wanted(servers=[{**SERVER, "volume_gib": 10, "volume_name": "homes"}]).servers[0].volume == "homes"
    assert wanted(servers=[{**SERVER, "volume_gib": 0, "volume_name": "homes"}]).servers[0].volume == ""


@pytest.mark.parametrize(
    ("description", "ours"),
    [
        ("galilean.hub deployment=arcetri", True),
        ("galilean.hub deployment=arcetri hub", True),
        ("galilean.hub deployment=arcetri-two", False),
        ("galilean.hub deployment=arcetri2 hub", False),
        ("galilean.hub deployment=arcetr", False),
        ("was galilean.hub deployment=arcetri", False),
        ("", False),
        (None, False),
    ],
)
def test_a_mark_is_of_one_deployment_only(description: str | None, ours: bool) -> None:
    assert w.is_marked(description, w.mark_of("arcetri")) is ours


def test_what_is_let_in_is_said_once() -> None:
    extra: list[dict[str, t.Any]] = [
        {"port": "9100", "networks": ["192.0.2.7"]},
        {"port": 9100, "networks": ["192.0.2.7/32"], "protocol": None},
        {"port": "60000-61000", "protocol": "udp", "networks": ["2001:DB8::/32"]},
        {"port": "1", "networks": []},
    ]
    found = w.rules_of(["192.0.2.0/24", "192.0.2.0/24"], ["::/0"], extra)
    assert list(map(str, found)) == [
        "tcp 22 from 192.0.2.0/24",
        "tcp 9100 from 192.0.2.7/32",
        "udp 60000-61000 from 2001:db8::/32",
        "tcp 80 from ::/0",
        "tcp 443 from ::/0",
    ]
    assert [rule.ethertype for rule in found] == ["IPv4", "IPv4", "IPv6", "IPv6", "IPv6"]


@pytest.mark.parametrize("port", ["", "0", "65536", "-80", "80-79", "8000-70000", "http", "1-2-3", "80.5"])
def test_what_is_no_port(port: str) -> None:
    with pytest.raises(HubError, match=re.escape(f"rules has the port {port!r}: give a number")):
        w.rules_of([], [], [{"port": port, "networks": ["192.0.2.0/24"]}])


@pytest.mark.parametrize("port", ["1", "65535", "1-65535", "80-80"])
def test_ports_at_the_ends(port: str) -> None:
    assert len(w.rules_of([], [], [{"port": port, "networks": ["192.0.2.0/24"]}])) == 1


@pytest.mark.parametrize("option", ["ssh_networks", "web_networks"])
@pytest.mark.parametrize("network", ["192.0.2.1/24", "everywhere", "", "192.0.2.0/33", "2001:db8::1/32"])
def test_what_is_no_network(option: str, network: str) -> None:
    with pytest.raises(HubError, match=f"^{option} has {re.escape(repr(network))}, which is no network"):
        wanted(**{option: [network]})


def test_a_server_out_of_parameters() -> None:
    made = w.server_of(
        {**SERVER, "security_groups": ["monitoring"], "metadata": {"unit": 7, 1: True}, "volume_gib": None}
    )
    assert made.metadata == (("1", "True"), ("unit", "7"))
    assert made.security_groups == ("monitoring",)
    assert (made.volume_gib, made.floating_ip, made.config_drive) == (0, "auto", True)


def test_a_deployment_without_servers_needs_no_key() -> None:
    assert wanted(servers=[], public_key="").servers == ()


@pytest.mark.parametrize(
    ("network", "floating_ips", "expected"),
    [
        ("", [], True),
        ("", ["none"], True),
        ("mine", ["none"], False),
        ("mine", ["none", "192.0.2.7"], False),
        ("mine", ["none", "auto"], True),
    ],
)
def test_when_an_external_network_is_needed(network: str, floating_ips: list[str], expected: bool) -> None:
    servers = [{**SERVER, "name": f"s{n}", "floating_ip": ip} for n, ip in enumerate(floating_ips)]
    assert wanted(network=network, servers=servers).needs_external is expected


TWO = [{**SERVER, "volume_gib": 5}, {**SERVER, "name": "two", "volume_gib": 5}]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "a"},
        {"name": "a" * 30},
        {"name": "a1-b2"},
        {"public_key": "sk-ssh-ed25519@openssh.com AAAA"},
        {"public_key": "ecdsa-sha2-nistp256 AAAA somebody with a long name"},
        {"servers": TWO},
        {"servers": [{**SERVER, "name": "Hub.example.org"}]},
        {"servers": [{**server, "floating_ip": "none"} for server in TWO]},
        {"servers": [{**SERVER, "floating_ip": "2001:db8::7"}]},
        {"subnet_cidr": "10.0.0.0/29"},
        {"subnet_cidr": None},
    ],
)
def test_what_can_be_meant(changes: dict[str, t.Any]) -> None:
    wanted(**changes)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "Arcetri"}, "name is 'Arcetri': use lower-case"),
        ({"name": "1a"}, "name is '1a'"),
        ({"name": "a" * 31}, "at most 30."),
        ({"name": "arcetri\n"}, r"name is 'arcetri\n'"),
        ({"name": ""}, "name is ''"),
        ({"public_key": ""}, "public_key is no SSH public key"),
        ({"public_key": "-----BEGIN OPENSSH PRIVATE KEY-----\nx"}, "public_key is no SSH public key"),
        ({"public_key": "ssh-ed25519"}, "public_key is no SSH public key"),
        ({"public_key": f"{KEY}\n{KEY}"}, "public_key is no SSH public key"),
        ({"servers": [SERVER, SERVER]}, "Two servers are called hub: give each its own name."),
        (
            {"servers": [TWO[0], {**TWO[1], "volume_name": "hub-data"}]},
            "Two servers have the data volume hub-data: give each its own volume_name.",
        ),
        (
            {"servers": [{**server, "floating_ip": "192.0.2.7"} for server in TWO]},
            "Two servers have the floating_ip 192.0.2.7: give each its own.",
        ),
        ({"servers": [{**SERVER, "name": "my hub"}]}, "name is 'my hub'"),
        ({"servers": [{**SERVER, "name": "-hub"}]}, "name is '-hub'"),
        ({"servers": [{**SERVER, "name": "h" * 64}]}, "at most 63."),
        ({"servers": [{**SERVER, "image": ""}]}, "Server hub has no image: name one"),
        ({"servers": [{**SERVER, "flavor": ""}]}, "Server hub has no flavor: name one"),
        ({"servers": [{**SERVER, "volume_gib": -1}]}, "Server hub has volume_gib -1: give a number of GiB"),
        ({"servers": [{**SERVER, "boot_volume_gib": -5}]}, "Server hub has boot_volume_gib -5"),
        (
            {"servers": [{**SERVER, "floating_ip": "yes"}]},
            "Server hub has floating_ip 'yes': say auto, none,",
        ),
        ({"subnet_cidr": "8.8.8.0/24"}, "subnet_cidr is 8.8.8.0/24: give a private network"),
        ({"subnet_cidr": "fd00::/64"}, "subnet_cidr is fd00::/64: give a private network"),
        ({"subnet_cidr": "192.168.230.0"}, "subnet_cidr is 192.168.230.0: give a private network"),
        ({"subnet_cidr": "192.168.230.1/24"}, "subnet_cidr is '192.168.230.1/24' ("),
    ],
)
def test_what_cannot_be_meant(changes: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(HubError) as caught:
        wanted(**changes)
    assert sentence in caught.value.message


def test_everything_is_said_at_once() -> None:
    with pytest.raises(HubError) as caught:
        wanted(name="A", public_key="", servers=[{**SERVER, "image": "", "flavor": ""}], subnet_cidr="x")
    for part in ("name is 'A'", "public_key", "no image", "no flavor", "subnet_cidr is 'x'"):
        assert part in caught.value.message
