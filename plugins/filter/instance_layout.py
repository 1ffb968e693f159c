# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

DOCUMENTATION = r"""
name: instance_layout
short_description: Names, paths and addresses of a hub instance
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Everything that a hub instance owns on its host is named after the instance. This filter is the one place that says how.
positional: _input
options:
  _input:
    description: Name of the instance, V(2) to V(20) lower-case letters, digits and single dashes.
    type: str
    required: true
  users_subnet:
    description:
      - IPv4 network of the user servers in CIDR form.
      - Empty for one that is derived from the name.
    type: str
    default: ''
  state_root:
    description: Folder that holds the instance's own folder.
    type: path
    default: /srv
"""

EXAMPLES = r"""
- name: Show where an instance keeps its state
  ansible.builtin.debug:
    msg: "{{ ('hub' | galilean.hub.instance_layout).state_dir }}"  # /srv/hub
"""

RETURN = r"""
_value:
  description:
    - Names of the unit, the service account, the containers, networks and bridges, the folders below the state folder,
      and the fixed addresses of hub and proxy on the network of the user servers.
  type: dict
  sample:
    name: hub
    unit: hub
    state_dir: /srv/hub
    core_network: hub-core
    users_network: hub-users
    containers: {edge: hub-edge, hub: hub-hub, proxy: hub-proxy, disk: hub-disk}
"""


def instance_layout_filter(name: t.Any, users_subnet: str = "", state_root: str = "/srv") -> dict[str, t.Any]:
    """Filter wrapper: turns HubError into the error that Ansible shows as one sentence."""
    from ansible_collections.galilean.hub.plugins.module_utils.core.instance import instance_layout

    if not isinstance(name, str):
        raise AnsibleFilterError(
            f"The galilean.hub.instance_layout input must be a string, not {type(name).__name__}"
        )
    try:
        return instance_layout(str(name), str(users_subnet), str(state_root))
    except HubError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"instance_layout": instance_layout_filter}
