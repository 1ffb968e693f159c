#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: host_python
short_description: Install Python on a host without Python
version_added: 0.7.0
author: galilean.hub contributors (@galilean)
description:
  - Installs Python and python3-apt on a Debian or Ubuntu host. It does not need Python on the host.
  - Completes an interrupted run of dpkg first. Waits for processes that hold a lock of dpkg or apt.
  - Commands go through the standard input of a shell, so that a proxy's password is not visible in the process list.
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
      - Only for hosts without Python. It does not check first.
options:
  environment:
    description: Environment variables of apt, for example for a proxy.
    type: dict
    default: {}
  wait:
    description: Maximum total waiting time in seconds.
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
