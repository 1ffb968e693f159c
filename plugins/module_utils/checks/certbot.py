# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the argument spec of the role certbot cannot say: one sentence for each problem."""

from __future__ import annotations

import re

from ansible_collections.galilean.hub.plugins.module_utils.edge.certbot import certbot_problems
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings, absent

# What each calendar of systemd has at least one of.
TIMES = re.compile(
    r"[0-9*]|\b(mon|tue|wed|thu|fri|sat|sun)|\b(minute|hour|dai|week|month|quarter|year|annual|semiannual)ly\b",
    re.IGNORECASE,
)


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


def calendar(settings: Settings) -> list[str]:
    when = str(settings["certbot_renewal_calendar"])
    if not wanted(settings) or (when.isprintable() and TIMES.search(when)):
        return []
    return [
        f"certbot_renewal_calendar is {when!r}: give times as in systemd.time(7), such as '*-*-* 00,12:00:00' or daily"
    ]


CHECKS = (together, calendar, files)
