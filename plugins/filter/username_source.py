# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: username_source
short_description: Return the settings that determine usernames
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - Returns the login settings that determine usernames. While they are unchanged, users keep their homes.
  - For M(galilean.hub.hub_rename_check).
options:
  _input:
    description:
      - The role's login variables from P(galilean.hub.settings#lookup) for V(login).
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
