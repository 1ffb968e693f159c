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
  - All findings are reported together, each as one sentence with the setting, its value and what to write instead.
  - Runs on the controller only and needs no connection to the host. Values of secrets are never shown.
  - A value that is built from facts of the host is left to the role, which checks it when the facts are there.
options:
  group:
    description: Group of the inventory hosts that run hub instances; instances are compared within it.
    type: str
    default: hubs
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
"""

RETURN = r"""
checked:
  description: How many settings were given other than their defaults, and so were checked.
  returned: always
  type: int
  sample: 12
msg:
  description: What is not right, one line for each finding.
  returned: on failure
  type: str
  sample: |-
    One setting is not right; nothing has been touched.
    - edge_port is 'eighty': give a whole number, such as 8000.
"""

# The work is done on the controller by the action plugin of the same name.
