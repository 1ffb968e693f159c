#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A network of a hub instance, with those who are in it."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import replace
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli, EngineAway
from ansible_collections.galilean.hub.plugins.module_utils.network import networks as plan

DOCUMENTATION = r"""
module: instance_network
short_description: Manage a Docker network of a hub instance and its members
version_added: 0.7.0
author: galilean.hub contributors (@galilean)
description:
  - Creates a bridge network, and recreates it if its addresses or options change. Its containers, running or not, are reconnected
    with the same names. They are always connected to some network. The next run completes a killed one.
  - The module refuses a network that overlaps another network of the engine, a route or an address of the host, or the engine's
    address pools, before any change, in check mode, too. An unchanged network is not checked.
  - The new network is first created with a temporary name. If the engine refuses it, the existing network stays.
  - C(community.docker.docker_network) removes a network before it creates the new one, and does not restore the names.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description: Name of the network.
    type: str
    required: true
  instance:
    description: Name of the hub's instance, for a label of the network.
    type: str
    required: true
  bridge:
    description: Name of the bridge interface on the host, at most 14 characters.
    type: str
    required: true
  subnet:
    description: IPv4 subnet in CIDR notation. When empty, the engine chooses one.
    type: str
    default: ""
  gateway:
    description: IPv4 address of the host in the network.
    type: str
    default: ""
  ip_range:
    description: Part of O(subnet) from which the engine assigns addresses.
    type: str
    default: ""
  subnet6:
    description: IPv6 subnet in CIDR notation. When empty, none, or the existing one.
    type: str
    default: ""
  gateway6:
    description: IPv6 address of the host in the network.
    type: str
    default: ""
  mtu:
    description: MTU. V(0) does not change it.
    type: int
    default: 0
  options:
    description: Further options of the bridge driver.
    type: dict
    default: {}
  members:
    description: Containers with their aliases and address in the network. Existing containers are connected.
    type: list
    elements: dict
    default: []
    suboptions:
      container:
        description: Name of the container.
        type: str
        required: true
      aliases:
        description: Network aliases of the container.
        type: list
        elements: str
        default: []
      address:
        description: IPv4 address of the container.
        type: str
        default: ""
  user_servers:
    description: Whether all running user servers of the instance are members.
    type: bool
    default: false
  subject:
    description: Beginning of the error message for addresses in use, without a full stop.
    type: str
    default: ""
  pools:
    description: Address pools of the engine, for the time before an engine is installed.
    type: list
    elements: str
    default: []
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Ensure the network of the user servers
  galilean.hub.instance_network:
    name: hub-users
    instance: hub
    bridge: ghu-7d5e4c3b
    subnet: 10.210.16.0/20
    user_servers: true
    subject: jupyterhub_users_subnet is '10.210.16.0/20'
"""

RETURN = r"""
actions:
  description: Actions that were done, or would be done in check mode, as text.
  returned: success
  type: list
  elements: str
  sample: ["make the network hub-users anew: subnet 10.210.16.0/20 -> 10.211.0.0/20", "put hub-proxy into it"]
network:
  description: The network from the engine's inspection. Empty if it does not exist yet.
  returned: success
  type: dict
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "instance": {"type": "str", "required": True},
    "bridge": {"type": "str", "required": True},
    **{
        name: {"type": "str", "default": ""}
        for name in ("subnet", "gateway", "ip_range", "subnet6", "gateway6", "subject")
    },
    "mtu": {"type": "int", "default": 0},
    "options": {"type": "dict", "default": {}},
    "members": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "container": {"type": "str", "required": True},
            "aliases": {"type": "list", "elements": "str", "default": []},
            "address": {"type": "str", "default": ""},
        },
    },
    "user_servers": {"type": "bool", "default": False},
    "pools": {"type": "list", "elements": "str", "default": []},
    "docker_cli": {"type": "list", "elements": "str"},
}
GONE = re.compile(r"no such container|is not connected|marked for removal", re.IGNORECASE)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""


class Job:
    """One call of the module."""

    def __init__(self, params: dict[str, t.Any], check_mode: bool) -> None:
        self.params, self.check_mode = params, check_mode
        self.instance = str(params["instance"])
        self.actions: list[str] = []
        # None where there is none yet.
        self.engine: DockerCli | None = None
        self.rows: dict[str, dict[str, t.Any]] = {}
        options = {plan.BRIDGE: params["bridge"], **{str(k): str(v) for k, v in params["options"].items()}}
        if params["mtu"]:
            options[plan.MTU] = str(params["mtu"])
        parts = {name: params[name] for name in ("subnet", "gateway", "ip_range", "subnet6", "gateway6")}
        label = {"galilean.hub.instance": self.instance}
        self.want = plan.Spec(str(params["name"]), **parts, options=options, labels=label)
        self.fixed = {
            row["container"]: plan.Member(row["container"], tuple(row["aliases"]), row["address"])
            for row in params["members"]
        }

    # --- the engine

    def _call(self, *arguments: str, missing_ok: bool = False) -> str:
        return (self.engine.call(*arguments, missing_ok=missing_ok) if self.engine else "") or ""

    def _inspect(self, kind: str, names: t.Sequence[str]) -> list[dict[str, t.Any]]:
        rows = self.engine.existing(kind, names) if self.engine else []
        # The engine takes the beginning of a number for a name, too.
        return [row for row in rows if row["Name"].lstrip("/") in names]

    def _network(self, name: str) -> dict[str, t.Any]:
        return next(iter(self._inspect("network", [name])), {})

    def _names(self, *arguments: str) -> list[str]:
        return sorted(self._call(*arguments).split())

    def _members(self, network: str) -> list[plan.Member]:
        """Who is in a network, running or not; hub and proxy first."""
        names = self._names("ps", "--all", "--format={{.Names}}", f"--filter=network={network}")
        rows = [
            row for row in self._inspect("container", names) if network in row["NetworkSettings"]["Networks"]
        ]
        return sorted(
            (plan.member_of(row, network) for row in rows), key=lambda one: one.container not in self.fixed
        )

    def _tolerant(self, *arguments: str) -> None:
        """A container that ends meanwhile is none of ours any more."""
        try:
            self._call(*arguments)
        except HubError as exc:
            if not GONE.search(exc.message):
                raise

    def _connect(self, network: str, member: plan.Member) -> None:
        self._tolerant(*member.arguments(network))

    def _remove(self, network: str) -> None:
        """Nobody is in it who is in no other one."""
        for member in self._members(network):
            self._tolerant("network", "disconnect", "--force", network, member.container)
        self._call("network", "rm", network, missing_ok=True)

    # --- what others have

    def taken(self) -> list[plan.Taken]:
        """All addresses of the host and the engine but those of this network."""
        own = {self.want.name, f"{self.want.name}-moving", f"{self.want.name}-trial"}
        rows: list[dict[str, t.Any]] = []
        pools = self.params["pools"]
        try:
            engine = DockerCli(self.params["docker_cli"])
            told = json.loads(engine.call("info", "--format={{json .DefaultAddressPools}}") or "null")
            pools = [pool["Base"] for pool in told or []] or plan.ENGINE_POOLS
            self.engine = engine
            rows = self._inspect("network", self._names("network", "ls", "--format={{.Name}}"))
        except EngineAway:
            if not self.check_mode:
                raise
        bridges = {(row.get("Options") or {}).get(plan.BRIDGE) or f"br-{row['Id'][:12]}" for row in rows}
        ranges = {
            **plan.ipv4_ranges(_read("/proc/net/fib_trie"), _read("/proc/net/route")),
            **plan.ipv6_ranges(_read("/proc/net/ipv6_route")),
        }
        # Bridges stay when an engine stops, and it cannot be asked whose they are: it tells before anything is made.
        bridges |= {device for device in ranges.values() if not self.engine and plan.is_bridge(device)}
        self.rows = {row["Name"]: row for row in rows}
        return [
            *plan.engine_taken(rows, own),
            *plan.host_taken(ranges, {*bridges, "docker0"}),
            *plan.pool_taken(pools, "from which the Docker engine takes networks by itself"),
        ]

    # --- the job

    def run(self) -> dict[str, t.Any]:
        taken = self.taken()
        row = self.rows.get(self.want.name)
        have = plan.spec_of(row) if row else None
        if have and have.labels.get("galilean.hub.instance") != self.instance:
            raise HubError(
                f"The network {have.name} is not the instance's own: give the instance another name, or remove the network with "
                f"docker network rm {have.name} if nothing needs it."
            )
        changes: dict[str, tuple[str, str]] = {}
        if have:
            self.want = self.want.completed(have)
            changes = self.want.differences(have)
        told = self.params["subject"] or f"{self.want.name} has {' and '.join(self.want.subnets)}"
        if not have or {"subnet", "subnet6"} & set(changes):
            fresh = [text for text in self.want.subnets if not have or text not in have.subnets]
            if sentence := plan.problem(told, fresh, taken):
                raise HubError(sentence)
        if not have:
            self.actions.append(f"make the network {self.want.name}")
        elif changes:
            words = ", ".join(f"{name} {old or 'none'} -> {new}" for name, (old, new) in changes.items())
            self.actions.append(f"recreate the network {self.want.name}: {words}")
        if self.engine:
            self._bring_about(have if changes else None, have is not None and not changes, taken)
        before, after = (
            {name: pair[side] for name, pair in changes.items()} if have else new
            for side, new in enumerate(({}, {"name": self.want.name}))
        )
        return {
            "changed": bool(self.actions),
            "actions": self.actions,
            "network": self._network(self.want.name),
            "diff": {"before": before, "after": after},
        }

    def _bring_about(self, old: plan.Spec | None, good: bool, taken: list[plan.Taken]) -> None:
        """``old`` is to be replaced; else the network is ``good``, or there is none."""
        room = f"{self.want.name}-moving"
        if not self.check_mode:
            self._call("network", "rm", f"{self.want.name}-trial", missing_ok=True)
        if old and not self.check_mode:
            self._make_way(old, room, taken)
        if not good and not self.check_mode:
            try:
                self._call(*self.want.arguments())
            except HubError as exc:
                if not old:
                    raise HubError(
                        f"The engine does not take the network {self.want.name}: {exc.message}"
                    ) from exc
                # Back to what was there.
                self._call(*replace(old, labels=self.want.labels).arguments())
                self._fill(old, room)
                raise HubError(
                    f"The engine does not take the network {self.want.name}, which is as before: {exc.message}"
                ) from exc
        self._fill(self.want, room)

    def _make_way(self, old: plan.Spec, room: str, taken: list[plan.Taken]) -> None:
        """Put all of them into a room to wait in, and remove the old network."""
        before = plan.pool_taken(old.subnets)
        if not plan.problem("", self.want.subnets, before):
            # What the engine says of it can be heard while nothing has changed.
            try:
                self._call(*self.want.trial().arguments())
            except HubError as exc:
                raise HubError(
                    f"The engine does not take the network {self.want.name}, so nothing was changed: {exc.message}"
                ) from exc
            self._call("network", "rm", f"{self.want.name}-trial")
        if not self._network(room):
            self._call(
                *self.want.waiting(
                    plan.free_subnet([*taken, *before, *plan.pool_taken(self.want.subnets)])
                ).arguments()
            )
        there = {member.container for member in self._members(room)}
        for member in self._members(old.name):
            if member.container not in there:
                self._connect(room, replace(member, address=""))
        self._remove(old.name)

    def _fill(self, spec: plan.Spec, room: str) -> None:
        """Put those in who belong there, and remove the room."""
        there = {member.container for member in self._members(spec.name)}
        waiting = self._members(room) if room in self._names("network", "ls", "--format={{.Name}}") else None
        belong = {member.container: member for member in waiting or ()}
        for name in self._lost():
            belong.setdefault(name, plan.Member(name))
        for name, member in belong.items():
            if name not in there:
                self.actions.append(f"put {name} into {spec.name}")
                if not self.check_mode:
                    self._connect(spec.name, plan.in_network(member, spec, self.fixed))
        if waiting is not None and not self.check_mode:
            self._remove(room)

    def _lost(self) -> list[str]:
        """Containers that belong there, wherever they are."""
        names = [row["Name"].lstrip("/") for row in self._inspect("container", list(self.fixed))]
        if self.params["user_servers"]:
            labels = (f"galilean.hub.instance={self.instance}", "galilean.hub.role=user")
            names += self._names(
                "ps", "--format={{.Names}}", *(f"--filter=label={label}" for label in labels)
            )
        return names


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = Job(module.params, module.check_mode).run()
    except HubError as exc:
        module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
