# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Removes what a deployment has made, and nothing else."""

from __future__ import annotations

import dataclasses
import time
import typing as t
from functools import partial

from ansible_collections.galilean.hub.plugins.module_utils.cloud import plan as p
from ansible_collections.galilean.hub.plugins.module_utils.cloud.found import (
    Found,
    FoundRecord,
    FoundServer,
    FoundVolume,
    Thing,
)
from ansible_collections.galilean.hub.plugins.module_utils.cloud.session import errors
from ansible_collections.galilean.hub.plugins.module_utils.cloud.wait import Waiter
from ansible_collections.galilean.hub.plugins.module_utils.cloud.wanted import Wanted
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.side_by_side import side_by_side


@dataclasses.dataclass
class Removal:
    """steps: what goes, in this order; left: what stays, in words."""

    steps: list[p.Step] = dataclasses.field(default_factory=list)
    left: list[str] = dataclasses.field(default_factory=list)


def plan_removal(
    wanted: Wanted,
    found: Found,
    only_servers: bool,
    delete_volumes: bool,
    release_addresses: bool,
    records: t.Iterable[FoundRecord] = (),
) -> Removal:
    """What of a deployment is to go. With only_servers, the servers that `wanted` names and nothing else.

    records: the address records that the deployment has made.
    """
    plan = Removal()
    names = {server.name for server in wanted.servers}
    plan.steps += [
        p.Step("remove", "server", one.name, one.name, id=one.id)
        for one in found.servers
        if one.ours and (one.name in names or not only_servers)
    ]
    if only_servers:
        return plan
    plan.steps += [p.Step("remove", "port", one.name, id=one.id) for one in found.ports if one.ours]
    for record in records:
        # Where the address stays, so does the name that people know.
        if release_addresses:
            plan.steps.append(p.Step("remove", "DNS record", record.name, id=f"{record.zone}/{record.id}"))
        else:
            plan.left.append(f"DNS record {record.name} (it goes with its floating IP)")
    for address in p.owned_addresses(wanted, found):
        if release_addresses:
            plan.steps.append(p.Step("remove", "floating IP", address.address, id=address.id))
        else:
            plan.left.append(f"floating IP {address.address} (teardown_release_addresses=true releases it)")
    for volume in found.volumes:
        if volume.ours and delete_volumes:
            size = f"{volume.size} GiB"
            plan.steps.append(p.Step("remove", "volume", volume.name, detail=size, id=volume.id))
        elif volume.ours:
            plan.left.append(
                f"volume {volume.name}, {volume.size} GiB (teardown_delete_data=true deletes it)"
            )
    kinds: tuple[tuple[str, t.Iterable[Thing]], ...] = (
        ("router", found.routers), ("network", found.networks), ("security group", found.security_groups),
        ("server group", found.server_groups),
    )  # fmt: skip
    plan.steps += [
        p.Step("remove", kind, one.name, id=one.id)
        for kind, things in kinds
        for one in things
        if one.ours and one.name == wanted.common
    ]
    if found.key_pair is not None:
        plan.steps.append(p.Step("remove", "key pair", found.key_pair.name))
    return plan


def without_servers(wanted: Wanted, found: Found) -> Found:
    """The project as it will be when the servers that `wanted` names are gone."""
    names = {server.name for server in wanted.servers}
    gone = [one for one in found.servers if one.ours and one.name in names]
    ids = {one.id for one in gone}
    usage = found.usage()
    for one in gone:
        flavor = next(iter(p.called(found.flavors, one.flavor)), None)
        freed = {"instances": 1, "cores": flavor.vcpus if flavor else 0, "ram": flavor.ram if flavor else 0}
        for key, count in freed.items():
            if key in usage:
                usage[key] = dataclasses.replace(usage[key], used=max(0, usage[key].used - count))
    return dataclasses.replace(
        found,
        servers=tuple(one for one in found.servers if one.id not in ids),
        volumes=tuple(_detached(one, ids) if one.ours else one for one in found.volumes),
        quota=tuple(usage.items()),
    )


def _detached(volume: FoundVolume, servers: t.Collection[str]) -> FoundVolume:
    """A volume as it is without some servers; others may have it, too."""
    left = tuple(one for one in volume.servers if one not in servers)
    if left == volume.servers:
        return volume
    return dataclasses.replace(volume, status=volume.status if left else "available", servers=left)


class Remover:
    """One removal."""

    def __init__(self, conn: t.Any, wanted: Wanted, timeout: float, say: t.Callable[[str], None]) -> None:
        self.conn, self.wanted, self.say = conn, wanted, say
        self.wait = Waiter(conn, time.monotonic() + timeout, timeout, say)

    def run(self, found: Found, plan: Removal) -> None:
        """Take all steps; what cannot be removed (something else uses it) is said at the end, all of it."""
        going = {step.id for step in plan.steps if step.kind == "server"}
        servers = [one for one in found.servers if one.id in going]
        side_by_side(partial(self._server, one, found) for one in servers)
        failures: list[str] = []
        for step in plan.steps:
            if step.kind == "server":
                continue
            try:
                with errors(f"The {step.kind} {step.name} could not be removed"):
                    self._one(step, found)
                self.say(f"Removed {step.kind} {step.name}")
            except HubError as exc:
                failures.append(exc.message)
        if failures:
            raise HubError(" ".join(failures))

    def _server(self, server: FoundServer, found: Found) -> None:
        """Shut a server down, so that its file systems are clean, and delete it."""
        with errors(f"Server {server.name}"):
            if server.status == "ACTIVE":
                self.say(f"Server {server.name} is shutting down")
                self.conn.compute.stop_server(server.id)
                self.wait.server(server.id, server.name, ("SHUTOFF",))
            self.conn.compute.delete_server(server.id)
            self.wait.server_gone(server.id, server.name)
            for volume in found.volumes:
                if server.id in volume.servers and volume.ours:
                    self.wait.volume(volume.id, volume.name, ("available",))
        self.say(f"Removed server {server.name}")

    def _one(self, step: p.Step, found: Found) -> None:
        net, compute = self.conn.network, self.conn.compute
        if step.kind == "router":
            for router in found.routers:
                for subnet in router.subnets if router.id == step.id else ():
                    net.remove_interface_from_router(router.id, subnet_id=subnet)
        delete: dict[str, t.Callable[[str], object]] = {
            "port": net.delete_port,
            "DNS record": lambda both: self.conn.dns.delete_recordset(*reversed(both.split("/"))),
            "floating IP": net.delete_ip,
            "volume": self.conn.block_storage.delete_volume,
            "router": net.delete_router,
            "network": net.delete_network,
            "security group": net.delete_security_group,
            "server group": compute.delete_server_group,
            "key pair": compute.delete_keypair,
        }
        delete[step.kind](step.id or step.name)
        if step.kind == "volume":
            self._volume_gone(step.id, step.name)

    def _volume_gone(self, volume_id: str, name: str) -> None:
        from openstack import exceptions

        def observe() -> tuple[bool, str]:
            try:
                volume = self.conn.block_storage.get_volume(volume_id)
            except exceptions.NotFoundException:
                return True, ""
            if volume.status == "error_deleting":
                raise HubError(
                    f"volume {name} is in the state error_deleting: ask the cloud's administrators"
                )
            return False, volume.status

        self.wait.until(f"The removal of volume {name}", observe)
