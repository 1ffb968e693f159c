# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.edge import sni_routing as plan

ROUTER = "galilean-sni-router"


def lines(instance: str, ports: list[int], names: list[str], address: str = "0.0.0.0") -> list[str]:
    """An instance's file as grep prints it."""
    text, _digest = plan.names_file(instance, ports, names)
    return [f"/srv/{ROUTER}/{address}/names/{instance}.conf:{line}" for line in text.splitlines()]


A = lines("a", [443, 80], ["a.example.org", "*.a.example.org"])
B = lines("b", [8443], ["default", "b.example.org"])


def routing(found: list[str], instance: str, address: str = "0.0.0.0", **wishes: t.Any) -> dict[str, t.Any]:
    return plan.sni_routing(
        found, instance, address, wishes.get("ports", []), wishes.get("names", []), ROUTER
    )


def test_an_instances_file() -> None:
    text, digest = plan.names_file("b", [8443], ["default", "b.example.org"])
    head, ports, state, *entries = text.splitlines()
    assert head.startswith("# ")
    assert ports == "# ports: 8443"
    assert re.fullmatch(r"[0-9a-f]{12}", digest)
    assert state == f'"b:" {digest};'
    # A word of nginx's own is written as a value.
    assert entries == [r"\default b;", "b.example.org b;"]
    assert text.endswith("\n")
    # The digest is of all of it.
    others = [([80], ["default", "b.example.org"]), ([8443], ["b.example.org"]), ([], [])]
    assert digest not in {plan.names_file("b", *other)[1] for other in others}


def test_instances_files_are_read_again() -> None:
    # A file that is just being replaced counts for nothing.
    stray = [line.replace("/a.conf", "/.ansible_tmp1a.conf") for line in A]
    assert plan.members([*A, *B, *stray]) == {
        "0.0.0.0": {
            "a": plan.Member([443, 80], ["a.example.org", "*.a.example.org"]),
            "b": plan.Member([8443], ["default", "b.example.org"]),
        }
    }


def test_names_and_ports_count_once() -> None:
    told = routing([], "a", ports=[443, 0, 443], names=["A.example.org", "a.example.org"])
    assert told["text"] == plan.names_file("a", [443], ["a.example.org"])[0]


@pytest.mark.parametrize(
    ("address", "folder", "published"),
    [
        ("0.0.0.0", "0.0.0.0", ["0.0.0.0:443:8443"]),
        ("192.0.2.1", "192.0.2.1", ["192.0.2.1:443:8443"]),
        ("::", "--", ["0.0.0.0:443:8443", "[::]:443:8443"]),
        ("2001:db8::2", "2001-db8--2", ["[2001:db8::2]:443:8443"]),
    ],
)
def test_addresses(address: str, folder: str, published: list[str]) -> None:
    assert plan.folder_name(address) == folder
    told = routing(lines("b", [443], ["b"], folder), "a", address, ports=[443], names=["a"])
    assert told["published"] == published
    assert told["shared"]
    # A network of its own, or every client over IPv6 would seem to be the host.
    assert bool(re.fullmatch(r"fd[0-9a-f:]+::/64", told["subnet6"])) == (":" in address)


def test_ports_of_all_instances_are_published() -> None:
    told = routing(A + B, "c", ports=[443, 444], names=["c"])
    assert told["published"] == [f"0.0.0.0:{port}:8443" for port in (80, 443, 444, 8443)]
    # A port too many is no reason to end the connections of others; it is closed when there are none.
    bound = [443, 8000]
    for found, ports in ((A, [80, 443, 8000]), ([], [443])):
        told = plan.sni_routing(found, "c", "0.0.0.0", [443], ["c"], ROUTER, bound)
        assert told["published"] == [f"0.0.0.0:{port}:8443" for port in ports]
    # What the instance itself had before counts no more.
    assert routing(A, "a", ports=[443], names=["a"])["published"] == ["0.0.0.0:443:8443"]


def test_a_name_that_is_taken() -> None:
    assert routing(A + B, "a", ports=[443], names=["a.example.org"])["problems"] == []
    assert routing(A + B, "c", ports=[443], names=["c.example.org", "A.example.org"])["problems"] == [
        "The name a.example.org leads to the instance a of this host already: give c another one "
        "(edge_server_name, edge_server_aliases)."
    ]
    # Another address has a router of its own.
    assert routing(A, "c", "192.0.2.1", ports=[443], names=["a.example.org"])["problems"] == []


ELSEWHERE = lines("a", [443], ["a"], "192.0.2.1")


@pytest.mark.parametrize(
    ("found", "address", "leaving", "ending", "only"),
    [
        ([], "0.0.0.0", [], [], True),
        (A + B, "0.0.0.0", [], [], True),
        (A + B, "", ["0.0.0.0"], [], False),
        (A, "", ["0.0.0.0"], [f"{ROUTER}-0.0.0.0"], False),
        (A + B + ELSEWHERE, "0.0.0.0", ["192.0.2.1"], [f"{ROUTER}-192.0.2.1"], False),
        (A + B + ELSEWHERE, "", ["0.0.0.0", "192.0.2.1"], [f"{ROUTER}-192.0.2.1"], False),
        # A run was killed while the instance left: its file is there, without names.
        (lines("a", [], []) + B, "", ["0.0.0.0"], [], False),
    ],
)
def test_routers_that_the_instance_leaves(
    found: list[str], address: str, leaving: list[str], ending: list[str], only: bool
) -> None:
    told = routing(found, "a", address)
    assert (told["leaving"], told["ending"], told["only"]) == (leaving, ending, only)


def test_the_last_one_is_told() -> None:
    assert routing(A + B, "a", "0.0.0.0")["shared"] is True
    assert routing(A, "a", "0.0.0.0")["shared"] is False
    # Who is about to leave needs no router.
    assert routing(A + lines("b", [], []), "a", "0.0.0.0")["shared"] is False
