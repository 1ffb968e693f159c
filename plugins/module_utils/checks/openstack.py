# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The settings of servers on a cloud: one sentence for each problem, found without asking the cloud."""

from __future__ import annotations

from ansible_collections.galilean.hub.plugins.module_utils.cloud.settings import problems
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


CHECKS = (together,)
