#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Homes of a hub's users, and their archives."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli
from ansible_collections.galilean.hub.plugins.module_utils.homes import plan
from ansible_collections.galilean.hub.plugins.module_utils.homes.archive import homes, read_archives
from ansible_collections.galilean.hub.plugins.module_utils.homes.limits import read_limits
from ansible_collections.galilean.hub.plugins.module_utils.homes.owners import read_owners
from ansible_collections.galilean.hub.plugins.module_utils.shared.home_owners import user_today

DOCUMENTATION = r"""
module: home_info
short_description: List the homes of a hub's users and their archives
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - Lists the home volumes of a hub's users, and the archives of M(galilean.hub.home_volume).
  - For sizes of homes use M(galilean.hub.engine_usage).
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.info_module
  - galilean.hub.attributes.actiongroup_hub
options:
  instance:
    description: Name of the hub's instance.
    type: str
    required: true
  archive_dir:
    description: Folder of the archives. By default C(/srv/<instance>/archive).
    type: path
  hub_dir:
    description:
      - Folder with the hub's state, which records the owners of homes after users were renamed.
      - By default C(/srv/<instance>/hub).
    type: path
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
seealso:
  - module: galilean.hub.home_volume
"""

EXAMPLES = r"""
- name: Look for homes
  galilean.hub.home_info:
    instance: hub
  register: homes
"""

RETURN = r"""
homes:
  description: The home volumes with user and quota in bytes. V(0) means no limit or an unknown one.
  returned: success
  type: list
  elements: dict
  sample: [{user: anna, volume: hub-home-anna, created: "2026-11-20T08:00:00Z", limit_bytes: 21474836480}]
archives:
  description: Archives, the oldest of each volume first.
  returned: success
  type: list
  elements: dict
  sample:
    - user: anna
      volume: hub-home-anna
      path: /srv/hub/archive/hub-home-anna-20261122T031500Z.tar.gz
      time: 20261122T031500Z
      bytes: 1048576
      home_bytes: 4194304
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    "instance": {"type": "str", "required": True},
    "archive_dir": {"type": "path"},
    "hub_dir": {"type": "path"},
    "docker_cli": {"type": "list", "elements": "str"},
}


def run(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Ask the engine and look into the folder."""
    folder = Path(params["archive_dir"] or f"/srv/{params['instance']}/archive")
    hub_dir = Path(params["hub_dir"] or f"/srv/{params['instance']}/hub")
    owners, limits = read_owners(hub_dir), read_limits(hub_dir.parent / "disk")
    keys = ("volume", "time", "bytes", "home_bytes")
    return {
        "homes": [
            {
                "user": plan.user_of(volume, owners),
                "volume": volume.name,
                "created": volume.created,
                "limit_bytes": limits.get(volume.name, 0),
            }
            for volume in homes(DockerCli(params["docker_cli"]), params["instance"], owners)
        ],
        "archives": [
            {
                "user": user_today(one.user, owners),
                "path": str(folder / one.name),
                **{key: getattr(one, key) for key in keys},
            }
            for one in read_archives(folder)
        ],
    }


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = run(module.params)
    except HubError as exc:
        module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
