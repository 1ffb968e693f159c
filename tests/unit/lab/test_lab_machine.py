# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the lab reads of the machine, and what it makes of it."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import ipaddress
import typing as t
from pathlib import Path

import pytest
from commands import write
from host import COMMENT, ours, overlapping, resolvers
from project import host_keys

NETWORK = ipaddress.IPv4Network("172.24.4.0/24")
LAB = Path(__file__).resolve().parents[2] / "lab"


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ({"dst": "default", "dev": "eth0"}, ""),
        ({"dst": "172.24.4.0/24", "dev": "lab-public"}, ""),
        ({"dst": "172.25.0.0/16", "dev": "docker1"}, ""),
        ({"dst": "172.24.0.0/16", "dev": "docker1"}, "172.24.0.0/16 on docker1"),
        ({"dst": "172.24.4.7", "dev": "tun0"}, "172.24.4.7 on tun0"),
    ],
)
def test_overlapping(route: dict[str, t.Any], expected: str) -> None:
    assert overlapping(NETWORK, [route]) == expected


def test_resolvers_are_those_that_a_guest_reaches() -> None:
    servers = ("127.0.0.53", "10.0.0.53", "fd00::1")
    text = "search a.org\n" + "".join(f"nameserver {one}\n" for one in servers) + "#nameserver 10.9.9.9\n"
    assert resolvers(text) == ("10.0.0.53",)


def test_only_our_own_rules_are_removed() -> None:
    listing = (
        "-P FORWARD DROP\n"
        "-A FORWARD -j DOCKER-USER\n"
        f"-A FORWARD -s 10.9.0.0/24 -i lab-public -m comment --comment {COMMENT} -j ACCEPT\n"
        '-A FORWARD -i eth9 -m comment --comment "somebody else" -j ACCEPT\n'
    )
    rule = f"FORWARD -s 10.9.0.0/24 -i lab-public -m comment --comment {COMMENT} -j ACCEPT"
    assert ours(listing) == [rule.split()]


def test_write_tells_whether_anything_changed(tmp_path: Path) -> None:
    file = tmp_path / "new" / "file"
    assert write(file, "one", mode=0o600)
    before = file.stat()
    assert not write(file, "one")
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert before.st_mode & 0o777 == 0o600
    assert write(file, "two")
    assert file.read_text() == "two"


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB"


@pytest.mark.parametrize(
    ("console", "expected"),
    [
        ("booting\n", []),
        (
            "-----BEGIN SSH HOST KEY KEYS-----\r\n\x1b[K[ *** ] A job is running\r\n"
            f"{KEY} root@a\r\n-----END SSH HOST KEY KEYS-----\r\n",
            [KEY],
        ),
        (f"-----BEGIN SSH HOST KEY KEYS-----\r\n{KEY}", []),
        (
            f"x\r\n-----BEGIN SSH HOST KEY KEYS-----\r\n{KEY}1 root@a\r\n-----END SSH HOST KEY KEYS-----\r\n",
            [f"{KEY}1"],
        ),
        # A rebuilt server prints others; those count.
        (
            "".join(
                f"-----BEGIN SSH HOST KEY KEYS-----\n{KEY}{boot} root@a\n-----END SSH HOST KEY KEYS-----\n"
                for boot in "12"
            ),
            [f"{KEY}2"],
        ),
    ],
)
def test_host_keys(console: str, expected: list[str]) -> None:
    assert host_keys(console) == expected


LISTING = """\
Bridge table: nat

Bridge chain: neutronMAC-tap1, entries: 3, policy: DROP
1. -i tap1 --among-src fa:16:3e:00:00:01,fa:16:3e:00:00:02, -j RETURN
2. -i tap1 --among-src fa:16:3e:00:00:03, -j RETURN
3. -j CONTINUE
"""


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("fa:16:3e:00:00:03", "2"), ("fa:16:3e:00:00:02,fa:16:3e:00:00:01", "1"), ("fa:16:3e:00:00:09", None)],
)
def test_rules_with_among_src_are_found_by_number(wanted: str, expected: str | None) -> None:
    loader = importlib.machinery.SourceFileLoader("lab_ebtables", str(LAB / "bin" / "ebtables"))
    spec = importlib.util.spec_from_loader("lab_ebtables", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    assert module.rule_number(LISTING, wanted) == expected
