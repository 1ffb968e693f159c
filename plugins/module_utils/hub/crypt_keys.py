# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Keys of a hub's file, the newest first, through a rotation. Pure: the random source is a parameter."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

KEY = re.compile(r"[0-9a-fA-F]{64}")


def read(text: str, path: str) -> list[str]:
    """The keys of the file; HubError with a sentence where it is none."""
    keys = text.split()
    wrong = [number for number, key in enumerate(keys, 1) if not KEY.fullmatch(key)]
    if wrong or not keys:
        what = f"its line {wrong[0]} is not 64 hexadecimal digits" if wrong else "it is empty"
        raise HubError(
            f"path is {path}, which is no file of keys: {what}, so bring back the right one from a backup"
        )
    return keys


def rotated(keys: list[str], state: str, generate: t.Callable[[], str]) -> list[str]:
    """The keys that shall be there.

    begun: a new key stands in front of an old one, and does so already where an earlier rotation was not finished;
    finished: the first one alone.
    """
    if state == "finished":
        return keys[:1]
    return keys if len(keys) > 1 else [generate(), *keys]
