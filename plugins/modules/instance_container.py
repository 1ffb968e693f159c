#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: instance_container
short_description: Replace a container of a hub instance only if the new one works
version_added: 0.7.0
author: galilean.hub contributors (@galilean)
description:
  - Manages a container with M(community.docker.docker_container). That module alone removes the old container before it creates
    the new one.
  - This module stops the old container and renames it to C(<name>-before). If the new one does not start or its health check
    fails, the old one is started again and the task fails. Otherwise the old one is removed and its log is kept.
  - The next run completes a killed one.
requirements:
  - The collection community.docker.
options:
  container:
    description:
      - Options of M(community.docker.docker_container). C(name) is required.
      - The new container works if the command in C(healthcheck) succeeds in it. Without C(healthcheck), if it runs.
    type: dict
    required: true
  log_dir:
    description: Folder on the host for logs of replaced containers, the newest five of each. Empty to keep none.
    type: path
    default: ''
  patience:
    description: Timeout in seconds for the new container to work.
    type: int
    default: 60
  keep:
    description:
      - Leave the old container beside the new one, stopped, also after a failure. M(galilean.hub.hub_release) brings it back, and
        O(state=settled) removes it.
    type: bool
    default: false
    version_added: 0.9.0
  stopped:
    description: Shell script to run between the stop of the old container and the start of the new one. If it fails, the old one is started.
    type: str
    default: 'true'
    version_added: 0.9.0
  state:
    description: With V(settled), only remove the old container that O(keep) has left.
    type: str
    choices: [present, settled]
    default: present
    version_added: 0.9.0
  docker_cli:
    description: The docker command, with its options.
    type: list
    elements: str
    default: [docker]
attributes:
  check_mode:
    description: Can run in check mode and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed, or would change, when in diff mode.
    support: full
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    support: full
seealso:
  - module: community.docker.docker_container
"""

EXAMPLES = r"""
- name: Ensure that the broker runs
  galilean.hub.instance_container:
    container:
      name: hub-broker
      image: galilean/hub:9e6cef771480
      command: [python3, -m, galilean_broker]
      pull: never
      healthcheck: {test: [CMD, python3, -m, galilean_broker, health]}
    log_dir: /srv/hub/log
"""

RETURN = r"""
container:
  description: As of M(community.docker.docker_container).
  returned: success
  type: dict
msg:
  description: Problem of the new container, with its last log lines.
  returned: on failure
  type: str
"""

# The work is done by the action plugin of the same name, which calls docker_container.
