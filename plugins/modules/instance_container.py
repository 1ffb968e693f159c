#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: instance_container
short_description: A container of a hub instance, whose forerunner goes when it works
version_added: 0.7.0
author: galilean.hub contributors (@galilean)
description:
  - Does what M(community.docker.docker_container) does, which removes a container before it makes the next one.
  - Here the container that is to be replaced is stopped and set aside, as C(<name>-before). When the new one cannot be started or its
    health check does not succeed, that one runs again and the task fails. Otherwise its log is kept and it is removed.
  - A run that was killed in between is finished by the next one.
requirements:
  - The collection community.docker.
options:
  container:
    description:
      - Options of M(community.docker.docker_container). Its C(name) must be among them.
      - The new container counts as working when the command in C(healthcheck) succeeds in it; without one, when it runs.
    type: dict
    required: true
  log_dir:
    description: Folder of the host for logs of containers that were replaced, the newest five of each. Empty to keep none.
    type: path
    default: ''
  patience:
    description: Seconds within which the new container must work.
    type: int
    default: 60
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
- name: Ensure that the hub runs
  galilean.hub.instance_container:
    container:
      name: hub-hub
      image: galilean/hub:9e6cef771480
      pull: never
      healthcheck: {test: [CMD, python3, -m, galilean_hub.health]}
    log_dir: /srv/hub/log
"""

RETURN = r"""
container:
  description: As of M(community.docker.docker_container).
  returned: success
  type: dict
msg:
  description: What was wrong with the new container, and its last words.
  returned: on failure
  type: str
"""

# The work is done by the action plugin of the same name, which calls docker_container.
