# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""jupyterhub-idle-culler with times by group.

Its hook is told a server, and not whose it is; so the spawner leaves the user's time in the server's state.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from jupyterhub_idle_culler import IdleCuller
from traitlets import default

from .. import logs
from .profiles import CULL_STATE


def arbiter(*, inactive: timedelta, inactive_limit: float, server: dict[str, Any], **_: Any) -> bool:
    """Whether a server has been idle for too long."""
    own = (server.get("state") or {}).get(CULL_STATE)
    limit = inactive_limit if own is None else own
    return bool(limit) and inactive.total_seconds() >= limit


class GroupCuller(IdleCuller):
    """Takes the options that IdleCuller takes."""

    @default("cull_arbiter_hook")
    def _by_group(self) -> Callable[..., bool]:
        return arbiter


if __name__ == "__main__":
    logs.use()
    GroupCuller.launch_instance()
