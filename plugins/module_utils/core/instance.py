# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Every name that follows from the name of a hub instance."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

# The name becomes part of container, network, volume, unit and user names. The narrowest of those is the
# Linux account name (32 characters), less what a user's container name adds in front of the user's own name.
INSTANCE_NAME = re.compile(r"^[a-z][a-z0-9-]{0,18}[a-z0-9]$")

# Folder of the SNI routers (edge_sni_routing).
SNI_ROUTER = "galilean-sni-router"

# With these begin names of an instance's users' containers and volumes, so no other instance's name may: the container of the user
# "hub" of "lab" is called like the hub of "lab-user". Names such as lab-hub clash with nothing.
USERS_PARTS = ("user", "home")
# Units beside the instance's own.
UNIT_PARTS = ("backup", "certbot", "check", "firewall", "metrics")
# An instance that is made to rehearse a restore, and removed with all its data (playbooks/drill.yml): settings may not ask for it.
DRILL_PART = "drill"

# One /20 (4,094 addresses) for each instance, out of a range that neither Docker's own default pools
# (172.17.0.0/16 to 172.31.0.0/16, 192.168.0.0/16) nor common OpenStack tenant networks use.
USERS_POOL = ipaddress.IPv4Network("10.208.0.0/12")
USERS_PREFIX = 20


def check_instance_name(name: str, ends: t.Sequence[str] = UNIT_PARTS) -> str:
    """Return the name unchanged; raise HubError when it cannot serve as the stem of all other names, or has one of these ends."""
    if not isinstance(name, str) or not INSTANCE_NAME.fullmatch(name) or "--" in name:
        raise HubError(
            f"jupyterhub_instance is {name!r}: use 2 to 20 lower-case letters, digits and single dashes, "
            "starting with a letter and ending with a letter or digit"
        )
    if name == SNI_ROUTER:
        raise HubError(
            f"jupyterhub_instance is {name!r}, which is what instances that share their ports have in common: use another name"
        )
    _first, *parts = name.split("-")
    taken = [part for part in parts if part in USERS_PARTS] or [part for part in parts[-1:] if part in ends]
    if taken:
        raise HubError(
            f"jupyterhub_instance is {name!r}, as a part of the instance {name[: name.index('-' + taken[0])]!r} would be called: "
            f"use a name without -{taken[0]}"
        )
    return name


def default_users_subnet(name: str) -> str:
    """The subnet of the user servers: the same name always gets the same one, two names rarely share one."""
    count = 2 ** (USERS_PREFIX - USERS_POOL.prefixlen)
    index = int(hashlib.sha256(name.encode()).hexdigest(), 16) % count
    first = int(USERS_POOL.network_address) + index * 2 ** (32 - USERS_PREFIX)
    return f"{ipaddress.IPv4Address(first)}/{USERS_PREFIX}"


def core_subnet6(name: str) -> str:
    """The IPv6 network of edge, proxy and hub, where they have one: a local one (RFC 4193) that follows from the name."""
    first = 0xFD << 120 | int(hashlib.sha256(f"core {name}".encode()).hexdigest()[:10], 16) << 80
    return f"{ipaddress.IPv6Address(first)}/64"


def instance_layout(name: str, users_subnet: str = "", state_root: str = "/srv") -> dict[str, t.Any]:
    """Return the names, paths and addresses of one instance; HubError if users_subnet is not valid.

    name: the instance; users_subnet: IPv4 network in CIDR notation, empty for the derived one;
    state_root: parent of the instance's folder.
    """
    check_instance_name(name)
    try:
        subnet = ipaddress.IPv4Network(users_subnet or default_users_subnet(name))
    except ValueError as exc:
        raise HubError(
            f"jupyterhub_users_subnet is {users_subnet!r}: give an IPv4 network such as 10.210.16.0/20 ({exc})"
        ) from exc
    special = ("is_loopback", "is_link_local", "is_multicast", "is_reserved", "is_unspecified")
    if any(getattr(subnet, word) for word in special) or subnet.overlaps(ipaddress.IPv4Network("0.0.0.0/8")):
        raise HubError(
            f"jupyterhub_users_subnet is {users_subnet!r}: no host may have its addresses, give a private network such as 10.210.16.0/20"
        )
    if subnet.prefixlen > 28:
        raise HubError(
            f"jupyterhub_users_subnet is {users_subnet!r}: it has room for {subnet.num_addresses - 4} user servers, "
            "give a network of /28 or larger"
        )
    subnet6 = ipaddress.IPv6Network(core_subnet6(name))
    # Linux interface names end at 15 characters.
    short = hashlib.sha256(name.encode()).hexdigest()[:8]
    state = f"{state_root.rstrip('/')}/{name}"
    return {
        "name": name,
        "unit": name,
        "user": name,
        "state_dir": state,
        # Whose it is: jupyterhub_inventory.
        "inventory_file": f"{state}/inventory",
        "config_dir": f"{state}/config",
        "hub_dir": f"{state}/hub",
        "secrets_dir": f"{state}/secrets",
        "edge_dir": f"{state}/edge",
        "certificate_dir": f"{state}/certificate",
        "certbot_dir": f"{state}/certbot",
        "backup_dir": f"{state}/backup",
        "releases_dir": f"{state}/releases",
        "monitoring_dir": f"{state}/monitoring",
        "welcome_dir": f"{state}/welcome",
        "shared_dir": f"{state}/shared",
        "bin_dir": f"{state}/bin",
        "broker_dir": f"{state}/broker",
        "disk_dir": f"{state}/disk",
        "operator_dir": f"{state}/hubctl",
        "audit_dir": f"{state}/audit",
        "log_dir": f"{state}/log",
        "core_network": f"{name}-core",
        "core_bridge": f"ghc-{short}",
        "core_subnet6": str(subnet6),
        "core_gateway6": str(subnet6[1]),
        "users_network": f"{name}-users",
        "users_bridge": f"ghu-{short}",
        "users_subnet": str(subnet),
        "users_gateway": str(subnet[1]),
        "hub_address": str(subnet[2]),
        "proxy_address": str(subnet[3]),
        # Docker hands out the rest by itself; the upper part keeps it clear of the fixed addresses above.
        "users_range": str(list(subnet.subnets(prefixlen_diff=1))[1]),
        "containers": {part: f"{name}-{part}" for part in ("edge", "proxy", "hub", "broker", "disk")},
        "user_container_prefix": f"{name}-user",
        "home_volume_prefix": f"{name}-home",
        "firewall_chain": f"GALILEAN-{short}",
    }
