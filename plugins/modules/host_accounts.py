#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: host_accounts
short_description: Manage the Linux accounts of a hub instance on its host
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Creates the service account of an instance, groups, and administrators with their SSH keys, password hashes and sudo rules, as one set.
  - Accounts and groups that an earlier run created and that are no longer listed are removed. A record on the host keeps what was
    created and which instances list it, so that two instances on one host do not remove each other's accounts.
  - An existing account gets the listed keys and groups in addition, and is never removed. Other accounts are not touched.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Password hashes are never part of the diff.
  idempotent:
    support: full
options:
  instance:
    description: Name of the instance that lists these accounts.
    type: str
    required: true
  service:
    description:
      - The account that owns the instance's files and runs its containers. It cannot log in. Its home folder is not created.
      - When not set, the instance has none, and one that an earlier run created is removed.
    type: dict
    suboptions:
      name:
        description: Name of the account.
        type: str
        required: true
      group:
        description: Primary group, created if missing. When not set, the name of the account.
        type: str
      uid:
        description: UID. When not set, the next free system UID.
        type: int
      gid:
        description: GID of its group.
        type: int
      home:
        description: Home folder, which is not created.
        type: path
      groups:
        description: Further groups of the account.
        type: list
        elements: str
        default: []
  groups:
    description: Groups to create.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the group.
        type: str
        required: true
      gid:
        description: GID. When not set, the next free one.
        type: int
      system:
        description: Whether it is a system group.
        type: bool
        default: true
      state:
        description: V(absent) is the same as not listing it.
        type: str
        choices: [present, absent]
        default: present
  admins:
    description: Administrators.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the account.
        type: str
        required: true
      state:
        description: V(absent) is the same as not listing it.
        type: str
        choices: [present, absent]
        default: present
      uid:
        description: UID. When not set, the next free one. The UID of an existing account is never changed.
        type: int
      comment:
        description: Full name or comment. Not changed when not set.
        type: str
      shell:
        description: Login shell. When not set, V(/bin/bash) for a new account, and not changed for an existing one.
        type: str
      groups:
        description: Further groups. A new account is in exactly these groups. An existing account is added to them.
        type: list
        elements: str
        default: []
      ssh_keys:
        description: Public SSH keys. A new account has exactly these keys. For an existing account they are added.
        type: list
        elements: str
        default: []
      sudo:
        description: Sudo rules, each V(all), V(nopasswd) or the part of a sudo rule after the name.
        type: list
        elements: str
        default: []
      password_hash:
        description: Crypt hash of the password. When not set, a new account has no password, and an existing one keeps its password.
        type: str
  remove_homes:
    description: Whether the home folder of a removed account is deleted. B(Its files are lost.)
    type: bool
    default: false
  connected_as:
    description: Account of Ansible's connection. The module refuses to remove it, all its keys, or all its sudo rights.
    type: str
  record_path:
    description: Path of the record on the host.
    type: path
    default: /var/lib/galilean-hub/accounts.json
"""

EXAMPLES = r"""
- name: An instance with one administrator
  galilean.hub.host_accounts:
    instance: hub
    service: {name: hub, home: /srv/hub}
    admins:
      - name: alice
        ssh_keys: ["{{ lookup('ansible.builtin.file', 'keys/alice.pub') }}"]
        sudo: [nopasswd]

- name: An instance that is no more
  galilean.hub.host_accounts:
    instance: prototype
"""

RETURN = r"""
actions:
  description: Actions that were done, or would be done in check mode, with the reason.
  type: list
  elements: str
  returned: always
  sample: ["account_add alice: is listed and missing"]
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.accounts import host as host_io
from ansible_collections.galilean.hub.plugins.module_utils.accounts.plan import (
    Account,
    Group,
    Plan,
    desired,
    plan_accounts,
)
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

STATES = {"type": "str", "choices": ["present", "absent"], "default": "present"}
NAMES = {"type": "list", "elements": "str", "default": []}
SERVICE_OPTIONS = {"name": {"type": "str", "required": True}, "group": {"type": "str"}, "uid": {"type": "int"},
                   "gid": {"type": "int"}, "home": {"type": "path"}, "groups": NAMES}  # fmt: skip
GROUP_OPTIONS = {"name": {"type": "str", "required": True}, "gid": {"type": "int"},
                 "system": {"type": "bool", "default": True}, "state": STATES}  # fmt: skip
ADMIN_OPTIONS = {"name": {"type": "str", "required": True}, "state": STATES, "uid": {"type": "int"}, "comment": {"type": "str"},
                 "shell": {"type": "str"}, "groups": NAMES, "ssh_keys": {**NAMES, "no_log": False}, "sudo": NAMES,
                 "password_hash": {"type": "str", "no_log": True}}  # fmt: skip
ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "instance": {"type": "str", "required": True},
    "service": {"type": "dict", "options": SERVICE_OPTIONS},
    "groups": {"type": "list", "elements": "dict", "default": [], "options": GROUP_OPTIONS},
    "admins": {"type": "list", "elements": "dict", "default": [], "options": ADMIN_OPTIONS},
    "remove_homes": {"type": "bool", "default": False},
    "connected_as": {"type": "str"},
    "record_path": {"type": "path", "default": "/var/lib/galilean-hub/accounts.json"},
}


def make_plan(params: t.Mapping[str, t.Any], accounts: list[Account], groups: list[Group]) -> Plan:
    """Read the host and compare."""
    homes = [account.home or f"/home/{account.name}" for account in accounts]
    connected = host_io.connected_accounts(params["connected_as"])
    host = host_io.read_host([account.name for account in accounts], homes, params["record_path"], connected)
    return plan_accounts(params["instance"], accounts, groups, host, params["remove_homes"])


def runner(module: AnsibleModule) -> host_io.Runner:
    """Return what runs a tool of the host."""

    def run(argv: list[str], data: str) -> tuple[int, str, str]:
        argv = [module.get_bin_path(argv[0], True), *argv[1:]]
        # Binary: otherwise a line break is added, which chpasswd takes for another, empty entry.
        code, out, err = module.run_command(argv, data=data.encode(), binary_data=True)
        return code, out, err

    return run


def observe_host(module: AnsibleModule, accounts: list[Account], groups: list[Group]) -> Plan:
    """Say what is to be done; a host without sudo, as before a first run, has nobody to ask about rules."""
    plan = make_plan(module.params, accounts, groups)
    visudo = module.get_bin_path("visudo")
    host_io.check_rules(plan.actions if visudo else [], runner(module), visudo)
    return plan


def change_host(module: AnsibleModule, accounts: list[Account], groups: list[Group]) -> Plan:
    """Do what is to be done, with the record ahead of it: a run that is killed forgets nothing that it made."""
    path = module.params["record_path"]
    with host_io.locked(path):
        plan = make_plan(module.params, accounts, groups)
        run = runner(module)
        host_io.check_rules(plan.actions, run, module.get_bin_path("visudo"))
        before = host_io.read_record(path)
        host_io.write_record(path, {kind: {**before[kind], **plan.record[kind]} for kind in plan.record})
        for action in plan.actions:
            host_io.apply(action, run)
        host_io.write_record(path, plan.record)
    return plan


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        if os.geteuid() != 0:
            raise HubError(
                "Accounts can only be changed by root: connect as root, or set ansible_become to true."
            )
        accounts, groups = desired(module.params)
        plan = (observe_host if module.check_mode else change_host)(module, accounts, groups)
    except HubError as exc:
        module.fail_json(msg=exc.message)
    for note in plan.notes:
        module.warn(note)
    actions = [f"{action.kind} {action.name}: {action.reason}" for action in plan.actions]
    module.exit_json(
        changed=bool(plan.actions), diff={"before": plan.before, "after": plan.after}, actions=actions
    )


if __name__ == "__main__":
    main()
