#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Accounts, servers and groups of a JupyterHub."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
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

DOCUMENTATION = r"""
module: hub_info
short_description: List accounts, servers and groups of a JupyterHub
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - Lists all accounts with their running servers, and all groups, through the hub's REST API.
  - The token needs the scopes C(list:users), C(read:users) and C(read:servers), and C(list:groups) and C(read:groups) for groups.
    Values without a scope are V(none).
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.info_module
  - galilean.hub.attributes.actiongroup_hub
  - galilean.hub.hub_api
options:
  gather_subset:
    description: What to list.
    type: list
    elements: str
    choices: [users, groups]
    default: [users, groups]
seealso:
  - module: galilean.hub.hub_user
  - module: galilean.hub.hub_group
"""

EXAMPLES = r"""
- name: Ask a hub who is there
  galilean.hub.hub_info:
    url: https://hub.example.org
    token_path: /srv/hub/secrets/accounts-token
  register: hub

- name: Show whose servers run
  ansible.builtin.debug:
    msg: "{{ hub.users | selectattr('servers') | map(attribute='name') }}"
"""

RETURN = r"""
version:
  description: Version of the hub.
  returned: success
  type: str
  sample: 6.1.1
users:
  description: All accounts, sorted by name.
  returned: when asked for
  type: list
  elements: dict
  contains:
    name:
      description: Name of the account.
      type: str
    admin:
      description: Whether it is an administrator.
      type: bool
    groups:
      description: Its groups.
      type: list
      elements: str
    created:
      description: When it was created.
      type: str
    last_activity:
      description: Time of its last activity. None if it had none.
      type: str
    servers:
      description: Its running, starting or stopping servers. The default server has an empty name.
      type: list
      elements: dict
  sample:
    - name: anna
      admin: false
      groups: [genomics]
      created: "2026-11-20T08:00:00.000000Z"
      last_activity: "2026-11-20T10:00:00.000000Z"
      servers:
        - {name: "", ready: true, pending: null, started: "2026-11-20T09:00:00.000000Z", last_activity: "2026-11-20T10:00:00.000000Z", url: /user/anna/}
groups:
  description: All groups, sorted by name.
  returned: when asked for
  type: list
  elements: dict
  sample: [{name: genomics, users: [anna], properties: {}}]
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    **CONNECTION_SPEC,
    "gather_subset": {
        "type": "list",
        "elements": "str",
        "choices": ["users", "groups"],
        "default": ["users", "groups"],
    },
}
SERVER_KEYS = ("name", "ready", "pending", "started", "last_activity", "url")


def shown(account: Account) -> dict[str, t.Any]:
    """An account for Ansible."""
    servers = [{key: server.get(key) for key in SERVER_KEYS} for server in account.server_models]
    return {
        "name": account.name,
        "admin": account.admin,
        "groups": None if account.groups is None else list(account.groups),
        "created": account.created,
        "last_activity": account.last_activity,
        "servers": None if account.servers is None else servers,
    }


def run(module: AnsibleModule) -> dict[str, t.Any]:
    """Ask the hub and return the module's result."""
    params = module.params
    token = read_token(params)
    module.no_log_values.add(token)
    client = AccountsClient(hub_client(params, token, PAGES))
    result: dict[str, t.Any] = {"version": client.version()}
    if "users" in params["gather_subset"]:
        result["users"] = [shown(account) for account in client.accounts()]
    if "groups" in params["gather_subset"]:
        result["groups"] = [
            {"name": group.name, "users": list(group.users), "properties": group.properties}
            for group in client.groups()
        ]
    return result


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        mutually_exclusive=EXCLUSIVE,
        required_one_of=ONE_OF,
        supports_check_mode=True,
    )
    try:
        result = run(module)
    except HubError as exc:
        module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
