# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Carries out a plan for a deployment.

What all servers need comes first, and is taken back when it cannot be completed; then each server goes its own way, beside
the others. Floating IPs are the very first, as the cloud tells only then whether it has any left.
"""

from __future__ import annotations

import base64
import threading
import time
import typing as t
from functools import partial

from ansible_collections.galilean.hub.plugins.module_utils.cloud import plan as p
from ansible_collections.galilean.hub.plugins.module_utils.cloud.dns import set_records
from ansible_collections.galilean.hub.plugins.module_utils.cloud.found import Found
from ansible_collections.galilean.hub.plugins.module_utils.cloud.observe import observe
from ansible_collections.galilean.hub.plugins.module_utils.cloud.session import errors
from ansible_collections.galilean.hub.plugins.module_utils.cloud.wait import Waiter
from ansible_collections.galilean.hub.plugins.module_utils.cloud.wanted import (
    METADATA_KEY,
    NONE,
    Rule,
    Wanted,
    WantedServer,
)
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.side_by_side import side_by_side

Say = t.Callable[[str], None]


class Undo:
    """What was made, and how to take it back, the last one first."""

    def __init__(self) -> None:
        self._entries: list[tuple[str, t.Callable[[], t.Any]]] = []
        self._lock = threading.Lock()

    def add(self, what: str, how: t.Callable[[], t.Any]) -> None:
        with self._lock:
            self._entries.append((what, how))

    def run(self) -> list[str]:
        """Take everything back; what could not be."""
        left = []
        for what, how in reversed(self._entries):
            try:
                with errors(what):
                    how()
            except HubError as exc:
                left.append(exc.message)
        return left


class Deployment:
    """One run over one deployment."""

    def __init__(self, conn: t.Any, wanted: Wanted, timeout: float, say: Say) -> None:
        self.conn, self.wanted, self.say = conn, wanted, say
        self.wait = Waiter(conn, time.monotonic() + timeout, timeout, say)
        self.undo = Undo()

    def run(self, found: Found, plan: p.Plan) -> Found:
        """Take all steps of a plan without problems; the project as it is afterwards."""
        if not plan.steps and not self._unfinished(found):
            return found
        try:
            self._addresses(found, plan)
            self._common(found, plan)
        except BaseException as exc:
            left = self.undo.run()
            if left and isinstance(exc, HubError):
                raise HubError(
                    f"{exc.message} What this run made could not all be removed: {' '.join(left)}"
                ) from exc
            raise
        found = observe(self.conn, self.wanted)
        ports = self._ports(found, plan)
        side_by_side(
            partial(self._server, server, found, plan, ports[server.name]) for server in self.wanted.servers
        )
        return observe(self.conn, self.wanted)

    def _unfinished(self, found: Found) -> bool:
        """Whether something of ours is still under way, as after a run that was killed."""
        servers = {one.name for one in self.wanted.servers}
        volumes = {one.volume for one in self.wanted.servers}
        return any(
            one.ours and one.name in servers and one.status != "ACTIVE" for one in found.servers
        ) or any(one.ours and one.name in volumes and one.status != "in-use" for one in found.volumes)

    # --- What all servers share ---------------------------------------------------------------------------------

    def _addresses(self, found: Found, plan: p.Plan) -> None:
        external, _sentence = (
            p.external_network(self.wanted, found) if self.wanted.needs_external else ("", "")
        )
        side_by_side(
            partial(self._address, server, external)
            for server in self.wanted.servers
            if plan.has("create", "floating IP", server.name)
        )

    def _address(self, server: WantedServer, external: str) -> None:
        try:
            with errors(f"No floating IP could be allocated for server {server.name}"):
                made = self.conn.network.create_ip(
                    floating_network_id=external, description=self.wanted.address_mark(server.name)
                )
        except HubError as exc:
            raise HubError(
                f"{exc.message} Release one that is not needed, name another external_network, or set floating_ip to "
                "an address that the project has."
            ) from exc
        self.say(f"Floating IP {made.floating_ip_address} for {server.name}")
        self.undo.add(f"Releasing {made.floating_ip_address}", partial(self.conn.network.delete_ip, made.id))

    def _common(self, found: Found, plan: p.Plan) -> None:
        """Key pair, firewall, network and empty volumes, side by side."""
        jobs: list[t.Callable[[], None]] = []
        if plan.has("create", "key pair") or plan.has("replace", "key pair"):
            jobs.append(lambda: self._key_pair(plan))
        if plan.has("create", "security group") or plan.has("change", "security group"):
            jobs.append(lambda: self._security_group(found))
        if plan.has("create", "server group"):
            jobs.append(self._server_group)
        if self.wanted.own_network:
            jobs.append(lambda: self._network(found))
        for server in self.wanted.servers:
            if plan.has("create", "volume", server.name):
                jobs.append(partial(self._volume, server))
        side_by_side(jobs)

    def _key_pair(self, plan: p.Plan) -> None:
        name = self.wanted.common
        with errors(f"Key pair {name}"):
            if plan.has("replace", "key pair"):
                self.conn.compute.delete_keypair(name)
            self.conn.compute.create_keypair(name=name, public_key=self.wanted.public_key)
        self.undo.add(f"Removing key pair {name}", lambda: self.conn.compute.delete_keypair(name))
        self.say(f"Key pair {name}")

    def _security_group(self, found: Found) -> None:
        name = self.wanted.common
        group = p.ours(found.security_groups, name)
        with errors(f"Security group {name}"):
            if group is None:
                made = self.conn.network.create_security_group(name=name, description=self.wanted.mark)
                self.undo.add(
                    f"Removing security group {name}",
                    lambda: self.conn.network.delete_security_group(made.id),
                )
                group_id, there = made.id, {}
            else:
                group_id, there = group.id, {rule: rule_id for rule_id, rule in group.rules}
            for rule in self.wanted.rules:
                if rule not in there:
                    self.conn.network.create_security_group_rule(**_rule(group_id, rule))
            for rule, rule_id in there.items():
                if rule not in self.wanted.rules:
                    self.conn.network.delete_security_group_rule(rule_id)
        self.say(f"Security group {name}, {len(self.wanted.rules)} rules")

    def _server_group(self) -> None:
        name, policy = self.wanted.common, self.wanted.server_group_policy
        with errors(f"Server group {name}"):
            made = self.conn.compute.create_server_group(name=name, policy=policy)
        self.undo.add(f"Removing server group {name}", lambda: self.conn.compute.delete_server_group(made.id))
        self.say(f"Server group {name} ({policy})")

    def _network(self, found: Found) -> None:
        """The deployment's own network, and its way out; what is there already stays."""
        wanted, net, name = self.wanted, self.conn.network, self.wanted.common
        with errors(f"Network {name}"):
            network: t.Any = p.ours(found.networks, name)
            if network is None:
                network = net.create_network(name=name, description=wanted.mark)
                self.undo.add(f"Removing network {name}", lambda: net.delete_network(network.id))
            subnet: t.Any = p.ours(found.subnets, name)
            if subnet is None:
                subnet = net.create_subnet(
                    name=name, description=wanted.mark, network_id=network.id, ip_version=4, cidr=wanted.subnet_cidr,
                    dns_nameservers=list(wanted.dns_servers),
                )  # fmt: skip
        router: t.Any = p.ours(found.routers, name)
        with errors(f"Router {name}"):
            if router is None:
                external, _sentence = p.external_network(wanted, found)
                router = net.create_router(
                    name=name, description=wanted.mark, external_gateway_info={"network_id": external}
                )
                self.undo.add(f"Removing router {name}", lambda: net.delete_router(router.id))
                plugged: tuple[str, ...] = ()
            else:
                plugged = router.subnets
            if subnet.id not in plugged:
                net.add_interface_to_router(router.id, subnet_id=subnet.id)
                self.undo.add(
                    f"Unplugging router {name}",
                    lambda: net.remove_interface_from_router(router.id, subnet_id=subnet.id),
                )
                self.say(f"Network {name} ({wanted.subnet_cidr}) with a router")

    def _volume(self, server: WantedServer) -> None:
        zone = {"availability_zone": server.availability_zone} if server.availability_zone else {}
        kind = {"volume_type": server.volume_type} if server.volume_type else {}
        with errors(f"Volume {server.volume}"):
            made = self.conn.block_storage.create_volume(
                name=server.volume, size=server.volume_gib, description=self.wanted.address_mark(server.name),
                metadata={METADATA_KEY: self.wanted.name}, **zone, **kind,
            )  # fmt: skip

        def remove() -> None:
            self.wait.volume(made.id, server.volume, ("available", "error"))
            self.conn.block_storage.delete_volume(made.id)

        self.undo.add(f"Removing volume {server.volume}", remove)
        self.say(f"Volume {server.volume}, {server.volume_gib} GiB")

    # --- One server ---------------------------------------------------------------------------------------------

    def _server(self, server: WantedServer, found: Found, plan: p.Plan, port: str) -> None:
        """All of one server, in its lane. port is its port's id."""
        with errors(f"Server {server.name}"):
            there = p.ours(found.servers, server.name)
            if there is not None and plan.has("remove", "server", server.name):
                self.conn.compute.delete_server(there.id)
                self.wait.server_gone(there.id, server.name)
                there = None
            volume = p.ours(found.volumes, server.volume) if server.volume else None
            if there is None:
                if volume is not None:
                    self.wait.volume(volume.id, volume.name, ("available",))
                    self._grow(server, plan, volume.id, "")
                server_id = self._boot(server, found, port, volume.id if volume else "")
                self._associate(server, found, port)
                self.wait.server(server_id, server.name, ("ACTIVE",))
                self.say(f"Server {server.name} is active")
            else:
                server_id = there.id
                self._associate(server, found, port)
                self._settle(server, there.status, server_id, plan)
                if volume is not None:
                    self._attach(server, plan, volume.id, server_id)
            if volume is not None:
                self.wait.volume(volume.id, volume.name, ("in-use",))
            if plan.has("set", "DNS record", server.name):
                set_records(self.conn, self.wanted, server, observe(self.conn, self.wanted), self.say)

    def _ports(self, found: Found, plan: p.Plan) -> dict[str, str]:
        """The id of each server's port, by the server's name; made, all new ones at once, or corrected where needed."""
        ids: dict[str, str] = {}
        missing: list[dict[str, t.Any]] = []
        for server in self.wanted.servers:
            groups = [str(group) for group in p.security_groups_of(self.wanted, server, found)]
            port = p.find_port(self.wanted, server, found)
            if port is None:
                network = p.called(found.networks, self.wanted.network or self.wanted.common)[0]
                missing.append({
                    "name": f"{self.wanted.common}-{server.name}", "network_id": network.id, "security_groups": groups,
                    "description": self.wanted.address_mark(server.name),
                })  # fmt: skip
                continue
            ids[server.name] = port.id
            if plan.has("change", "port", server.name):
                with errors(f"The port of server {server.name}"):
                    self.conn.network.update_port(port.id, security_groups=groups)
        if missing:
            with errors("The servers' ports"):
                made = {one.description: str(one.id) for one in self.conn.network.create_ports(missing)}
            for server in self.wanted.servers:
                ids.setdefault(server.name, made.get(self.wanted.address_mark(server.name), ""))
        return ids

    def _boot(self, server: WantedServer, found: Found, port: str, volume: str) -> str:
        """Ask for the server; its id."""
        image = p.called(found.images, server.image)[0].id
        flavor = p.called(found.flavors, server.flavor)[0].id
        root: dict[str, t.Any] = {
            "boot_index": 0, "uuid": image, "source_type": "image", "delete_on_termination": True,
            "destination_type": "local",
        }  # fmt: skip
        if server.boot_volume_gib:
            root |= {"destination_type": "volume", "volume_size": server.boot_volume_gib}
            if server.boot_volume_type:
                root["volume_type"] = server.boot_volume_type
        disks = [root]
        if volume:
            # There from the first boot on: no hot plug while the guest is busy starting.
            disks.append(
                {
                    "boot_index": -1, "uuid": volume, "source_type": "volume", "destination_type": "volume",
                    "delete_on_termination": False,
                }
            )  # fmt: skip
        more: dict[str, t.Any] = {}
        if not server.boot_volume_gib:
            more["image_id"] = image
        if server.availability_zone:
            more["availability_zone"] = server.availability_zone
        if found.server_groups and self.wanted.server_group_policy:
            more["scheduler_hints"] = {"group": found.server_groups[0].id}
        if server.user_data:
            more["user_data"] = base64.b64encode(server.user_data.encode()).decode()
        made = self.conn.compute.create_server(
            name=server.name, flavor_id=flavor, networks=[{"port": port}], key_name=self.wanted.common,
            block_device_mapping=disks, config_drive=server.config_drive,
            metadata=p.metadata_of(self.wanted, server), **more,
        )  # fmt: skip
        self.say(f"Server {server.name} is being made ({server.flavor}, {server.image})")
        return str(made.id)

    def _settle(self, server: WantedServer, status: str, server_id: str, plan: p.Plan) -> None:
        """Bring a server that was there into use."""
        compute = self.conn.compute
        if plan.has("change", "metadata", server.name):
            compute.set_server_metadata(server_id, **p.metadata_of(self.wanted, server))
        if plan.has("start", "server", server.name):
            how = {"PAUSED": compute.unpause_server, "SUSPENDED": compute.resume_server}
            how.get(status, compute.start_server)(server_id)
            self.say(f"Server {server.name} is being started")
        if status != "ACTIVE":
            self.wait.server(server_id, server.name, ("ACTIVE",))

    def _attach(self, server: WantedServer, plan: p.Plan, volume: str, server_id: str) -> None:
        now = self.wait.volume(volume, server.volume, ("available", "in-use"))
        attached = any(item["server_id"] == server_id for item in now.attachments or ())
        self._grow(server, plan, volume, server_id if attached else "")
        if not attached:
            self.conn.compute.create_volume_attachment(server_id, volume_id=volume)
            self.say(f"Volume {server.volume} is being attached to {server.name}")

    def _grow(self, server: WantedServer, plan: p.Plan, volume: str, server_id: str) -> None:
        """Grow a volume, attached (server_id) or not."""
        if not plan.has("grow", "volume", server.name):
            return
        storage, compute = self.conn.block_storage, self.conn.compute
        offline = bool(server_id) and self.wanted.volume_growth == "offline"
        if offline:
            self.say(f"Server {server.name} is stopped for the growth of its volume")
            compute.stop_server(server_id)
            self.wait.server(server_id, server.name, ("SHUTOFF",))
            compute.delete_volume_attachment(server_id, volume)
            self.wait.volume(volume, server.volume, ("available",))
        storage.extend_volume(volume, server.volume_gib)
        state = "in-use" if server_id and not offline else "available"
        self.wait.volume(volume, server.volume, (state,), size=server.volume_gib)
        self.say(f"Volume {server.volume} has {server.volume_gib} GiB now")
        if offline:
            compute.create_volume_attachment(server_id, volume_id=volume)
            self.wait.volume(volume, server.volume, ("in-use",))
            compute.start_server(server_id)
            self.wait.server(server_id, server.name, ("ACTIVE",))

    def _associate(self, server: WantedServer, found: Found, port: str) -> None:
        """Give the server's port its floating IP."""
        if server.floating_ip == NONE:
            return
        address = p.find_address(self.wanted, server, found)
        if address is not None and address.port != port:
            self.conn.network.update_ip(address.id, port_id=port)
            self.say(f"Floating IP {address.address} leads to {server.name}")


def _rule(group: str, rule: Rule) -> dict[str, t.Any]:
    return {
        "security_group_id": group, "direction": "ingress", "ethertype": rule.ethertype, "protocol": rule.protocol,
        "port_range_min": rule.first, "port_range_max": rule.last, "remote_ip_prefix": rule.network,
    }  # fmt: skip
