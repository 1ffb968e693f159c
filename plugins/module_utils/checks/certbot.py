# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the argument spec of the role certbot cannot say: one sentence for each problem."""

from __future__ import annotations

from ansible_collections.galilean.hub.plugins.module_utils.edge.certbot import certbot_problems
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings, absent


def wanted(settings: Settings) -> bool:
    """Whether the role has anything to do."""
    return "edge_tls_mode" not in settings.wrong and bool(settings["edge_tls_mode"] == "acme")


def together(settings: Settings) -> list[str]:
    if not wanted(settings):
        return []
    own = settings.role("certbot", secrets=True)
    return certbot_problems({**own, "http_port": settings["edge_http_port"]})


def files(settings: Settings) -> list[str]:
    path = settings["certbot_ca_file"]
    if not wanted(settings) or not path or settings.is_file(path):
        return []
    return [
        absent(settings, f"certbot_ca_file is {path}", path, "correct the path or leave it out", short=True)
    ]


CHECKS = (together, files)
