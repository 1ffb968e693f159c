# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import ipaddress
import re

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.instance import (
    DRILL_PART,
    UNIT_PARTS,
    check_instance_name,
    instance_layout,
)

GOOD_NAMES = ["hub", "h2", "prod-eu", "a" * 20]
BAD_NAMES = ["", "h", "Hub", "my hub", "2hub", "-hub", "hub-", "a--b", "a" * 21, "hüb", "hub\n", 7]
BAD_SUBNETS = [
    ("10.0.0.1/20", "10.0.0.1/20 has host bits set"),
    ("hello", "Expected 4 octets in 'hello'"),
    ("10.0.0.0/29", "give a network of /28 or larger"),
    ("fd12::/64", "give an IPv4 network such as 10.210.16.0/20"),
    *(
        (subnet, "no host may have its addresses")
        for subnet in ("127.0.0.0/20", "169.254.0.0/16", "224.1.0.0/20", "240.0.0.0/20", "0.0.0.0/0")
    ),
]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_names_follow_from_the_instance(name: str) -> None:
    layout = instance_layout(name)
    assert layout["state_dir"] == f"/srv/{name}"
    parts = ("edge", "proxy", "hub", "broker", "disk")
    assert layout["containers"] == {part: f"{name}-{part}" for part in parts}
    for bridge in ("core_bridge", "users_bridge"):
        assert len(layout[bridge]) <= 15
    assert len(layout["firewall_chain"] + "-IN") <= 28


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_bad_name_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(HubError, match=f"^{re.escape(f'jupyterhub_instance is {name!r}: use 2 to 20')}"):
        instance_layout(name)


@pytest.mark.parametrize(
    ("name", "stem", "part"),
    [
        ("lab-user", "lab", "user"),
        ("my-lab-user", "my-lab", "user"),
        # The user "x" of "lab" and the hub of this one.
        ("lab-user-x", "lab", "user"),
        ("lab-home", "lab", "home"),
        ("lab-home-a", "lab", "home"),
        ("lab-firewall", "lab", "firewall"),
        ("lab-backup", "lab", "backup"),
        ("lab-metrics", "lab", "metrics"),
        ("lab-certbot", "lab", "certbot"),
    ],
)
def test_a_name_of_another_instances_part_is_refused(name: str, stem: str, part: str) -> None:
    with pytest.raises(HubError) as caught:
        instance_layout(name)
    assert str(caught.value) == (
        f"jupyterhub_instance is {name!r}, as a part of the instance {stem!r} would be called: "
        f"use a name without -{part}"
    )


def test_the_name_of_a_drill_is_for_drills_alone() -> None:
    """playbooks/drill.yml makes it; settings, whose hub it would be, may not."""
    assert instance_layout("lab-drill")["name"] == "lab-drill"
    assert check_instance_name("lab-drill-2", (*UNIT_PARTS, DRILL_PART)) == "lab-drill-2"
    with pytest.raises(
        HubError, match=r"part of the instance 'lab' would be called: use a name without -drill$"
    ):
        check_instance_name("lab-drill", (*UNIT_PARTS, DRILL_PART))


NO_CLASH = [
    "user", "home", "users", "user-lab", "lab-superuser", "lab-userx", "home-lab", "lab-hub", "lab-firewall-2"
]  # fmt: skip


@pytest.mark.parametrize("name", NO_CLASH)
def test_a_name_that_clashes_with_nothing_is_taken(name: str) -> None:
    assert instance_layout(name)["name"] == name


def test_the_folder_of_sni_routers_is_no_instances() -> None:
    with pytest.raises(
        HubError, match=r"^jupyterhub_instance is 'galilean-sni-router', .*: use another name$"
    ):
        instance_layout("galilean-sni-router")


@pytest.mark.parametrize("other", ["proto", "lab-hub", "lab-edge", "lab-proxy", "lab-core", "lab-users"])
def test_two_instances_share_nothing(other: str) -> None:
    """Also where one is called like a container of the other, or like that of a user called so."""

    def values(layout: dict) -> set:
        own = {(key.rpartition("_")[2], value) for key, value in layout.items() if isinstance(value, str)}
        return own | {("container", name) for name in layout["containers"].values()}

    one, two = values(instance_layout("lab")), values(instance_layout(other))
    assert not one & two
    assert not two & {("container", f"lab-user-{user}") for user in ("hub", "edge", "proxy")}


def test_addresses_lie_in_the_subnet_and_outside_of_dockers_range() -> None:
    layout = instance_layout("hub", users_subnet="10.1.0.0/24", state_root="/data/")
    assert layout["state_dir"] == "/data/hub"
    assert (layout["users_gateway"], layout["hub_address"], layout["proxy_address"]) == (
        "10.1.0.1",
        "10.1.0.2",
        "10.1.0.3",
    )
    assert layout["users_range"] == "10.1.0.128/25"


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_the_ipv6_subnet_is_local_and_stable(name: str) -> None:
    layout = instance_layout(name)
    subnet = ipaddress.IPv6Network(layout["core_subnet6"])
    assert subnet.prefixlen == 64
    assert subnet.subnet_of(ipaddress.IPv6Network("fd00::/8"))
    assert ipaddress.IPv6Address(layout["core_gateway6"]) == subnet[1]
    assert instance_layout(name)["core_subnet6"] == layout["core_subnet6"]


@pytest.mark.parametrize(("subnet", "message"), BAD_SUBNETS)
def test_a_bad_subnet_is_refused(subnet: str, message: str) -> None:
    with pytest.raises(HubError, match=re.escape(message)) as caught:
        instance_layout("hub", users_subnet=subnet)
    assert str(caught.value).startswith(f"jupyterhub_users_subnet is {subnet!r}: ")
