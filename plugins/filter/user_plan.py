# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: user_plan
short_description: Plan the changes to accounts and homes
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - Compares the user list with the hub's accounts and homes, and returns the necessary changes, also as text.
  - Used by the role P(galilean.hub.jupyterhub#role).
options:
  _input:
    description:
      - C(list) from P(galilean.hub.settings#lookup) for V(listed_users). C(accounts) from M(galilean.hub.hub_info). C(homes) and
        C(archives) from M(galilean.hub.home_info).
      - C(settings), usernames in other settings. C(unlisted) and C(removed_homes), the role's variables
        C(jupyterhub_unlisted_users) and C(jupyterhub_removed_homes). C(check_user), the account of the check.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say what will be done
  ansible.builtin.debug:
    msg: "{{ (state | galilean.hub.user_plan).words }}"
  vars:
    state:
      list: "{{ lookup('galilean.hub.settings', 'listed_users') }}"
      accounts: [{name: anna, admin: false, groups: [], servers: []}]
      homes: [{user: anna, volume: hub-home-anna}]
      archives: []
      settings: []
      unlisted: keep
      removed_homes: archive
      check_user: hub-check
"""

RETURN = r"""
_value:
  description: Usernames by action, and all actions as text in C(words).
  type: dict
  sample: {stop: [], archive: [anna], delete: [anna], words: [Archive the home of anna, Delete the account of anna]}
"""


def judged(settings: dict[str, t.Any]) -> dict[str, t.Any]:
    """The pure code's answer."""
    from ansible_collections.galilean.hub.plugins.module_utils.authorization.user_plan import user_plan

    return user_plan(settings)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"user_plan": of_mapping("user_plan", judged)}
