# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What follows from the name of an instance and from where it shall be, the same for every role."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.instance import instance_layout
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings


def layout(settings: Settings, instance: str = "") -> dict[str, t.Any]:
    """Names, paths and addresses of the instance, or of another one with the same settings. Raises HubError."""
    return instance_layout(
        instance or settings["jupyterhub_instance"],
        settings["jupyterhub_users_subnet"],
        settings["jupyterhub_state_root"],
    )
