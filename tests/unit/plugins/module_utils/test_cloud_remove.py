# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What goes when a deployment or its servers go, and what stays."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.cloud import found as f
from ansible_collections.galilean.hub.plugins.module_utils.cloud.remove import plan_removal, without_servers
from ansible_collections.galilean.hub.plugins.module_utils.cloud.wanted import Wanted, WantedServer, mark_of

COMMON = "galilean-arcetri"
WANTED = Wanted("mycloud", "arcetri", (WantedServer("hub", "", "m1", volume_gib=10),))
MARK = mark_of("arcetri")
FOUND = f.Found(
    flavors=(f.FoundFlavor("f-1", "m1", vcpus=4, ram=8192),),
    networks=(
        f.FoundNetwork("n-0", "public", external=True),
        f.FoundNetwork("n-1", COMMON, True),
        f.FoundNetwork("n-2", COMMON),
    ),
    subnets=(f.Thing("u-1", COMMON, True),),
    routers=(f.FoundRouter("r-1", COMMON, True, ("u-1",)), f.FoundRouter("r-2", "campus")),
    security_groups=(f.FoundGroup("g-0", "default"), f.FoundGroup("g-1", COMMON, True)),
    key_pair=f.FoundKeyPair(COMMON, "ssh-rsa x"),
    server_groups=(f.FoundServerGroup("o-1", COMMON, True),),
    ports=(f.FoundPort("p-1", f"{COMMON}-hub", True), f.FoundPort("p-2", f"{COMMON}-old", True)),
    addresses=(
        f.FoundAddress("a-1", "192.0.2.17", f"{MARK} hub"),
        f.FoundAddress("a-2", "192.0.2.18", f"{mark_of('arcetri-two')} hub"),
        f.FoundAddress("a-3", "192.0.2.19", ""),
    ),
    volumes=(
        f.FoundVolume("v-1", "hub-data", True, 10, "in-use", ("s-1",)),
        f.FoundVolume("v-2", "old-data", True, 20, "available"),
        f.FoundVolume("v-3", "scratch", False, 5, "in-use", ("s-1",)),
        f.FoundVolume("v-4", "lab-data", False, 5, "in-use", ("s-3",)),
    ),
    servers=(
        f.FoundServer("s-1", "hub", True, "ACTIVE", "m1"),
        f.FoundServer("s-2", "old", True, "ERROR", "m1"),
        f.FoundServer("s-3", "lab", False, "ACTIVE", "m1"),
        f.FoundServer("s-4", "hub", False, "ACTIVE", "m1"),
    ),
    quota=(
        ("instances", f.Usage(4, 4)),
        ("cores", f.Usage(-1, 16)),
        ("ram", f.Usage(32768, 8000)),
        ("ports", f.Usage(9, 9)),
    ),
)
ALL = [
    "remove server hub",
    "remove server old",
    f"remove port {COMMON}-hub",
    f"remove port {COMMON}-old",
    f"remove router {COMMON}",
    f"remove network {COMMON}",
    f"remove security group {COMMON}",
    f"remove server group {COMMON}",
    f"remove key pair {COMMON}",
]


def test_data_and_addresses_stay_unless_told_otherwise() -> None:
    plan = plan_removal(WANTED, FOUND, False, False, False)
    assert [str(step) for step in plan.steps] == ALL
    assert plan.left == [
        "floating IP 192.0.2.17 (teardown_release_addresses=true releases it)",
        "volume hub-data, 10 GiB (teardown_delete_data=true deletes it)",
        "volume old-data, 20 GiB (teardown_delete_data=true deletes it)",
    ]


def test_all_of_it_goes_and_nothing_of_others() -> None:
    plan = plan_removal(WANTED, FOUND, False, True, True)
    assert plan.left == []
    assert [str(step) for step in plan.steps if str(step) not in ALL] == [
        "remove floating IP 192.0.2.17",
        "remove volume hub-data (10 GiB)",
        "remove volume old-data (20 GiB)",
    ]
    assert {str(step) for step in plan.steps} > set(ALL)
    # What uses others goes before them.
    kinds = [step.kind for step in plan.steps]
    assert kinds.index("server") < kinds.index("port") < kinds.index("router") < kinds.index("network")
    assert kinds.index("server") < kinds.index("volume")
    assert kinds.index("port") < kinds.index("security group")


def test_a_name_goes_with_its_address() -> None:
    record = f.FoundRecord("r", "hub.example.org", True, "z", ("192.0.2.17",))
    kept = plan_removal(WANTED, FOUND, False, False, False, [record])
    assert kept.left[0] == "DNS record hub.example.org (it goes with its floating IP)"
    gone = plan_removal(WANTED, FOUND, False, False, True, [record])
    shown = [str(step) for step in gone.steps]
    assert shown.index("remove DNS record hub.example.org") < shown.index("remove floating IP 192.0.2.17")


@pytest.mark.parametrize(("volumes", "addresses"), [(False, False), (True, True)])
def test_servers_only(volumes: bool, addresses: bool) -> None:
    plan = plan_removal(WANTED, FOUND, True, volumes, addresses)
    assert [(str(step), step.server) for step in plan.steps] == [("remove server hub", "hub")]
    assert plan.left == []


def test_nothing_is_there() -> None:
    others = f.Found(
        networks=FOUND.networks[2:],
        volumes=FOUND.volumes[2:],
        servers=FOUND.servers[2:],
        addresses=FOUND.addresses[1:],
    )
    plan = plan_removal(WANTED, others, False, True, True)
    assert (plan.steps, plan.left) == ([], [])


def test_a_project_without_its_servers() -> None:
    after = without_servers(WANTED, FOUND)
    assert [server.id for server in after.servers] == ["s-2", "s-3", "s-4"]
    assert after.usage() == {
        "instances": f.Usage(4, 3),
        "cores": f.Usage(-1, 12),
        # What the cloud says is not always exact, and never less than nothing.
        "ram": f.Usage(32768, 0),
        "ports": f.Usage(9, 9),
    }
    ours, *others = after.volumes
    assert (ours.status, ours.servers) == ("available", ())
    assert others == list(FOUND.volumes[1:])
    assert (
        dataclasses.replace(after, servers=FOUND.servers, volumes=FOUND.volumes, quota=FOUND.quota) == FOUND
    )


def test_a_volume_that_another_server_has_as_well_stays_with_that() -> None:
    shared = dataclasses.replace(FOUND.volumes[0], servers=("s-1", "s-3"))
    (volume,) = without_servers(WANTED, dataclasses.replace(FOUND, volumes=(shared,))).volumes
    assert (volume.status, volume.servers) == ("in-use", ("s-3",))


def test_a_flavor_that_is_no_more_frees_a_server() -> None:
    after = without_servers(WANTED, dataclasses.replace(FOUND, flavors=()))
    assert after.usage()["instances"].used == 3
    assert after.usage()["cores"].used == 16


def test_what_the_cloud_does_not_tell_is_not_made_up() -> None:
    assert without_servers(WANTED, dataclasses.replace(FOUND, quota=())).quota == ()
