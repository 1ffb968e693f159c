# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the argument spec of the role users cannot say: one sentence for each problem."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.accounts.rules import account_problems
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings


def service(settings: Settings) -> dict[str, t.Any]:
    """The service account as the code of accounts takes it."""
    names = {"account": "name"}
    own = settings.role("users")
    return {
        names.get(name, name): value
        for key, value in own.items()
        if key.startswith("service_")
        for name in [key.removeprefix("service_")]
    }


def accounts(settings: Settings) -> list[str]:
    own = settings.role("users")
    return account_problems(service(settings), own["groups"], own["admins"])


CHECKS = (accounts,)
