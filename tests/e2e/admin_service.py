# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A service that a site adds by its settings: it starts and uses everybody's servers, as the tests do."""

from __future__ import annotations

import typing as t

SCOPES = ["admin:users", "admin:servers", "access:servers", "read:hub"]


def service(token: str) -> dict[str, t.Any]:
    """What jupyterhub_config_extra says of it."""
    name = "everybody"
    return {
        "JupyterHub": {
            "services": [{"name": name, "api_token": token}],
            "load_roles": [{"name": name, "scopes": SCOPES, "services": [name]}],
        }
    }
