# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: usage_table
short_description: Format disk usage as text
version_added: 0.2.0
author: galilean.hub contributors (@galilean)
description:
  - Converts the result of M(galilean.hub.engine_usage) or M(galilean.hub.engine_prune) into lines of text, the largest first.
positional: _input
options:
  _input:
    description: The result of one of the two modules.
    type: dict
    required: true
  host:
    description: Host name for the first line.
    type: str
    default: ''
  top:
    description: Number of lines of each kind. The rest is summed up. All homes, shared folders and archives are shown.
    type: int
    default: 10
  command:
    description: Command of the prune for the text.
    type: str
    default: a prune
  would:
    description: Whether the prune ran in check mode.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show what takes the disk
  ansible.builtin.debug:
    msg: "{{ disk | galilean.hub.usage_table(host=inventory_hostname) | join('\n') }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""


def usage_table_filter(
    result: t.Any, host: str = "", top: int = 10, would: bool = False, command: str = "a prune"
) -> list[str]:
    """Filter wrapper: checks the type, then asks the pure code."""
    from ansible_collections.galilean.hub.plugins.module_utils.usage.table import removed_table, usage_table

    plain = to_plain(result)
    if isinstance(plain, dict) and "usage" in plain:
        return usage_table(plain["usage"], str(host), int(top), str(command))
    if isinstance(plain, dict) and "removed" in plain:
        return removed_table(plain["removed"], plain["bytes"], str(host), bool(would))
    raise AnsibleFilterError(
        f"The galilean.hub.usage_table input must be the result of engine_usage or engine_prune, not {plain!r}."
    )


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"usage_table": usage_table_filter}
