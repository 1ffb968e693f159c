#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: server_host_keys
short_description: Pin the SSH host keys of servers from their console logs
version_added: 0.3.0
author: galilean.hub contributors (@galilean)
description:
  - Reads the SSH host keys of OpenStack servers from their console logs, through the compute API, and writes them to a
    known_hosts file. The first connection to a new server is then as secure as later ones, without trust on first use.
  - Waits for all servers in parallel, until cloud-init has printed the keys at the end of the first boot.
  - Each entry contains the server's ID. The console of a known server is not read again. A recreated server has another ID, and
    its keys replace the old ones. Other entries in the file stay.
  - Runs on the controller.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
  - galilean.hub.attributes.files
attributes:
  action:
    description: Is an action plugin, which runs on the controller.
    support: full
  check_mode:
    support: full
    details:
      - Does not wait for unknown keys.
  diff_mode:
    support: full
  idempotent:
    support: full
requirements:
  - openstacksdk >= 4.0
options:
  cloud:
    description: An entry of C(clouds.yaml), or V(envvars).
    type: str
    required: true
  servers:
    description: The servers.
    type: list
    elements: dict
    required: true
    suboptions:
      id:
        description: ID of the server.
        type: str
        required: true
      name:
        description: Name of the server, for messages.
        type: str
        required: true
      hosts:
        description: Names and addresses for SSH connections.
        type: list
        elements: str
        required: true
  path:
    description: Path of the known_hosts file on the controller.
    type: path
    required: true
  state:
    description: With V(absent), the entries of these servers and their names are removed.
    type: str
    choices: [present, absent]
    default: present
  timeout:
    description: Timeout in seconds for the servers to boot and print their keys.
    type: int
    default: 600
notes:
  - The image needs cloud-init with its module C(keys_to_console), which stock cloud images have.
seealso:
  - module: galilean.hub.cloud_deployment
  - name: cloud-init's keys_to_console
    description: The cloud-init module that prints the keys.
    link: https://cloudinit.readthedocs.io/en/latest/reference/modules.html#keys-to-console
"""

EXAMPLES = r"""
- name: Pin the host keys of a server
  galilean.hub.server_host_keys:
    cloud: mycloud
    path: "{{ inventory_dir }}/known_hosts"
    servers:
      - name: hub
        id: 8a6b6e0e-6a4d-4a6e-9a53-2f6a4a0c4a3c
        hosts: [192.0.2.17, hub.example.org]
"""

RETURN = r"""
keys:
  description: Keys of each server by name, as C(type key).
  returned: success
  type: dict
  sample:
    hub: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0c4xk2hN6E0b3WJ3dVtq0Jw7c0oC0qW2hJd1l5n9aB]
"""

# The work is done on the controller by the action plugin of the same name.
