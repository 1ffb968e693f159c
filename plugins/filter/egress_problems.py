# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: egress_problems
short_description: What is wrong with what user servers may reach
version_added: 0.6.0
author: galilean.hub contributors (@galilean)
description:
  - Checks C(jupyterhub_egress_*) of the role P(galilean.hub.jupyterhub#role), and finds the sources in other settings that the firewall
    would block.
options:
  _input:
    description:
      - The role's variables C(repositories), C(groups), C(profiles), C(git_hosts) and C(config_extra), without C(jupyterhub_), with
        C(egress) as P(galilean.hub.egress_rules#filter) takes it, and C(addresses) as names of hosts to lists of their addresses.
      - C(fib_trie) may be the text of the host's C(/proc/net/fib_trie). Its own addresses are then known, of which user servers reach only
        what is allowed by address and port.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse sources that nobody could reach
  ansible.builtin.assert:
    that: settings | galilean.hub.egress_problems | length == 0
"""

RETURN = r"""
_value:
  description: One sentence for each problem, without its full stop. Empty when there is none.
  type: list
  elements: str
  sample: ["jupyterhub_egress_blocked has 'storage': give an IPv4 network such as 198.51.100.0/24"]
"""


def judged(settings: dict[str, t.Any]) -> list[str]:
    """The pure code's answer."""
    from ansible_collections.galilean.hub.plugins.module_utils.network.egress import egress_problems

    return egress_problems(settings)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"egress_problems": of_mapping("egress_problems", judged)}
