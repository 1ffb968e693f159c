# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: egress_rules
short_description: Order the egress firewall rules of user servers
version_added: 0.6.0
author: galilean.hub contributors (@galilean)
description:
  - Sorts the settings C(jupyterhub_egress_*) of the role P(galilean.hub.jupyterhub#role) into the order of its firewall rules.
  - Used by the template of the firewall.
options:
  _input:
    description:
      - The role's variables C(allowed), C(blocked) and C(private), without the prefix C(jupyterhub_egress_).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what user servers may not reach
  ansible.builtin.debug:
    msg: "{{ {'allowed': [], 'blocked': [], 'private': false} | galilean.hub.egress_rules }}"
"""

RETURN = r"""
_value:
  description: Rules for IPv4. User servers have no IPv6.
  type: dict
  contains:
    never:
      description: Networks that are always blocked.
      type: list
      elements: str
    services:
      description: Single addresses with ports. They may be addresses of the host.
      type: list
      elements: dict
    others:
      description: All other rules, the smallest network first.
      type: list
      elements: dict
"""


def judged(settings: dict[str, t.Any]) -> dict[str, list[t.Any]]:
    """The pure code's answer."""
    from ansible_collections.galilean.hub.plugins.module_utils.network.egress import egress_rules

    return egress_rules(settings)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"egress_rules": of_mapping("egress_rules", judged)}
