# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: openstack_deployments
short_description: Group the hosts of an inventory by deployment and server
version_added: 0.3.0
author: galilean.hub contributors (@galilean)
description:
  - Hosts with the same cloud and deployment form one deployment. Hosts with the same server name are instances on one server.
  - Hosts with an empty C(openstack_cloud) are omitted.
options:
  _input:
    description:
      - The role's settings of each host by their full names, with the inventory host name in C(host) and the content of the
        public key file in C(public_key).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Make what the settings describe
  galilean.hub.cloud_deployment:
    cloud: "{{ item.options.cloud }}"
    name: "{{ item.options.name }}"
    servers: "{{ item.options.servers }}"
  loop: "{{ hosts | galilean.hub.openstack_deployments }}"
"""

RETURN = r"""
_value:
  description:
    - The deployments, each with the C(options) for M(galilean.hub.cloud_deployment), and by server name the inventory C(hosts) on
      it, their C(login_users) and C(ssh_args).
  type: list
  elements: dict
  sample:
    - options: {cloud: mycloud, name: arcetri, servers: [{name: hub, image: Debian 12}]}
      hosts: {hub: [hub, prototype]}
      login_users: {hub: debian}
"""


def openstack_deployments(hosts: t.Any) -> list[dict[str, t.Any]]:
    """Filter wrapper: turns what does not fit into Ansible's error."""
    from ansible_collections.galilean.hub.plugins.module_utils.cloud import settings

    try:
        return settings.deployments(to_plain(list(hosts)))
    except HubError as exc:
        raise AnsibleFilterError(exc.message) from None


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"openstack_deployments": openstack_deployments}
