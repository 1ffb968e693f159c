# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Settings that were renamed: an inventory with the former name is refused with the new one (docs/upgrading.md)."""

from __future__ import annotations

# By the former name.
RENAMED = {
    "edge_shared": "edge_sni_routing",
    "jupyterhub_active_servers": "jupyterhub_active_server_limit",
    "jupyterhub_admins": "jupyterhub_admin_users",
    "jupyterhub_login_kind": "jupyterhub_authenticator",
    "jupyterhub_parallel_starts": "jupyterhub_concurrent_spawn_limit",
    "jupyterhub_refusal": "jupyterhub_denied_message",
    "jupyterhub_wrong_passwords": "jupyterhub_failed_login_limit",
}
