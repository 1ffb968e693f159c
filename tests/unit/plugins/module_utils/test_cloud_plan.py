# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What is to be done on a cloud, from what shall be and what is there."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.cloud import found as f
from ansible_collections.galilean.hub.plugins.module_utils.cloud import plan as p
from ansible_collections.galilean.hub.plugins.module_utils.cloud import wanted as w

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA"
COMMON = "galilean-arcetri"
SSH = w.Rule("192.0.2.0/24", "tcp", 22, 22)
HUB = w.WantedServer("hub", "Debian 12", "m1.large", volume_gib=200)
WANTED = w.Wanted("mycloud", "arcetri", (HUB,), f"{KEY} ada", (SSH,))
MARK = WANTED.mark

# A cloud before the first run.
EMPTY = f.Found(
    images=(f.FoundImage("i-12", "Debian 12", min_disk=5, min_ram=512), f.FoundImage("i-13", "Debian 13")),
    flavors=(
        f.FoundFlavor("f-1", "m1.large", vcpus=4, ram=8192, disk=80),
        f.FoundFlavor("f-0", "m1.diskless", vcpus=4, ram=8192),
    ),
    networks=(f.FoundNetwork("n-ext", "public", external=True),),
    quota=tuple(
        {
            "instances": f.Usage(1, 0),
            "cores": f.Usage(4, 0),
            "ram": f.Usage(8192, 0),
            "volumes": f.Usage(1, 0),
            "gigabytes": f.Usage(200, 0),
            "floatingip": f.Usage(1, 0),
            "port": f.Usage(1, 0),
            "network": f.Usage(1, 0),
            "subnet": f.Usage(1, 0),
            "router": f.Usage(1, 0),
            "security_group": f.Usage(2, 1),
            "security_group_rule": f.Usage(-1, 7),
        }.items()
    ),
)
# The same after it.
SERVER = f.FoundServer(
    "s-1",
    "hub",
    True,
    "ACTIVE",
    "m1.large",
    "i-12",
    metadata=((w.METADATA_KEY, "arcetri"),),
    volumes=("v-1",),
)
VOLUME = f.FoundVolume("v-1", "hub-data", True, 200, "in-use", ("s-1",))
PORT = f.FoundPort("p-1", f"{COMMON}-hub", True, "s-1", ("192.168.230.5",), ("g-1",), "n-1")
ADDRESS = f.FoundAddress("a-1", "192.0.2.17", f"{MARK} hub", "p-1", "n-ext")
DONE = dataclasses.replace(
    EMPTY,
    networks=(*EMPTY.networks, f.FoundNetwork("n-1", COMMON, True, subnets=("u-1",))),
    subnets=(f.Thing("u-1", COMMON, True),),
    routers=(f.FoundRouter("r-1", COMMON, True, ("u-1",), "n-ext"),),
    security_groups=(f.FoundGroup("g-0", "default"), f.FoundGroup("g-1", COMMON, True, (("x-1", SSH),))),
    key_pair=f.FoundKeyPair(COMMON, KEY),
    ports=(PORT,),
    addresses=(ADDRESS,),
    volumes=(VOLUME,),
    servers=(SERVER,),
    quota=tuple((key, f.Usage(usage.limit, usage.limit)) for key, usage in EMPTY.quota),
)


def empty(**changes: t.Any) -> f.Found:
    return dataclasses.replace(EMPTY, **changes)


def done(**changes: t.Any) -> f.Found:
    return dataclasses.replace(DONE, **changes)


def wanted(**changes: t.Any) -> w.Wanted:
    """The deployment, with other settings of it or of its server."""
    own = {key: changes.pop(key) for key in list(changes) if key in w.WantedServer.__dataclass_fields__}
    return dataclasses.replace(WANTED, servers=(dataclasses.replace(HUB, **own),), **changes)


def steps(found: f.Found, want: w.Wanted = WANTED) -> list[str]:
    """What is to be done, where nothing is in the way."""
    plan = p.make_plan(want, found)
    assert plan.problems == []
    return [str(step) for step in plan.steps]


def problems(found: f.Found, want: w.Wanted = WANTED) -> list[str]:
    return p.make_plan(want, found).problems


def test_the_first_run() -> None:
    assert steps(EMPTY) == [
        "create floating IP of hub",
        f"create key pair {COMMON}",
        f"create security group {COMMON} (tcp 22 from 192.0.2.0/24)",
        f"create network {COMMON}",
        f"create subnet {COMMON} (192.168.230.0/24)",
        f"create router {COMMON}",
        "create volume hub-data (200 GiB)",
        f"create port {COMMON}-hub",
        "create server hub (m1.large, Debian 12)",
        "attach floating IP a new one (to hub)",
    ]


def test_the_second_run_does_nothing() -> None:
    # Although every quota is used up.
    plan = p.make_plan(WANTED, DONE)
    assert (plan.steps, plan.problems, plan.warnings) == ([], [], [])


@pytest.mark.parametrize("key", [key for key, usage in EMPTY.quota if usage.limit > 0])
def test_a_quota_that_is_too_small_by_one(key: str) -> None:
    quota = {**EMPTY.usage(), key: f.Usage(EMPTY.usage()[key].limit, EMPTY.usage()[key].used + 1)}
    (sentence,) = problems(empty(quota=tuple(quota.items())))
    assert sentence.startswith(f"The project's quota is too small: it allows {quota[key].limit} ")


def test_quotas_count_what_all_servers_need() -> None:
    two = dataclasses.replace(WANTED, servers=(HUB, dataclasses.replace(HUB, name="two")))
    assert len(problems(EMPTY, two)) == 7, "all but what they share"


def test_has_tells_whose_step_it_is() -> None:
    plan = p.make_plan(WANTED, EMPTY)
    assert plan.has("create", "server", "hub")
    assert plan.has("create", "network")
    assert not plan.has("create", "server")
    assert not plan.has("create", "network", "hub")
    assert not plan.has("remove", "server", "hub")


# --- Names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "ids"), [("hub", ["1", "2"]), ("1", ["1"]), ("3", ["3"]), ("Hub", []), ("", []), ("hu", [])]
)
def test_by_name_or_by_id(name: str, ids: list[str]) -> None:
    # One is called as another one's id is: the id counts.
    things = [f.Thing("1", "hub"), f.Thing("2", "hub"), f.Thing("3", "1")]
    assert [thing.id for thing in p.called(things, name)] == ids


@pytest.mark.parametrize(
    ("kind", "there"),
    [
        ("security group", {"security_groups": (f.FoundGroup("g", COMMON, False, (("x", SSH),)),)}),
        ("network", {"networks": (*EMPTY.networks, f.FoundNetwork("n", COMMON))}),
        ("subnet", {"subnets": (f.Thing("u", COMMON),)}),
        ("router", {"routers": (f.FoundRouter("r", COMMON),)}),
        ("server", {"servers": (dataclasses.replace(SERVER, ours=False),)}),
        ("volume", {"volumes": (f.FoundVolume("v", "hub-data", size=200, status="available"),)}),
    ],
)
def test_what_somebody_else_made_is_not_touched(kind: str, there: dict[str, t.Any]) -> None:
    plan = p.make_plan(WANTED, empty(**there))
    (sentence,) = plan.problems
    name = {"server": "hub", "volume": "hub-data"}.get(kind, COMMON)
    assert sentence.startswith(f"The project already has a {kind} {name} that this deployment did not make: ")
    assert not plan.has("create", kind, "hub" if kind in ("server", "volume") else "")
    assert not plan.has("change", kind)


@pytest.mark.parametrize("field", ["security_groups", "networks", "subnets", "routers", "servers", "volumes"])
def test_a_namesake_beside_ours_does_not_matter(field: str) -> None:
    there = getattr(DONE, field)
    theirs = [dataclasses.replace(one, id=f"not-{one.id}", ours=False) for one in there if one.ours]
    more: dict[str, t.Any] = {field: (*theirs, *there)}
    assert steps(done(**more)) == []


# --- What servers share -------------------------------------------------------------------------------------


def test_server_groups() -> None:
    want = wanted(server_group_policy="anti-affinity")
    assert steps(DONE, want) == [f"create server group {COMMON} (anti-affinity)"]
    group = f.FoundServerGroup("o-1", COMMON, True, "anti-affinity")
    assert steps(done(server_groups=(group,)), want) == []
    plan = p.make_plan(want, done(server_groups=(dataclasses.replace(group, policy="affinity"),)))
    assert plan.steps == []
    assert "has the policy affinity, and the settings say anti-affinity" in plan.warnings[0]


LAN = f.FoundNetwork("n-lan", "lan", subnets=("u-lan",))


@pytest.mark.parametrize("name", ["lan", "n-lan"])
def test_a_network_that_is_there(name: str) -> None:
    found = empty(networks=(*EMPTY.networks, LAN))
    assert [
        step for step in steps(found, wanted(network=name)) if "network" in step or "router" in step
    ] == []


@pytest.mark.parametrize(
    ("networks", "sentence"),
    [
        ((), "network is 'lan', which the cloud does not have: its networks are public."),
        (
            (LAN, dataclasses.replace(LAN, id="n-2")),
            "network is 'lan', and the cloud has 2 networks of this name: give the id (n-lan, n-2).",
        ),
        (
            (dataclasses.replace(LAN, subnets=()),),
            "network is 'lan', which has no subnet: add one, or name another network.",
        ),
    ],
)
def test_a_network_that_cannot_be_used(networks: tuple[f.FoundNetwork, ...], sentence: str) -> None:
    found = empty(networks=(*EMPTY.networks, *networks))
    assert problems(found, wanted(network="lan")) == [sentence]


# --- Floating IPs -------------------------------------------------------------------------------------------

EXTERNAL = (f.FoundNetwork("n-a", "campus", external=True), f.FoundNetwork("n-b", "world", external=True))


@pytest.mark.parametrize(
    ("networks", "setting", "expected"),
    [
        (EXTERNAL[:1], "", "n-a"),
        (EXTERNAL, "world", "n-b"),
        (EXTERNAL, "n-a", "n-a"),
        (EXTERNAL, "", "external_network is not set, and the cloud has several (campus, world)"),
        (
            EXTERNAL,
            "wordl",
            "external_network is 'wordl', which the cloud does not have: it has campus, world.",
        ),
        (EXTERNAL[:1], "lan", "external_network is 'lan', which the cloud does not have"),
        ((LAN,), "", "The cloud shows no external network"),
    ],
)
def test_external_networks(networks: tuple[f.FoundNetwork, ...], setting: str, expected: str) -> None:
    found = empty(networks=(LAN, *networks))
    network, sentence = p.external_network(wanted(external_network=setting), found)
    assert (network or sentence).startswith(expected)
    assert bool(network) is not bool(sentence)
    assert problems(found, wanted(external_network=setting)) == ([sentence] if sentence else [])


def test_no_external_network_is_needed() -> None:
    found = empty(networks=(LAN,))
    assert "floating IP" not in " ".join(steps(found, wanted(network="lan", floating_ip="none")))


def test_an_address_is_kept_for_its_server() -> None:
    free = dataclasses.replace(ADDRESS, port="")
    found = empty(addresses=(free,), quota=(("floatingip", f.Usage(1, 1)),))
    made = steps(found)
    assert "create floating IP of hub" not in made
    assert made[-1] == "attach floating IP 192.0.2.17 (to hub)"
    # That of another server of the deployment is none of ours.
    other = dataclasses.replace(free, description=f"{MARK} hub2")
    assert "create floating IP of hub" in steps(empty(addresses=(other,)))


def test_an_address_that_the_project_has() -> None:
    free = f.FoundAddress("a-2", "192.0.2.99", "of ada")
    want = wanted(floating_ip="192.0.2.99")
    assert steps(empty(addresses=(free,)), want)[-1] == "attach floating IP 192.0.2.99 (to hub)"
    (sentence,) = problems(empty(addresses=(ADDRESS,)), want)
    assert sentence.startswith(
        "Server hub has floating_ip 192.0.2.99, which is not allocated to the project (it has 192.0.2.17)"
    )


@pytest.mark.parametrize("there", [EMPTY, DONE])
def test_an_address_in_use_is_not_taken_away(there: f.Found) -> None:
    found = dataclasses.replace(there, addresses=(dataclasses.replace(ADDRESS, port="p-other"),))
    (sentence,) = problems(found)
    assert sentence.startswith(
        "The floating IP 192.0.2.17 of server hub is in use by another port (p-other): disassociate it"
    )


# --- A new server -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "what", "there"),
    [
        ({"image": "Debian 11"}, "image is 'Debian 11'", "its images are Debian 12, Debian 13"),
        ({"flavor": "m2"}, "flavor is 'm2'", "its flavors are m1.diskless, m1.large"),
        ({"security_groups": ("x",)}, "security_groups is 'x'", "its security groups are none"),
        ({"availability_zone": "west"}, "availability_zone is 'west'", "it has east, north"),
        ({"volume_type": "fast"}, "volume_type is 'fast'", "it has ssd, tape"),
        (
            {"boot_volume_gib": 20, "volume_gib": 0, "boot_volume_type": "fast"},
            "boot_volume_type is 'fast'",
            "it has ssd, tape",
        ),
    ],
)
def test_what_the_cloud_does_not_have(changes: dict[str, t.Any], what: str, there: str) -> None:
    found = empty(zones=("north", "east"), volume_types=("tape", "ssd"))
    sentence = f"Server hub: {what}, which the cloud does not have: {there}."
    assert problems(found, wanted(**changes)) == [sentence]


def test_what_the_cloud_does_not_tell_is_left_to_it() -> None:
    assert problems(EMPTY, wanted(availability_zone="west", volume_type="fast")) == []


def test_two_images_of_one_name() -> None:
    twin = dataclasses.replace(EMPTY.images[0], id="i-old")
    found = empty(images=(*EMPTY.images, twin))
    assert problems(found) == [
        "Server hub: image is 'Debian 12', and the cloud has 2 images of this name: give the id "
        "(i-12, i-old)."
    ]
    assert problems(found, wanted(image="i-old")) == []


@pytest.mark.parametrize(
    ("disk", "boot", "enough"),
    [(5, 0, True), (4, 0, False), (0, 0, True), (4, 5, True), (80, 4, False), (0, 4, False)],
)
def test_room_for_the_image(disk: int, boot: int, enough: bool) -> None:
    flavor = dataclasses.replace(EMPTY.flavors[0], disk=disk)
    found = empty(flavors=(flavor,))
    sentences = problems(found, wanted(boot_volume_gib=boot, volume_gib=0))
    fix = "and image Debian 12 needs 5: choose a larger one, or set boot_volume_gib."
    assert [sentence.endswith(fix) for sentence in sentences] == ([] if enough else [True])


def test_memory_for_the_image() -> None:
    for ram, said in ((512, []), (511, ["has 511 MiB of memory, and image Debian 12 needs 512: choose a"])):
        flavor = dataclasses.replace(EMPTY.flavors[0], ram=ram)
        sentences = problems(empty(flavors=(flavor,)))
        assert [sentence.partition("m1.large ")[2][:-12] for sentence in sentences] == said


def test_boot_volumes_count_as_volumes() -> None:
    sentences = problems(EMPTY, wanted(boot_volume_gib=20))
    assert [sentence.partition(" more ")[0] for sentence in sentences] == [
        "The project's quota is too small: it allows 1 volumes, 0 are in use, and 2",
        "The project's quota is too small: it allows 200 GiB in volumes, 0 are in use, and 220",
    ]


# --- A server that is there ---------------------------------------------------------------------------------


def with_volume(**changes: t.Any) -> f.Found:
    return done(volumes=(dataclasses.replace(VOLUME, **changes),))


def with_server(**changes: t.Any) -> f.Found:
    return done(servers=(dataclasses.replace(SERVER, **changes),))


def test_a_server_that_never_ran_is_made_anew() -> None:
    # Its quota is in use already, its volume may still hang on it.
    found = with_server(status="ERROR", launched=False, fault="No valid host was found")
    assert steps(found) == [
        "remove server hub (it never ran: No valid host was found)",
        "create server hub (m1.large, Debian 12)",
    ]
    assert "(it never ran: no reason given)" in steps(with_server(status="ERROR", launched=False))[0]


def test_a_server_that_never_ran_needs_an_image_that_is_there() -> None:
    found = with_server(status="ERROR", launched=False)
    assert problems(dataclasses.replace(found, images=())) == [
        "Server hub: image is 'Debian 12', which the cloud does not have: its images are none."
    ]


@pytest.mark.parametrize("status", ["ERROR", "RESCUE", "SHELVED_OFFLOADED", "SOFT_DELETED", "UNKNOWN"])
def test_a_server_that_ran_is_never_removed(status: str) -> None:
    plan = p.make_plan(WANTED, with_server(status=status, fault="disk is full"))
    assert plan.problems == [
        f"Server hub is in the state {status}: disk is full: repair it with the cloud's tools, or "
        "rebuild it with playbooks/rebuild.yml."
    ]
    assert not plan.has("remove", "server", "hub")
    assert not plan.has("create", "server", "hub")


@pytest.mark.parametrize("flavor", ["m1.large", "f-1"])
@pytest.mark.parametrize("setting", ["m1.large", "f-1"])
def test_a_flavor_by_name_or_id(flavor: str, setting: str) -> None:
    assert p.make_plan(wanted(flavor=setting), with_server(flavor=flavor)).warnings == []


def test_what_cannot_be_changed_is_said() -> None:
    plan = p.make_plan(wanted(flavor="m1.diskless"), DONE)
    assert (plan.steps, plan.problems) == ([], [])
    assert plan.warnings[0].startswith(
        "Server hub has the flavor m1.large, but the settings have m1.diskless"
    )
    # The image is looked at only when a server is made.
    assert steps(done(images=()), wanted(image="gone")) == []


def test_metadata_is_added_and_that_of_others_stays() -> None:
    want = wanted(metadata=(("unit", "7"),))
    mark = (w.METADATA_KEY, "arcetri")
    assert steps(with_server(metadata=(mark, ("other", "x"))), want) == ["change metadata of hub (unit=7)"]
    assert steps(with_server(metadata=(mark, ("other", "x"), ("unit", "7"))), want) == []
    assert p.metadata_of(WANTED, w.WantedServer("hub", "", "", metadata=((w.METADATA_KEY, "x"),))) == dict(
        [mark]
    )


# --- What has changed ---------------------------------------------------------------------------------------

ODD_RULES = dataclasses.replace(DONE.security_groups[1], rules=(("x-2", w.Rule("0.0.0.0/0", "any", 0, 0)),))
WITH_MONITORING = done(security_groups=(*DONE.security_groups, f.FoundGroup("g-2", "monitoring")))
BOTH_GROUPS = (dataclasses.replace(PORT, security_groups=("g-2", "g-1")),)
CHANGE_OF_PORT = f"change port {COMMON}-hub (security groups)"


def with_router(*subnets: str) -> f.Found:
    return done(routers=(dataclasses.replace(DONE.routers[0], subnets=subnets),))


CHANGES: dict[str, tuple[f.Found, w.Wanted, list[str]]] = {
    "the same key": (done(key_pair=f.FoundKeyPair(COMMON, f"{KEY} other comment\n")), WANTED, []),
    "another key": (
        done(key_pair=f.FoundKeyPair(COMMON, f"{KEY}BBBB")),
        WANTED,
        [f"replace key pair {COMMON} (another public key; for servers made from now on)"],
    ),
    "rules": (
        done(security_groups=(ODD_RULES,)),
        WANTED,
        [f"change security group {COMMON} (+ tcp 22 from 192.0.2.0/24, - any 0 from 0.0.0.0/0)"],
    ),
    "router without a subnet": (with_router(), WANTED, [f"attach router {COMMON} (to subnet {COMMON})"]),
    "router at another": (with_router("u-other"), WANTED, [f"attach router {COMMON} (to subnet {COMMON})"]),
    **{
        f"server is {status}": (with_server(status=status), WANTED, [f"start server hub (it is {status})"])
        for status in ("SHUTOFF", "PAUSED", "SUSPENDED")
    },
    **{
        f"server is under way: {status}": (with_server(status=status, launched=False), WANTED, [])
        for status in ("BUILD", "REBOOT", "HARD_REBOOT")
    },
    "free volume": (
        with_volume(servers=(), status="available"),
        WANTED,
        ["attach volume hub-data (to hub)"],
    ),
    "a volume later": (
        done(volumes=(), quota=()),
        WANTED,
        ["create volume hub-data (200 GiB)", "attach volume hub-data (to hub)"],
    ),
    "no volume any more": (DONE, wanted(volume_gib=0), []),
    "a group more": (WITH_MONITORING, wanted(security_groups=("monitoring",)), [CHANGE_OF_PORT]),
    "a group by its id": (WITH_MONITORING, wanted(security_groups=("g-2",)), [CHANGE_OF_PORT]),
    "both groups": (
        dataclasses.replace(WITH_MONITORING, ports=BOTH_GROUPS),
        wanted(security_groups=("monitoring",)),
        [],
    ),
    "a group less": (dataclasses.replace(WITH_MONITORING, ports=BOTH_GROUPS), WANTED, [CHANGE_OF_PORT]),
    "a group made anew": (
        done(security_groups=(), quota=()),
        WANTED,
        [f"create security group {COMMON} (tcp 22 from 192.0.2.0/24)", CHANGE_OF_PORT],
    ),
}


@pytest.mark.parametrize(("found", "want", "expected"), CHANGES.values(), ids=CHANGES)
def test_changes(found: f.Found, want: w.Wanted, expected: list[str]) -> None:
    assert steps(found, want) == expected


# --- Data volumes -------------------------------------------------------------------------------------------


def test_a_volume_that_is_attached_elsewhere_stays_there() -> None:
    other = f.FoundServer("s-2", "lab", False, "ACTIVE")
    found = dataclasses.replace(with_volume(servers=("s-2",)), servers=(SERVER, other))
    for there in (found, dataclasses.replace(found, servers=(other,))):
        assert problems(dataclasses.replace(there, quota=())) == [
            "The data volume hub-data is attached to lab: detach it there before hub can have it."
        ]
    # Also when we have it, too, and when nothing is known of the other one.
    assert "is attached to s-9: detach" in problems(with_volume(servers=("s-1", "s-9")))[0]


def test_a_volume_waits_for_its_new_server() -> None:
    free = dataclasses.replace(VOLUME, servers=(), status="available")
    made = steps(empty(volumes=(free,), quota=(("gigabytes", f.Usage(200, 200)),)))
    assert [step for step in made if "volume" in step] == []
    assert "create server hub (m1.large, Debian 12)" in made


def test_a_volume_grows_and_does_not_shrink() -> None:
    grown = done(quota=(("gigabytes", f.Usage(250, 200)),))
    assert steps(grown, wanted(volume_gib=250)) == ["grow volume hub-data (200 to 250 GiB)"]
    assert "and 51 more are asked for" in problems(grown, wanted(volume_gib=251))[0]
    plan = p.make_plan(wanted(volume_gib=199), DONE)
    assert plan.problems == [
        "Server hub: volume_gib is 199, and the volume hub-data has 200: a volume cannot shrink, "
        "set 200 or more."
    ]
    assert plan.steps == []


@pytest.mark.parametrize("status", ["in-use", "creating", "reserved", "detaching", "extending"])
def test_states_of_volumes_that_are_fine(status: str) -> None:
    assert problems(with_volume(status=status)) == []


@pytest.mark.parametrize("status", ["error", "error_extending", "maintenance", "deleting"])
def test_states_of_volumes_that_are_not(status: str) -> None:
    sentence = f"The data volume hub-data is in the state {status}: the cloud's administrators can reset it."
    assert problems(with_volume(status=status)) == [sentence]


@pytest.mark.parametrize("order", [1, -1])
def test_two_data_volumes_of_one_name(order: int) -> None:
    # A backup that was restored has name and metadata of the original: nobody can tell which one is meant.
    copy = dataclasses.replace(VOLUME, id="v-2", status="available", servers=())
    found = done(volumes=(VOLUME, copy)[::order])
    ids = "v-1, v-2" if order > 0 else "v-2, v-1"
    assert problems(found) == [
        f"The deployment has 2 data volumes called hub-data ({ids}): rename or remove the wrong ones."
    ]


# --- Ports and names ----------------------------------------------------------------------------------------


def test_security_groups_are_checked_for_servers_that_are_there() -> None:
    (sentence,) = problems(DONE, wanted(security_groups=("monitorin",)))
    assert sentence.startswith("Server hub: security_groups is 'monitorin', which the cloud does not have")


def test_a_port_on_another_network() -> None:
    plan = p.make_plan(WANTED, done(ports=(dataclasses.replace(PORT, network="n-old"),)))
    assert plan.steps == []
    assert plan.warnings[0].startswith(f"Server hub is on another network than {COMMON}")


ONE, ALL = "hub.example.org", "*.hub.example.org"
RIGHT, WRONG = ("192.0.2.17",), ("192.0.2.1",)


@pytest.mark.parametrize(
    ("wildcard", "records", "expected"),
    [
        (False, {}, [ONE]),
        (False, {ONE: WRONG}, [ONE]),
        (False, {ONE: ("192.0.2.17", "192.0.2.18")}, [ONE]),
        (False, {ONE: RIGHT, "x": ("y",)}, []),
        # With one for all names below.
        (True, {}, [ONE, ALL]),
        (True, {ONE: RIGHT}, [ALL]),
        (True, {ONE: RIGHT, ALL: WRONG}, [ALL]),
        (True, {ALL: RIGHT, ONE: RIGHT}, []),
    ],
)
def test_dns_records(wildcard: bool, records: dict[str, tuple[str, ...]], expected: list[str]) -> None:
    there = tuple(f.FoundRecord(name, name, True, "z", addresses) for name, addresses in records.items())
    found = done(has_dns=True, records=there)
    assert steps(found, wanted(dns_name="hub.example.org.", dns_wildcard=wildcard)) == [
        f"set DNS record {name}" for name in expected
    ]


def test_a_record_of_somebody_else() -> None:
    theirs = f.FoundRecord("r", "hub.example.org", False, "z", ("192.0.2.99",))
    plan = p.make_plan(wanted(dns_name="hub.example.org"), done(has_dns=True, records=(theirs,)))
    assert plan.steps == []
    assert plan.problems == [
        "The name hub.example.org of server hub has an address record that this deployment did not make "
        "(192.0.2.99): remove that, or set dns_name to another name."
    ]


def test_no_record_can_be_made() -> None:
    plan = p.make_plan(wanted(dns_name="hub.example.org"), DONE)
    assert plan.steps == []
    assert "the cloud has no DNS service" in plan.warnings[0]
    # Without a floating IP there is nothing that it could lead to, in no run.
    found = done(has_dns=True)
    plan = p.make_plan(wanted(dns_name="hub.example.org", floating_ip="none"), found)
    assert plan.steps == []
    assert "Server hub has no floating IP, so no record is made for hub.example.org" in plan.warnings[0]
