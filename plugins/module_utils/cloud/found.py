# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a project on a cloud has, as plain data."""

from __future__ import annotations

import dataclasses

from ansible_collections.galilean.hub.plugins.module_utils.cloud.wanted import Rule


@dataclasses.dataclass(frozen=True)
class Thing:
    """Anything that has a name and an id. ours: it has the deployment's mark."""

    id: str
    name: str
    ours: bool = False


@dataclasses.dataclass(frozen=True)
class FoundImage(Thing):
    """An image; sizes in GiB and MiB."""

    min_disk: int = 0
    min_ram: int = 0


@dataclasses.dataclass(frozen=True)
class FoundFlavor(Thing):
    """A flavor: processors, MiB of memory, GiB of disk."""

    vcpus: int = 0
    ram: int = 0
    disk: int = 0


@dataclasses.dataclass(frozen=True)
class FoundNetwork(Thing):
    """A network that the project can see."""

    external: bool = False
    subnets: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class FoundRouter(Thing):
    """A router and the subnets that it has an interface in."""

    subnets: tuple[str, ...] = ()
    external: str = ""


@dataclasses.dataclass(frozen=True)
class FoundGroup(Thing):
    """A security group; rules: those that let something in, with their ids."""

    rules: tuple[tuple[str, Rule], ...] = ()


@dataclasses.dataclass(frozen=True)
class FoundKeyPair:
    """A key pair, by name."""

    name: str
    public_key: str


@dataclasses.dataclass(frozen=True)
class FoundServerGroup(Thing):
    """A server group."""

    policy: str = ""


@dataclasses.dataclass(frozen=True)
class FoundPort(Thing):
    """A port, the addresses that it has, and what it is plugged into."""

    device: str = ""
    addresses: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    network: str = ""


@dataclasses.dataclass(frozen=True)
class FoundAddress:
    """A floating IP of the project. description: the mark, and whose it is."""

    id: str
    address: str
    description: str = ""
    port: str = ""
    network: str = ""


@dataclasses.dataclass(frozen=True)
class FoundRecord(Thing):
    """An address record. name: without the dot at the end; zone: id of the zone that it is in."""

    zone: str = ""
    addresses: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class FoundVolume(Thing):
    """A volume; servers: the ids of those that it is attached to."""

    size: int = 0
    status: str = ""
    servers: tuple[str, ...] = ()
    type: str = ""
    zone: str = ""


@dataclasses.dataclass(frozen=True)
class FoundServer(Thing):
    """A server. launched: it ran at some time; fault: why it does not run; volumes: ids of what is attached."""

    status: str = ""
    flavor: str = ""
    image: str = ""
    launched: bool = True
    fault: str = ""
    metadata: tuple[tuple[str, str], ...] = ()
    volumes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Usage:
    """How much of something a project may have, and has. limit: -1 for no limit."""

    limit: int
    used: int

    @property
    def free(self) -> int | None:
        return None if self.limit < 0 else max(0, self.limit - self.used)


@dataclasses.dataclass(frozen=True)
class Found:
    """A project. Lists hold what is ours, and what has a name that we would use."""

    images: tuple[FoundImage, ...] = ()
    flavors: tuple[FoundFlavor, ...] = ()
    networks: tuple[FoundNetwork, ...] = ()
    subnets: tuple[Thing, ...] = ()
    routers: tuple[FoundRouter, ...] = ()
    security_groups: tuple[FoundGroup, ...] = ()
    key_pair: FoundKeyPair | None = None
    server_groups: tuple[FoundServerGroup, ...] = ()
    ports: tuple[FoundPort, ...] = ()
    addresses: tuple[FoundAddress, ...] = ()
    volumes: tuple[FoundVolume, ...] = ()
    servers: tuple[FoundServer, ...] = ()
    volume_types: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    # By name (Nova's, Cinder's and Neutron's own); what the cloud does not tell is not there.
    quota: tuple[tuple[str, Usage], ...] = ()
    has_dns: bool = False
    has_volumes: bool = True
    # Those of the servers' names.
    records: tuple[FoundRecord, ...] = ()

    def usage(self) -> dict[str, Usage]:
        return dict(self.quota)
