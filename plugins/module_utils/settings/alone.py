# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Settings that much else is worked out from, judged by themselves: what follows from a wrong one is not worth a sentence. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.instance import (
    check_instance_name,
    instance_layout,
)
from ansible_collections.galilean.hub.plugins.module_utils.edge.settings import bind_address_problems


def _refused(judge: t.Callable[[str], t.Any]) -> t.Callable[[str], list[str]]:
    def problems(value: str) -> list[str]:
        try:
            judge(value)
        except HubError as exc:
            return [exc.message]
        return []

    return problems


RULES: dict[str, t.Callable[[str], list[str]]] = {
    "edge_bind_address": bind_address_problems,
    "jupyterhub_instance": _refused(check_instance_name),
    "jupyterhub_users_subnet": _refused(lambda subnet: instance_layout("hub", subnet)),
}


def alone_problems(setting: str, value: t.Any) -> list[str]:
    """What is wrong with a setting whatever others say, its value in the right type."""
    rule = RULES.get(setting)
    return [f"{sentence}." for sentence in rule(value)] if rule and isinstance(value, str) else []
