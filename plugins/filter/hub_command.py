# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: hub_command
short_description: Return the command for another playbook on the same hub
version_added: 0.7.0
author: galilean.hub contributors (@galilean)
description:
  - Messages of a run use it. The command names the inventory of the run, so that it applies to the same hub.
  - In a checkout with a Makefile it is a C(make) command, with an installed collection C(ansible-playbook).
positional: _input
options:
  _input:
    description: Name of a playbook of the collection, such as V(prune).
    type: str
    required: true
  sources:
    description: Inventories of the run, from C(ansible_inventory_sources).
    type: list
    elements: str
    required: true
  given:
    description: Extra variables of the command.
    type: dict
    default: {}
  limit:
    description: Host to limit the command to, if the inventory has several.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Say how to remove the instance
  ansible.builtin.debug:
    msg: "{{ 'teardown' | galilean.hub.hub_command(sources=ansible_inventory_sources, given={'teardown_confirm': 'physics'}) }}"
  # make teardown INVENTORY=inventories/physics CONFIRM=physics
"""

RETURN = r"""
_value:
  description: The command.
  type: str
"""


def hub_command_filter(target: t.Any, sources: t.Any = (), given: t.Any = None, limit: str = "") -> str:
    """Filter wrapper: looks for the Makefile, then asks the pure code."""
    from pathlib import Path

    from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain
    from ansible_collections.galilean.hub.plugins.module_utils.hub.command import hub_command

    plain = to_plain(sources)
    if isinstance(plain, str) or not all(isinstance(one, str) for one in plain):
        raise AnsibleFilterError(
            f"The galilean.hub.hub_command option sources must be a list of paths, not {plain!r}."
        )
    # Of the checkout: the collection may be a link to it.
    root = Path(__file__).resolve().parents[2]
    made = str(root) if (root / "Makefile").exists() else ""
    return hub_command(str(target), [str(one) for one in plain], made, to_plain(given or {}), str(limit))


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"hub_command": hub_command_filter}
