#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: apt
short_description: Install packages, and wait for other package installations
version_added: 0.7.0
author: galilean.hub contributors (@galilean)
description:
  - Installs packages with M(ansible.builtin.apt). If another process holds a lock of dpkg or apt, for example automatic upgrades
    on a new server, the module names that process, waits until it has finished, and tries again.
  - Completes an interrupted run of dpkg before it tries again.
  - Without O(name), it only waits. Cloud-init during the first boot counts as a package installation.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  action:
    description: Has an action plugin, which runs on the controller and prints the process it waits for.
    support: full
  check_mode:
    support: full
    details:
      - Never waits. Prints what it would wait for.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description: Names of packages to install.
    type: list
    elements: str
    default: []
  install_recommends:
    description: Whether to install recommended packages, too.
    type: bool
    default: false
  policy_rc_d:
    description: Exit code of C(policy-rc.d) for packages that want to start services. By default they may.
    type: int
  wait:
    description: Maximum total waiting time in seconds.
    type: int
    default: 600
seealso:
  - module: ansible.builtin.apt
"""

EXAMPLES = r"""
- name: Ensure packages are installed
  galilean.hub.apt:
    name: [docker.io, iptables]

- name: Wait for the end of the first boot
  galilean.hub.apt:
    wait: 300
"""

RETURN = r"""
waited:
  description: Processes that the module waited for, as text.
  returned: success
  type: list
  elements: str
  sample: ["unattended-upgrade (process 812) holds /var/lib/dpkg/lock-frontend"]
"""

import contextlib
import os
import shutil
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core import apt_locks

POLICY = "/usr/sbin/policy-rc.d"
ARGUMENT_SPEC: dict[str, t.Any] = {
    "name": {"type": "list", "elements": "str", "default": []},
    "install_recommends": {"type": "bool", "default": False},
    "policy_rc_d": {"type": "int"},
    "wait": {"type": "int", "default": 600},
}


@contextlib.contextmanager
def policy(code: int | None) -> t.Iterator[None]:
    """Tell packages for a while that they may not start their services; a policy that is there holds."""
    if code is None or os.path.exists(POLICY):
        yield
        return
    with open(POLICY, "w", encoding="utf-8") as stream:
        os.fchmod(stream.fileno(), 0o755)
        stream.write(f"#!/bin/sh\nexit {code}\n")
    try:
        yield
    finally:
        os.unlink(POLICY)


def main() -> None:
    """What the action plugin asks about the host; installing is ansible.builtin.apt's."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    busy = apt_locks.busy()
    found: dict[str, t.Any] = {"changed": False, "busy": busy, "finished": False}
    if not busy and shutil.which("dpkg") and apt_locks.interrupted() and not module.check_mode:
        with policy(module.params["policy_rc_d"]):
            found["unfinished"] = apt_locks.finish()
        found.update(changed=True, finished=True)
    module.exit_json(**found)


if __name__ == "__main__":
    main()
