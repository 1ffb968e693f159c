#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One group of a JupyterHub."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.authorization.usernames import check_name
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.hub.accounts import PAGES, AccountsClient, Group
from ansible_collections.galilean.hub.plugins.module_utils.hub.connection import (
    CONNECTION_SPEC,
    EXCLUSIVE,
    ONE_OF,
    hub_client,
    read_token,
)

DOCUMENTATION = r"""
module: hub_group
short_description: Manage a group of a JupyterHub
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - Creates, updates and deletes one group of the hub through its REST API.
  - The token needs the scope C(admin:groups).
  - If the identity provider manages groups, a change lasts until the user's next login.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
  - galilean.hub.hub_api
attributes:
  check_mode:
    support: full
    details:
      - Does not check that the accounts in O(users) exist, because earlier tasks may create them.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description: Name of the group.
    type: str
    required: true
  state:
    description: Whether the group exists. Its accounts stay when it is deleted.
    type: str
    choices: [present, absent]
    default: present
  users:
    description:
      - Complete list of members, unless O(append) is set. The accounts must exist. Not changed by default.
    type: list
    elements: str
  append:
    description: Whether accounts that are not in O(users) stay in the group.
    type: bool
    default: false
  properties:
    description: All properties of the group in the hub. Not changed by default.
    type: dict
seealso:
  - module: galilean.hub.hub_user
  - module: galilean.hub.hub_info
"""

EXAMPLES = r"""
- name: Keep a group with exactly these people
  galilean.hub.hub_group:
    url: https://hub.example.org
    token_path: /srv/hub/secrets/accounts-token
    name: genomics
    users: [anna, berta]

- name: Add one person
  galilean.hub.hub_group:
    url: https://hub.example.org
    token_path: /srv/hub/secrets/accounts-token
    name: genomics
    users: [carl]
    append: true
"""

RETURN = r"""
group:
  description: The group after the change. Empty if it does not exist.
  returned: success
  type: dict
  sample: {name: genomics, users: [anna, berta], properties: {}}
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    **CONNECTION_SPEC,
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "users": {"type": "list", "elements": "str"},
    "append": {"type": "bool", "default": False},
    "properties": {"type": "dict"},
}


def desired(params: dict[str, t.Any], have: Group | None) -> Group | None:
    """The group as the options want it; None where it shall not exist."""
    name = params["name"]
    if not name.strip() or not name.isprintable():
        raise HubError(f"name is {name!r}: give a name that can be printed")
    if params["state"] == "absent":
        return None
    current = have or Group(name)
    users = set(current.users)
    if params["users"] is not None:
        given = {check_name(user, "users").lower(): user for user in params["users"]}
        # Names that the hub wrote in its own way are the same accounts.
        written = {user.lower(): user for user in current.users}
        users = {written.get(lower, user) for lower, user in given.items()}
        if params["append"]:
            users |= set(current.users)
    properties = current.properties if params["properties"] is None else params["properties"]
    return Group(name, tuple(sorted(users)), properties)


def apply(client: AccountsClient, name: str, have: Group | None, want: Group | None) -> None:
    """Make the group as it is wanted."""
    if want is None:
        client.delete_group(name)
        return
    if have is None:
        client.create_group(name, want.users)
    current = have or Group(name, want.users)
    gone = sorted(set(current.users) - set(want.users))
    new = sorted(set(want.users) - set(current.users))
    if gone:
        client.leave(name, gone)
    if new:
        client.join(name, new)
    if want.properties != current.properties:
        client.set_properties(name, want.properties)


def shown(group: Group | None) -> dict[str, t.Any]:
    """A group for people and for Ansible."""
    if group is None:
        return {}
    return {"name": group.name, "users": list(group.users), "properties": group.properties}


def run(module: AnsibleModule) -> dict[str, t.Any]:
    """Bring the group into the wanted state and return the module's result."""
    params = module.params
    token = read_token(params)
    module.no_log_values.add(token)
    client = AccountsClient(hub_client(params, token, PAGES))
    desired(params, None)
    have = client.group(params["name"])
    want = desired(params, have)
    changed = have != want
    if changed and not module.check_mode:
        apply(client, params["name"], have, want)
    return {
        "changed": changed,
        "group": shown(want),
        "diff": {"before": shown(have), "after": shown(want)},
    }


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
    module.exit_json(**result)


if __name__ == "__main__":
    main()
