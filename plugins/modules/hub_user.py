#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Accounts of a JupyterHub."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.side_by_side import side_by_side
from ansible_collections.galilean.hub.plugins.module_utils.hub.accounts import (
    PAGES,
    Account,
    AccountsClient,
)
from ansible_collections.galilean.hub.plugins.module_utils.hub.connection import (
    CONNECTION_SPEC,
    EXCLUSIVE,
    ONE_OF,
    hub_client,
    read_token,
)
from ansible_collections.galilean.hub.plugins.module_utils.hub.user_plan import (
    Plan,
    Wanted,
    check_names,
    plan_users,
)

DOCUMENTATION = r"""
module: hub_user
short_description: Manage accounts of a JupyterHub
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - Creates and deletes accounts, sets administrators and groups, and stops servers, through the hub's REST API.
  - An account is the hub's record of a user. The hub's settings decide who may log in, and M(galilean.hub.home_volume) manages
    the volumes with users' files. This module changes neither of them.
  - The token needs the scopes C(read:users) and C(read:servers), and, for changes, C(admin:users) to create accounts,
    C(delete:users), C(delete:servers) and C(admin:groups). For a list of accounts it needs C(list:users).
  - In JupyterHub, only administrators and services with C(admin) set to true can grant or remove administrator rights.
  - Missing groups are created. If the identity provider manages groups, a change lasts until the user's next login.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
  - galilean.hub.hub_api
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description:
      - Username. JupyterHub converts usernames to lower case.
      - Exactly one of O(name) and O(users) is required.
    type: str
  users:
    description:
      - Several accounts in one task. Missing keys of an entry default to the module's options.
      - Creating 300 accounts took 5 seconds, and less than one second without changes. A loop took 0.6 seconds for each account.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the account.
        type: str
        required: true
      state:
        description: As O(state).
        type: str
        choices: [present, absent]
      admin:
        description: As O(admin).
        type: bool
      groups:
        description: As O(groups).
        type: list
        elements: str
      append_groups:
        description: As O(append_groups).
        type: bool
      stop:
        description: As O(stop).
        type: bool
  state:
    description: Whether the account exists. Its servers are stopped before it is deleted.
    type: str
    choices: [present, absent]
    default: present
  admin:
    description: Whether it is an administrator of the hub. Not changed by default.
    type: bool
  groups:
    description: Complete list of its groups, unless O(append_groups) is set. Not changed by default.
    type: list
    elements: str
  append_groups:
    description: Whether it stays in groups that are not in O(groups).
    type: bool
    default: false
  stop:
    description: Whether its servers are stopped.
    type: bool
    default: false
  timeout:
    description: Timeout in seconds for the servers of an account to stop.
    type: int
    default: 120
seealso:
  - module: galilean.hub.hub_group
  - module: galilean.hub.hub_info
  - module: galilean.hub.home_volume
"""

EXAMPLES = r"""
- name: Create an account in two groups
  galilean.hub.hub_user:
    url: https://hub.example.org
    token_path: /root/hub-admin-token
    name: anna
    groups: [staff, genomics]

- name: Stop the servers of somebody
  galilean.hub.hub_user:
    url: https://hub.example.org
    token_path: /srv/hub/secrets/accounts-token
    name: anna
    stop: true

- name: Put a course into its group and delete the accounts of two people who have left
  galilean.hub.hub_user:
    url: https://hub.example.org
    token_path: /srv/hub/secrets/accounts-token
    groups: [course]
    append_groups: true
    users:
      - name: anna
      - name: berta
      - {name: carl, state: absent}
      - {name: dora, state: absent}
"""

RETURN = r"""
actions:
  description: Actions that were done, or would be done in check mode, as text and in this order.
  returned: success
  type: list
  elements: str
  sample: [create anna, add anna to the group genomics]
users:
  description: The accounts after the change.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Username in the hub.
      type: str
    admin:
      description: Whether it is an administrator.
      type: bool
    groups:
      description: Its groups.
      type: list
      elements: str
    running:
      description: Names of its running servers, V(default) for the default server.
      type: list
      elements: str
  sample: [{name: anna, admin: false, groups: [genomics], running: []}]
"""

_ACCOUNT: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"]},
    "admin": {"type": "bool"},
    "groups": {"type": "list", "elements": "str"},
    "append_groups": {"type": "bool"},
    "stop": {"type": "bool"},
}
ARGUMENT_SPEC: dict[str, t.Any] = {
    **CONNECTION_SPEC,
    "name": {"type": "str"},
    "users": {"type": "list", "elements": "dict", "options": _ACCOUNT},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "admin": {"type": "bool"},
    "groups": {"type": "list", "elements": "str"},
    "append_groups": {"type": "bool", "default": False},
    "stop": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 120},
}
# More than this, and listing all accounts is quicker than asking for each.
FEW = 5


def wanted_from(params: dict[str, t.Any]) -> list[Wanted]:
    """The accounts as the options want them."""

    def value(entry: dict[str, t.Any], key: str) -> t.Any:
        return params[key] if entry.get(key) is None else entry[key]

    entries = params["users"] if params["users"] is not None else [{"name": params["name"]}]
    wanted = []
    for entry in entries:
        groups = value(entry, "groups")
        wanted.append(
            Wanted(
                str(entry["name"]),
                value(entry, "state") == "present",
                value(entry, "admin"),
                None if groups is None else tuple(dict.fromkeys(groups)),
                value(entry, "append_groups"),
                value(entry, "stop"),
            )
        )
    check_names(wanted)
    return wanted


def observe(client: AccountsClient, wanted: list[Wanted]) -> dict[str, Account]:
    """Those of the wanted accounts that exist, and maybe others."""
    if len(wanted) > FEW:
        return {account.name: account for account in client.accounts()}
    names = {name for entry in wanted for name in (entry.name, entry.name.lower())}
    found = [client.account(name) for name in sorted(names)]
    return {account.name: account for account in found if account is not None}


def apply(client: AccountsClient, plan: Plan, timeout: float) -> None:
    """Do what the plan says."""
    names: dict[str, str] = {}
    for wanted, admin in ((plan.create, False), (plan.create_admins, True)):
        if wanted:
            # The hub may write names in another way; what it made stands in the order in which it was asked for.
            names.update(zip(wanted, (account.name for account in client.create(wanted, admin))))
    for name, admin in plan.admin.items():
        client.set_admin(name, admin)
    for group, members in plan.leave.items():
        client.leave(group, members)
    for group, members in plan.join.items():
        client.join(group, [names.get(member, member) for member in members])

    def stopping(name: str) -> t.Callable[[], None]:
        return lambda: client.stop_servers(name, timeout)

    # Stopping one takes seconds, in which the hub can stop others.
    side_by_side(stopping(name) for name in plan.stop)
    for name in plan.delete:
        client.delete(name)


def shown(plan: Plan, wanted: list[Wanted], accounts: dict[str, Account]) -> list[dict[str, t.Any]]:
    """The wanted accounts as they are after the plan."""
    rows = []
    for entry in wanted:
        account = accounts.get(entry.name) or accounts.get(entry.name.lower())
        name = account.name if account is not None else entry.name
        if name in plan.after:
            state = plan.after[name]
        elif account is not None:
            running = [server or "default" for server in account.servers or ()]
            state = {"admin": account.admin, "groups": list(account.groups or ()), "running": running}
        else:
            state = None
        if state is not None:
            rows.append({"name": name, **state})
    return rows


def run(module: AnsibleModule) -> dict[str, t.Any]:
    """Bring the accounts into the wanted state and return the module's result."""
    params = module.params
    wanted = wanted_from(params)
    token = read_token(params)
    module.no_log_values.add(token)
    client = AccountsClient(hub_client(params, token, PAGES))
    accounts = observe(client, wanted)
    plan = plan_users(wanted, accounts)
    if plan.changed and not module.check_mode:
        apply(client, plan, params["timeout"])
        created = bool(plan.create or plan.create_admins)
        after = observe(client, wanted) if created else accounts
        rows = shown(Plan() if created else plan, wanted, after)
    else:
        rows = shown(plan, wanted, accounts)
    return {
        "changed": plan.changed,
        "actions": plan.actions(),
        "users": rows,
        "diff": {"before": plan.before, "after": plan.after},
    }


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        mutually_exclusive=[*EXCLUSIVE, ("name", "users")],
        required_one_of=[*ONE_OF, ("name", "users")],
        supports_check_mode=True,
    )
    try:
        result = run(module)
    except HubError as exc:
        module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
