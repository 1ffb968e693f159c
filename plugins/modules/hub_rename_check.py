#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: hub_rename_check
short_description: Refuse a change of usernames that would disconnect users from their homes
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - A home belongs to a username. If the source of usernames changes, for example the claim of the provider, all users would get
    an empty home.
  - This module compares the source of usernames with the hub's data file on the host, and lists the existing homes. It fails if a
    user with a home has no new name in the rename map.
  - It changes nothing. The hub renames the users at its next start.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  config_dir:
    description: Folder with the hub's data file, C(config.json).
    type: path
    required: true
  hub_dir:
    description: Folder with the hub's state, which records renamed users in C(homes.json).
    type: path
    required: true
  instance:
    description: Name of the hub's instance.
    type: str
    required: true
  naming:
    description: Source of usernames, from P(galilean.hub.username_source#filter).
    type: dict
    required: true
  rename_map:
    description: Old and new name of each user. An empty new name means that no user gets this home.
    type: dict
    default: {}
  ignore:
    description: Users whose homes need not be kept.
    type: list
    elements: str
    default: []
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
seealso:
  - plugin: galilean.hub.username_source
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Ensure that every user keeps the home
  galilean.hub.hub_rename_check:
    config_dir: /srv/hub/config
    hub_dir: /srv/hub/hub
    instance: hub
    naming: {names: google, strip_domain: false}
    rename_map: {ada: ada@example.org}
"""

RETURN = r"""
users:
  description: Users with a home. Empty if the source of usernames has not changed, because homes are not listed then.
  type: list
  elements: str
  returned: success
  sample: [ada]
"""

import json
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.authorization.renames import (
    change_problem,
    map_problems,
)
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli
from ansible_collections.galilean.hub.plugins.module_utils.homes.archive import homes
from ansible_collections.galilean.hub.plugins.module_utils.homes.owners import read_owners
from ansible_collections.galilean.hub.plugins.module_utils.homes.plan import user_of

ARGUMENT_SPEC: dict[str, t.Any] = {
    "config_dir": {"type": "path", "required": True},
    "hub_dir": {"type": "path", "required": True},
    "instance": {"type": "str", "required": True},
    "naming": {"type": "dict", "required": True},
    "rename_map": {"type": "dict", "default": {}},
    "ignore": {"type": "list", "elements": "str", "default": []},
    "docker_cli": {"type": "list", "elements": "str"},
}


def naming(path: Path) -> dict[str, t.Any] | None:
    """What the hub's data file says that names are made of; None where it says nothing or is not there."""
    try:
        found: dict[str, t.Any] | None = json.loads(path.read_text(encoding="utf-8")).get("naming")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        raise HubError(f"{path} cannot be read ({exc}): restore it from a backup.") from exc
    return found


def run(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Compare what names are made of, and look for homes where it differs."""
    problems = map_problems(params["rename_map"])
    if problems:
        raise HubError("; ".join(problems))
    before = naming(Path(params["config_dir"], "config.json"))
    if before is None or before == params["naming"]:
        return {"users": []}
    owners = read_owners(Path(params["hub_dir"]))
    volumes = homes(DockerCli(params["docker_cli"]), params["instance"], owners)
    names = {user_of(volume, owners) for volume in volumes}
    users = sorted(names - {*params["ignore"]})
    problem = change_problem(before, params["naming"], users, params["rename_map"])
    if problem:
        raise HubError(problem)
    return {"users": users}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(changed=False, **run(module.params))
    except HubError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
