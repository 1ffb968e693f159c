# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the types of the edge's settings cannot say: pure, one sentence for each problem."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.edge.balancer import balancer_problems
from ansible_collections.galilean.hub.plugins.module_utils.edge.budget import memory_problems
from ansible_collections.galilean.hub.plugins.module_utils.edge.headers import header_problems

SIZE = re.compile(r"[0-9]+[kmg]?", re.IGNORECASE)
LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
SERVER_NAME = re.compile(rf"{LABEL}(\.{LABEL})*")
ALIAS = re.compile(rf"(\*\.)?{SERVER_NAME.pattern}")
# No part of it is . or .., which browsers take away.
BASE_URL = re.compile(r"/((?!\.{1,2}/)[A-Za-z0-9._~-]+/)*")


def bind_address_problems(address: str) -> list[str]:
    """Why Docker cannot lead browsers from there to the edge."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return [
            f"edge_bind_address is {address!r}: give an IP address of the host, such as 127.0.0.1 "
            "(only this machine) or 0.0.0.0 (every network)"
        ]
    if parsed.version == 6 and (parsed.is_loopback or parsed.is_link_local):
        return [
            f"edge_bind_address is {address!r}, which Docker cannot lead to a container: use 127.0.0.1 for this machine "
            "alone, or an address that the host has in its network"
        ]
    if parsed.is_unspecified and address not in ("0.0.0.0", "::"):
        return [f"edge_bind_address is {address!r}: write '::' for every address of the host"]
    return []


def _address_problems(address: str, tls_mode: str, balanced: bool) -> list[str]:
    found = bind_address_problems(address)
    if found:
        return found
    if tls_mode == "off" and not ipaddress.ip_address(address).is_loopback and not balanced:
        return [
            f"edge_bind_address is {address!r} while edge_tls_mode is 'off': passwords would cross the network in "
            "clear, so use 127.0.0.1, or leave edge_tls_mode out and give edge_server_name the public name, or name the "
            "load balancer that encrypts in edge_trusted_proxies"
        ]
    return []


def _port_problems(port: int, http_port: int, tls_mode: str) -> list[str]:
    problems = []
    if http_port and tls_mode == "off":
        problems.append(
            f"edge_http_port is {http_port} while edge_tls_mode is 'off': it redirects to HTTPS, so set it to 0"
        )
    elif http_port and http_port == port:
        problems.append(f"edge_http_port is {http_port}, as is edge_port: use two different ports")
    return problems


def _shared_problems(settings: dict[str, t.Any]) -> list[str]:
    """What keeps SNI routing from leading browsers to this instance."""
    if not settings["sni_routing"]:
        return []
    if not settings["server_name"]:
        return [
            "edge_sni_routing is true while edge_server_name is empty: give the name that leads to this instance alone, such as "
            "hub.example.org"
        ]
    if settings.get("trusted_proxies"):
        return [
            "edge_trusted_proxies is set while edge_sni_routing is true: an SNI router passes on "
            "only the load balancer's address, so give each instance its own port behind the load "
            "balancer and set edge_sni_routing to false"
        ]
    return [
        f"{setting} has {name!r} while edge_sni_routing is true: browsers tell no address when they connect, so give a host name"
        for setting, names in (
            ("edge_server_name", [settings["server_name"]]),
            ("edge_server_aliases", settings["server_aliases"]),
        )
        for name in names
        if _is_address(name)
    ]


def _subdomain_problems(settings: dict[str, t.Any]) -> list[str]:
    """What keeps users' servers from having names below the hub's own."""
    if not settings["subdomains"]:
        return []
    name = settings["server_name"].lower()
    if "." not in name or _is_address(name):
        return [
            f"edge_server_name is {settings['server_name']!r} while jupyterhub_subdomains is true: give the full name that the "
            "hub has in the DNS, such as hub.example.org, or hub.localhost to try it on this machine, as users' servers are "
            "found below it"
        ]
    problems = []
    if settings["tls_mode"] == "off" and not settings["trusted_proxies"] and not name.endswith(".localhost"):
        problems.append(
            "edge_tls_mode is 'off' while jupyterhub_subdomains is true: pages could set cookies for each other, so use "
            "another mode, or a name such as hub.localhost to try it on this machine"
        )
    problems += [
        f"edge_server_aliases has {alias!r} while jupyterhub_subdomains is true: names below edge_server_name belong to users, "
        "so leave it out"
        for alias in settings["server_aliases"]
        if alias.lower().endswith(f".{name}") and alias.lower() != f"*.{name}"
    ]
    return problems


def _acme_problems(settings: dict[str, t.Any]) -> list[str]:
    """What keeps a public authority from giving a certificate, as far as the settings tell."""
    name = settings["server_name"]
    if name and "." in name and not _is_address(name):
        return []
    shown = "empty" if not name else repr(name)
    return [
        f"edge_server_name is {shown} while edge_tls_mode is 'acme': give the full name that the hub has in the DNS, such as "
        "hub.example.org, or set edge_tls_mode to 'self_signed' where there is none, or edge_bind_address (it is "
        f"{settings['bind_address']!r}) to 127.0.0.1 for this machine alone"
    ]


def _is_address(text: str) -> bool:
    """To browsers, whatever ends in a number is an address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return text.rpartition(".")[2].isdigit()
    return True


def _tls_problems(tls_mode: str, files: dict[str, str]) -> list[str]:
    if tls_mode != "provided":
        return []
    return [
        f"{name} is {path!r}: edge_tls_mode 'provided' needs the absolute path of a PEM file"
        for name, path in files.items()
        if not path.startswith("/")
    ]


def _text_problems(settings: dict[str, t.Any]) -> list[str]:
    problems = []
    if settings["server_name"] and not SERVER_NAME.fullmatch(settings["server_name"]):
        problems.append(
            f"edge_server_name is {settings['server_name']!r}: give a host name alone, such as hub.example.org"
        )
    problems += [
        f"edge_server_aliases has {alias!r}: give host names alone, such as www.example.org"
        for alias in settings["server_aliases"]
        if not ALIAS.fullmatch(alias)
    ]
    if settings["server_aliases"] and not settings["server_name"]:
        problems.append(
            "edge_server_name is empty while edge_server_aliases has names: give the first one there"
        )
    if not BASE_URL.fullmatch(settings["base_url"]):
        problems.append(
            f"edge_base_url is {settings['base_url']!r}: begin and end with a slash, with letters, digits and . _ ~ - "
            "between, such as /science/"
        )
    if not settings["title"].strip() or not settings["title"].isprintable():
        problems.append(f"edge_title is {settings['title']!r}: give one line of text")
    for name in ("max_upload", "log_max_size"):
        if not SIZE.fullmatch(settings[name]):
            problems.append(f"edge_{name} is {settings[name]!r}: give a number and k, m or g, such as 512m")
    return problems


def edge_problems(settings: dict[str, t.Any]) -> list[str]:
    """Return what is wrong with the settings, in the order of the role's defaults; empty when they fit together.

    settings: the role's variables without ``edge_``.
    """
    tls_mode = settings["tls_mode"]
    files = {"edge_tls_certificate": settings["tls_certificate"], "edge_tls_key": settings["tls_key"]}
    return [
        *_address_problems(settings["bind_address"], tls_mode, bool(settings["trusted_proxies"])),
        *_port_problems(int(settings["port"]), int(settings["http_port"]), tls_mode),
        *_tls_problems(tls_mode, files),
        *_subdomain_problems(settings),
        *_shared_problems(settings),
        *(_acme_problems(settings) if tls_mode == "acme" else []),
        *balancer_problems(settings),
        *header_problems(settings["security_headers"]),
        *_text_problems(settings),
        *memory_problems(settings),
    ]
