# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What Tornado and JupyterHub remember of what clients have sent, with an end in bytes: they count entries.

Each entry may have the length of a request, and JupyterHub's table of scopes has room for 65,535. Written for
JupyterHub 6.1.1 and Tornado 6.5.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from jupyterhub import scopes
from jupyterhub._memoize import LRUCache
from tornado import httputil

# Letters of what is remembered: a scope with the names of a user and a server.
LONGEST = 600
MOST = 1024


def _is_long(key: Any) -> bool:
    if isinstance(key, dict):
        return any(map(_is_long, key.items()))
    if isinstance(key, tuple | frozenset):
        return any(map(_is_long, key))
    return isinstance(key, str) and len(key) > LONGEST


def _short_only(function: Any) -> Callable[[str], Any]:
    """The function that lru_cache was given, with a table for short texts."""
    found = function.__wrapped__
    remembered = lru_cache(MOST)(found)
    return lambda text: (found if _is_long(text) else remembered)(text)


_set = LRUCache.set


def _set_short(self: LRUCache, key: Any, value: Any) -> None:
    if not _is_long(key):
        _set(self, key, value)


def use() -> None:
    """Have both use such tables."""
    httputil._normalize_header = _short_only(httputil._normalize_header)
    scopes._expand_scope = _short_only(scopes._expand_scope)
    LRUCache.set = LRUCache.__setitem__ = _set_short
