# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: account_problems
short_description: What is wrong with a list of administrators
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Checks names, numbers, keys, sudo rules and password hashes before a host is touched.
  - No sentence shows a password hash or what was given in its place.
positional: _input
options:
  _input:
    description: The administrators, as in the C(users_admins) variable of the C(users) role.
    type: list
    elements: dict
    required: true
  service:
    description: The service account, with C(name), C(group), C(uid) and C(gid).
    type: dict
    required: true
  groups:
    description: The groups, as in the C(users_groups) variable of the C(users) role.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Refuse a list that cannot be meant
  ansible.builtin.assert:
    that: "users_admins | galilean.hub.account_problems(service={'name': 'hub'}) | length == 0"
"""

RETURN = r"""
_value:
  description: One sentence for each problem, with the setting, the value and the fix. Empty when there is none.
  type: list
  elements: str
"""


def account_problems_filter(admins: t.Any, service: t.Any, groups: t.Any = ()) -> list[str]:
    """Filter wrapper: checks the types, then asks the pure code."""
    from ansible_collections.galilean.hub.plugins.module_utils.accounts.rules import account_problems

    for name, value in (("input", admins), ("groups", groups)):
        if not isinstance(value, (list, tuple)) or not all(isinstance(one, dict) for one in value):
            raise AnsibleFilterError(f"The galilean.hub.account_problems {name} must be a list of mappings.")
    if not isinstance(service, dict):
        raise AnsibleFilterError("The galilean.hub.account_problems service must be a mapping.")
    return account_problems(to_plain(service), to_plain(groups), to_plain(admins))


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"account_problems": account_problems_filter}
