# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What user servers may reach beyond the hub: rules, what is wrong with them, and what they would block. Pure: no I/O.

User servers have IPv4 only; the firewall refuses all of IPv6. So what embeds private addresses there (64:ff9b::/96, 2002::/16)
needs no rule of its own.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
import urllib.parse

from ansible_collections.galilean.hub.plugins.module_utils.network.networks import own_addresses

Settings = t.Mapping[str, t.Any]

# Never: this network, loopback, link-local with the metadata of most clouds, protocol assignments with that of Oracle's,
# multicast, reserved with broadcast, and the metadata of Azure and Alibaba.
ALWAYS = (
    "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
    "100.100.100.200/32",
)  # fmt: skip
# Unless the settings say otherwise: private (RFC 1918), shared by providers (RFC 6598), benchmarks (RFC 2544).
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15")

_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_DEFAULT_PORTS = {"http": 80, "https": 443, "ssh": 22, "git": 9418, "ftp": 21, "sc": 15002}


def _ports(text: t.Any) -> tuple[int, int] | None:
    """First and last of '5432' or '8000-8100'; None for what is neither."""
    match = _PORTS.fullmatch(str(text).strip())
    if not match:
        return None
    first = int(match[1])
    last = int(match[2] or first)
    return (first, last) if 1 <= first <= last <= 65535 else None


def _network(text: t.Any) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(str(text).strip())
    except ValueError:
        return None


def _entry(entry: Settings) -> dict[str, t.Any]:
    return {
        "address": str(_network(entry["address"])),
        "protocol": entry.get("protocol") or "tcp",
        "ports": [":".join(map(str, dict.fromkeys(_ports(port) or ()))) for port in entry.get("ports") or []],
    }


def egress_rules(settings: Settings) -> dict[str, list[t.Any]]:
    """Rules for the firewall, in the order in which they count.

    settings: allowed, blocked, private (as the role's settings jupyterhub_egress_*).
    Returns never (networks), services (one address and ports each, wherever they are, also on this host) and others: the rest, the
    narrower network first, so that an exception may be made from an exception.
    """
    allowed = [_entry(entry) for entry in settings["allowed"]]
    services = [one for one in allowed if one["address"].endswith("/32") and one["ports"]]
    others = [{**one, "action": "allow"} for one in allowed if one not in services]
    others += [{"address": str(_network(one)), "action": "block"} for one in settings["blocked"]]
    if not settings["private"]:
        others += [{"address": one, "action": "block"} for one in PRIVATE]
    # Who allows a whole range that is private means it.
    others.sort(key=lambda one: (-int(one["address"].split("/")[1]), one["action"] == "block"))
    return {"never": list(ALWAYS), "services": services, "others": others}


def _reached(
    rules: t.Mapping[str, t.Sequence[t.Any]], address: str, port: int, own: t.Collection[str] = ()
) -> bool:
    """Whether the firewall lets a TCP connection to an address pass. own: addresses of the host, of which only services are open."""
    try:
        ip = ipaddress.IPv4Address(address)
    except ValueError:
        return False
    if any(ip in ipaddress.IPv4Network(never) for never in rules["never"]):
        return False
    others = [] if address in own else rules["others"]
    for rule in [*({**one, "action": "allow"} for one in rules["services"]), *others]:
        if ip not in ipaddress.IPv4Network(rule["address"]):
            continue
        if rule["action"] == "block":
            return False
        spans = [[int(part) for part in ports.split(":")] for ports in rule["ports"]]
        if rule["protocol"] == "tcp" and (not spans or any(span[0] <= port <= span[-1] for span in spans)):
            return True
    return address not in own


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _sources(settings: Settings) -> list[tuple[str, str, str, int]]:
    """What the settings let user servers fetch from: where it is said, the value, host and port."""
    named = [("jupyterhub_repositories", one["url"]) for one in settings.get("repositories") or []]
    for key in ("groups", "profiles"):
        for entry in settings.get(key) or []:
            where = f"{entry['name']!r} in jupyterhub_{key}"
            named += [(where, one["url"]) for one in entry.get("repositories") or []]
    for profile in settings.get("profiles") or []:
        where = f"{profile['name']!r} in jupyterhub_profiles"
        named += [(where, profile[key]) for key in ("gateway_url", "spark_remote") if profile.get(key)]
    named += [
        ("jupyterhub_git_hosts", host if "://" in host else f"https://{host}")
        for host in settings.get("git_hosts") or {}
    ]
    named += [("jupyterhub_git_links", f"https://{entry}") for entry in settings.get("git_links") or []]
    for name, traits in (settings.get("config_extra") or {}).items():
        given = traits.get("environment") if isinstance(traits, dict) else None
        for variable, value in (given if isinstance(given, dict) else {}).items():
            if isinstance(value, str) and "://" in value:
                named.append((f"{variable} of {name} in jupyterhub_config_extra", value))
    named += [("bootstrap_http_proxy", one) for one in sorted(set(settings.get("proxies") or []))]
    found = []
    for where, value in named:
        try:
            parts = urllib.parse.urlsplit(value)
            host, port = parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme, 443)
        except ValueError:
            continue
        if host:
            # What is shown may hold no password.
            found.append((where, f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", host, port))
    return found


def egress_names(settings: Settings) -> list[str]:
    """Names of the hosts that user servers fetch from, whose addresses only the hub's host can tell."""
    return sorted({host for _where, _value, host, _port in _sources(settings) if not _literal(host)})


def _entry_problems(egress: Settings) -> list[str]:
    found = []
    for text in egress["blocked"]:
        if ":" in str(text):
            found.append(
                f"jupyterhub_egress_blocked has {text!r}: user servers have IPv4 only and reach nothing over IPv6, so leave it out"
            )
        elif _network(text) is None:
            found.append(
                f"jupyterhub_egress_blocked has {text!r}: give an IPv4 network such as 198.51.100.0/24"
            )
    blocked = {_network(text) for text in egress["blocked"]}
    for entry in egress["allowed"]:
        address = entry.get("address")
        where = f"jupyterhub_egress_allowed has address {address!r}"
        network = _network(address)
        if ":" in str(address):
            found.append(f"{where}: user servers have IPv4 only, so give the service's IPv4 address")
            continue
        if network is None:
            found.append(f"{where}: give an IPv4 address or network such as 10.1.2.3 or 10.1.2.0/24")
            continue
        for never in map(ipaddress.IPv4Network, ALWAYS):
            if network.subnet_of(never):
                found.append(
                    f"{where}, which is in {never} (the host itself, cloud metadata, multicast): leave it out"
                )
        if network in blocked:
            found.append(f"{where}, which jupyterhub_egress_blocked has as well: keep one of them")
        for port in entry.get("ports") or []:
            if _ports(port) is None:
                found.append(
                    f"{where} with port {port!r}: give a number up to 65535, or a range such as 8000-8100"
                )
        if (entry.get("protocol") or "tcp") not in ("tcp", "udp"):
            found.append(f"{where} with protocol {entry['protocol']!r}: give tcp or udp")
    return found


def egress_problems(settings: Settings) -> list[str]:
    """What is wrong with jupyterhub_egress_*, and which sources in the settings it would block, one sentence each.

    settings: egress (allowed, blocked, private), repositories, groups, profiles, git_hosts, git_links, config_extra, and addresses: what the
    names of egress_names() lead to, as far as it is known; fib_trie: the host's /proc/net/fib_trie, which tells its own addresses.
    """
    egress = settings["egress"]
    found = _entry_problems(egress)
    if found:
        return found
    rules = egress_rules(egress)
    own = own_addresses(settings.get("fib_trie") or "")
    for where, value, host, port in _sources(settings):
        known = [host] if _literal(host) else list(settings["addresses"].get(host) or [])
        if not known or any(_reached(rules, address, port, own) for address in known):
            continue
        is_at = "" if known == [host] else f" ({known[0]})"
        fix = (
            "user servers have IPv4 only, so give a name or an address of IPv4"
            if ":" in known[0]
            else "name it in a network that is not blocked"
            if any(ipaddress.IPv4Address(known[0]) in ipaddress.IPv4Network(one) for one in ALWAYS)
            else f"add {{address: {known[0]}, ports: [{port}]}} to jupyterhub_egress_allowed"
        )
        sentence = f"{where} has {value}{is_at}, which user servers may not reach: {fix}"
        if sentence not in found:
            found.append(sentence)
    return found
