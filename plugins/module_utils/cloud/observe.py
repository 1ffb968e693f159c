# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Reads a project: one round of questions, asked side by side."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.galilean.hub.plugins.module_utils.cloud import found as f
from ansible_collections.galilean.hub.plugins.module_utils.cloud.dns import records
from ansible_collections.galilean.hub.plugins.module_utils.cloud.session import errors
from ansible_collections.galilean.hub.plugins.module_utils.cloud.wanted import (
    METADATA_KEY,
    Rule,
    Wanted,
    is_marked,
)

Json = t.Mapping[str, t.Any]
# What Nova's limits are called, as limit and use.
COMPUTE = {
    "instances": ("instances", "instances_used"),
    "cores": ("total_cores", "total_cores_used"),
    "ram": ("total_ram", "total_ram_used"),
    "server_groups": ("server_groups", "server_groups_used"),
}
QUESTIONS = 8


def observe(conn: t.Any, wanted: Wanted) -> f.Found:
    """All that a plan needs to know of the project."""
    jobs: dict[str, t.Callable[[], t.Any]] = {
        "images": lambda: _images(conn, wanted),
        "flavors": lambda: tuple(_flavor(one) for one in conn.compute.flavors()),
        "networks": lambda: tuple(_network(one, wanted) for one in conn.network.networks()),
        "subnets": lambda: tuple(_thing(one, wanted) for one in conn.network.subnets(name=wanted.common)),
        "routers": lambda: tuple(
            _router(conn, one, wanted) for one in conn.network.routers(name=wanted.common)
        ),
        "security_groups": lambda: tuple(
            _group(one, wanted) for one in conn.network.security_groups(project_id=conn.current_project_id)
        ),
        "key_pair": lambda: _key_pair(conn, wanted),
        "server_groups": lambda: tuple(
            f.FoundServerGroup(one.id, one.name, True, one.policy or next(iter(one.policies or [""])))
            for one in conn.compute.server_groups()
            if one.name == wanted.common
        ),
        "ports": lambda: tuple(
            _port(one, wanted)
            for one in conn.network.ports(project_id=conn.current_project_id)
            if is_marked(one.description, wanted.mark)
        ),
        "addresses": lambda: tuple(
            f.FoundAddress(
                one.id,
                one.floating_ip_address,
                one.description or "",
                one.port_id or "",
                one.floating_network_id,
            )
            for one in conn.network.ips(project_id=conn.current_project_id)
        ),
        "volumes": lambda: _volumes(conn, wanted),
        "servers": lambda: _servers(conn, wanted),
        "volume_types": lambda: _volume_types(conn, wanted),
        "zones": lambda: _zones(conn, wanted),
        "quota": lambda: tuple(_quota(conn).items()),
        "has_volumes": lambda: bool(conn.has_service("block-storage")),
        "has_dns": lambda: bool(conn.has_service("dns")),
        "records": lambda: _records(conn, wanted),
    }
    with ThreadPoolExecutor(max_workers=QUESTIONS) as pool:
        answers = {key: pool.submit(_ask, key, job) for key, job in jobs.items()}
        found = {key: answer.result() for key, answer in answers.items()}
    return f.Found(**found)


def _ask(what: str, job: t.Callable[[], t.Any]) -> t.Any:
    with errors(f"Looking at the project's {what.replace('_', ' ')}"):
        return job()


def _marked(one: t.Any, wanted: Wanted) -> bool:
    return is_marked(one.description, wanted.mark)


def _thing(one: t.Any, wanted: Wanted) -> f.Thing:
    return f.Thing(one.id, one.name, _marked(one, wanted))


def _images(conn: t.Any, wanted: Wanted) -> tuple[f.FoundImage, ...]:
    return tuple(
        f.FoundImage(one.id, one.name or "", False, one.min_disk or 0, one.min_ram or 0)
        for one in conn.image.images(status="active")
    )


def _flavor(one: t.Any) -> f.FoundFlavor:
    return f.FoundFlavor(one.id, one.name, False, one.vcpus or 0, one.ram or 0, one.disk or 0)


def _network(one: t.Any, wanted: Wanted) -> f.FoundNetwork:
    return f.FoundNetwork(
        one.id,
        one.name or "",
        _marked(one, wanted),
        bool(one.is_router_external),
        tuple(one.subnet_ids or ()),
    )


def _router(conn: t.Any, one: t.Any, wanted: Wanted) -> f.FoundRouter:
    ports = conn.network.ports(device_id=one.id)
    subnets = {
        ip["subnet_id"] for port in ports for ip in port.fixed_ips or () if "gateway" not in port.device_owner
    }
    external = (one.external_gateway_info or {}).get("network_id", "")
    return f.FoundRouter(one.id, one.name, _marked(one, wanted), tuple(sorted(subnets)), external)


def _group(one: t.Any, wanted: Wanted) -> f.FoundGroup:
    rules = []
    for rule in one.security_group_rules or ():
        if rule["direction"] != "ingress":
            continue
        network = rule.get("remote_ip_prefix") or ("::/0" if rule.get("ethertype") == "IPv6" else "0.0.0.0/0")
        rules.append(
            (
                rule["id"],
                Rule(
                    str(network),
                    rule.get("protocol") or "any",
                    rule.get("port_range_min") or 0,
                    rule.get("port_range_max") or 0,
                ),
            )
        )
    return f.FoundGroup(one.id, one.name, _marked(one, wanted), tuple(rules))


def _key_pair(conn: t.Any, wanted: Wanted) -> f.FoundKeyPair | None:
    one = conn.compute.find_keypair(wanted.common, ignore_missing=True)
    return f.FoundKeyPair(one.name, one.public_key) if one else None


def _port(one: t.Any, wanted: Wanted) -> f.FoundPort:
    return f.FoundPort(
        one.id,
        one.name,
        True,
        one.device_id or "",
        tuple(ip["ip_address"] for ip in one.fixed_ips or ()),
        tuple(one.security_group_ids or ()),
        one.network_id,
    )


def _volumes(conn: t.Any, wanted: Wanted) -> tuple[f.FoundVolume, ...]:
    if not conn.has_service("block-storage"):
        return ()
    return tuple(volume_of(one, wanted) for one in conn.block_storage.volumes(details=True))


def volume_of(one: t.Any, wanted: Wanted) -> f.FoundVolume:
    """A volume as plain data."""
    servers = tuple(sorted(item["server_id"] for item in one.attachments or ()))
    ours = (one.metadata or {}).get(METADATA_KEY) == wanted.name
    return f.FoundVolume(
        one.id,
        one.name or "",
        ours,
        one.size,
        one.status,
        servers,
        one.volume_type or "",
        one.availability_zone or "",
    )


def _servers(conn: t.Any, wanted: Wanted) -> tuple[f.FoundServer, ...]:
    return tuple(server_of(one, wanted) for one in conn.compute.servers(details=True))


def server_of(one: t.Any, wanted: Wanted) -> f.FoundServer:
    """A server as plain data."""
    metadata = one.metadata or {}
    flavor, image = one.flavor or {}, one.image or {}
    return f.FoundServer(
        one.id,
        one.name,
        metadata.get(METADATA_KEY) == wanted.name,
        one.status,
        # By name since Nova's API 2.47, by id before.
        str(flavor.get("original_name") or flavor.get("id") or ""),
        str((image or {}).get("id") or ""),
        bool(one.launched_at),
        str((one.fault or {}).get("message") or ""),
        tuple(sorted(metadata.items())),
        tuple(item["id"] for item in one.attached_volumes or ()),
    )


def _volume_types(conn: t.Any, wanted: Wanted) -> tuple[str, ...]:
    if not any(server.volume_type or server.boot_volume_type for server in wanted.servers):
        return ()
    return tuple(one.name for one in conn.block_storage.types())


def _records(conn: t.Any, wanted: Wanted) -> tuple[f.FoundRecord, ...]:
    named = any(server.dns_name for server in wanted.servers)
    return records(conn, wanted) if named and conn.has_service("dns") else ()


def _zones(conn: t.Any, wanted: Wanted) -> tuple[str, ...]:
    if not any(server.availability_zone for server in wanted.servers):
        return ()
    return tuple(one.name for one in conn.compute.availability_zones())


def _quota(conn: t.Any) -> dict[str, f.Usage]:
    """Quotas with their use. Not every cloud tells all of them to everybody; what is not told is left out."""
    from openstack import exceptions

    found: dict[str, f.Usage] = {}

    def told(read: t.Callable[[], None]) -> None:
        try:
            read()
        except (exceptions.HttpException, exceptions.SDKException):
            return

    def compute() -> None:
        limits = conn.compute.get_limits().absolute
        for key, (limit, used) in COMPUTE.items():
            found[key] = f.Usage(int(getattr(limits, limit)), int(getattr(limits, used) or 0))

    def network() -> None:
        quota = conn.network.get_quota(conn.current_project_id, details=True).to_dict()
        names = {"floating_ips": "floatingip", "networks": "network", "subnets": "subnet", "routers": "router",
                 "ports": "port", "security_groups": "security_group",
                 "security_group_rules": "security_group_rule"}  # fmt: skip
        for theirs, ours in names.items():
            entry = quota.get(theirs)
            if isinstance(entry, dict) and "limit" in entry:
                used = int(entry.get("used") or 0) + int(entry.get("reserved") or 0)
                found[ours] = f.Usage(int(entry["limit"]), used)

    def volumes() -> None:
        quota = conn.block_storage.get_quota_set(conn.current_project_id, usage=True)
        for key in ("volumes", "gigabytes"):
            found[key] = f.Usage(int(getattr(quota, key)), int((quota.usage or {}).get(key) or 0))

    told(compute)
    told(network)
    if conn.has_service("block-storage"):
        told(volumes)
    return found
