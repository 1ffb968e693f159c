# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: servers_summary
short_description: Which servers run with other settings than new ones have
version_added: 0.7.0
author: galilean.hub contributors (@galilean)
description:
  - What a user's server is started with is a digest in the label C(galilean.hub.settings) of its container. Where the settings have changed
    since, this says how many servers that are, what of them is old, and how they get what is new.
positional: _input
options:
  _input:
    description: Lines with a user's name, a tab and the label, one for each running server.
    type: list
    elements: str
    required: true
  data:
    description: The hub's data, as P(galilean.hub.hub_config_data#filter) returns it.
    type: dict
    required: true
  url:
    description: Public address of the hub.
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
  description: The sentence, empty where all servers are as new ones.
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
