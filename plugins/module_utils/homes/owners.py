# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The file in which the hub remembers the homes of users who were renamed (see shared.home_owners)."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

# Where the hub keeps them, in the folder of its state.
FILE = "homes.json"


def read_owners(hub_dir: Path) -> dict[str, str]:
    """What the hub remembers; nothing where nobody was renamed. Raise HubError where the file cannot be read."""
    path = hub_dir / FILE
    try:
        owners: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise HubError(f"{path} cannot be read ({exc}): restore it from a backup.") from exc
    return owners
