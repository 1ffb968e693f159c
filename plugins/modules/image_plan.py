#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What of a list of content-addressed images a host lacks."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import (
    DockerCli,
    EngineAway,
)
from ansible_collections.galilean.hub.plugins.module_utils.engine.observed import ObservedImage
from ansible_collections.galilean.hub.plugins.module_utils.images.build import desired_image, newest_other
from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_plan import to_build
from ansible_collections.galilean.hub.plugins.module_utils.images.plan import ImageSpec, plan_present

DOCUMENTATION = r"""
module: image_plan
short_description: What of a list of images a host lacks
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Works out the reference of every image of a list, and says which of them the host does not have, and why.
  - All that takes one call of the engine when nothing is missing, however long the list is. It changes nothing.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.info_module
  - galilean.hub.attributes.actiongroup_hub
attributes:
  action:
    description: Has an action plugin, which runs on the controller and sends hashes of build contexts and archives to other hosts.
    support: full
  diff_mode:
    support: full
    details:
      - Lists the inputs of missing images beside those of the newest existing ones of the same names.
options:
  images:
    description:
      - The images, parents first, each with the options of M(galilean.hub.image) that decide its content.
      - A C(parent), and each of C(parents), may be the name of an image before it in the list.
      - One with C(internal) serves to build others. It is missing only where one that is built on it is missing, too.
    type: list
    elements: dict
    required: true
  only:
    description:
      - The names of the images to have, instead of all that are not C(internal).
      - Others of the list are missing only where one of these is to be built on them.
    type: list
    elements: str
  repository_prefix:
    description: What stands before the names in the images' references.
    type: str
    default: galilean
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
seealso:
  - module: galilean.hub.image
"""

EXAMPLES = r"""
- name: Compare two images with what the host has
  galilean.hub.image_plan:
    images:
      - name: base
        source: bootstrap
        suite: trixie
      - name: hub
        path: "{{ playbook_dir }}/../files/images/hub"
        parent: base
  register: plan

- name: Show what is to be built, and why
  ansible.builtin.debug:
    var: plan.missing
"""

RETURN = r"""
refs:
  description: The reference of every image by its name, whether it exists or not.
  returned: success
  type: dict
  sample: {base: 'galilean/base:8e600e797b82', hub: 'galilean/hub:3f1c02aa9b7e'}
missing:
  description: The reasons for every image that does not exist by its name.
  returned: success
  type: dict
  sample: {hub: [file nginx.conf changed]}
disk:
  description:
    - Where the engine keeps its images as RV(ignore:path), and how many bytes are free there as RV(ignore:free).
    - Empty where that is not on this host, or there is no engine.
  returned: something is missing
  type: dict
  sample: {path: /var/lib/docker, free: 52613349376}
"""

DEFAULTS: dict[str, t.Any] = {
    "source": "build",
    "path": None,
    "files": [],
    "dockerfile": "Dockerfile",
    "dockerfile_inline": None,
    "image": None,
    "archive": None,
    "args": {},
    "target": None,
    "parent": None,
    "parents": {},
    "suite": "",
    "packages": ["ca-certificates", "python3"],
    "mirror": "",
    "keyring": "",
    "serial": "",
    "env": {},
    # From the action plugin only.
    "_context_files": None,
    "_archive_digest": None,
}
ARGUMENT_SPEC: dict[str, t.Any] = {
    "images": {"type": "list", "elements": "dict", "required": True},
    "only": {"type": "list", "elements": "str"},
    "repository_prefix": {"type": "str", "default": "galilean"},
    "docker_cli": {"type": "list", "elements": "str"},
}


def desired_images(
    images: t.Sequence[dict[str, t.Any]], prefix: str, engine: DockerCli | None
) -> list[ImageSpec]:
    """All images of the list, each with the reference of its parent in its digest."""
    refs: dict[str, str] = {}
    specs = []
    for item in images:
        params = {
            **DEFAULTS,
            **{key: value for key, value in item.items() if value is not None},
            "repository_prefix": prefix,
        }
        if not isinstance(params.get("name"), str):
            raise HubError(f"images has an entry without a name: {item}. Give it one.")
        if params["parent"]:
            params["parent"] = refs.get(params["parent"], params["parent"])
        params["parents"] = {key: refs.get(ref, ref) for key, ref in params["parents"].items()}
        # A parent that is not there yet is the business of the build.
        spec = desired_image(params, engine, check_mode=True)
        refs[spec.name] = spec.ref
        specs.append(spec)
    return specs


def compare(
    specs: t.Sequence[ImageSpec],
    engine: DockerCli | None,
    images: t.Sequence[dict[str, t.Any]],
    only: t.Sequence[str] | None = None,
) -> dict[str, t.Any]:
    """What is there, what is not, and how that differs from what was there before."""
    found: dict[str, ObservedImage] = engine.images([spec.ref for spec in specs]) if engine else {}
    there = {spec.name for spec in specs if not plan_present(spec, found.get(spec.ref), None).changed}
    lacking = to_build(images, there, only)
    missing: dict[str, list[str]] = {}
    before, after = {}, {}
    for spec in specs:
        if spec.name not in lacking:
            continue
        current = found.get(spec.ref)
        latest = newest_other(engine, spec.repository) if engine and current is None else None
        plan = plan_present(spec, current, latest)
        missing[spec.name] = plan.reasons
        before[spec.repository], after[spec.repository] = plan.before, plan.after
    refs = {spec.name: spec.ref for spec in specs}
    return {"changed": False, "refs": refs, "missing": missing, "diff": {"before": before, "after": after}}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    images, prefix, only = (module.params[key] for key in ("images", "repository_prefix", "only"))
    try:
        try:
            engine = DockerCli(module.params["docker_cli"])
            result = compare(desired_images(images, prefix, engine), engine, images, only)
            if result["missing"]:
                disk = engine.free_bytes()
                result["disk"] = {"path": disk[0], "free": disk[1]} if disk else {}
        except EngineAway as exc:
            if not module.check_mode:
                raise
            result = compare(desired_images(images, prefix, None), None, images, only)
            result["disk"] = {}
            result["warnings"] = [f"{exc} In check mode this counts as an engine without images."]
    except HubError as exc:
        module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
