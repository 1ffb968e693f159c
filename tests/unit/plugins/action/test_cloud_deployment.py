# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What cloud_deployment reports, without a cloud."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.action import cloud_deployment as a
from ansible_collections.galilean.hub.plugins.module_utils.cloud import found as f
from ansible_collections.galilean.hub.plugins.module_utils.cloud.plan import Step
from ansible_collections.galilean.hub.plugins.module_utils.cloud.wanted import Wanted, WantedServer, mark_of

HUB = WantedServer("hub", "Debian 12", "m1", volume_gib=10, dns_name="hub.example.org.")
WANTED = Wanted("mycloud", "arcetri", (HUB,))
SERVER = f.FoundServer("s-1", "hub", True, "ACTIVE")
PORT = f.FoundPort("p-1", "galilean-arcetri-hub", True, "s-1", ("192.168.230.5", "fd00::5"))
ADDRESS = f.FoundAddress("a-1", "192.0.2.17", f"{mark_of('arcetri')} hub", "p-1")
VOLUME = f.FoundVolume("v-1", "hub-data", True, 10)
FOUND = f.Found(servers=(SERVER,), ports=(PORT,), addresses=(ADDRESS,), volumes=(VOLUME,))
FACTS: dict[str, t.Any] = {
    "name": "hub", "id": "s-1", "status": "ACTIVE", "address": "192.0.2.17", "fixed_ip": "192.168.230.5",
    "floating_ip": "192.0.2.17", "volume_id": "v-1", "volume_gib": 10,
}  # fmt: skip
NO_SERVER = {"id": "", "status": "", "address": ""}
NO_PORT = {"fixed_ip": "", "floating_ip": "", "address": ""}
NO_ADDRESS = {"floating_ip": "", "address": "192.168.230.5"}
NO_VOLUME = {"volume_id": "", "volume_gib": 0}


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ({}, {}),
        ({"servers": ()}, NO_SERVER),
        ({"servers": (dataclasses.replace(SERVER, ours=False),)}, NO_SERVER),
        ({"ports": ()}, NO_PORT),
        ({"ports": (dataclasses.replace(PORT, addresses=()),)}, {"fixed_ip": ""}),
        ({"addresses": ()}, NO_ADDRESS),
        # Kept for it, and not there yet, or somewhere else.
        ({"addresses": (dataclasses.replace(ADDRESS, port=""),)}, NO_ADDRESS),
        ({"addresses": (dataclasses.replace(ADDRESS, port="p-2"),)}, NO_ADDRESS),
        ({"addresses": (dataclasses.replace(ADDRESS, description=f"{ADDRESS.description}2"),)}, NO_ADDRESS),
        ({"volumes": ()}, NO_VOLUME),
        ({"volumes": (dataclasses.replace(VOLUME, ours=False),)}, NO_VOLUME),
        ({"servers": (), "ports": (), "addresses": (), "volumes": ()}, {**NO_SERVER, **NO_PORT, **NO_VOLUME}),
    ],
)
def test_facts(there: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
    assert a.facts_of(WANTED, dataclasses.replace(FOUND, **there)) == [{**FACTS, **expected}]


def test_a_server_that_has_no_floating_ip_is_reached_by_its_own() -> None:
    want = dataclasses.replace(WANTED, servers=(dataclasses.replace(HUB, floating_ip="none", volume_gib=0),))
    assert a.facts_of(want, FOUND) == [{**FACTS, **NO_ADDRESS, **NO_VOLUME}]


@pytest.mark.parametrize(
    ("facts", "hosts"),
    [
        ({}, ["192.0.2.17", "hub.example.org"]),
        ({"address": "192.168.230.5"}, ["192.168.230.5", "hub.example.org"]),
        ({"address": ""}, None),
        ({"id": ""}, None),
    ],
)
def test_pins_are_of_servers_that_exist(facts: dict[str, t.Any], hosts: list[str] | None) -> None:
    expected = [] if hosts is None else [{"id": "s-1", "name": "hub", "hosts": hosts}]
    assert a.pins_of(WANTED, [{**FACTS, **facts}]) == expected


def test_a_server_without_a_name_is_known_by_its_address() -> None:
    want = dataclasses.replace(WANTED, servers=(dataclasses.replace(HUB, dns_name=""),))
    assert a.pins_of(want, [FACTS])[0]["hosts"] == ["192.0.2.17"]


CREATE, REMOVE = Step("create", "volume", "hub-data", "hub", "10 GiB"), Step("remove", "server", "hub", "hub")


@pytest.mark.parametrize(
    ("steps", "before", "after"),
    [
        ([], "", ""),
        ([CREATE], "", "create volume hub-data (10 GiB)\n"),
        ([REMOVE], "remove server hub\n", ""),
        ([REMOVE, CREATE, CREATE], "remove server hub\n", "create volume hub-data (10 GiB)\n" * 2),
    ],
)
def test_a_diff_shows_every_step(steps: list[Step], before: str, after: str) -> None:
    made = a.diff_of(steps)
    assert (made["before"], made["after"]) == (before, after)


@pytest.mark.parametrize("steps", [[], [CREATE, REMOVE]])
def test_a_report(steps: list[Step]) -> None:
    made = a.report(WANTED, FOUND, steps)
    assert made["changed"] is bool(steps)
    assert made["actions"] == [str(step) for step in steps]
    assert made["servers"] == [FACTS]
    assert made["pins"] == a.pins_of(WANTED, [FACTS])
    assert made["diff"] == a.diff_of(steps)
