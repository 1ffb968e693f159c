# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""From the settings of an inventory's hosts to deployments and back.

Each host brings the settings of the role openstack as it sees them. Hosts with the same cloud and deployment belong
together, and hosts with the same server name are instances on one server.
"""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.cloud.user_data import user_data, yaml_of
from ansible_collections.galilean.hub.plugins.module_utils.cloud.wanted import (
    Names,
    param_problems,
)
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

Settings = t.Mapping[str, t.Any]

# The options of cloud_deployment, by the settings that they come from.
SHARED = {
    "cloud": "openstack_cloud",
    "name": "openstack_deployment",
    "public_key": "public_key",
    "ssh_networks": "openstack_ssh_networks",
    "web_networks": "openstack_web_networks",
    "rules": "openstack_rules",
    "network": "openstack_network",
    "external_network": "openstack_external_network",
    "subnet_cidr": "openstack_subnet_cidr",
    "dns_servers": "openstack_dns_servers",
    "server_group_policy": "openstack_server_group_policy",
    "volume_growth": "openstack_volume_growth",
    "timeout": "openstack_timeout",
}
OWN = {
    "name": "openstack_server_name",
    "image": "openstack_image",
    "flavor": "openstack_flavor",
    "boot_volume_gib": "openstack_boot_volume_gib",
    "boot_volume_type": "openstack_boot_volume_type",
    "volume_gib": "openstack_data_volume_gib",
    "volume_name": "openstack_data_volume_name",
    "volume_type": "openstack_data_volume_type",
    "floating_ip": "openstack_floating_ip",
    "availability_zone": "openstack_availability_zone",
    "config_drive": "openstack_config_drive",
    "security_groups": "openstack_security_groups",
    "dns_name": "openstack_dns_name",
    "dns_wildcard": "openstack_dns_wildcard",
    "metadata": "openstack_metadata",
}
SETTING_NAMES = Names({**SHARED, "public_key": "openstack_public_key_file"}, OWN)
# What this machine keeps of a deployment, and so is the same for its hosts as well.
FILES = ("openstack_known_hosts_file", "openstack_hosts_file", "openstack_boot_timeout")


def in_cloud(hosts: t.Iterable[Settings]) -> list[Settings]:
    """The hosts that are servers of a deployment."""
    return [host for host in hosts if host.get("openstack_cloud")]


def deployments(hosts: t.Iterable[Settings]) -> list[dict[str, t.Any]]:
    """The deployments of some hosts.

    Each has `options` for the module cloud_deployment, `hosts` by the server that they are on, and the files of FILES by
    their names without the prefix. Raises HubError, with a sentence for each thing that does not fit.
    """
    members = in_cloud(hosts)
    found = problems(members)
    if found:
        raise HubError(" ".join(found))
    return [_deployment(group) for group in _groups(members)]


def _groups(members: t.Iterable[Settings]) -> list[list[Settings]]:
    grouped: dict[tuple[str, str], list[Settings]] = {}
    for host in members:
        grouped.setdefault((host["openstack_cloud"], host["openstack_deployment"]), []).append(host)
    return list(grouped.values())


def _deployment(members: t.Sequence[Settings]) -> dict[str, t.Any]:
    first = members[0]
    servers: dict[str, dict[str, t.Any]] = {}
    hosts: dict[str, list[str]] = {}
    for host in members:
        servers.setdefault(host["openstack_server_name"], _server(host))
        hosts.setdefault(host["openstack_server_name"], []).append(host["host"])
    options = {option: first[setting] for option, setting in SHARED.items()}
    return {
        "options": {**options, "servers": list(servers.values())},
        "hosts": hosts,
        "login_users": {host["openstack_server_name"]: host["openstack_login_user"] for host in members},
        "ssh_args": {host["openstack_server_name"]: host["openstack_ssh_args"] for host in members},
        **{name.removeprefix("openstack_"): first[name] for name in FILES},
    }


def _server(host: Settings) -> dict[str, t.Any]:
    made = {option: host[setting] for option, setting in OWN.items()}
    made["user_data"] = user_data(
        host["openstack_login_user"], host["public_key"].strip(), host["openstack_packages"]
    )
    return made


def problems(hosts: t.Iterable[Settings]) -> list[str]:
    """What does not fit, a sentence each, found without asking the cloud."""
    members = in_cloud(hosts)
    found = [sentence for host in members for sentence in _host_problems(host)]
    if found:
        return list(dict.fromkeys(found))
    for group in _groups(members):
        different = [*_different(group, [*SHARED.values(), *FILES], "deployment", "openstack_deployment")]
        for name in dict.fromkeys(host["openstack_server_name"] for host in group):
            same = [host for host in group if host["openstack_server_name"] == name]
            different += _different(
                same,
                [*OWN.values(), "openstack_login_user", "openstack_packages", "openstack_ssh_args"],
                "server",
                "openstack_server_name",
            )
        found += different
        if not different:
            found += param_problems(_deployment(group)["options"], SETTING_NAMES)
    return found


def _different(group: t.Sequence[Settings], names: t.Iterable[str], what: str, key: str) -> t.Iterator[str]:
    first = group[0]
    for name in names:
        other = next((host for host in group if host.get(name) != first.get(name)), None)
        if other is not None:
            setting = "openstack_public_key_file" if name == "public_key" else name
            yield (
                f"{first['host']} and {other['host']} belong to the same {what} ({first[key]}) and have different values of "
                f"{setting}: give both the same, in group_vars."
            )


def _host_problems(host: Settings) -> t.Iterator[str]:
    name = host["host"]
    if not host["openstack_deployment"]:
        yield (
            f"{name}: openstack_cloud is {host['openstack_cloud']!r}, and openstack_deployment is not set: choose a name that all "
            "that is made in the project is marked with."
        )
    if not host["openstack_ssh_networks"]:
        yield (
            f"{name}: openstack_ssh_networks is empty, so the server would be unreachable: list the networks from which you administer it, such as [192.0.2.0/24]."
        )
    for setting in ("openstack_image", "openstack_flavor"):
        if not host[setting]:
            yield f"{name}: {setting} is not set: name one that the cloud has (openstack {setting.removeprefix('openstack_')} list)."
    if not host["public_key"].strip():
        yield (
            f"{name}: openstack_public_key_file is {host['openstack_public_key_file']}, which is not there or empty: make a key "
            "with ssh-keygen -t ed25519, or name yours."
        )


HOSTS_HEADER = """\
# Written by galilean.hub when it provisions; do not edit. Keep it in the inventory's repository: with it, and with known_hosts,
# every colleague reaches the same servers.
---
"""


def hosts_file(
    deployment: Settings,
    servers: t.Iterable[Settings],
    folder: str,
    previous: t.Mapping[str, Settings],
    gone: t.Container[str] = (),
) -> str:
    """The part of an inventory that says where the servers are.

    servers: as cloud_deployment returns them; folder: that of the inventory, so that the file names it as Ansible does;
    previous: the hosts that the file has. Those that this run does not know of (--limit) stay, unless their servers, by
    id, are gone.
    """
    known_hosts = deployment["known_hosts_file"]
    if folder and known_hosts.startswith(f"{folder}/"):
        known_hosts = "{{ inventory_dir }}" + known_hosts[len(folder) :]
    known = {host for names in deployment["hosts"].values() for host in names}
    hosts: dict[str, Settings] = {
        host: entry
        for host, entry in previous.items()
        if host not in known and (entry or {}).get("openstack_server_id") not in gone
    }
    for server in servers:
        if not server["address"]:
            continue
        name = server["name"]
        ssh = (
            f"-o UserKnownHostsFile='\"{known_hosts}\"' -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes "
            f"-o UpdateHostKeys=no {deployment['ssh_args'][name]}"
        ).strip()
        entry = {
            "ansible_host": server["address"],
            "ansible_user": deployment["login_users"][name],
            "ansible_ssh_common_args": ssh,
            "openstack_server_id": server["id"],
            **({"data_volume_serial": server["volume_id"]} if server["volume_id"] else {}),
        }
        hosts.update(dict.fromkeys(deployment["hosts"].get(name, []), entry))
    lines = [
        f"    {yaml_of(host)}:\n"
        + "".join(f"      {key}: {yaml_of(value)}\n" for key, value in (entry or {}).items())
        for host, entry in sorted(hosts.items())
    ]
    return HOSTS_HEADER + ("all:\n  hosts:\n" + "".join(lines) if lines else "all: {}\n")
