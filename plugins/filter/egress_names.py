# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: egress_names
short_description: List the host names that user servers fetch from
version_added: 0.6.0
author: galilean.hub contributors (@galilean)
description:
  - The hub's host must resolve them. M(galilean.hub.check_settings) uses the answers.
options:
  _input:
    description:
      - The role's variables C(repositories), C(groups), C(profiles), C(git_hosts) and C(config_extra), without the prefix C(jupyterhub_).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show them
  ansible.builtin.debug:
    msg: "{{ {'repositories': [{'url': 'https://git.example.org/course.git'}]} | galilean.hub.egress_names }}"
"""

RETURN = r"""
_value:
  description: The names.
  type: list
  elements: str
  sample: [git.example.org]
"""


def judged(settings: dict[str, t.Any]) -> list[str]:
    """The pure code's answer."""
    from ansible_collections.galilean.hub.plugins.module_utils.network.egress import egress_names

    return egress_names(settings)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"egress_names": of_mapping("egress_names", judged)}
