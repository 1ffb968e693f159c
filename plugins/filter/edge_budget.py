# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

DOCUMENTATION = r"""
name: edge_budget
short_description: Compute the connection limit for the edge's memory
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - Computes how many connections fit into the memory of the edge if each takes its maximum, and the matching limits for nginx and
    its container.
  - Used by the role P(galilean.hub.edge#role).
positional: _input
options:
  _input:
    description: Value of the memory setting, a size or V(auto).
    type: str
    required: true
  host_mb:
    description: Memory of the host in MiB, for V(auto).
    type: int
    required: true
  workers:
    description: Number of nginx worker processes.
    type: int
    required: true
  per_address:
    description: Maximum connections of one address, V(0) for half of all.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Show what an edge on a host of 16 GiB lets in
  ansible.builtin.debug:
    msg: "{{ 'auto' | galilean.hub.edge_budget(host_mb=16000, workers=2) }}"
"""

RETURN = r"""
_value:
  description: Memory, connections in total and per address, and the sizes that the computation uses.
  type: dict
  sample: {memory: 2048m, connections: 2912, connections_per_address: 1456, http2: 416, http2_per_address: 208}
"""


def edge_budget_filter(
    memory: t.Any, host_mb: t.Any, workers: t.Any, per_address: t.Any = 0
) -> dict[str, t.Any]:
    """Filter wrapper: turns HubError into the error that Ansible shows as one sentence."""
    from ansible_collections.galilean.hub.plugins.module_utils.edge.budget import edge_budget

    try:
        return edge_budget(str(memory), int(host_mb), int(workers), int(per_address))
    except HubError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"edge_budget": edge_budget_filter}
