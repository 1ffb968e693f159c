# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: certbot_problems
short_description: What is wrong with the settings of certbot
version_added: 0.4.0
author: galilean.hub contributors (@galilean)
description:
  - Checks what the types of the settings cannot say, such as a wildcard that is not asked for by DNS.
  - Used by the preflight of the role P(galilean.hub.certbot#role).
options:
  _input:
    description: The role's variables, their names without C(certbot_).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse settings that do not fit together
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join('; ') }}."
  vars:
    problems: "{{ settings | galilean.hub.certbot_problems }}"
"""

RETURN = r"""
_value:
  description: One sentence for each problem, without its full stop. Empty when there is none.
  type: list
  elements: str
  sample: ["certbot_names has '*.example.org': a wildcard needs certbot_challenge 'dns'"]
"""


def judged(settings: dict[str, t.Any]) -> list[str]:
    """The pure code's answer."""
    from ansible_collections.galilean.hub.plugins.module_utils.edge.certbot import certbot_problems

    return certbot_problems(settings)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"certbot_problems": of_mapping("certbot_problems", judged)}
