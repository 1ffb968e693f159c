# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: edge_sni_routing
short_description: The place of a hub instance behind the SNI router of a host
version_added: 0.8.0
author: galilean.hub contributors (@galilean)
description:
  - Computes the file with the names of one instance, the ports that the SNI router has to publish for all instances of its address, and
    what keeps the instance from it.
  - Used by the role P(galilean.hub.edge#role).
positional: _input
options:
  _input:
    description: The lines of the files of all instances, as C(grep -rH) prints them.
    type: list
    elements: str
    required: true
  instance:
    description: Name of the hub instance.
    type: str
    required: true
  router:
    description: What the names of all SNI routers of the host begin with.
    type: str
    required: true
  address:
    description: IP address of the host that the router listens at. Empty for none.
    type: str
    default: ""
  ports:
    description: Ports of O(address) that the instance wants. Nothing when it leaves.
    type: list
    elements: int
    default: []
  names:
    description: Host names that lead to the instance. Nothing when it leaves.
    type: list
    elements: str
    default: []
  bound:
    description: Ports of O(address) that the router has now. They stay while there are other instances behind it.
    type: list
    elements: int
    default: []
"""

EXAMPLES = r"""
- name: Show the ports of all instances
  ansible.builtin.debug:
    msg: "{{ (found.stdout_lines | galilean.hub.edge_sni_routing('physics', 'galilean-sni-router', '0.0.0.0', [443],
              ['physics.example.org'])).published }}"
"""

RETURN = r"""
_value:
  description:
    - V(problems) has one sentence for each name that leads to another instance; V(text) and V(digest) are the instance's file;
      V(published) is for all instances; V(shared) is whether there are others behind this router; V(subnet6) is the router's IPv6
      network; V(leaving) has the addresses that the instance is behind, too, as names of folders; V(ending) has the routers that
      have no other instance; V(only) is whether the host has no router of another address.
  type: dict
"""


def edge_sni_routing_filter(
    lines: t.Any,
    instance: t.Any,
    router: t.Any,
    address: t.Any = "",
    ports: t.Any = None,
    names: t.Any = None,
    bound: t.Any = None,
) -> dict[str, t.Any]:
    """Filter wrapper: checks the types."""
    from ansible_collections.galilean.hub.plugins.module_utils.edge.sni_routing import sni_routing

    if not all(isinstance(given, list) for given in (lines, ports or [], names or [])):
        raise AnsibleFilterError("The galilean.hub.edge_sni_routing input, ports and names must be lists.")
    return sni_routing(
        to_plain(lines),
        str(instance),
        str(address),
        [int(port) for port in ports or []],
        to_plain(names) or [],
        str(router),
        [int(port) for port in bound or []],
    )


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"edge_sni_routing": edge_sni_routing_filter}
