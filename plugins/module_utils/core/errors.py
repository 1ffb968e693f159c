# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The error that pure code raises and plugins report."""

from __future__ import annotations

from typing import Any


class HubError(Exception):
    """One sentence for the operator: what is wrong, the value, and the fix.

    ``details`` are further result keys (a log's path, output lines) for ``fail_json``.
    """

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
