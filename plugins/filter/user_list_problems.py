# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._file_content import file_content
from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: user_list_problems
short_description: What is wrong with the list of a hub's users
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - Checks names, doubled entries, the columns of a CSV file, and whether other settings say the opposite.
  - Used by the preflight of the role P(galilean.hub.jupyterhub#role).
options:
  _input:
    description:
      - C(users) as the role's variable C(jupyterhub_users). C(file), the path of C(jupyterhub_users_file), which is read.
      - C(unlisted), C(allowed_users), C(admin_users), C(blocked_users), C(allow_all), C(allowed_groups) and C(admin_groups) as the variables of these
        names, and C(kind) and C(own) for the login and its settings. All of these may be left out.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse a list that cannot work
  ansible.builtin.assert:
    that: people | galilean.hub.user_list_problems | length == 0
  vars:
    people: {users: [{name: anna, groups: [staff]}, {name: berta, blocked: true}], file: ""}
"""

RETURN = r"""
_value:
  description: One sentence for each problem, without its full stop. Empty when there is none.
  type: list
  elements: str
  sample: ["jupyterhub_users, entry 1, has 'grops': write groups"]
"""


def judged(settings: dict[str, t.Any]) -> list[str]:
    """The pure code's answer."""
    from ansible_collections.galilean.hub.plugins.module_utils.authorization.user_list import (
        user_list_problems,
    )

    return user_list_problems({**settings, "content": file_content(settings.get("file"))})


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"user_list_problems": of_mapping("user_list_problems", judged)}
