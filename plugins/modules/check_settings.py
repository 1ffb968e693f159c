#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: check_settings
short_description: Validate all settings of a hub host before any change
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Reads the argument specs of all roles of this collection and compares them with the variables of the host.
  - Finds unknown settings (with the nearest known name), wrong types, values that are not among the choices, unknown and missing
    keys in lists and mappings, missing required settings, templates with errors, and instances on the same machine that share a
    name, a port or a network.
  - Finds plain text secrets in inventory files other than C(secrets.yml), for example secret settings, keys like C(client_secret)
    in free mappings, URLs with a password, and connection passwords of Ansible.
  - Reports all problems together, each as one sentence with the setting, its value and the fix.
  - Runs only on the controller and needs no connection to the host. Values of secrets are never shown.
  - The role checks a value that uses facts of the host later, when the facts are available.
options:
  group:
    description: Inventory group of the hosts that run hub instances. Instances are compared within this group.
    type: str
    default: hubs
  roles:
    description:
      - Roles whose own rules are checked, too, for example settings that conflict and files that are missing on the controller.
      - The rules are functions in C(plugins/module_utils/checks). Each role checks its rules again when it runs.
    type: list
    elements: str
    default: []
    version_added: 0.7.0
  rules:
    description:
      - V(all) checks names and values of all settings, and the rules of O(roles).
      - V(roles) checks the rules of O(roles) only.
      - V(host) checks the requirements of O(roles) on the host, with the facts from their C(tasks/observe.yml).
      - V(certificate) checks the certificate and key of the role edge, as read on the host.
      - V(playbook) checks names and values of what a playbook takes with C(-e). V(all) checks them, too.
    type: str
    choices: [all, roles, host, certificate, playbook]
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
  description: Number of settings that were set explicitly and therefore checked.
  returned: always
  type: int
  sample: 12
msg:
  description: Problems, one line each. With O(roles) and without problems, a summary of who may log in.
  returned: on failure, or with O(roles)
  type: str
  sample: |-
    One setting is not right; nothing has been touched.
    - edge_port is 'eighty': give a whole number, such as 8000. (inventories/yours/group_vars/all/settings.yml, line 12)
"""

# The work is done on the controller by the action plugin of the same name.
