# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Reads JSON that a program of the collection wrote. It stands alone: programs on hosts have it, too."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path


def read_json(path: Path) -> dict[str, t.Any]:
    """An object of a file; empty where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
