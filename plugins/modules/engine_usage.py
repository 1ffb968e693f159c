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
from ansible_collections.galilean.hub.plugins.module_utils.usage.params import POLICY_SPEC, policy_from
from ansible_collections.galilean.hub.plugins.module_utils.usage.policy import usage

DOCUMENTATION = r"""
module: engine_usage
short_description: What takes the disk of a Docker engine
version_added: 0.2.0
author: galilean.hub contributors (@galilean)
description:
  - Says what images, software volumes, homes, containers and the build cache take, and what of it M(galilean.hub.engine_prune)
    would remove with the same options.
  - The engine is asked once for all of it, and shortly for each image. It measures the volumes then, which takes as long as they
    have many files.
requirements:
  - An engine that O(docker_cli) reaches through a socket of the host.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.info_module
  - galilean.hub.attributes.actiongroup_hub
options:
  repository_prefix:
    description: What stands before the names of the images that are meant.
    type: str
    default: galilean
  wanted:
    description: Full references of the images that the current settings want, as M(galilean.hub.image) returns them.
    type: list
    elements: str
    default: []
  keep:
    description: How many versions of each image to keep, the wanted one included, beside those in use. V(0) keeps all.
    type: int
    default: 3
  software_keep:
    description: How many versions of each software volume to keep, beside those in use. V(0) keeps all that were finished.
    type: int
    default: 0
  cache_keep_gib:
    description: How many GiB the build cache may take. V(0) is no limit.
    type: float
    default: 0
  cache_keep_days:
    description: For how many days the build cache keeps what is not used. V(0) is no limit.
    type: float
    default: 0
  foreign:
    description: Whether images without a name and the build cache count that are not ours.
    type: bool
    default: false
  archive_dirs:
    description: Folders with archives of homes beside those of the hubs that are on the host.
    type: list
    elements: path
    default: []
    version_added: 0.7.0
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
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
      RV(ignore:other_volumes), and what RV(ignore:containers) have written themselves, each list with the biggest first.
    - RV(ignore:build_cache), RV(ignore:totals) and what is RV(ignore:freeable), in bytes. RV(ignore:disk) is where the engine
      keeps all that.
    - RV(ignore:shared_folders) and RV(ignore:archives) of homes, which are beside the engine's own data.
    - Of an image, RV(ignore:unique_bytes) are layers that no other image has. RV(ignore:users) are containers, running or not.
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
