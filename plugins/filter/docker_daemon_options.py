# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: docker_daemon_options
short_description: Render daemon.json of a managed Docker engine
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Converts the settings of the C(docker) role and the result of M(galilean.hub.docker_engine_info) into the content of C(daemon.json).
positional: _input
options:
  _input:
    description: Settings of the role without their prefix. Free-form options are in C(extra).
    type: dict
    required: true
  engine:
    description: Result of the module. C(mtu) and C(nofile_limit) are used.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show the options
  ansible.builtin.debug:
    msg: "{{ __docker_settings | galilean.hub.docker_daemon_options(engine=__docker_probe.engine) }}"
"""

RETURN = r"""
_value:
  description: The options, sorted by name.
  type: dict
  sample: {labels: ["galilean.hub.managed=true"], live-restore: true, mtu: 1450}
"""


def docker_daemon_options_filter(settings: t.Any, engine: t.Any = None) -> dict[str, t.Any]:
    """Filter wrapper: checks the types, then asks the pure code."""
    from ansible_collections.galilean.hub.plugins.module_utils.engine.daemon_options import daemon_options

    if not isinstance(settings, dict) or not isinstance(engine or {}, dict):
        raise AnsibleFilterError("The galilean.hub.docker_daemon_options input and engine must be mappings.")
    try:
        return daemon_options(to_plain(settings), to_plain(engine or {}))
    except HubError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"docker_daemon_options": docker_daemon_options_filter}
