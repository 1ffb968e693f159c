# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: edge_sni_routing
short_description: Compute the SNI routing of a hub instance
version_added: 0.8.0
author: galilean.hub contributors (@galilean)
description:
  - Computes the file with the host names of one instance, the ports that the SNI router publishes for all instances of its
    address, and the conflicts of the instance.
  - Used by the role P(galilean.hub.edge#role).
positional: _input
options:
  _input:
    description: Lines of the files of all instances, in the format of C(grep -rH).
    type: list
    elements: str
    required: true
  instance:
    description: Name of the hub instance.
    type: str
    required: true
  router:
    description: Prefix of the names of all SNI routers on the host.
    type: str
    required: true
  address:
    description: IP address on which the router listens. Empty for none.
    type: str
    default: ""
  ports:
    description: Ports of O(address) that the instance needs. Empty if it is removed.
    type: list
    elements: int
    default: []
  names:
    description: Host names of the instance. Empty if it is removed.
    type: list
    elements: str
    default: []
  bound:
    description: Ports that the router publishes now. They stay while other instances use the router.
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
    - V(problems) has one sentence for each name that belongs to another instance. V(text) and V(digest) are the instance's file.
      V(published) are the ports for all instances. V(shared) tells whether other instances use this router. V(subnet6) is the
      router's IPv6 network. V(leaving) are other addresses whose routers the instance leaves, as names of folders. V(ending) are
      routers without other instances. V(only) tells whether the host has no router on another address.
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
