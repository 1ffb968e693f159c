# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import dataclasses
import re

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.edge import front

A = front.member("a", [443, 80], ["a.example.org", "*.A.example.org"])
B = front.member("b", [8443, 0], ["default", "b.example.org"])


def test_an_instances_file() -> None:
    text = front.member_text(B)
    head, ports, state, *entries = text.splitlines()
    assert head.startswith("# ")
    assert ports == "# ports: 8443"
    assert re.fullmatch(r'"b:" [0-9a-f]{12};', state)
    # A word of nginx's own is written as a value.
    assert entries == [r"\default b;", "b.example.org b;"]
    assert text.endswith("\n")


@pytest.mark.parametrize("one", [A, B])
def test_an_instances_file_is_read_again(one: front.Member) -> None:
    assert front.read_member(one.instance, front.member_text(one)) == one


def test_a_name_counts_once() -> None:
    one = front.member("a", [443, 443], ["A.example.org", "a.example.org"])
    assert one == front.Member("a", (443,), ("a.example.org",))


def test_state_is_of_both_files() -> None:
    configuration = front.configuration_text('return 200 "DIGEST $front_state\\n";')
    other = front.configuration_text('# more\nreturn 200 "DIGEST $front_state\\n";')
    states = {front.state(text, front.member_text(one)) for text in (configuration, other) for one in (A, B)}
    assert len(states) == 4
    assert all(re.fullmatch(r"[0-9a-f]{12} [0-9a-f]{12}", state) for state in states)
    # Gone, or never there: what nginx answers then.
    assert re.fullmatch(r"[0-9a-f]{12}", front.state(configuration, ""))
    assert front.state("", "") == ""


@pytest.mark.parametrize(
    ("address", "slug", "probe", "published"),
    [
        ("0.0.0.0", "0.0.0.0", "127.0.0.1", "0.0.0.0:443"),
        ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1:443"),
        ("::", "--", "127.0.0.1", "[::]:443"),
        ("::1", "--1", "::1", "[::1]:443"),
        ("2001:db8::2", "2001-db8--2", "2001:db8::2", "[2001:db8::2]:443"),
    ],
)
def test_addresses(address: str, slug: str, probe: str, published: str) -> None:
    assert front.slug(address) == slug
    assert front.address_of(slug) == address
    assert front.probe_host(address) == probe
    assert front.published(address, [A])[-1] == published


@pytest.mark.parametrize("address", ["", "..", "hub.example.org", "0.0.0.0/0"])
def test_what_is_no_address_becomes_no_folder(address: str) -> None:
    with pytest.raises(HubError, match="give an IP address"):
        front.slug(address)


def test_ports_of_all_instances_are_published() -> None:
    assert front.published("0.0.0.0", [B, A]) == ["0.0.0.0:80", "0.0.0.0:443", "0.0.0.0:8443"]
    assert front.published("::", [A]) == ["0.0.0.0:80", "0.0.0.0:443", "[::]:80", "[::]:443"]


@pytest.mark.parametrize(
    ("address", "mtu", "options"),
    [
        ("0.0.0.0", 0, []),
        ("0.0.0.0", 1400, ["--opt=com.docker.network.driver.mtu=1400"]),
        ("::", 0, ["--ipv6", r"--subnet=fd[0-9a-f:]+::/64"]),
    ],
)
def test_the_network(address: str, mtu: int, options: list[str]) -> None:
    argv = front.network_arguments("galilean-front", address, mtu)
    assert argv[:3] == ["network", "create", "--label=galilean.hub.role=front"]
    assert argv[-1] == "galilean-front"
    assert all(re.fullmatch(want, got) for want, got in zip(options, argv[3:-1], strict=True))


def test_a_name_that_is_taken() -> None:
    front.check_names(A, [B])
    with pytest.raises(HubError) as caught:
        front.check_names(front.member("c", [443], ["c.example.org", "A.example.org"]), [B, A])
    assert str(caught.value) == (
        "The name a.example.org leads to the instance a of this host already: give c another one "
        "(edge_server_name, edge_server_aliases)."
    )


def test_the_container() -> None:
    argv = front.run_arguments("galilean-front-0.0.0.0", "/srv/x", "galilean/edge:1", ["0.0.0.0:443"], "1g")
    assert argv[:2] == ["run", "--detach"]
    assert "--publish=0.0.0.0:443:8443" in argv
    assert argv.index("galilean/edge:1") < argv.index("nginx")
    for option in ("--read-only", "--cap-drop", "--memory", "--pids-limit"):
        assert option in argv
    # Neither image nor ports make another container by themselves.
    assert f"{front.LABEL_DEFINITION}={front.definition('galilean-front-0.0.0.0', '/srv/x', '1g')}" in argv
    for folder, memory in (("/srv/y", "1g"), ("/srv/x", "2g")):
        assert front.definition("galilean-front-0.0.0.0", folder, memory) != front.definition(
            "galilean-front-0.0.0.0", "/srv/x", "1g"
        )


HAVE = front.Container("sha256:1", 100.0, "d", frozenset(["0.0.0.0:443"]), True)
WANT = front.Wanted("sha256:1", 100.0, "d", frozenset(["0.0.0.0:443"]), True)


@pytest.mark.parametrize(
    ("have", "want", "task"),
    [
        (None, {}, "create"),
        ({}, {}, ""),
        ({"running": False}, {}, "start"),
        ({}, {"image": "sha256:2", "created": 200.0}, "replace"),
        ({}, {"definition": "e"}, "replace"),
        # An instance with an older release does not set the others back.
        ({}, {"image": "sha256:0", "created": 50.0}, ""),
        ({}, {"image": "sha256:0", "created": 50.0, "definition": "e"}, ""),
        ({"running": False}, {"image": "sha256:0", "created": 50.0}, "start"),
        ({}, {"published": frozenset(["0.0.0.0:443", "0.0.0.0:80"])}, "replace"),
        ({}, {"image": "sha256:0", "created": 50.0, "published": frozenset(["0.0.0.0:80"])}, "replace"),
        # A port too many is no reason to end the connections of others.
        ({"published": frozenset(["0.0.0.0:443", "0.0.0.0:80"])}, {}, ""),
        ({"published": frozenset(["0.0.0.0:443", "0.0.0.0:80"])}, {"shared": False}, "replace"),
    ],
)
def test_what_to_do(have: dict[str, object] | None, want: dict[str, object], task: str) -> None:
    container = None if have is None else dataclasses.replace(HAVE, **have)  # type: ignore[arg-type]
    assert front.what_to_do(container, dataclasses.replace(WANT, **want)) == task  # type: ignore[arg-type]
