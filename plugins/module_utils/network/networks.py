# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Networks of an engine, and who else has their addresses. Pure."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.galilean.hub.plugins.module_utils.core.instance import USERS_POOL, USERS_PREFIX

Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
BRIDGE = "com.docker.network.bridge.name"
MTU = "com.docker.network.driver.mtu"
# What an engine hands out that is told nothing else (its manual: networking, subnet allocation).
ENGINE_POOLS = ("172.16.0.0/12", "192.168.0.0/16")


@dataclass(frozen=True)
class Taken:
    """Addresses that somebody has; ``who`` is said after "overlaps 10.1.0.0/16"."""

    network: Network
    who: str


def _ranges(texts: t.Iterable[str]) -> list[Network]:
    return [ipaddress.ip_network(text, strict=False) for text in texts if text]


def _same(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)  # type: ignore[arg-type]


def ipv4_ranges(fib_trie: str, route: str) -> dict[Network, str]:
    """What /proc/net/fib_trie knows, all tables of it: networks with their interface, addresses of the host with none."""
    devices = {}
    for line in route.splitlines()[1:]:
        words = line.split()
        address, mask = (bytes.fromhex(words[index])[::-1] for index in (1, 7))
        devices[ipaddress.ip_network(f"{ipaddress.IPv4Address(address)}/{ipaddress.IPv4Address(mask)}")] = (
            words[0]
        )
    found: dict[Network, str] = {}
    leaf = ""
    for line in fib_trie.splitlines():
        words = line.split()
        if words[:1] == ["|--"]:
            leaf = words[1]
        elif len(words) >= 3 and words[0].startswith("/") and words[-1] in ("UNICAST", "LOCAL"):
            network = ipaddress.ip_network(f"{leaf}{words[0]}", strict=False)
            if network.prefixlen and not network.is_loopback:
                found[network] = devices.get(network, "")
    return found


def own_addresses(fib_trie: str) -> set[str]:
    """The host's own IPv4 addresses, as /proc/net/fib_trie knows them."""
    found, leaf = set(), ""
    for line in fib_trie.splitlines():
        words = line.split()
        if words[:1] == ["|--"]:
            leaf = words[1]
        elif words[:1] == ["/32"] and words[-1] == "LOCAL":
            found.add(leaf)
    return found


def ipv6_ranges(ipv6_route: str) -> dict[Network, str]:
    """The same of /proc/net/ipv6_route."""
    found: dict[Network, str] = {}
    for line in ipv6_route.splitlines():
        words = line.split()
        address = ipaddress.IPv6Address(bytes.fromhex(words[0]))
        length, device = int(words[1], 16), words[-1]
        if length and device != "lo" and not (address.is_link_local or address.is_multicast):
            found[ipaddress.ip_network((address, length), strict=False)] = device
    return found


def is_bridge(device: str) -> bool:
    """Whether an interface has the name of an engine's bridge, or of one that this collection gives."""
    return re.fullmatch(r"br-[0-9a-f]{12}|gh[a-z]-[0-9a-f]{8}", device) is not None


def host_taken(ranges: t.Mapping[Network, str], bridges: t.Container[str]) -> list[Taken]:
    """Routes and addresses of the host, but for those of bridges that the engine is asked for; wide ones first."""
    routes = {network: device for network, device in ranges.items() if device not in bridges}
    others = [network for network, device in ranges.items() if device]
    taken = []
    for network, device in sorted(routes.items(), key=lambda pair: (pair[0].prefixlen, str(pair[0]))):
        single = network.prefixlen == network.max_prefixlen
        if device or not single:
            taken.append(Taken(network, f"to which the host has a route{f' ({device})' * bool(device)}"))
        elif not any(_same(network, other) for other in others):
            taken.append(Taken(network, "which is an address of the host"))
    return taken


def engine_taken(networks: t.Iterable[t.Mapping[str, t.Any]], own: t.Container[str]) -> list[Taken]:
    """What the engine's networks have, as ``docker network inspect`` shows them, but for our own."""
    taken = []
    for row in networks:
        if row["Name"] not in own:
            instance = (row.get("Labels") or {}).get("galilean.hub.instance", "")
            who = f"of the network {row['Name']}" + (f" (instance {instance})" if instance else "")
            taken += [Taken(network, who) for network in _ranges(subnets_of(row))]
    return taken


def pool_taken(pools: t.Iterable[str], who: str = "") -> list[Taken]:
    """Ranges in CIDR form."""
    return [Taken(network, who) for network in _ranges(pools)]


def subnets_of(row: t.Mapping[str, t.Any]) -> list[str]:
    """The subnets of a network of the engine."""
    return [part["Subnet"] for part in (row.get("IPAM") or {}).get("Config") or [] if part.get("Subnet")]


def free_subnet(taken: t.Sequence[Taken]) -> str:
    """A network of our own range that nobody has; empty when there is none."""
    for network in USERS_POOL.subnets(new_prefix=USERS_PREFIX):
        if not any(_same(network, one.network) for one in taken):
            return str(network)
    return ""


def problem(subject: str, subnets: t.Sequence[str], taken: t.Sequence[Taken]) -> str:
    """What is wrong with these subnets, in one sentence that begins with the subject; empty when they are free."""
    for wanted in _ranges(subnets):
        for one in taken:
            if _same(wanted, one.network):
                free = free_subnet(taken)
                fix = f", such as {free}" if wanted.version == 4 and free else ""
                return f"{subject}, which overlaps {one.network}, {one.who}: give a network that nothing else uses{fix}."
    return ""


@dataclass(frozen=True)
class Spec:
    """A bridge network: what is empty is left to the engine."""

    name: str
    subnet: str = ""
    gateway: str = ""
    ip_range: str = ""
    subnet6: str = ""
    gateway6: str = ""
    options: t.Mapping[str, str] = field(default_factory=dict)
    labels: t.Mapping[str, str] = field(default_factory=dict)
    internal: bool = False

    @property
    def subnets(self) -> list[str]:
        return [text for text in (self.subnet, self.subnet6) if text]

    def differences(self, have: Spec) -> dict[str, tuple[str, str]]:
        """What of this the other one lacks: its name, what is, what shall be."""
        found = {}
        for name in ("subnet", "gateway", "ip_range", "subnet6", "gateway6"):
            wanted = getattr(self, name)
            if wanted and wanted != getattr(have, name):
                found[name] = (getattr(have, name), wanted)
        for name, wanted in self.options.items():
            if have.options.get(name, "") != wanted:
                found[name] = (have.options.get(name, ""), wanted)
        return found

    def completed(self, have: Spec) -> Spec:
        """This one; what it does not say is as it was."""
        parts = {}
        for names in (("subnet", "gateway", "ip_range"), ("subnet6", "gateway6")):
            if not getattr(self, names[0]):
                parts.update({name: getattr(have, name) for name in names})
        return replace(
            self, options={**have.options, **self.options}, labels={**have.labels, **self.labels}, **parts
        )

    def arguments(self) -> list[str]:
        """Of the docker command that makes it."""
        argv = ["network", "create", "--driver=bridge"]
        for flag, value in (
            ("subnet", self.subnet),
            ("gateway", self.gateway),
            ("ip-range", self.ip_range),
            ("subnet", self.subnet6),
            ("gateway", self.gateway6),
        ):
            argv += [f"--{flag}={value}"] if value else []
        argv += ["--ipv6"] if self.subnet6 else []
        argv += ["--internal"] if self.internal else []
        argv += [f"--opt={key}={value}" for key, value in sorted(self.options.items())]
        return [*argv, *(f"--label={key}={value}" for key, value in sorted(self.labels.items())), self.name]

    def waiting(self, subnet: str) -> Spec:
        """Where its members are while it is made anew: they reach nothing there, and no rule has to know of it."""
        options = {
            BRIDGE: f"{self.options[BRIDGE]}m",
            "com.docker.network.bridge.enable_icc": "false",
            "com.docker.network.bridge.inhibit_ipv4": "true",
        }
        return Spec(f"{self.name}-moving", subnet, options=options, labels=self.labels, internal=True)

    def trial(self) -> Spec:
        """The same under another name: what the engine takes once, it takes again."""
        return replace(
            self, name=f"{self.name}-trial", options={**self.options, BRIDGE: f"{self.options[BRIDGE]}t"}
        )


def spec_of(row: t.Mapping[str, t.Any]) -> Spec:
    """A network as ``docker network inspect`` shows it."""
    parts: dict[str, str] = {}
    for config in (row.get("IPAM") or {}).get("Config") or []:
        six = "6" if ":" in config.get("Subnet", "") else ""
        parts[f"subnet{six}"] = config.get("Subnet", "")
        parts[f"gateway{six}"] = config.get("Gateway", "")
        if not six:
            parts["ip_range"] = config.get("IPRange", "")
    return Spec(
        row["Name"],
        **parts,
        options=row.get("Options") or {},
        labels=row.get("Labels") or {},
        internal=row["Internal"],
    )


@dataclass(frozen=True)
class Member:
    """A container in a network: the names by which others find it there, and its address where that is to stay."""

    container: str
    aliases: tuple[str, ...] = ()
    address: str = ""

    def arguments(self, network: str) -> list[str]:
        """Of the docker command that puts it there."""
        argv = ["network", "connect", *(f"--alias={name}" for name in self.aliases)]
        return [*argv, *([f"--ip={self.address}"] if self.address else []), network, self.container]


def member_of(row: t.Mapping[str, t.Any], network: str) -> Member:
    """A container as ``docker container inspect`` shows it, and what it has in a network."""
    found = row["NetworkSettings"]["Networks"][network]
    # The engine adds the beginning of the number itself.
    aliases = tuple(name for name in found.get("Aliases") or () if not row["Id"].startswith(name))
    return Member(row["Name"].lstrip("/"), aliases, found.get("IPAddress") or "")


def in_network(member: Member, spec: Spec, fixed: t.Mapping[str, Member]) -> Member:
    """The member as it shall be in a network: as given, else with the address that it had if that is one there."""
    if member.container in fixed:
        return fixed[member.container]
    keeps = (
        member.address
        and spec.subnet
        and ipaddress.ip_address(member.address) in ipaddress.ip_network(spec.subnet)
    )
    return member if keeps else replace(member, address="")
