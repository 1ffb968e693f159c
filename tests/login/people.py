# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Accounts of the instance under test, as the hub's API shows them to the check's service."""

from __future__ import annotations

from scenario import Scenario
from user_client import UserClient


def person_of(story: Scenario, name: str) -> UserClient:
    """The account of that name, and its server."""
    return UserClient(story.site.url, story.site.token, name)
