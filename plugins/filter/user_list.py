# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._file_content import file_content
from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: user_list
short_description: The listed users of a hub by what they may
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - Reads the list in the settings and the CSV file together, for P(galilean.hub.user_list_problems#filter) to find nothing in.
options:
  _input:
    description: C(users) as the role's variable C(jupyterhub_users). C(file), the path of C(jupyterhub_users_file), which is read.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show who may log in
  ansible.builtin.debug:
    msg: "{{ (people | galilean.hub.user_list).allowed }}"
  vars:
    people: {users: [{name: anna, groups: [staff]}, {name: berta, blocked: true}], file: ""}
"""

RETURN = r"""
_value:
  description:
    - C(users) with all keys, and the names that are C(allowed), C(admin_users), C(blocked) and C(absent). Who is absent is blocked, too.
    - C(groups), names by group.
  type: dict
  sample:
    users: [{name: anna, state: present, admin: null, groups: [staff], blocked: false}]
    allowed: [anna]
    admin_users: []
    blocked: []
    absent: []
    groups: {staff: [anna]}
"""


def judged(settings: dict[str, t.Any]) -> dict[str, t.Any]:
    """The pure code's answer."""
    from ansible_collections.galilean.hub.plugins.module_utils.authorization.user_list import user_list

    return user_list({**settings, "content": file_content(settings.get("file"))})


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"user_list": of_mapping("user_list", judged)}
