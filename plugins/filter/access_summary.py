# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: access_summary
short_description: Who can log in to a hub, in words
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - Says who can log in and who is an administrator, as the settings have it.
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
- name: Say who can log in
  ansible.builtin.debug:
    msg: "{{ login | galilean.hub.access_summary }}"
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
  description: A sentence about users and one about administrators.
  type: str
  sample: "Who can log in: members of institute at GitHub; the administrators. Administrators: ada."
"""


def judged(settings: dict[str, t.Any]) -> str:
    """The pure code's answer."""
    from ansible_collections.galilean.hub.plugins.module_utils.authorization.login import in_words

    return in_words(settings)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"access_summary": of_mapping("access_summary", judged)}
