# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the types of certbot's settings cannot say: pure, one sentence for each problem."""

from __future__ import annotations

import re
import typing as t

NAME = re.compile(
    r"^(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+$"
)
# What RFC 4648, section 5 allows, with or without its filling.
BASE64URL = re.compile(r"^[A-Za-z0-9_-]{16,}=*$")
PLUGIN = re.compile(r"^[a-z0-9-]+$")


def _name_problems(names: t.Sequence[str], challenge: str) -> list[str]:
    problems = []
    for name in names:
        if not NAME.match(name):
            shown = repr(name) if name else "an empty name"
            problems.append(
                f"certbot_names has {shown}: give the full host name that the hub has in the DNS, such as hub.example.org "
                "(edge_server_name)"
            )
        elif name.startswith("*.") and challenge != "dns":
            problems.append(
                f"certbot_names has {name!r}: a wildcard needs certbot_challenge 'dns' (jupyterhub_subdomains asks for one)"
            )
    if len(set(names)) < len(names):
        problems.append(f"certbot_names has a name twice: {', '.join(names)}")
    return problems


def _account_problems(settings: dict[str, t.Any]) -> list[str]:
    problems = []
    if not settings["agree_tos"]:
        problems.append(
            "certbot_agree_tos is false: read the terms of service of your certificate authority (Let's Encrypt has them at "
            "https://letsencrypt.org/repository/) and set it to true, or choose another edge_tls_mode"
        )
    if settings["email"] and not re.match(r"^[^@\s]+@[^@\s]+\.[^@\s]+$", settings["email"]):
        problems.append(
            f"certbot_email is {settings['email']!r}: give an address such as ops@example.org, or leave it out"
        )
    if not re.match(r"^https://[^/\s]+/\S*$", settings["directory"]):
        problems.append(
            f"certbot_directory is {settings['directory']!r}: give the https address of an ACME directory, such as "
            "https://acme-v02.api.letsencrypt.org/directory"
        )
    if bool(settings["eab_kid"]) != bool(settings["eab_hmac_key"]):
        missing = "certbot_eab_hmac_key" if settings["eab_kid"] else "certbot_eab_kid"
        problems.append(
            f"{missing} is empty: an external account needs certbot_eab_kid and certbot_eab_hmac_key"
        )
    elif settings["eab_hmac_key"] and not BASE64URL.match(settings["eab_hmac_key"]):
        problems.append(
            "certbot_eab_hmac_key is not base64url text (letters, digits, - and _): give it as the authority shows it"
        )
    if settings["ca_file"] and not settings["ca_file"].startswith("/"):
        problems.append(
            f"certbot_ca_file is {settings['ca_file']!r}: give the absolute path of a PEM file on the controller"
        )
    return problems


def _challenge_problems(settings: dict[str, t.Any]) -> list[str]:
    if settings["challenge"] == "http":
        if int(settings["http_port"]):
            return []
        return [
            "edge_http_port is 0 while certbot_challenge is 'http': set it to 80, where the authority asks, or set "
            "certbot_challenge to 'dns'"
        ]
    problems = []
    plugin = settings["dns_plugin"]
    if not PLUGIN.match(plugin):
        problems.append(
            f"certbot_dns_plugin is {plugin!r}: give the plugin's name without dns-, such as rfc2136"
        )
    credentials = settings["dns_credentials"]
    if not credentials:
        problems.append(
            "certbot_dns_credentials is empty while certbot_challenge is 'dns': give what the plugin needs, such as "
            "dns_rfc2136_server, dns_rfc2136_name and dns_rfc2136_secret"
        )
    prefix = f"dns_{plugin.replace('-', '_')}_"
    problems += [
        f"certbot_dns_credentials has {key}, which the plugin {plugin!r} does not read: its settings begin with {prefix}"
        for key in credentials
        if PLUGIN.match(plugin) and not str(key).startswith(prefix)
    ]
    return problems


def certbot_problems(settings: dict[str, t.Any]) -> list[str]:
    """Return what is wrong with the settings, one sentence each; empty when they fit together.

    settings: the role's variables without ``certbot_``, and ``http_port`` of the edge. Secrets are never quoted.
    """
    return [
        *_name_problems(settings["names"], settings["challenge"]),
        *_account_problems(settings),
        *_challenge_problems(settings),
    ]
