# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: username_source
short_description: What the names of a hub's users are made of
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - Tells those settings of a login that make users' names. As long as they stay as they are, everybody finds the same home.
  - For M(galilean.hub.hub_rename_check).
options:
  _input:
    description:
      - The role's variables about the login, as P(galilean.hub.settings#lookup) gives them for V(login).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what names are made of
  ansible.builtin.debug:
    msg: "{{ {'kind': 'google', 'google': {'strip_domain': true}} | galilean.hub.username_source }}"
"""

RETURN = r"""
_value:
  description: Names of settings and their values.
  type: dict
  sample: {names: google, strip_domain: true}
"""


def judged(settings: dict[str, t.Any]) -> dict[str, t.Any]:
    """The pure code's answer."""
    from ansible_collections.galilean.hub.plugins.module_utils.authorization.login import naming

    return naming(settings)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"username_source": of_mapping("username_source", judged)}
