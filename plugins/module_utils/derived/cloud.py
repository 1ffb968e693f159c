# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The settings of servers on a cloud."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings


def openstack_host(settings: Settings) -> dict[str, t.Any]:
    """The settings of a host as the code of the cloud takes them, which compares those of several hosts."""
    own = {f"openstack_{name}": value for name, value in settings.role("openstack").items()}
    key = settings.content(own["openstack_public_key_file"]) or b""
    return {**own, "host": settings.host, "public_key": key.decode("utf-8", "replace").rstrip()}
