# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a deployment on a cloud shall consist of.

Names of everything follow from the deployment's name here, and so does the mark by which a thing in the project is known
to belong to it: the description where Neutron keeps the thing, metadata where Nova or Cinder do. Both are part of the
request that creates a thing, so that a run that is killed leaves nothing unmarked. (Tags are set by a request of their
own.)
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

METADATA_KEY = "galilean_hub_deployment"
NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
SERVER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}")
AUTO, NONE = "auto", "none"
# What a policy of a server group may be called by Nova.
POLICIES = ("", "affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity")


class Names:
    """What sentences call the options of a deployment, and those of one server: as the module does, or as settings do."""

    def __init__(
        self, shared: t.Mapping[str, str] | None = None, own: t.Mapping[str, str] | None = None
    ) -> None:
        self._shared, self._own = shared or {}, own or {}

    def shared(self, option: str) -> str:
        return self._shared.get(option, option)

    def own(self, option: str) -> str:
        return self._own.get(option, option)


MODULE_NAMES = Names()


@dataclasses.dataclass(frozen=True, order=True)
class Rule:
    """What a security group lets in."""

    network: str
    protocol: str = "tcp"
    first: int = 0
    last: int = 0

    @property
    def ethertype(self) -> str:
        return "IPv6" if ":" in self.network else "IPv4"

    def __str__(self) -> str:
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.protocol} {ports} from {self.network}"


@dataclasses.dataclass(frozen=True)
class WantedServer:
    """One server, and what belongs to it alone. Sizes are in GiB; 0 means none."""

    name: str
    image: str
    flavor: str
    boot_volume_gib: int = 0
    boot_volume_type: str = ""
    volume_gib: int = 0
    volume_name: str = ""
    volume_type: str = ""
    floating_ip: str = AUTO
    availability_zone: str = ""
    config_drive: bool = True
    user_data: str = ""
    security_groups: tuple[str, ...] = ()
    dns_name: str = ""
    dns_wildcard: bool = False
    metadata: tuple[tuple[str, str], ...] = ()

    @property
    def volume(self) -> str:
        """The name of its data volume; empty where it has none."""
        return (self.volume_name or f"{self.name}-data") if self.volume_gib else ""

    @property
    def dns_names(self) -> tuple[str, ...]:
        """The names that are to lead to it, without a dot at their ends."""
        name = self.dns_name.rstrip(".")
        return (name, f"*.{name}") if name and self.dns_wildcard else (name,) if name else ()


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A deployment."""

    cloud: str
    name: str
    servers: tuple[WantedServer, ...] = ()
    public_key: str = ""
    rules: tuple[Rule, ...] = ()
    network: str = ""
    external_network: str = ""
    subnet_cidr: str = "192.168.230.0/24"
    dns_servers: tuple[str, ...] = ()
    server_group_policy: str = ""
    volume_growth: str = "online"

    @property
    def common(self) -> str:
        """What key pair, security group, network, router and server group are called."""
        return f"galilean-{self.name}"

    @property
    def mark(self) -> str:
        return mark_of(self.name)

    @property
    def own_network(self) -> bool:
        return not self.network

    @property
    def needs_external(self) -> bool:
        return self.own_network or any(server.floating_ip == AUTO for server in self.servers)

    def address_mark(self, server: str) -> str:
        return f"{self.mark} {server}"


def mark_of(deployment: str) -> str:
    """What descriptions of a deployment's things begin with."""
    return f"galilean.hub deployment={deployment}"


def is_marked(description: str | None, mark: str) -> bool:
    """Whether a description is of a deployment; one may have another's name as its beginning."""
    return description == mark or (description or "").startswith(f"{mark} ")


def rules_of(
    ssh: t.Iterable[str],
    web: t.Iterable[str],
    extra: t.Iterable[t.Mapping[str, t.Any]],
    names: Names = MODULE_NAMES,
) -> tuple[Rule, ...]:
    """The rules that a deployment's security group shall have, each once."""
    found = [Rule(_network(names.shared("ssh_networks"), net), "tcp", 22, 22) for net in ssh]
    found += [
        Rule(_network(names.shared("web_networks"), net), "tcp", port, port)
        for net in web
        for port in (80, 443)
    ]
    for rule in extra:
        first, last = _ports(names.shared("rules"), str(rule["port"]))
        found += [
            Rule(_network(names.shared("rules"), net), str(rule.get("protocol") or "tcp"), first, last)
            for net in rule["networks"]
        ]
    return tuple(sorted(set(found)))


def rule_problems(params: t.Mapping[str, t.Any], names: Names = MODULE_NAMES) -> list[str]:
    """What is wrong with networks and ports, a sentence for each of them."""
    single: list[tuple[t.Any, t.Any, t.Any]] = [
        *(([net], (), ()) for net in params.get("ssh_networks") or ()),
        *(((), [net], ()) for net in params.get("web_networks") or ()),
        *(((), (), [{**rule, "networks": ()}]) for rule in params.get("rules") or ()),
        *(
            ((), (), [{**rule, "port": "1", "networks": [net]}])
            for rule in params.get("rules") or ()
            for net in rule["networks"]
        ),
    ]
    found = []
    for one in single:
        try:
            rules_of(*one, names)
        except HubError as exc:
            found.append(exc.message)
    return list(dict.fromkeys(found))


def _network(option: str, text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as exc:
        raise HubError(
            f"{option} has {text!r}, which is no network ({exc}): write it as in 192.0.2.0/24."
        ) from exc


def _ports(option: str, text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    try:
        ports = int(first), int(last or first)
    except ValueError:
        ports = 0, 0
    if not 0 < ports[0] <= ports[1] < 65536:
        raise HubError(
            f"{option} has the port {text!r}: give a number such as 9100, or a range such as 8000-8010."
        )
    return ports


def server_of(params: t.Mapping[str, t.Any]) -> WantedServer:
    """A server out of a module's parameters."""
    known = {field.name for field in dataclasses.fields(WantedServer)}
    given = {key: value for key, value in params.items() if key in known and value is not None}
    given["security_groups"] = tuple(given.get("security_groups") or ())
    given["metadata"] = tuple(
        sorted((str(key), str(value)) for key, value in (given.get("metadata") or {}).items())
    )
    return WantedServer(**given)


def wanted_of(params: t.Mapping[str, t.Any]) -> Wanted:
    """A deployment out of a module's parameters; raises HubError for what cannot be meant."""
    found = param_problems(params)
    if found:
        raise HubError(" ".join(found))
    return _wanted(params)


def param_problems(params: t.Mapping[str, t.Any], names: Names = MODULE_NAMES) -> list[str]:
    """What can be said against a module's parameters without asking the cloud: a sentence each."""
    rules = rule_problems(params, names)
    empty = {"ssh_networks": (), "web_networks": (), "rules": ()}
    return [*rules, *problems(_wanted({**params, **empty}), names)]


def _wanted(params: t.Mapping[str, t.Any]) -> Wanted:
    return Wanted(
        cloud=params["cloud"],
        name=params["name"],
        servers=tuple(server_of(server) for server in params.get("servers") or ()),
        public_key=(params.get("public_key") or "").strip(),
        rules=rules_of(
            params.get("ssh_networks") or (), params.get("web_networks") or (), params.get("rules") or ()
        ),
        network=params.get("network") or "",
        external_network=params.get("external_network") or "",
        subnet_cidr=params.get("subnet_cidr") or "192.168.230.0/24",
        dns_servers=tuple(params.get("dns_servers") or ()),
        server_group_policy=params.get("server_group_policy") or "",
        volume_growth=params.get("volume_growth") or "online",
    )


def problems(wanted: Wanted, names: Names = MODULE_NAMES) -> list[str]:
    """What can be said against a deployment without asking the cloud: a sentence each."""
    found = []
    if not NAME.fullmatch(wanted.name):
        found.append(
            f"{names.shared('name')} is {wanted.name!r}: use lower-case letters, digits and -, a letter first, at most 30."
        )
    if not re.fullmatch(r"(ssh|ecdsa|sk)-\S+ \S.*", wanted.public_key) and wanted.servers:
        found.append(
            f"{names.shared('public_key')} is no SSH public key: give the content of a file such as ~/.ssh/id_ed25519.pub, one line "
            "that begins with ssh-ed25519."
        )
    servers = [server.name for server in wanted.servers]
    for name in sorted({name for name in servers if servers.count(name) > 1}):
        found.append(f"Two servers are called {name}: give each its own {names.own('name')}.")
    volumes = [server.volume for server in wanted.servers if server.volume]
    for name in sorted({name for name in volumes if volumes.count(name) > 1}):
        found.append(
            f"Two servers have the data volume {name}: give each its own {names.own('volume_name')}."
        )
    addresses = [server.floating_ip for server in wanted.servers if server.floating_ip not in (AUTO, NONE)]
    for address in sorted({one for one in addresses if addresses.count(one) > 1}):
        found.append(f"Two servers have the {names.own('floating_ip')} {address}: give each its own.")
    for server in wanted.servers:
        found += _server_problems(server, names)
    try:
        subnet = ipaddress.ip_network(wanted.subnet_cidr)
        # Gateway and DHCP take addresses, too; and the subnet is made as one of IPv4.
        if not subnet.is_private or subnet.version != 4 or subnet.prefixlen > 29:
            found.append(
                f"{names.shared('subnet_cidr')} is {wanted.subnet_cidr}: give a private network such as 192.168.230.0/24."
            )
    except ValueError as exc:
        found.append(
            f"{names.shared('subnet_cidr')} is {wanted.subnet_cidr!r} ({exc}): give a network such as 192.168.230.0/24."
        )
    return found


def _server_problems(server: WantedServer, names: Names) -> list[str]:
    found = []
    if not SERVER_NAME.fullmatch(server.name):
        found.append(f"{names.own('name')} is {server.name!r}: use letters, digits, dots and -, at most 63.")
    for option in ("image", "flavor"):
        if not getattr(server, option):
            found.append(f"Server {server.name} has no {names.own(option)}: name one that the cloud has.")
    for option in ("boot_volume_gib", "volume_gib"):
        if getattr(server, option) < 0:
            found.append(
                f"Server {server.name} has {names.own(option)} {getattr(server, option)}: give a number of GiB, or 0 for none."
            )
    if server.floating_ip not in (AUTO, NONE):
        try:
            ipaddress.ip_address(server.floating_ip)
        except ValueError:
            found.append(
                f"Server {server.name} has {names.own('floating_ip')} {server.floating_ip!r}: say {AUTO}, {NONE}, or an address that "
                "is allocated to the project."
            )
    return found
