# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: capacity_problems
short_description: Limits of user servers that a host cannot keep
version_added: 0.7.0
author: galilean.hub contributors (@galilean)
description:
  - Compares the limits in settings, groups and environments with the memory, the processors and the disk of a host.
positional: _input
options:
  _input:
    description:
      - The role's variables C(groups), C(profiles), C(memory_limit), C(cpu_limit) and C(disk_reserve), without C(jupyterhub_).
    type: dict
    required: true
  memory_mb:
    description: Memory of the host in MiB; V(0) where it is not known.
    type: int
    required: true
  cores:
    description: Processors of the host; V(0) where they are not known.
    type: int
    required: true
  mounts:
    description: File systems of the host, as Ansible's fact C(mounts) has them.
    type: list
    elements: dict
    default: []
  data_root:
    description: Where the engine keeps its data.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Refuse limits that the host cannot keep
  ansible.builtin.assert:
    that: settings | galilean.hub.capacity_problems(memory_mb=8000, cores=2) | length == 0
  vars:
    settings: {groups: [], profiles: [], memory_limit: 4G, cpu_limit: 2}
"""

RETURN = r"""
_value:
  description: One sentence for each problem, without its full stop. Empty when there is none.
  type: list
  elements: str
  sample: ["jupyterhub_memory_limit is '64G', more than the 8000 MiB of the host: give less, or leave it out"]
"""


def judged(settings: t.Any, memory_mb: t.Any, cores: t.Any, mounts: t.Any = (), data_root: str = "") -> t.Any:
    """The pure code's answer."""
    from ansible_collections.galilean.hub.plugins.module_utils.authorization.access_settings import (
        capacity_problems,
    )
    from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

    return of_mapping(
        "capacity_problems",
        lambda given: capacity_problems(
            given, int(memory_mb), int(cores), to_plain(list(mounts)), str(data_root)
        ),
    )(settings)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"capacity_problems": judged}
