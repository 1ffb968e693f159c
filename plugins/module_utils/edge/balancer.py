# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The load balancers whose word about a browser is believed: pure."""

from __future__ import annotations

import ipaddress
import typing as t

Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
EXAMPLE = "give addresses or networks, such as 10.0.0.5 or 10.0.0.0/24"


def _network(text: t.Any) -> Network:
    # A number would be taken for an address.
    return ipaddress.ip_network(str(text))


def _entry_problem(entry: t.Any) -> str:
    where = f"edge_trusted_proxies has {entry!r}"
    try:
        network = _network(entry)
    except ValueError:
        try:
            meant = ipaddress.ip_network(str(entry), strict=False)
        except ValueError:
            return f"{where}: {EXAMPLE}"
        return f"{where}, an address with the length of a network: give {meant} or {str(entry).partition('/')[0]}"
    if network.prefixlen == 0:
        return f"{where}: any client could forge its address, so give the load balancer's addresses"
    return ""


def balancer_problems(settings: dict[str, t.Any]) -> list[str]:
    """One sentence for each thing that cannot be meant. settings: the role's variables without ``edge_``."""
    problems = [problem for entry in settings["trusted_proxies"] if (problem := _entry_problem(entry))]
    if settings["proxy_protocol"] and not settings["trusted_proxies"]:
        problems.append(
            "edge_proxy_protocol is true while edge_trusted_proxies is empty: name the load balancers that speak it"
        )
    return problems


def trusted_networks(given: t.Sequence[t.Any], gateways: t.Sequence[str]) -> list[str]:
    """The networks as nginx sees them.

    given: what the operator trusts; gateways: addresses of the host in the container's network. A connection from the host
    itself, so from a loopback address, comes to the container from there.
    """
    networks = [_network(entry) for entry in given]
    found = [str(network) for network in networks if not network.is_loopback]
    if len(found) < len(networks):
        found += [str(_network(gateway)) for gateway in gateways if gateway]
    return list(dict.fromkeys(found))
