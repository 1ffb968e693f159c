# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Limits of homes, as the container that looks after the disk has them."""

from __future__ import annotations

import json
from pathlib import Path


def read_limits(disk_dir: Path) -> dict[str, int]:
    """Bytes that each home may take, by the name of its volume; those without a limit are not in it."""
    try:
        state = json.loads((disk_dir / "state.json").read_text(encoding="utf-8"))
        limits = {name: int(home["limit"]) for name, home in state["homes"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # An older hub has none, and a report is worth more than a complaint.
        return {}
    return {name: limit for name, limit in limits.items() if limit > 0}
