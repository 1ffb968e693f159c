# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: egress_rules
short_description: What user servers may reach beyond the hub
version_added: 0.6.0
author: galilean.hub contributors (@galilean)
description:
  - Puts the settings C(jupyterhub_egress_*) of the role P(galilean.hub.jupyterhub#role) into the order in which its firewall judges.
  - Used by the template of the firewall.
options:
  _input:
    description:
      - The role's variables C(allowed), C(blocked) and C(private), without C(jupyterhub_egress_).
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
      description: Networks that stay blocked whatever the settings say.
      type: list
      elements: str
    services:
      description: Single addresses with their ports, which may also be the host's own or published on it.
      type: list
      elements: dict
    others:
      description: All other rules, the narrowest network first.
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
