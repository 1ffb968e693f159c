# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the argument spec of the role users cannot say: one sentence for each problem."""

from __future__ import annotations

from ansible_collections.galilean.hub.plugins.module_utils.accounts.rules import account_problems
from ansible_collections.galilean.hub.plugins.module_utils.derived.common import service_account
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings


def accounts(settings: Settings) -> list[str]:
    own = settings.role("users")
    return account_problems(service_account(settings), own["groups"], own["admins"])


CHECKS = (accounts,)
