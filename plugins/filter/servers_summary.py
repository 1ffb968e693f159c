# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: servers_summary
short_description: Summarize user servers that run with old settings
version_added: 0.7.0
author: galilean.hub contributors (@galilean)
description:
  - The label C(galilean.hub.settings) of a user's container holds digests of its settings. If settings have changed since its
    start, the filter returns how many servers are affected, which settings are old, and how to apply the new ones.
positional: _input
options:
  _input:
    description: One line for each running server, with username, tab and label.
    type: list
    elements: str
    required: true
  data:
    description: The hub's data from P(galilean.hub.hub_config_data#filter).
    type: dict
    required: true
  url:
    description: Public URL of the hub.
    type: str
    required: true
  cull_timeout:
    description: Seconds after which idle servers are stopped, V(0) for never.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Say which servers are older than the settings
  ansible.builtin.debug:
    msg: "{{ ['anna\t'] | galilean.hub.servers_summary(data=data, url='https://hub.example.org/', cull_timeout=3600) }}"
"""

RETURN = r"""
_value:
  description: The message, empty if all servers have the current settings.
  type: str
"""


def servers_summary_filter(lines: t.Any, data: t.Any = None, url: str = "", cull_timeout: int = 0) -> str:
    """Filter wrapper: takes the lines apart, then asks the pure code."""
    from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain
    from ansible_collections.galilean.hub.plugins.module_utils.hub.server_settings import (
        LABEL,
        servers_summary,
    )

    plain, known = to_plain(lines), to_plain(data)
    if isinstance(plain, str) or not isinstance(known, dict) or "traits" not in known:
        raise AnsibleFilterError(
            "The galilean.hub.servers_summary input must be lines, with the hub's data in the option data."
        )
    label = known["traits"]["DockerSpawner"]["extra_create_kwargs"]["labels"].get(LABEL, "")
    servers = [(line.partition("\t")[0], line.partition("\t")[2]) for line in plain]
    return servers_summary(servers, label, str(url), int(cull_timeout))


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"servers_summary": servers_summary_filter}
