# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""How a host goes out to the network."""

from __future__ import annotations

from ansible_collections.galilean.hub.plugins.module_utils.core.proxy import environment
from ansible_collections.galilean.hub.plugins.module_utils.derived.address import address
from ansible_collections.galilean.hub.plugins.module_utils.derived.instance import layout
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings


def host_proxy(settings: Settings) -> dict[str, str]:
    """Variables of programs on the host; none without a proxy. Raises HubError."""
    return environment(*[settings[f"bootstrap_{name}"] for name in ("http_proxy", "https_proxy", "no_proxy")])


def hub_proxy(settings: Settings) -> dict[str, str]:
    """The same for the hub, which reaches the networks of the instance directly."""
    networks = [layout(settings)["users_subnet"], address(settings)["public_host"]]
    return environment(
        *[settings[f"bootstrap_{name}"] for name in ("http_proxy", "https_proxy", "no_proxy")],
        [network for network in networks if network],
    )
