# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""How a host goes out to the network."""

from __future__ import annotations

from ansible_collections.galilean.hub.plugins.module_utils.core.proxy import environment
from ansible_collections.galilean.hub.plugins.module_utils.derived.address import address
from ansible_collections.galilean.hub.plugins.module_utils.derived.instance import layout
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings


def _proxy(settings: Settings, networks: list[str]) -> dict[str, str]:
    return environment(
        settings["bootstrap_http_proxy"],
        settings["bootstrap_https_proxy"],
        settings["bootstrap_no_proxy"],
        networks,
    )


def host_proxy(settings: Settings) -> dict[str, str]:
    """Variables of programs on the host; none without a proxy. Raises HubError."""
    return _proxy(settings, [])


def hub_proxy(settings: Settings) -> dict[str, str]:
    """The same for the hub, which reaches the networks of the instance directly."""
    networks = [layout(settings)["users_subnet"], address(settings)["public_host"]]
    return _proxy(settings, [network for network in networks if network])
