# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils._plain import to_plain
from ansible_collections.galilean.hub.plugins.module_utils._web_look import web_problems

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
  - plugin: galilean.hub.web_look
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


def web_problems_filter(settings: t.Any) -> list[str]:
    """Filter wrapper: checks the input's type."""
    if not isinstance(settings, dict):
        raise AnsibleFilterError(
            f"The galilean.hub.web_problems input must be a mapping, not {type(settings).__name__}"
        )
    try:
        return web_problems(to_plain(settings))
    except KeyError as exc:
        raise AnsibleFilterError(f"The galilean.hub.web_problems input lacks the key {exc}") from exc


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"web_problems": web_problems_filter}
