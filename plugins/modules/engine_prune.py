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
from ansible_collections.galilean.hub.plugins.module_utils.usage.params import POLICY_SPEC, policy_from
from ansible_collections.galilean.hub.plugins.module_utils.usage.policy import Plan, plan_prune

DOCUMENTATION = r"""
module: engine_prune
short_description: Frees the disk of a Docker engine from what nobody needs
version_added: 0.2.0
author: galilean.hub contributors (@galilean)
description:
  - Removes older versions of our images, our images without a name, software volumes that were never finished, and build cache
    beyond a limit.
  - Spared is what a container uses, running or not, what O(wanted) names, and what the configuration of any hub on the host names,
    also one whose servers do not run just now.
  - Homes are never removed, nor containers, nor anything that is not ours. What is ours carries our labels.
requirements:
  - An engine that O(docker_cli) reaches through a socket of the host.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  check_mode:
    support: full
    details:
      - An engine that cannot be reached counts as an empty one.
      - What the build cache shares with images that would go is its own afterwards, so a real run may remove more of it.
  diff_mode:
    support: full
  idempotent:
    support: full
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
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
  log_dir:
    description: Folder with the locks of M(galilean.hub.software_volume), so that a volume is spared that is just being filled.
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
  description: What was removed, or would be in check mode, by RV(ignore:kind) and RV(ignore:name), with RV(ignore:bytes) and why.
  returned: success
  type: list
  elements: dict
  sample: [{kind: image, name: 'galilean/hub:3f1c02aa9b7e', bytes: 17529, reason: more than 3 versions}]
bytes:
  description: How much that is. Layers that several of the images have are counted once; the build cache may still hold some.
  returned: success
  type: int
  sample: 17529
spared:
  description: What was taken into use while it was to be removed.
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
