#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Frees the disk of an engine from what nobody needs."""

from __future__ import annotations

import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.api import EngineApi
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import EngineAway
from ansible_collections.galilean.hub.plugins.module_utils.usage.observe import apply_prune, observe
from ansible_collections.galilean.hub.plugins.module_utils.usage.policy import (
    POLICY_SPEC,
    Plan,
    plan_prune,
    policy_from,
)

DOCUMENTATION = r"""
module: engine_prune
short_description: Remove unused images, volumes and build cache of a Docker engine
version_added: 0.2.0
author: galilean.hub contributors (@galilean)
description:
  - Removes older versions of this collection's images, its untagged images, unfinished software volumes, and build cache above a limit.
  - Keeps images and volumes that a container uses, running or not, that O(wanted) names, or that the configuration or a release of
    any hub on the host names.
  - Never removes homes, containers, or resources without this collection's labels.
requirements:
  - An engine that O(docker_cli) reaches through a Unix socket.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
  - galilean.hub.prune_policy
attributes:
  check_mode:
    support: full
    details:
      - An engine that cannot be reached is treated as empty.
      - The result for the build cache is an estimate, because the engine selects the records. A real run may remove more, because
        layers of removed images then belong only to the cache.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  log_dir:
    description: Folder with the locks of M(galilean.hub.software_volume). A volume that is being seeded is kept.
    type: path
    default: /var/log/galilean-hub
seealso:
  - module: galilean.hub.engine_usage
"""

EXAMPLES = r"""
- name: Keep three versions of each image, and 10 GiB of build cache where the engine is ours
  galilean.hub.engine_prune:
    wanted: "{{ images_refs.values() | list }}"
    keep: 3
    cache_keep_gib: 10
"""

RETURN = r"""
removed:
  description: Removed items, or items to remove in check mode, by RV(ignore:kind) and RV(ignore:name), with RV(ignore:bytes) and the reason.
  returned: success
  type: list
  elements: dict
  sample: [{kind: image, name: 'galilean/hub:3f1c02aa9b7e', bytes: 17529, reason: more than 3 versions}]
bytes:
  description: Total size in bytes. Shared layers are counted once. The build cache may still hold some of them.
  returned: success
  type: int
  sample: 17529
spared:
  description: Items that came into use before their removal.
  returned: success
  type: list
  elements: str
  sample: []
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    **POLICY_SPEC,
    "log_dir": {"type": "path", "default": "/var/log/galilean-hub"},
}


def report(plan: Plan, **more: t.Any) -> dict[str, t.Any]:
    """The result of a plan."""
    rows = [
        {"kind": item.kind, "name": item.name, "bytes": item.size, "reason": item.reason}
        for item in plan.items
    ]
    return {
        "changed": plan.changed,
        "removed": rows,
        "bytes": plan.size,
        "spared": [],
        "diff": {
            "before": {row["name"]: f"{row['kind']}, {row['bytes']} bytes" for row in rows},
            "after": {},
        },
        **more,
    }


def run(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Look, plan, remove."""
    policy = policy_from(params)
    try:
        api = EngineApi(params["docker_cli"])
        observed = observe(api)
    except EngineAway as exc:
        if not check_mode:
            raise
        return report(Plan(), warnings=[f"{exc} In check mode this counts as an empty engine."])
    plan = plan_prune(observed, policy, time.time())
    if check_mode or not plan.changed:
        return report(plan)
    done, spared = apply_prune(api, observed, plan, policy, params["log_dir"])
    return report(done, spared=spared)


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = run(module.params, module.check_mode)
    except HubError as exc:
        module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
