# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: openstack_hosts_file
short_description: Render the inventory file with the servers of a deployment
version_added: 0.3.0
author: galilean.hub contributors (@galilean)
description:
  - Writes address, login user, data volume and ssh arguments for each host whose server exists. ssh uses only the file of pinned host keys.
options:
  _input:
    description: A deployment from P(galilean.hub.openstack_deployments#filter).
    type: dict
    required: true
  servers:
    description: Its servers from M(galilean.hub.cloud_deployment).
    type: list
    elements: dict
    required: true
  folder:
    description: The inventory's folder. Paths below it are written so that they are valid in other checkouts.
    type: str
    required: true
  previous:
    description: Present content of the file. Hosts outside this run stay.
    type: dict
    default: {}
  gone:
    description: IDs of removed servers. Their hosts are removed from the file.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Write where the servers are
  ansible.builtin.copy:
    dest: "{{ inventory_dir }}/openstack_hosts.yml"
    content: "{{ deployment | galilean.hub.openstack_hosts_file(servers=made.servers, folder=inventory_dir) }}"
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The file's content, YAML.
  type: str
"""


def openstack_hosts_file(
    deployment: t.Any, servers: t.Any, folder: str = "", previous: t.Any = None, gone: t.Any = ()
) -> str:
    """Filter wrapper."""
    from ansible_collections.galilean.hub.plugins.module_utils.cloud import settings

    try:
        hosts = ((to_plain(previous) or {}).get("all") or {}).get("hosts") or {}
        return settings.hosts_file(
            to_plain(deployment), to_plain(list(servers)), str(folder), hosts, to_plain(list(gone))
        )
    except (AttributeError, KeyError, TypeError) as exc:
        raise AnsibleFilterError(
            f"The galilean.hub.openstack_hosts_file input is not right: {exc!r}"
        ) from exc


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"openstack_hosts_file": openstack_hosts_file}
