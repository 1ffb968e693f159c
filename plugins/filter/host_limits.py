# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

DOCUMENTATION = r"""
name: host_limits
short_description: Limits of user servers that fit a host
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Derives from a host's cores and memory how many user servers may start and run at once, and what each may take.
positional: _input
options:
  _input:
    description: Number of processor cores.
    type: int
    required: true
  memory_mb:
    description: Memory of the host in MiB.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Show what this host can carry
  ansible.builtin.debug:
    msg: "{{ 2 | galilean.hub.host_limits(memory_mb=24000) }}"
"""

RETURN = r"""
_value:
  description: The limits, see the sample; memory as JupyterHub writes it, processor time in cores.
  type: dict
  sample: {concurrent_spawn_limit: 3, active_server_limit: 56, memory_limit: 2048M, cpu_limit: 2.0}
"""


def host_limits_filter(cores: t.Any, memory_mb: t.Any) -> dict[str, t.Any]:
    """Filter wrapper: turns HubError into the error that Ansible shows as one sentence."""
    from ansible_collections.galilean.hub.plugins.module_utils.host.limits import host_limits

    try:
        return host_limits(int(cores), int(memory_mb))
    except (TypeError, ValueError) as exc:
        raise AnsibleFilterError(
            f"The galilean.hub.host_limits input must be two whole numbers, not {cores!r} and {memory_mb!r}"
        ) from exc
    except HubError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"host_limits": host_limits_filter}
