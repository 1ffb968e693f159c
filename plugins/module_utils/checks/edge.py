# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the argument spec of the role edge cannot say, and what the host cannot do: one sentence for each problem."""

from __future__ import annotations

import base64
import datetime
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.derived.address import names
from ansible_collections.galilean.hub.plugins.module_utils.edge.certificate import certificate_problems
from ansible_collections.galilean.hub.plugins.module_utils.edge.settings import edge_problems
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings, absent

PAIR = ("edge_tls_certificate", "edge_tls_key")


def together(settings: Settings) -> list[str]:
    return edge_problems(settings.role("edge"))


def pair_problems(settings: Settings, certificate: bytes, key: bytes) -> list[str]:
    """What keeps a certificate and its key from serving the hub's names today."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return certificate_problems(
        certificate.decode("utf-8", "replace"), key.decode("utf-8", "replace"), now, names(settings)
    )


def local_pair(settings: Settings) -> list[str]:
    """The certificate that is on the controller."""
    if settings["edge_tls_mode"] != "provided" or settings["edge_tls_remote_src"]:
        return []
    fix = "correct its path, or set edge_tls_remote_src to true when it is on the hub host"
    missing = [
        absent(settings, f"{name} is {settings[name]}", settings[name], fix, short=True)
        for name in PAIR
        # One that is not absolute is told by edge_problems.
        if settings[name].startswith("/") and not settings.is_file(settings[name])
    ]
    if missing or not all(settings[name].startswith("/") for name in PAIR):
        return missing
    return pair_problems(settings, *[settings.content(settings[name]) or b"" for name in PAIR])


def ports(settings: Settings) -> list[str]:
    return [
        f"{'edge_port' if port['port'] == settings['edge_port'] else 'edge_http_port'} is {port['port']} on "
        f"{settings['edge_bind_address']}: {port['reason']}. Choose another port or address, or stop that program"
        for port in settings.found["edge"]["ports"]
        if not port["available"]
    ]


def sni_routing(settings: Settings) -> list[str]:
    """Names that lead to another instance already, which may be of another inventory."""
    return list(settings.found["edge"]["names"])


def ipv6(settings: Settings) -> list[str]:
    address = settings["edge_bind_address"]
    if ":" not in address or settings.fact("docker_ipv6_ready", True):
        return []
    return [
        f"edge_bind_address is '{address}', but the host's own Docker engine does not serve IPv6: set \"experimental\" and "
        '"ip6tables" to true in its /etc/docker/daemon.json and restart it, have docker_engine managed, or use an IPv4 address'
    ]


def remote_pair(settings: Settings) -> list[str]:
    """The certificate that is on the host, as slurp has read it; empty where there is none to read."""
    looked: list[t.Any] = [one for one in settings.found["edge"]["pair"] if not one.get("skipped")]
    missing = [
        f"{name} is {one['__edge_path']}, which cannot be read on {settings.host}: correct the path, or set edge_tls_remote_src to "
        "false when it is on the controller"
        for name, one in zip(PAIR, looked)
        if "content" not in one
    ]
    if missing or len(looked) != len(PAIR):
        return missing
    return pair_problems(settings, *[base64.b64decode(one["content"]) for one in looked])


CHECKS = (together, local_pair)
HOST_CHECKS = (sni_routing, ports, ipv6, remote_pair)
# Of the pair alone, before it takes the place of the one in use.
CERTIFICATE_CHECKS = (remote_pair,)
