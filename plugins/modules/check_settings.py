#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: check_settings
short_description: Checks all settings of a hub host before anything is touched
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Reads the argument specs of all roles of this collection and compares them with the variables of the host.
  - Finds names that are no settings (with the nearest one that is), values of the wrong type, values that are not among
    the choices, unknown and missing keys inside lists and mappings, settings that must be given and are not, templates
    that cannot be worked out, and instances on the same machine that share a name, a port or a network.
  - Finds secrets in plain text in files of the inventory other than C(secrets.yml), such as settings that are secret, keys
    like C(client_secret) in free mappings, addresses with a password in them, and what Ansible connects with.
  - All findings are reported together, each as one sentence with the setting, its value and what to write instead.
  - Runs on the controller only and needs no connection to the host. Values of secrets are never shown.
  - A value that is built from facts of the host is left to the role, which checks it when the facts are there.
options:
  group:
    description: Group of the inventory hosts that run hub instances; instances are compared within it.
    type: str
    default: hubs
  roles:
    description:
      - Roles whose own rules are checked as well, such as settings that do not fit together and files that are not on the controller.
      - They are functions in C(plugins/module_utils/checks). A role checks its own again when it runs.
    type: list
    elements: str
    default: []
    version_added: 0.7.0
  rules:
    description:
      - V(all) checks names and values of all settings, and the rules of O(roles).
      - V(roles) checks the rules of O(roles) only.
      - V(host) checks what O(roles) ask of the host, as their C(tasks/observe.yml) has found it.
      - V(certificate) checks the certificate and key of the role edge that have been read on the host.
    type: str
    choices: [all, roles, host, certificate]
    default: all
    version_added: 0.8.0
attributes:
  check_mode:
    description: Can run in check mode and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed, or would change, when in diff mode.
    support: none
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    support: full
"""

EXAMPLES = r"""
- name: Check all settings
  galilean.hub.check_settings:

- name: Check all settings, and whether they fit together
  galilean.hub.check_settings:
    roles: [docker, images, edge, jupyterhub]
"""

RETURN = r"""
checked:
  description: How many settings were given other than their defaults, and so were checked.
  returned: always
  type: int
  sample: 12
msg:
  description: What is not right, one line for each finding. With O(roles), who may log in where all is right.
  returned: on failure, or with O(roles)
  type: str
  sample: |-
    One setting is not right; nothing has been touched.
    - edge_port is 'eighty': give a whole number, such as 8000. (inventories/yours/group_vars/all/settings.yml, line 12)
"""

# The work is done on the controller by the action plugin of the same name.
