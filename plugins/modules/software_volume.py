#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One versioned, read-only software volume."""

from __future__ import annotations

import contextlib
import tempfile
import typing as t
from dataclasses import replace
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.commands import locked, prepare_dir
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli, EngineAway
from ansible_collections.galilean.hub.plugins.module_utils.engine.observed import ObservedVolume
from ansible_collections.galilean.hub.plugins.module_utils.hub.releases import needed_by_releases
from ansible_collections.galilean.hub.plugins.module_utils.volumes.plan import (
    Damage,
    Plan,
    VolumeSpec,
    is_sealed,
    plan_absent,
    plan_present,
)
from ansible_collections.galilean.hub.plugins.module_utils.volumes.seed import (
    Job,
    desired_volume,
    drop_volume,
    observe,
    repair_volume,
    seed_volume,
    verify_volume,
    with_marker,
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
    Beside it stays the manifest (C(.manifest)), a JSON file with what every path is, its permissions, owner, size, time, SHA-256 hash or destination.
  - A volume without C(.sealed) was left by a killed run. It is removed and filled anew.
  - A file that has not changed since the newest older version, down to path, content, permissions, owner and time, is shared with it
    (hard links), takes no disk, and stays in memory once for users of both. As all versions are mounted read-only, nobody can change what others share. Where the host does not see
    the engine's volumes (a remote engine, a volume plugin), all of it is copied.
  - An image may bring the hashes of its files, so that they need not be read to find out what has not changed. They have to be made by the
    last step of its build that touches the folder,
    C(cd /opt/software && find . -type f ! -name .sha256sums -exec sha256sum {} + > .sha256sums), and it should give all files the same time.
    When an image on top of it has other files in the folder and no hashes of its own, these are not believed. Neither are they where the
    engine does not use the storage driver overlay2.
  - Older versions stay as long as a container mounts them, running or not.
requirements:
  - C(/usr/bin/python3) (3.9 or newer, with its standard library) and C(sync) in the image.
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
      - The 12 hexadecimal digits of an older version, to use it instead of the image's.
      - Its volume is used when it is still there. Otherwise it is filled from the image of the same name as O(image) with this tag.
    type: str
  source_path:
    description: The folder in the image. Containers should mount the volume at the same path.
    type: str
    default: /opt/software
  keep:
    description: How many versions to keep, the current one included, beside those in use and those that a release of a hub needs.
    type: int
    default: 2
  verify:
    description:
      - Whether to read a version that is there from end to end and compare it with its manifest. That takes about as long as reading all of it.
      - What differs is put right from the image, in place and file by file, so that servers may go on using the volume.
        In check mode it is only reported. When the image is not on the host any more, the module fails and says what differs.
    type: bool
    default: false
  timeout:
    description: Seconds after which filling is stopped.
    type: int
    default: 3600
  log_dir:
    description:
      - Folder on the host for the log and a lock.
      - While a volume is filled, C(<prefix>.log) in it gets a line every five seconds that says how far it is.
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

- name: Go back to an older version, whether its volume is still there or only its image
  galilean.hub.software_volume:
    prefix: galilean-software-python
    image: galilean/python-science:3f1c02aa9b7e
    digest: 9a44b0c1d2e3

- name: Make sure that nothing has become different on the disk
  galilean.hub.software_volume:
    prefix: galilean-software-python
    image: galilean/python-science:3f1c02aa9b7e
    verify: true

- name: Remove all versions
  galilean.hub.software_volume:
    prefix: galilean-software-python
    state: absent
"""

RETURN = r"""
volume:
  description:
    - The volume by RV(ignore:name) and RV(ignore:digest), RV(ignore:files), RV(ignore:size_bytes) and RV(ignore:shared_bytes), which it has in
      common with the older version, as counted when it was sealed, and the names of the RV(ignore:pruned) older ones.
    - In check mode files and sizes are only known of a volume that exists.
  returned: success
  type: dict
  sample:
    name: galilean-software-python-3f1c02aa9b7e
    digest: 3f1c02aa9b7e
    files: 73000
    size_bytes: 3800000000
    shared_bytes: 3760000000
    pruned: []
actions:
  description: What was done, or would be done in check mode, and why. Of a repair the reason says what differed.
  returned: success
  type: list
  elements: dict
  sample: [{action: seed, volume: galilean-software-python-3f1c02aa9b7e, reason: it does not exist}]
log:
  description: The log on the host.
  returned: when a volume was filled or verified, or that failed
  type: str
  sample: /var/log/galilean-hub/galilean-software-python.log
differences:
  description: What differs from the manifest, by path; the first hundred.
  returned: when a damaged volume cannot be repaired
  type: dict
  sample: {bin/tool: differs in content}
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    "prefix": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "image": {"type": "str"},
    "digest": {"type": "str"},
    "source_path": {"type": "str", "default": "/opt/software"},
    "keep": {"type": "int", "default": 2},
    "verify": {"type": "bool", "default": False},
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
        **{key: sealed[key] for key in ("files", "size_bytes", "shared_bytes") if key in sealed},
    }


@contextlib.contextmanager
def folder_for(params: dict[str, t.Any], check_mode: bool) -> t.Iterator[Path]:
    """Where log and lock go; in check mode nothing is to stay."""
    if check_mode:
        with tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch)
    else:
        yield prepare_dir(params["log_dir"], "log_dir")


def find_damage(job: Job, current: ObservedVolume | None, image: str) -> Damage | None:
    """What differs in the version that is there; None where there is nothing to compare."""
    if not is_sealed(current, job.spec.digest):
        return None
    python = [ref for ref in (job.spec.image, image) if ref and job.engine.image(ref) is not None]
    if not python:
        raise HubError(
            f"verify is true, but this host has no image to read volume {job.spec.name} with: "
            "name one with Python in image."
        )
    return verify_volume(job, python[0])


def with_releases(engine: DockerCli, others: list[ObservedVolume]) -> list[ObservedVolume]:
    """The same, with the releases of hubs among those that use a version: they can be gone back to."""
    folders = engine.hub_folders("/etc/jupyterhub")
    needed = {name for folder in folders for name in needed_by_releases(Path(folder))}
    return [replace(one, users=(*one.users, "(a release)")) if one.name in needed else one for one in others]


def run_present(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Make sure that the version exists, and not too many others."""
    image = params["image"] or ""
    wanted = (params["prefix"], image, params["digest"] or "", check_mode)
    try:
        engine = DockerCli(params["docker_cli"])
        spec = desired_volume(engine, *wanted)
        current, others = observe(engine, spec, spec.image or image)
    except EngineAway as exc:
        if not check_mode:
            raise
        spec = desired_volume(None, *wanted)
        result = report(plan_present(spec, None, [], params["keep"]), facts_of(spec, None))
        return {**result, "warnings": [f"{exc} In check mode this counts as an engine without volumes."]}
    plan = plan_present(spec, current, others, params["keep"])
    if plan.prune:
        # Asked only where something would go.
        others = with_releases(engine, others)
        plan = plan_present(spec, current, others, params["keep"])
    if not params["verify"] and (check_mode or not plan.changed):
        return report(plan, facts_of(spec, current))
    with folder_for(params, check_mode) as folder, locked(folder / f"{spec.prefix}.lock"):
        # Another run may just have done it.
        current, others = observe(engine, spec, spec.image or image)
        log = folder / f"{spec.prefix}.log"
        job = Job(engine, spec, params["source_path"], log, params["timeout"])
        damage = find_damage(job, current, image) if params["verify"] else None
        if damage and engine.image(spec.image) is None:
            spec = replace(spec, image="")
        now = plan_present(spec, current, with_releases(engine, others), params["keep"], damage)
        if check_mode:
            return report(now, facts_of(spec, current))
        if now.seed:
            current = seed_volume(job, current, others)
        if now.repair and current is not None:
            repair_volume(job)
            current = with_marker(engine, current, spec.image)
        for name in now.prune:
            drop_volume(engine, name)
    result = report(now, facts_of(spec, current))
    return {**result, "log": str(log)} if now.seed or damage is not None else result


def run_absent(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Make sure that no version of the stack exists."""
    engine = DockerCli(params["docker_cli"])
    # No volume has this digest, so all of them are others.
    spec = VolumeSpec(params["prefix"], "")
    _current, others = observe(engine, spec, params["image"] or "")
    plan = plan_absent(others)
    if not check_mode:
        for name in plan.prune:
            drop_volume(engine, name)
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
