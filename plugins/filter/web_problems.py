# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: web_problems
short_description: What is wrong with a hub's title, announcement and links
version_added: 0.2.0
author: galilean.hub contributors (@galilean)
description:
  - Checks what the types of the settings cannot say, such as the address of a link that is a script.
  - Used by the preflight of the role P(galilean.hub.jupyterhub#role).
options:
  _input:
    description: The role's variables C(title), C(announcement) and C(links), their names without C(jupyterhub_web_).
    type: dict
    required: true
seealso:
  - plugin: galilean.hub.branding
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Refuse what cannot be shown
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join('; ') }}."
  vars:
    problems: "{{ {'title': 'My hub', 'announcement': '', 'links': []} | galilean.hub.web_problems }}"
"""

RETURN = r"""
_value:
  description: One sentence for each problem, without its full stop. Empty when there is none.
  type: list
  elements: str
  sample: ["jupyterhub_web_title is '': give one line of text"]
"""


def judged(settings: dict[str, t.Any]) -> list[str]:
    """The pure code's answer."""
    from ansible_collections.galilean.hub.plugins.module_utils.hub.branding import web_problems

    return web_problems(settings)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"web_problems": of_mapping("web_problems", judged)}
