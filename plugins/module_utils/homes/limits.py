# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Limits of homes, as the container that looks after the disk has them."""

from __future__ import annotations

import json
import shutil
import typing as t
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.shared.sizes import parse_size


def read_limits(disk_dir: Path) -> dict[str, int]:
    """Bytes that each home may take, by the name of its volume; those without a limit are not in it."""
    try:
        state = json.loads((disk_dir / "state.json").read_text(encoding="utf-8"))
        limits = {name: int(home["limit"]) for name, home in state["homes"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # An older hub has none, and a report is worth more than a complaint.
        return {}
    return {name: limit for name, limit in limits.items() if limit > 0}


def limit_of(state_dir: Path, disk: str) -> int:
    """Bytes that a home may take whose server never ran, 0 for no limit; disk: a folder on the disk of the homes.

    Groups and environments may have other ones, which count when the server starts.
    """
    try:
        data: dict[str, t.Any] = json.loads(
            (state_dir / "config" / "config.json").read_text(encoding="utf-8")
        )
        setting = str(data["traits"]["GalileanSpawner"]["disk_limit"])
    except (OSError, ValueError, KeyError):
        return 0
    # As galilean_hub.disk.rules has it.
    return shutil.disk_usage(disk).total // 2 if setting == "auto" else parse_size(setting or "0")
