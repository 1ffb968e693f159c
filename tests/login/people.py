# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Accounts of the instance under test, as the hub's API shows them to the check's service."""

from __future__ import annotations

from person import Person
from story import Story


def person_of(story: Story, name: str) -> Person:
    """The account of that name, and its server."""
    return Person(story.site.url, story.site.token, name)
