# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The table of old and new names of users who move from another system. Pure."""

from __future__ import annotations

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.shared.tables import TableError, read_table

WHERE = "The table of names (migrate_names_file)"


def names_of(content: bytes) -> dict[str, str]:
    """New names by old ones, empty for who is left out; HubError where somebody's cannot be told."""
    try:
        rows = read_table(content, ("old", "new"), "old")
    except TableError as exc:
        raise HubError(f"{WHERE} {exc}.") from exc
    lines: dict[str, int] = {}
    for row in rows:
        old = row.cells.get("old")
        if old is None:
            raise HubError(f"{WHERE} has no old name in line {row.line}: write it, or remove the line.")
        if old in lines:
            raise HubError(
                f"{WHERE} has {old!r} in line {row.line} and in line {lines[old]}: keep one of them."
            )
        lines[old] = row.line
    return {row.cells["old"]: row.cells.get("new", "") for row in rows}
