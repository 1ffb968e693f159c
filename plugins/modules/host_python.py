#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: host_python
short_description: Python on a host that has none
version_added: 0.7.0
author: galilean.hub contributors (@galilean)
description:
  - Installs Python and its library for apt on a host of Debian or Ubuntu, without Python.
  - What an interrupted run of dpkg has left is finished first. Whoever holds a lock of dpkg or apt is waited for.
  - What it runs goes through the standard input of a shell, so that a proxy's password is in no list of processes.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  action:
    description: Is an action plugin, which runs on the controller.
    support: full
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details:
      - It only installs packages.
  idempotent:
    support: none
    details:
      - Meant for a host that lacks Python; it does not look before.
options:
  environment:
    description: Variables of the environment that apt is run in, such as those of a proxy.
    type: dict
    default: {}
  wait:
    description: For how many seconds to wait, in all.
    type: int
    default: 600
seealso:
  - module: galilean.hub.apt
"""

EXAMPLES = r"""
- name: Install Python
  become: true
  galilean.hub.host_python:
    environment:
      http_proxy: http://proxy.example.org:3128
"""
