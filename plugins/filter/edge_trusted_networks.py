# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: edge_trusted_networks
short_description: Translate trusted proxies to the view of the edge's container
version_added: 0.4.0
author: galilean.hub contributors (@galilean)
description:
  - A connection from the host itself reaches a container from the host's address in the container's network, not from a loopback
    address. This filter replaces loopback addresses with that address.
  - Used by the role P(galilean.hub.edge#role).
positional: _input
options:
  _input:
    description: Addresses and networks.
    type: list
    elements: str
    required: true
  network:
    description: The container's network, as M(community.docker.docker_network_info) returns it.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show them
  ansible.builtin.debug:
    msg: "{{ ['127.0.0.1', '10.0.0.0/24'] | galilean.hub.edge_trusted_networks(network=core.network) }}"
"""

RETURN = r"""
_value:
  description: Networks in CIDR notation.
  type: list
  elements: str
  sample: [10.0.0.0/24, 10.224.3.1/32]
"""


def edge_trusted_networks_filter(given: t.Any, network: t.Any = None) -> list[str]:
    """Filter wrapper: checks the types and reads the network's gateways."""
    from ansible_collections.galilean.hub.plugins.module_utils.edge.balancer import trusted_networks

    if not isinstance(given, list) or not isinstance(network or {}, dict):
        raise AnsibleFilterError(
            "The galilean.hub.edge_trusted_networks input must be a list, and network a mapping."
        )
    pools = ((to_plain(network) or {}).get("IPAM") or {}).get("Config") or []
    gateways = [str(pool.get("Gateway") or "") for pool in pools]
    try:
        return trusted_networks(to_plain(given), gateways)
    except ValueError as exc:
        raise AnsibleFilterError(f"The galilean.hub.edge_trusted_networks input: {exc}") from exc


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"edge_trusted_networks": edge_trusted_networks_filter}
