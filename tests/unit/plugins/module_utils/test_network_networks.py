# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.network import networks as plan

# A host at 192.0.2.2 with a VPN (10.8.0.0/16 by tun0, its own address 10.9.0.5), a route of another table
# than main, a range that it drops, and the bridge of a container network.
ROUTE = """\
Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
tun0\t0000080A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
ghu-1\t0040D30A\t00000000\t0001\t0\t0\t0\t00F0FFFF\t0\t0\t0
"""
TRIE = """\
Main:
  +-- 0.0.0.0/0 4 1 13
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 10.8.0.0
        /16 link UNICAST
     |-- 10.9.0.5
        /32 host LOCAL
     +-- 10.211.64.0/20 2 0 2
        |-- 10.211.64.0
           /20 link UNICAST
        |-- 10.211.64.1
           /32 host LOCAL
        |-- 10.211.79.255
           /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.0
           /8 host LOCAL
     |-- 192.0.2.0
        /24 link UNICAST
     |-- 192.0.2.2
        /32 host LOCAL
Id 100:
  |-- 10.40.0.0
     /13 universe UNICAST
  |-- 172.16.0.0
     /12 universe BLACKHOLE
"""
ZERO = "0" * 32
ROUTE6 = f"""\
fd120000000000000000000000000000 30 {ZERO} 00 {ZERO} 00000100 00000002 00000000 00000001     wg0
fe800000000000000000000000000000 40 {ZERO} 00 {ZERO} 00000100 00000001 00000000 00000001    eth0
{ZERO} 00 {ZERO} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003    eth0
{ZERO[:-1]}1 80 {ZERO} 00 {ZERO} 00000000 00000002 00000000 80200001      lo
ff000000000000000000000000000000 08 {ZERO} 00 {ZERO} 00000100 00000004 00000000 00000001    eth0
"""


def network(name: str, *subnets: str, **more: t.Any) -> dict[str, t.Any]:
    return {"Name": name, "IPAM": {"Config": [{"Subnet": one} for one in subnets]}, "Internal": False, **more}


def taken() -> list[plan.Taken]:
    networks = [
        network("lab-users", "10.219.48.0/20", Labels={"galilean.hub.instance": "lab"}),
        network("other", "10.211.64.0/20", "fd34::/64"),
        network("hub-users", "10.210.16.0/20"),
        network("host"),
    ]
    ranges = {**plan.ipv4_ranges(TRIE, ROUTE), **plan.ipv6_ranges(ROUTE6)}
    return [
        *plan.engine_taken(networks, {"hub-users"}),
        *plan.host_taken(ranges, {"ghu-1"}),
        *plan.pool_taken(["10.224.0.0/16"], "from which the Docker engine takes networks by itself"),
    ]


@pytest.mark.parametrize("device", ["ghu-21262a3c", "ghc-21262a3c", "br-0123456789ab"])
def test_names_of_bridges(device: str) -> None:
    assert plan.is_bridge(device)
    assert not plan.is_bridge(f"{device}x")


LAB = "10.219.48.0/20, of the network lab-users (instance lab)"


@pytest.mark.parametrize(
    ("subnet", "said"),
    [
        ("10.219.48.0/20", LAB),
        ("10.219.50.0/24", LAB),
        ("10.219.0.0/16", LAB),
        ("10.219.60.0/22", LAB),
        ("10.211.64.0/28", "10.211.64.0/20, of the network other"),
        ("fd34::/80", "fd34::/64, of the network other"),
        ("10.8.4.0/22", "10.8.0.0/16, to which the host has a route (tun0)"),
        ("10.0.0.0/12", "10.8.0.0/16, to which the host has a route (tun0)"),
        ("10.9.0.0/24", "10.9.0.5/32, which is an address of the host"),
        ("10.44.0.0/20", "10.40.0.0/13, to which the host has a route"),
        ("192.0.2.0/25", "192.0.2.0/24, to which the host has a route (eth0)"),
        ("fd12:0:0:7::/64", "fd12::/48, to which the host has a route (wg0)"),
        ("10.224.9.0/24", "10.224.0.0/16, from which the Docker engine takes networks by itself"),
        # Free: our own, a range that the host drops, and what nobody has.
        ("10.210.16.0/20", ""),
        ("172.16.0.0/20", ""),
        ("10.219.64.0/20", ""),
        ("fd56::/64", ""),
    ],
)
def test_overlaps_are_told_with_both_sides(subnet: str, said: str) -> None:
    sentence = plan.problem(f"jupyterhub_users_subnet is '{subnet}'", [subnet], taken())
    fix = "" if ":" in subnet else ", such as 10.208.0.0/20"
    wanted = f"jupyterhub_users_subnet is '{subnet}', which overlaps {said}: give a network that nothing else"
    assert sentence == (f"{wanted} uses{fix}." if said else "")


def test_what_is_proposed_is_free() -> None:
    # All but one of the sixteen /16 of our range.
    others = plan.pool_taken([f"10.{number}.0.0/16" for number in range(208, 224) if number != 217])
    assert plan.free_subnet(others) == "10.217.0.0/20"
    assert plan.free_subnet(plan.pool_taken(["10.0.0.0/8"])) == ""
    assert plan.problem("It is 10.1.0.0/24", ["10.1.0.0/24"], plan.pool_taken(["10.0.0.0/8"], "of ours")) == (
        "It is 10.1.0.0/24, which overlaps 10.0.0.0/8, of ours: give a network that nothing else uses."
    )


WANT = plan.Spec(
    "hub-users",
    "10.210.16.0/20",
    "10.210.16.1",
    "10.210.24.0/21",
    options={plan.BRIDGE: "ghu-1", plan.MTU: "1450"},
    labels={"galilean.hub.instance": "hub"},
)
HAVE = network(
    "hub-users",
    Options={plan.BRIDGE: "ghu-1", plan.MTU: "1450", "more": "x"},
    Labels={"galilean.hub.instance": "hub"},
    IPAM={
        "Config": [
            {"Subnet": "10.210.16.0/20", "Gateway": "10.210.16.1", "IPRange": "10.210.24.0/21"},
            {"Subnet": "fd34::/64", "Gateway": "fd34::1"},
        ]
    },
)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({}, []),
        ({"subnet": "", "gateway": "", "ip_range": ""}, []),
        ({"subnet": "10.1.0.0/20"}, ["subnet"]),
        ({"subnet6": "fd35::/64"}, ["subnet6"]),
        ({"options": {plan.BRIDGE: "ghu-1"}}, []),
        ({"options": {plan.BRIDGE: "ghu-1", plan.MTU: "1500"}}, [plan.MTU]),
    ],
)
def test_what_is_not_said_stays(change: dict[str, t.Any], names: list[str]) -> None:
    have = plan.spec_of(HAVE)
    want = plan.replace(WANT, **change).completed(have)
    assert list(want.differences(have)) == names
    assert want.options["more"] == "x"
    assert {want.subnet, want.subnet6} & {have.subnet, have.subnet6}
    assert "--ipv6" in want.arguments()


def test_the_room_reaches_nothing() -> None:
    argv = WANT.waiting("10.208.0.0/20").arguments()
    assert {
        "--internal",
        "--subnet=10.208.0.0/20",
        "--opt=com.docker.network.bridge.inhibit_ipv4=true",
    } <= set(argv)
    assert argv[-1] == "hub-users-moving"
    assert f"--opt={plan.BRIDGE}=ghu-1m" in argv


def test_members_keep_names_and_where_they_can_their_address() -> None:
    row = {
        "Id": "0123456789abcdef",
        "Name": "/hub-user-1",
        "NetworkSettings": {
            "Networks": {"hub-users": {"Aliases": ["notebook", "0123456789ab"], "IPAddress": "10.210.24.7"}}
        },
    }
    member = plan.member_of(row, "hub-users")
    assert member == plan.Member("hub-user-1", ("notebook",), "10.210.24.7")
    assert plan.in_network(member, WANT, {}) == member
    assert plan.in_network(member, plan.replace(WANT, subnet="10.1.0.0/20"), {}).address == ""
    fixed = plan.Member("hub-user-1", ("other",), "10.210.16.2")
    assert plan.in_network(member, WANT, {"hub-user-1": fixed}) == fixed
    assert fixed.arguments("hub-users") == (
        ["network", "connect", "--alias=other", "--ip=10.210.16.2", "hub-users", "hub-user-1"]
    )
