#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One versioned, read-only software volume."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils._commands import locked, prepare_dir
from ansible_collections.galilean.hub.plugins.module_utils._docker_cli import DockerCli, EngineAway
from ansible_collections.galilean.hub.plugins.module_utils._errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils._volume_plan import (
    ObservedVolume,
    Plan,
    VolumeSpec,
    plan_absent,
    plan_present,
)
from ansible_collections.galilean.hub.plugins.module_utils._volume_seed import (
    desired_volume,
    observe,
    seed_volume,
)

DOCUMENTATION = r"""
module: software_volume
short_description: Versioned, read-only software volumes
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Fills a Docker volume with a folder of an image, once for each version of the image, to be mounted read-only by many containers.
  - Every version has a volume of its own, named by the image's digest. It is filled beside those that are in use,
    compared with the image entry by entry and hash by hash, and sealed with a file C(.sealed) in its root, written last.
  - A volume without that file was left by a killed run. It is removed and filled anew.
  - Older versions stay as long as a container mounts them, running or not.
requirements:
  - C(/usr/bin/python3), C(cp) and C(sync) in the image.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  check_mode:
    support: full
    details:
      - An engine that cannot be reached counts as one without volumes, so that a host can be checked before Docker is installed.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  prefix:
    description: What the names of the stack's volumes start with. A dash and the digest follow.
    type: str
    required: true
  state:
    description: Whether the stack should be there.
    type: str
    choices:
      present: The volume of this image or digest exists and is sealed.
      absent: No version of the stack exists. B(All its volumes are removed.)
    default: present
  image:
    description:
      - Full reference of the image that holds the software.
      - Its tag is the digest when it is a content-addressed one; for any other the engine is asked for its id.
    type: str
  digest:
    description:
      - The 12 hexadecimal digits of a version that is there already, to use it instead of the image's.
    type: str
  source_path:
    description: The folder in the image. Containers should mount the volume at the same path.
    type: str
    default: /opt/software
  keep:
    description: How many versions to keep, the current one included, beside those in use.
    type: int
    default: 2
  timeout:
    description: Seconds after which filling is stopped.
    type: int
    default: 3600
  log_dir:
    description: Folder on the host for the log and a lock.
    type: path
    default: /var/log/galilean-hub
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
seealso:
  - module: galilean.hub.image
"""

EXAMPLES = r"""
- name: Fill the volume of a software stack
  galilean.hub.software_volume:
    prefix: galilean-software-python
    image: galilean/python-science:3f1c02aa9b7e

- name: Go back to an older version
  galilean.hub.software_volume:
    prefix: galilean-software-python
    digest: 9a44b0c1d2e3

- name: Remove all versions
  galilean.hub.software_volume:
    prefix: galilean-software-python
    state: absent
"""

RETURN = r"""
volume:
  description:
    - The volume by RV(ignore:name) and RV(ignore:digest), RV(ignore:files) and RV(ignore:size_bytes) as counted when it was sealed,
      and the names of the RV(ignore:pruned) older ones.
    - In check mode files and size are only known of a volume that exists.
  returned: success
  type: dict
  sample:
    name: galilean-software-python-3f1c02aa9b7e
    digest: 3f1c02aa9b7e
    files: 73000
    size_bytes: 3800000000
    pruned: []
actions:
  description: What was done, or would be done in check mode, and why.
  returned: success
  type: list
  elements: dict
  sample: [{action: seed, volume: galilean-software-python-3f1c02aa9b7e, reason: it does not exist}]
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    "prefix": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "image": {"type": "str"},
    "digest": {"type": "str"},
    "source_path": {"type": "str", "default": "/opt/software"},
    "keep": {"type": "int", "default": 2},
    "timeout": {"type": "int", "default": 3600},
    "log_dir": {"type": "path", "default": "/var/log/galilean-hub"},
    "docker_cli": {"type": "list", "elements": "str"},
}


def report(plan: Plan, volume: dict[str, t.Any]) -> dict[str, t.Any]:
    """The result of a plan."""
    return {
        "changed": plan.changed,
        "volume": {**volume, "pruned": list(plan.prune)},
        "actions": [
            {"action": action, "volume": name, "reason": reason} for action, name, reason in plan.reasons
        ],
        "diff": {"before": plan.before, "after": plan.after},
    }


def facts_of(spec: VolumeSpec, current: ObservedVolume | None) -> dict[str, t.Any]:
    """What is known of a version."""
    sealed = (current.sealed if current is not None else None) or {}
    return {
        "name": spec.name,
        "digest": spec.digest,
        **{key: sealed[key] for key in ("files", "size_bytes") if key in sealed},
    }


def run_present(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Make sure that the version exists, and not too many others."""
    wanted = (params["prefix"], params["image"] or "", params["digest"] or "", check_mode)
    try:
        engine = DockerCli(params["docker_cli"])
        spec = desired_volume(engine, *wanted)
        current, others = observe(engine, spec)
    except EngineAway as exc:
        if not check_mode:
            raise
        spec = desired_volume(None, *wanted)
        result = report(plan_present(spec, None, [], params["keep"]), facts_of(spec, None))
        return {**result, "warnings": [f"{exc} In check mode this counts as an engine without volumes."]}
    plan = plan_present(spec, current, others, params["keep"])
    if plan.changed and not check_mode:
        folder = prepare_dir(params["log_dir"], "log_dir")
        with locked(folder / f"{spec.prefix}.lock"):
            # Another run may just have done it.
            current, others = observe(engine, spec)
            now = plan_present(spec, current, others, params["keep"])
            if now.seed:
                seed_volume(
                    engine, spec, params["source_path"], folder / f"{spec.prefix}.log", params["timeout"]
                )
            for name in now.prune:
                engine.remove_volume(name)
            current, _others = observe(engine, spec)
    return report(plan, facts_of(spec, current))


def run_absent(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Make sure that no version of the stack exists."""
    engine = DockerCli(params["docker_cli"])
    # No volume has this digest, so all of them are others.
    spec = VolumeSpec(params["prefix"], "")
    _current, others = observe(engine, spec)
    plan = plan_absent(others)
    if not check_mode:
        for name in plan.prune:
            engine.remove_volume(name)
    return report(plan, {"name": "", "digest": ""})


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        required_if=[("state", "present", ("image", "digest"), True)],
        supports_check_mode=True,
    )
    try:
        run = run_absent if module.params["state"] == "absent" else run_present
        result = run(module.params, module.check_mode)
    except HubError as exc:
        module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
