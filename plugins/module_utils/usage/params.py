# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What engine_usage and engine_prune take alike. PRIVATE to the collection: may change at any time."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.usage.policy import Policy

POLICY_SPEC: dict[str, t.Any] = {
    "repository_prefix": {"type": "str", "default": "galilean"},
    "wanted": {"type": "list", "elements": "str", "default": []},
    "keep": {"type": "int", "default": 3},
    "software_keep": {"type": "int", "default": 0},
    "cache_keep_gib": {"type": "float", "default": 0},
    "cache_keep_days": {"type": "float", "default": 0},
    "foreign": {"type": "bool", "default": False},
    "docker_cli": {"type": "list", "elements": "str"},
}


def policy_from(params: t.Mapping[str, t.Any]) -> Policy:
    """What to keep, from a module's parameters."""
    for key in ("keep", "software_keep", "cache_keep_gib", "cache_keep_days"):
        if params[key] < 0:
            raise HubError(f"{key} is {params[key]}: use 0 for no limit, or more.")
    return Policy(
        params["repository_prefix"],
        frozenset(params["wanted"]),
        params["keep"],
        params["software_keep"],
        int(params["cache_keep_gib"] * 2**30),
        int(params["cache_keep_days"] * 86400),
        params["foreign"],
    )
