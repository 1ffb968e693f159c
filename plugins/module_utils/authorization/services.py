# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Other web sites whose users log in with the hub (OAuth), and for whom they start servers. Pure: no I/O."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.urls import web_address
from ansible_collections.galilean.hub.plugins.module_utils.settings.spec import nearest

Settings = t.Mapping[str, t.Any]

# The services of the hub itself: _services() in its image's loader.py.
SERVICES = ("check", "heal", "accounts", "metrics", "idle-culler")
# What a site may do for the user who has logged in there, each for this user alone. No scope here leads to another one.
SCOPES = (
    "read:users:name", "read:users:groups", "read:users:activity", "read:servers",
    "servers", "delete:servers", "access:servers",
)  # fmt: skip
# It knows who that is, and starts and stops servers. It cannot read files.
DEFAULT_SCOPES = ("read:users:name", "read:servers", "servers")
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]")
SHORTEST_TOKEN = 32
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def services_of(config_extra: t.Mapping[str, t.Any]) -> list[str]:
    """Names of the services that a site adds by jupyterhub_config_extra."""
    services = (config_extra.get("JupyterHub") or {}).get("services") or []
    return [str(one["name"]) for one in services if isinstance(one, dict) and one.get("name")]


def services_problems(settings: Settings) -> list[str]:
    """What is wrong with jupyterhub_services, a sentence each.

    settings: services (name, redirect_url, scopes), and config_extra.
    """
    taken = services_of(settings.get("config_extra") or {})
    names: list[str] = []
    found = []
    for service in settings["services"]:
        name = str(service["name"])
        where = f"jupyterhub_services has {name!r}"
        if not NAME.fullmatch(name):
            found.append(
                f"{where}: give a name of 2 to 32 lower-case letters, digits and '-', such as galaxy"
            )
        if name in SERVICES or name in taken or name in names:
            found.append(f"{where}, a name that another service has: choose another one")
        names.append(name)
        found += _redirect_problems(where, str(service["redirect_url"]))
        found += [
            f"{where} with the scope {scope!r}: did you mean {nearest(str(scope), SCOPES, 0)}? There are {', '.join(SCOPES)}"
            for scope in service.get("scopes") or []
            if scope not in SCOPES
        ]
    return found


def _redirect_problems(where: str, url: str) -> list[str]:
    parts = web_address(url)
    if (
        parts is None
        or parts.fragment
        or parts.username
        or (parts.scheme == "http" and parts.hostname not in LOOPBACK)
    ):
        return [
            f"{where} with the redirect_url {url!r}: give the address with https:// to which that site wants logins sent back, "
            "such as https://galaxy.example.org/oauth_callback"
        ]
    return []


def token_problems(services: t.Sequence[Settings], tokens: t.Mapping[str, t.Any]) -> list[str]:
    """What is wrong with jupyterhub_service_tokens, a sentence each, without a token in it."""
    names = [str(service["name"]) for service in services]
    found = [
        f"jupyterhub_services has {name!r}, for which jupyterhub_service_tokens has no token of at least {SHORTEST_TOKEN} characters: "
        "make one with 'openssl rand -hex 32', and give it to that site as its client secret"
        for name in dict.fromkeys(names)
        if len(str(tokens.get(name) or "")) < SHORTEST_TOKEN
    ]
    found += [
        f"jupyterhub_service_tokens has {name!r}, which jupyterhub_services does not have: take it out, or correct the name"
        for name in tokens
        if name not in names
    ]
    given = [str(token) for token in tokens.values()]
    if len(set(given)) < len(given):
        found.append("jupyterhub_service_tokens has the same token twice: give each service its own")
    return found


def hub_services(settings: Settings) -> list[dict[str, t.Any]]:
    """The services for the hub's data file, without their tokens; scopes as JupyterHub writes them."""
    return [
        {
            "name": service["name"],
            "oauth_redirect_uri": service["redirect_url"],
            "oauth_client_allowed_scopes": sorted(
                f"{scope}!user" for scope in service.get("scopes") or DEFAULT_SCOPES
            ),
        }
        for service in settings["services"]
    ]
