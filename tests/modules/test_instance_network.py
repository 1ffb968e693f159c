# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A network that is made anew under those who are in it. What overlaps is a table in the unit tests."""

from __future__ import annotations

import ipaddress
import json
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine import ModuleRunner, docker

Call = t.Callable[..., dict[str, t.Any]]
FIRST, SECOND = "10.223.240.0/24", "10.223.241.0/24"


def members(network: str) -> dict[str, tuple[str, list[str]]]:
    """The containers in a network, those that do not run included: their address and their names there."""
    found = {}
    for name in docker("ps", "--all", "--format={{.Names}}", f"--filter=network={network}").split():
        row = json.loads(docker("inspect", name))[0]
        place = row["NetworkSettings"]["Networks"][network]
        names = [alias for alias in place["Aliases"] or [] if not row["Id"].startswith(alias)]
        found[name.rpartition("-")[2]] = (place["IPAddress"], names)
    return found


def exists(network: str) -> bool:
    return network in docker("network", "ls", "--format={{.Name}}").split()


@pytest.fixture
def call(run_module: ModuleRunner, prefix: str) -> Iterator[Call]:
    name = f"{prefix}-net"

    def ensure(subnet: str = FIRST, check: bool = False, **more: t.Any) -> dict[str, t.Any]:
        address = str(ipaddress.ip_network(subnet)[2])
        fixed = [{"container": f"{prefix}-hub", "aliases": ["hub"], "address": address}]
        params: dict[str, t.Any] = {
            "name": name,
            "instance": prefix,
            "bridge": f"t{prefix[3:]}",
            "subnet": subnet,
        }
        params |= {"members": fixed, "user_servers": True, "subject": f"users is '{subnet}'", **more}
        return run_module("instance_network", check, **params)

    yield ensure
    names = docker("ps", "--all", "--quiet", f"--filter=name={prefix}").split()
    docker("rm", "--force", *names, check=False)
    docker("network", "rm", name, f"{name}-moving", f"{name}-other", check=False)


@pytest.fixture
def net(prefix: str) -> str:
    return f"{prefix}-net"


@pytest.fixture
def people(call: Call, net: str, prefix: str, refs: dict[str, t.Any]) -> str:
    """A hub, a user's server, a stopped container of a stranger, all with names; and where they are."""
    assert call()["changed"] is True
    for part, more in (("hub", []), ("ada", ["--label=galilean.hub.role=user"]), ("stranger", [])):
        label = [] if part == "stranger" else [f"--label=galilean.hub.instance={prefix}"]
        argv = [
            "--detach",
            f"--name={prefix}-{part}",
            f"--network={net}",
            f"--network-alias={part}",
            *label,
            *more,
        ]
        docker("run", *argv, "--entrypoint=/usr/bin/env", refs["hub"], "sleep", "600")
    docker("stop", "--time=0", f"{prefix}-stranger")
    return net


def test_overlaps_are_refused_before_anything_is_touched(call: Call, people: str) -> None:
    before = members(people)
    docker("network", "create", f"--subnet={SECOND}", f"{people}-other")
    for wanted in (SECOND, "10.223.241.128/25", "10.223.240.0/23"):
        for check in (True, False):
            result = call(wanted, check)
            said = f"users is '{wanted}', which overlaps {SECOND}, of the network {people}-other: give"
            assert result["failed"] is True
            assert result["msg"].startswith(said), result
    # The host's own way out.
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        device, address, mask = (line.split()[index] for index in (0, 1, 7))
        if mask == "00FFFFFF" and not device.startswith(("gh", "docker", "br-", "veth", "t")):
            route = ipaddress.IPv4Address(bytes.fromhex(address)[::-1])
            assert f"{route}/24, to which the host has a route ({device})" in call(f"{route}/25", True)["msg"]
            break
    else:
        pytest.fail("this machine has no /24 to test with")
    assert members(people) == before
    # What the engine itself refuses, it refuses while all is as it was.
    result = call(SECOND.replace("241", "242"), options={"com.docker.network.bridge.enable_icc": "perhaps"})
    assert "so nothing was changed" in result["msg"], result
    assert members(people) == before


def test_an_engine_that_does_not_run_yet_is_looked_at_all_the_same(call: Call) -> None:
    """As on a host where Docker is installed and not started: the addresses of the host count."""
    # The distribution's client, whatever comes first here: each has its own words.
    result = call(check=True, docker_cli=["/usr/bin/docker", "--host=unix:///nowhere/docker.sock"])
    assert result["changed"] is True, result


def test_all_move_with_their_names(call: Call, people: str) -> None:
    assert call()["changed"] is False
    forecast = call(SECOND, check=True)
    assert forecast["changed"] is True
    assert f"recreate the network {people}: subnet {FIRST} -> {SECOND}" in forecast["actions"]
    assert members(people)["ada"][0].startswith("10.223.240.")
    assert call(SECOND)["changed"] is True
    found = members(people)
    assert {part: names for part, (_address, names) in found.items()} == {
        "hub": ["hub"],
        "ada": ["ada"],
        "stranger": ["stranger"],
    }
    assert found["hub"][0] == "10.223.241.2"
    assert found["ada"][0].startswith("10.223.241.")
    assert not exists(f"{people}-moving")
    assert call(SECOND)["changed"] is False
    # Another option with the same addresses: who is there keeps the own.
    assert call(SECOND, mtu=1400)["changed"] is True
    assert members(people)["ada"] == found["ada"]


def test_what_was_interrupted_is_finished(call: Call, people: str, prefix: str) -> None:
    # Everybody in the room, the old network gone: as a run leaves it that was killed there.
    docker("network", "create", "--internal", f"--label=galilean.hub.instance={prefix}", f"{people}-moving")
    for part in ("hub", "ada", "stranger"):
        docker("network", "connect", f"--alias={part}", f"{people}-moving", f"{prefix}-{part}")
        docker("network", "disconnect", people, f"{prefix}-{part}")
    docker("network", "rm", people)
    assert call(SECOND)["changed"] is True
    assert sorted(members(people)) == ["ada", "hub", "stranger"]
    assert members(people)["ada"][1] == ["ada"]
    assert not exists(f"{people}-moving")
    # As versions did that removed the network and failed: nobody is anywhere.
    for part in ("hub", "ada"):
        docker("network", "disconnect", people, f"{prefix}-{part}")
    result = call(SECOND)
    assert sorted(result["actions"]) == [f"put {prefix}-ada into {people}", f"put {prefix}-hub into {people}"]
    assert members(people)["hub"] == ("10.223.241.2", ["hub"])
    assert call(SECOND)["changed"] is False


def test_a_network_of_somebody_else_is_left_alone(call: Call, net: str) -> None:
    docker("network", "create", net)
    assert "is not the instance's own" in call()["msg"]
    assert exists(net)
