# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: docker_option_problems
short_description: What is wrong with the settings of a Docker engine
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Checks address pools and the MTU before a host is touched. What is free-form, the engine itself checks.
positional: _input
options:
  _input:
    description: The settings of the C(docker) role, without their prefix. The free-form options are under C(extra).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse what cannot be meant
  ansible.builtin.assert:
    that: __docker_settings | galilean.hub.docker_option_problems | length == 0
"""

RETURN = r"""
_value:
  description: One sentence for each problem, with the setting, the value and the fix. Empty when there is none.
  type: list
  elements: str
"""


def docker_option_problems_filter(settings: t.Any) -> list[str]:
    """Filter wrapper: checks the type, then asks the pure code."""
    from ansible_collections.galilean.hub.plugins.module_utils.engine.daemon_options import options_problems

    if not isinstance(settings, dict):
        raise AnsibleFilterError("The galilean.hub.docker_option_problems input must be a mapping.")
    return options_problems(to_plain(settings))


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"docker_option_problems": docker_option_problems_filter}
