# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: login_problems
short_description: What is wrong with the settings of a hub's login
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - Checks what the types of the settings cannot say, such as a login that nobody or everybody passes by accident.
  - Used by the preflight of the role P(galilean.hub.jupyterhub#role).
options:
  _input:
    description:
      - The role's variables about the login without C(jupyterhub_), C(login_kind) as C(kind), and the own settings of each kind under
        its name.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse a login that cannot work
  ansible.builtin.assert:
    that: login | galilean.hub.login_problems | length == 0
  vars:
    login:
      kind: github
      client_id: a1b2
      client_secret: true
      public_url: https://hub.example.org/
      allow_all: false
      allowed_users: []
      allowed_groups: []
      admin_users: [ada]
      admin_groups: []
      blocked_users: []
      github: {organizations: [institute]}
"""

RETURN = r"""
_value:
  description: One sentence for each problem, without its full stop. Empty when there is none.
  type: list
  elements: str
  sample: ["jupyterhub_login_client_id is empty while jupyterhub_authenticator is 'github'"]
"""


def judged(settings: dict[str, t.Any]) -> list[str]:
    """The pure code's answer."""
    from ansible_collections.galilean.hub.plugins.module_utils.authorization.login import login_problems

    return login_problems(settings)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"login_problems": of_mapping("login_problems", judged)}
