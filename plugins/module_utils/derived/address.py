# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Where browsers find a hub, from the settings of the edge."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.urls import web_address
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings

LOCAL = ("127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::")


def names(settings: Settings) -> list[str]:
    """The names of the hub; users' servers have names below the first one. Empty where it has none."""
    name = settings["edge_server_name"]
    below = [f"*.{name}"] if settings["edge_subdomains"] else []
    return list(dict.fromkeys([*([name, *below] if name else []), *settings["edge_server_aliases"]]))


def public_url(settings: Settings) -> str:
    """The address that browsers know the hub by."""
    if settings["jupyterhub_public_url"]:
        return str(settings["jupyterhub_public_url"])
    bind, name = settings["edge_bind_address"], settings["edge_server_name"]
    encrypted = settings["edge_tls_mode"] != "off"
    if not encrypted and settings["edge_trusted_proxies"] and name:
        # A load balancer that encrypts: it is what the name leads to.
        return f"https://{name}/"
    host = name or (settings.address if bind in EVERYWHERE else bind)
    port = settings["edge_port"]
    scheme, usual = ("https", 443) if encrypted else ("http", 80)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}{'' if port == usual else f':{port}'}/"


def address(settings: Settings) -> dict[str, t.Any]:
    """What other roles have to know of the edge."""
    url = public_url(settings)
    parts = web_address(url)
    return {
        "public_url": url,
        "public_host": (parts.hostname or "").lower() if parts else "",
        "names": names(settings),
        "tls_mode": settings["edge_tls_mode"],
        "ipv6": ":" in settings["edge_bind_address"],
    }
