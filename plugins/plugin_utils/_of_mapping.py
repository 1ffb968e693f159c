# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""Filters that hand a mapping on to a pure function."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain


def of_mapping(name: str, function: t.Callable[[dict[str, t.Any]], t.Any]) -> t.Callable[[t.Any], t.Any]:
    """A filter of this name; what is no mapping, or lacks a key that the function needs, is an AnsibleFilterError."""

    def judged(value: t.Any) -> t.Any:
        if not isinstance(value, dict):
            raise AnsibleFilterError(
                f"The galilean.hub.{name} input must be a mapping, not {type(value).__name__}"
            )
        try:
            return function(to_plain(value))
        except KeyError as exc:
            raise AnsibleFilterError(f"The galilean.hub.{name} input lacks the key {exc}") from exc

    return judged
