# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Whether a project may have what is asked for."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.cloud.found import Usage


class Need:
    """What is to be created, by the quota that it counts for, with a word for it."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.words: dict[str, str] = {}

    def add(self, key: str, count: int, word: str) -> None:
        self.counts[key] = self.counts.get(key, 0) + count
        self.words[key] = word


def shortages(need: Need, quota: t.Mapping[str, Usage]) -> list[str]:
    """A sentence for each quota that is too small; what the cloud does not tell is left to it."""
    found = []
    for key, count in need.counts.items():
        usage = quota.get(key)
        free = usage.free if usage else None
        if usage is not None and free is not None and count > free:
            found.append(
                f"The project's quota is too small: it allows {usage.limit} {need.words[key]}, {usage.used} are in use, and "
                f"{count} more {'is' if count == 1 else 'are'} asked for; ask for less, remove what is not needed, or have the "
                "quota raised."
            )
    return found
