# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What is to be done on a cloud, from what shall be and what is there.

Pure: the same plan answers check mode, the preflight and the run itself.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.cloud.found import (
    Found,
    FoundAddress,
    FoundPort,
    FoundServer,
    FoundVolume,
    Thing,
)
from ansible_collections.galilean.hub.plugins.module_utils.cloud.quota import Need, shortages
from ansible_collections.galilean.hub.plugins.module_utils.cloud.wanted import (
    AUTO,
    METADATA_KEY,
    NONE,
    Wanted,
    WantedServer,
    is_marked,
)

# Steps of a server in the order in which they are taken; those of the deployment come before.
USABLE = ("ACTIVE", "SHUTOFF", "BUILD", "REBOOT", "HARD_REBOOT", "PAUSED", "SUSPENDED", "VERIFY_RESIZE")


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing to do. verb: create, change, set, grow, replace, attach, start, remove; server: whose it is."""

    verb: str
    kind: str
    name: str
    server: str = ""
    detail: str = ""
    id: str = ""

    def __str__(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.verb} {self.kind} {self.name}{detail}"


@dataclasses.dataclass
class Plan:
    """problems: nothing may be done; warnings: the operator should know; steps: what is to be done."""

    problems: list[str] = dataclasses.field(default_factory=list)
    warnings: list[str] = dataclasses.field(default_factory=list)
    steps: list[Step] = dataclasses.field(default_factory=list)

    def has(self, verb: str, kind: str, server: str = "") -> bool:
        return any(step.verb == verb and step.kind == kind and step.server == server for step in self.steps)


Named = t.TypeVar("Named", bound=Thing)


def called(things: t.Iterable[Named], name: str) -> list[Named]:
    """Those with a name or an id."""
    found = list(things)
    return [thing for thing in found if thing.id == name] or [thing for thing in found if thing.name == name]


def ours(things: t.Iterable[Named], name: str) -> Named | None:
    """The one of this name that has the deployment's mark."""
    return next((thing for thing in things if thing.ours and thing.name == name), None)


def find_address(wanted: Wanted, server: WantedServer, found: Found) -> FoundAddress | None:
    """The floating IP that a server has, or that is kept for it."""
    if server.floating_ip == NONE:
        return None
    if server.floating_ip != AUTO:
        return next((one for one in found.addresses if one.address == server.floating_ip), None)
    mark = wanted.address_mark(server.name)
    return next((one for one in found.addresses if one.description == mark), None)


def external_network(wanted: Wanted, found: Found) -> tuple[str, str]:
    """The id of the network that floating IPs come from, or a sentence that says why there is none."""
    networks = [one for one in found.networks if one.external]
    if not networks:
        return "", (
            "The cloud shows no external network, so there are no floating IPs: set floating_ip to none, and network to "
            "one that you reach."
        )
    if not wanted.external_network:
        if len(networks) > 1:
            names = ", ".join(sorted(one.name for one in networks))
            return "", f"external_network is not set, and the cloud has several ({names}): say which one."
        return networks[0].id, ""
    named = called(networks, wanted.external_network)
    if not named:
        return "", (
            f"external_network is {wanted.external_network!r}, which the cloud does not have: it has "
            f"{', '.join(sorted(one.name for one in networks))}."
        )
    return named[0].id, ""


def make_plan(wanted: Wanted, found: Found) -> Plan:
    """Compare."""
    plan = Plan()
    need = Need()
    _plan_addresses(wanted, found, plan, need)
    _plan_common(wanted, found, plan, need)
    _plan_network(wanted, found, plan, need)
    for server in wanted.servers:
        _plan_server(wanted, server, found, plan, need)
    plan.problems += shortages(need, found.usage())
    return plan


def _one_of(what: str, option: str, value: str, things: t.Sequence[Named], plan: Plan) -> Named | None:
    """The one thing that a setting names; a sentence in the plan when there is none, or more than one."""
    matching = called(things, value)
    if len(matching) == 1:
        return matching[0]
    if matching:
        ids = ", ".join(thing.id for thing in matching)
        plan.problems.append(
            f"{option} is {value!r}, and the cloud has {len(matching)} {what}s of this name: give the id ({ids})."
        )
    else:
        names = ", ".join(sorted({thing.name for thing in things})[:12]) or "none"
        plan.problems.append(
            f"{option} is {value!r}, which the cloud does not have: its {what}s are {names}."
        )
    return None


def _is_free(what: str, name: str, things: t.Iterable[Thing], advice: str, plan: Plan) -> bool:
    """Whether a name is not taken by something that is not ours; a sentence in the plan when it is."""
    if any(thing.name == name and not thing.ours for thing in things):
        plan.problems.append(
            f"The project already has a {what} {name} that this deployment did not make: {advice}."
        )
        return False
    return True


def _plan_addresses(wanted: Wanted, found: Found, plan: Plan, need: Need) -> None:
    external, sentence = external_network(wanted, found) if wanted.needs_external else ("", "")
    if sentence:
        plan.problems.append(sentence)
    for server in wanted.servers:
        address = find_address(wanted, server, found)
        if server.floating_ip == NONE or address is not None:
            continue
        if server.floating_ip == AUTO:
            if external:
                plan.steps.append(Step("create", "floating IP", f"of {server.name}", server.name))
                need.add("floatingip", 1, "floating IPs")
        else:
            have = ", ".join(sorted(one.address for one in found.addresses)) or "none"
            plan.problems.append(
                f"Server {server.name} has floating_ip {server.floating_ip}, which is not allocated to the project (it has "
                f"{have}): allocate it, or say {AUTO}."
            )


def _plan_common(wanted: Wanted, found: Found, plan: Plan, need: Need) -> None:
    name = wanted.common
    if found.key_pair is None:
        plan.steps.append(Step("create", "key pair", name))
        need.add("key_pairs", 1, "key pairs")
    elif key_of(found.key_pair.public_key) != key_of(wanted.public_key):
        plan.steps.append(
            Step("replace", "key pair", name, detail="another public key; for servers made from now on")
        )
    group = ours(found.security_groups, name)
    if group is None and _is_free("security group", name, found.security_groups, _RENAME, plan):
        plan.steps.append(Step("create", "security group", name, detail=", ".join(map(str, wanted.rules))))
        need.add("security_group", 1, "security groups")
        need.add("security_group_rule", len(wanted.rules) + 2, "security group rules")
    elif group is not None:
        there = {rule for _id, rule in group.rules}
        changes = [f"+ {rule}" for rule in wanted.rules if rule not in there]
        changes += [f"- {rule}" for rule in sorted(there - set(wanted.rules))]
        if changes:
            plan.steps.append(Step("change", "security group", name, detail=", ".join(changes)))
    if wanted.server_group_policy:
        _plan_server_group(wanted, found, plan, need)


_RENAME = "give the deployment another name, or remove that one"


def key_of(text: str) -> str:
    """A public key without its comment."""
    return " ".join(text.split()[:2])


def _plan_server_group(wanted: Wanted, found: Found, plan: Plan, need: Need) -> None:
    group = next(iter(found.server_groups), None)
    if group is None:
        plan.steps.append(Step("create", "server group", wanted.common, detail=wanted.server_group_policy))
        need.add("server_groups", 1, "server groups")
    elif group.policy != wanted.server_group_policy:
        plan.warnings.append(
            f"The server group {group.name} has the policy {group.policy}, and the settings say "
            f"{wanted.server_group_policy}: Nova cannot change it; it takes a teardown and a new run."
        )


def _plan_network(wanted: Wanted, found: Found, plan: Plan, need: Need) -> None:
    if not wanted.own_network:
        inner = [one for one in found.networks if not one.external] + [
            one for one in found.networks if one.external
        ]
        network = _one_of("network", "network", wanted.network, inner, plan)
        if network is not None and not network.subnets:
            plan.problems.append(
                f"network is {wanted.network!r}, which has no subnet: add one, or name another network."
            )
        return
    name = wanted.common
    for kind, key, things in (
        ("network", "network", found.networks),
        ("subnet", "subnet", found.subnets),
        ("router", "router", found.routers),
    ):
        if ours(things, name) is None and _is_free(kind, name, things, _RENAME, plan):
            plan.steps.append(
                Step("create", kind, name, detail=wanted.subnet_cidr if kind == "subnet" else "")
            )
            need.add(key, 1, f"{kind}s")
    router, subnet = ours(found.routers, name), ours(found.subnets, name)
    if router is not None and (subnet is None or subnet.id not in router.subnets):
        plan.steps.append(Step("attach", "router", name, detail=f"to subnet {name}"))


def _plan_server(wanted: Wanted, server: WantedServer, found: Found, plan: Plan, need: Need) -> None:
    there = ours(found.servers, server.name)
    if there is None and not _is_free("server", server.name, found.servers, "give yours another name", plan):
        return
    broken = there is not None and there.status == "ERROR" and not there.launched
    if there is None or broken:
        if there is not None and broken:
            plan.steps.append(
                Step(
                    "remove",
                    "server",
                    server.name,
                    server.name,
                    f"it never ran: {there.fault or 'no reason given'}",
                )
            )
        _plan_new_server(server, found, plan, need, replaces=broken)
    else:
        _plan_old_server(wanted, server, there, found, plan)
    for name in server.security_groups:
        _one_of("security group", f"Server {server.name}: security_groups", name, found.security_groups, plan)
    # What a broken server holds is free when that is gone.
    volume = _plan_volume(wanted, server, there, found, plan, need)
    _plan_port(wanted, server, found, plan, need)
    if there is None or broken:
        plan.steps.append(
            Step("create", "server", server.name, server.name, f"{server.flavor}, {server.image}")
        )
    elif (volume is not None and there.id not in volume.servers) or (volume is None and server.volume):
        plan.steps.append(Step("attach", "volume", server.volume, server.name, f"to {server.name}"))
    _plan_association(wanted, server, found, plan)
    _plan_record(wanted, server, found, plan)


def _plan_new_server(server: WantedServer, found: Found, plan: Plan, need: Need, replaces: bool) -> None:
    image = _one_of("image", f"Server {server.name}: image", server.image, found.images, plan)
    flavor = _one_of("flavor", f"Server {server.name}: flavor", server.flavor, found.flavors, plan)
    if flavor is not None:
        if not replaces:
            need.add("instances", 1, "servers")
            need.add("cores", flavor.vcpus, "processors")
            need.add("ram", flavor.ram, "MiB of memory")
        if image is not None:
            disk = server.boot_volume_gib or flavor.disk
            # A flavor without a disk takes what the image needs.
            if disk and disk < image.min_disk:
                option = (
                    "boot_volume_gib" if server.boot_volume_gib else f"flavor {server.flavor}, whose disk"
                )
                plan.problems.append(
                    f"Server {server.name}: {option} is {disk} GiB, and image {image.name} needs {image.min_disk}: choose a "
                    "larger one, or set boot_volume_gib."
                )
            if flavor.ram < image.min_ram:
                plan.problems.append(
                    f"Server {server.name}: flavor {server.flavor} has {flavor.ram} MiB of memory, and image {image.name} needs "
                    f"{image.min_ram}: choose a larger one."
                )
    if server.boot_volume_gib and not replaces:
        need.add("volumes", 1, "volumes")
        need.add("gigabytes", server.boot_volume_gib, "GiB in volumes")
    if server.boot_volume_gib:
        _check_type("boot_volume_type", server, found, plan)
    if server.availability_zone and found.zones and server.availability_zone not in found.zones:
        plan.problems.append(
            f"Server {server.name}: availability_zone is {server.availability_zone!r}, which the cloud does not have: it has "
            f"{', '.join(sorted(found.zones))}."
        )


def _plan_old_server(
    wanted: Wanted, server: WantedServer, there: FoundServer, found: Found, plan: Plan
) -> None:
    if there.status not in USABLE:
        plan.problems.append(
            f"Server {server.name} is in the state {there.status}{': ' + there.fault if there.fault else ''}: repair it with the cloud's tools, or rebuild it with playbooks/rebuild.yml."
        )
    if there.status in ("SHUTOFF", "PAUSED", "SUSPENDED"):
        plan.steps.append(Step("start", "server", server.name, server.name, f"it is {there.status}"))
    flavor = next(iter(called(found.flavors, server.flavor)), None)
    if there.flavor not in (server.flavor, flavor.id if flavor else "", flavor.name if flavor else ""):
        plan.warnings.append(
            f"Server {server.name} has the flavor {there.flavor}, but the settings have {server.flavor}: playbooks/rebuild.yml rebuilds it with that one."
        )
    missing = set(metadata_of(wanted, server).items()) - set(there.metadata)
    if missing:
        plan.steps.append(
            Step(
                "change",
                "metadata",
                f"of {server.name}",
                server.name,
                ", ".join(sorted(f"{k}={v}" for k, v in missing)),
            )
        )


def metadata_of(wanted: Wanted, server: WantedServer) -> dict[str, str]:
    """The metadata that a server shall have."""
    return {**dict(server.metadata), METADATA_KEY: wanted.name}


def _plan_volume(
    wanted: Wanted, server: WantedServer, there: FoundServer | None, found: Found, plan: Plan, need: Need
) -> FoundVolume | None:
    """Plan the data volume; return the one that is there."""
    if not server.volume:
        return None
    if not found.has_volumes:
        plan.problems.append(
            f"Server {server.name}: volume_gib is {server.volume_gib}, and the cloud has no volumes (Cinder): set it to 0; a "
            "rebuild loses all data then."
        )
        return None
    same = [one for one in found.volumes if one.ours and one.name == server.volume]
    if not same and not _is_free(
        "volume", server.volume, found.volumes,
        f"choose another volume_name, or hand it over by setting its metadata {METADATA_KEY} to {wanted.name}", plan,
    ):  # fmt: skip
        return None
    if len(same) > 1:
        # As after a backup was restored: Cinder gives the new volume name and metadata of the old one.
        plan.problems.append(
            f"The deployment has {len(same)} data volumes called {server.volume} ({', '.join(one.id for one in same)}): rename or remove the wrong ones."
        )
        return None
    volume = next(iter(same), None)
    if volume is None:
        _check_type("volume_type", server, found, plan)
        plan.steps.append(Step("create", "volume", server.volume, server.name, f"{server.volume_gib} GiB"))
        need.add("volumes", 1, "volumes")
        need.add("gigabytes", server.volume_gib, "GiB in volumes")
        return None
    others = [one for one in volume.servers if there is None or one != there.id]
    if others:
        names = ", ".join(
            next((one.name for one in found.servers if one.id == other), other) for other in others
        )
        plan.problems.append(
            f"The data volume {volume.name} is attached to {names}: detach it there before {server.name} can have it."
        )
    elif volume.status not in (
        "available",
        "in-use",
        "attaching",
        "creating",
        "reserved",
        "detaching",
        "extending",
    ):
        plan.problems.append(
            f"The data volume {volume.name} is in the state {volume.status}: the cloud's administrators can reset it."
        )
    if server.volume_gib > volume.size:
        plan.steps.append(
            Step("grow", "volume", server.volume, server.name, f"{volume.size} to {server.volume_gib} GiB")
        )
        need.add("gigabytes", server.volume_gib - volume.size, "GiB in volumes")
    elif server.volume_gib < volume.size:
        plan.problems.append(
            f"Server {server.name}: volume_gib is {server.volume_gib}, and the volume {volume.name} has {volume.size}: a volume "
            f"cannot shrink, set {volume.size} or more."
        )
    return volume


def _check_type(option: str, server: WantedServer, found: Found, plan: Plan) -> None:
    value = getattr(server, option)
    if value and found.volume_types and value not in found.volume_types:
        plan.problems.append(
            f"Server {server.name}: {option} is {value!r}, which the cloud does not have: it has "
            f"{', '.join(sorted(found.volume_types))}."
        )


def find_port(wanted: Wanted, server: WantedServer, found: Found) -> FoundPort | None:
    """The port of a server."""
    return ours(found.ports, f"{wanted.common}-{server.name}")


def _plan_port(wanted: Wanted, server: WantedServer, found: Found, plan: Plan, need: Need) -> None:
    port = find_port(wanted, server, found)
    if port is None:
        plan.steps.append(Step("create", "port", f"{wanted.common}-{server.name}", server.name))
        need.add("port", 1, "ports")
        return
    network = next(iter(called(found.networks, wanted.network or wanted.common)), None)
    if network is not None and port.network != network.id:
        plan.warnings.append(
            f"Server {server.name} is on another network than {network.name}: that cannot be changed while it is there; it "
            "takes a teardown and a new run."
        )
    groups = security_groups_of(wanted, server, found)
    # One that is yet to be made is known when ports are seen to.
    if set(port.security_groups) != set(groups):
        plan.steps.append(Step("change", "port", port.name, server.name, "security groups"))


def security_groups_of(wanted: Wanted, server: WantedServer, found: Found) -> list[str | None]:
    """The ids of the security groups that a server's port shall have; None for one that is yet to be made."""
    own = ours(found.security_groups, wanted.common)
    more = [next(iter(called(found.security_groups, name)), None) for name in server.security_groups]
    return [group.id if group else None for group in (own, *more)]


def _plan_association(wanted: Wanted, server: WantedServer, found: Found, plan: Plan) -> None:
    address, port = find_address(wanted, server, found), find_port(wanted, server, found)
    if server.floating_ip == NONE:
        return
    if address is not None and address.port and (port is None or address.port != port.id):
        plan.problems.append(
            f"The floating IP {address.address} of server {server.name} is in use by another port ({address.port}): "
            "disassociate it there, or choose another one."
        )
    elif address is None or not address.port:
        shown = address.address if address else "a new one"
        plan.steps.append(Step("attach", "floating IP", shown, server.name, f"to {server.name}"))


def _plan_record(wanted: Wanted, server: WantedServer, found: Found, plan: Plan) -> None:
    if not server.dns_name:
        return
    if server.floating_ip == NONE:
        plan.warnings.append(
            f"Server {server.name} has no floating IP, so no record is made for {server.dns_name}: add it where your zone is "
            "kept."
        )
        return
    if not found.has_dns:
        plan.warnings.append(
            f"Server {server.name}: the cloud has no DNS service (Designate), so no record is made for {server.dns_name}: "
            "add it where your zone is kept."
        )
        return
    # Its address may not be known yet: that of an existing record is compared when it is.
    address = find_address(wanted, server, found)
    for name in server.dns_names:
        record = next((one for one in found.records if one.name == name), None)
        if record is not None and not record.ours:
            plan.problems.append(
                f"The name {name} of server {server.name} has an address record that this deployment did not make "
                f"({', '.join(record.addresses)}): remove that, or set dns_name to another name."
            )
        elif address is None or record is None or record.addresses != (address.address,):
            plan.steps.append(Step("set", "DNS record", name, server.name))


def owned_addresses(wanted: Wanted, found: Found) -> list[FoundAddress]:
    """The floating IPs that the deployment has allocated."""
    return [one for one in found.addresses if is_marked(one.description, wanted.mark)]
