# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The settings of servers on a cloud: one sentence for each problem, found without asking the cloud."""

from __future__ import annotations

import ipaddress

from ansible_collections.galilean.hub.plugins.module_utils.cloud.settings import problems
from ansible_collections.galilean.hub.plugins.module_utils.derived.instance import layout
from ansible_collections.galilean.hub.plugins.module_utils.network.ranges import covered, overlapping
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings

# What hosts of one deployment have in common.
DEPLOYMENT = ("openstack_cloud", "openstack_deployment")


def together(settings: Settings) -> list[str]:
    """What is wrong with this host's settings, and with what it shares with others; what is wrong with theirs, they tell."""
    all_hosts = settings.found["openstack"]
    mine = next((one for one in all_hosts if one["host"] == settings.host), None)
    if mine is None:
        return []
    hosts = [one for one in all_hosts if all(one[key] == mine[key] for key in DEPLOYMENT)]
    others = tuple(f"{one['host']}: " for one in hosts if one["host"] != settings.host)
    return [sentence for sentence in problems(hosts) if not sentence.startswith(others)]


def networks(settings: Settings) -> list[str]:
    """The server would not reach its own network, or the engine's."""
    if not settings["openstack_cloud"] or settings["openstack_network"]:
        return []
    cidr = settings["openstack_subnet_cidr"]
    others = {
        "user servers (jupyterhub_users_subnet)": [layout(settings)["users_subnet"]],
        # The engine avoids what the host has a route to, as long as something is left.
        "docker_address_pools": covered(
            cidr, [pool.get("base") for pool in settings["docker_address_pools"]]
        ),
    }
    return overlapping("openstack_subnet_cidr", [cidr], others)


def name_servers(settings: Settings) -> list[str]:
    found = []
    for server in settings["openstack_dns_servers"]:
        try:
            ipaddress.ip_address(str(server))
        except ValueError:
            found.append(f"openstack_dns_servers has {str(server)!r}: give addresses, such as 192.0.2.53")
    return found


CHECKS = (together, networks, name_servers)
