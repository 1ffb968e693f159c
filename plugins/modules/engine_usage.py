#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What takes the disk of an engine."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.api import EngineApi
from ansible_collections.galilean.hub.plugins.module_utils.usage.homes import (
    archives,
    last_used,
    shared_folders,
)
from ansible_collections.galilean.hub.plugins.module_utils.usage.observe import disk_of, observe
from ansible_collections.galilean.hub.plugins.module_utils.usage.policy import POLICY_SPEC, policy_from, usage

DOCUMENTATION = r"""
module: engine_usage
short_description: Return the disk usage of a Docker engine
version_added: 0.2.0
author: galilean.hub contributors (@galilean)
description:
  - Returns the sizes of images, software volumes, homes, containers and the build cache, and what M(galilean.hub.engine_prune)
    would remove with the same options.
  - The engine measures all volumes. This takes long if they have many files.
requirements:
  - An engine that O(docker_cli) reaches through a Unix socket.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.info_module
  - galilean.hub.attributes.actiongroup_hub
  - galilean.hub.prune_policy
options:
  archive_dirs:
    description: Folders with archives of homes, in addition to those of the hubs on the host.
    type: list
    elements: path
    default: []
    version_added: 0.7.0
seealso:
  - module: galilean.hub.engine_prune
"""

EXAMPLES = r"""
- name: See what takes the disk
  galilean.hub.engine_usage:
  register: disk

- name: Show the homes, the biggest first
  ansible.builtin.debug:
    msg: "{{ disk.usage.homes | map(attribute='user') }}"
"""

RETURN = r"""
usage:
  description:
    - RV(ignore:images) by repository with their versions, RV(ignore:software) volumes, RV(ignore:homes) with instance and user,
      RV(ignore:other_volumes), and the writable layers of RV(ignore:containers). In each list the largest is first.
    - RV(ignore:build_cache), RV(ignore:totals) and RV(ignore:freeable) space, in bytes. RV(ignore:disk) is the engine's file system.
    - RV(ignore:shared_folders) and RV(ignore:archives) of homes, which are outside the engine's data folder.
    - RV(ignore:unique_bytes) of an image is the size of layers that no other image has. RV(ignore:users) are containers, running or not.
  returned: success
  type: dict
  sample:
    totals: {images: 2023002748, homes: 1200000, software: 447051974, other_volumes: 0, containers: 81920, build_cache: 4205397225}
    freeable: {images: 486000000, software: 0, build_cache: 0}
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    **POLICY_SPEC,
    "archive_dirs": {"type": "list", "elements": "path", "default": []},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        api = EngineApi(module.params["docker_cli"])
        observed = observe(api)
        found = usage(observed, policy_from(module.params), time.time())
        found["disk"] = disk_of(api)
        hubs = {instance: Path(folder) for instance, folder in observed.hubs.items()}
        used = {instance: last_used(folder) for instance, folder in hubs.items()}
        for home in found["homes"]:
            home["last_used"] = used.get(home["instance"], {}).get(home["user"], "")
        found["shared_folders"] = shared_folders(hubs)
        found["archives"] = archives(hubs, map(Path, module.params["archive_dirs"]), observed.owners)
    except HubError as exc:
        module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(changed=False, usage=found)


if __name__ == "__main__":
    main()
