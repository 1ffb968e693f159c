#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Archives of images without the layers that a host has."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.commands import prepare_dir
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_archive import (
    estimate,
    export,
    observe_images,
    release,
    remove_ended,
)
from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_engine import DeliveryEngine

DOCUMENTATION = r"""
module: image_export
short_description: Export images as archives without the layers that a host has
version_added: 0.2.0
author: galilean.hub contributors (@galilean)
description:
  - Exports images of the controller's engine for M(galilean.hub.image_import), without the layers that the host has. Delegate the
    task to the controller.
  - Hosts of one run that need the same layers share one archive. It exists only during the run. The next run removes archives of
    a killed run.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  action:
    description: Has an action plugin, which adds the ID of the run and the account that sends the archive.
    support: full
  check_mode:
    support: full
    details:
      - Exports nothing, and returns an estimate of the size.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - An archive is temporary, so creating or removing it is not a change.
options:
  refs:
    description: Full references of the images. Required with O(state=present).
    type: list
    elements: str
    default: []
  known_layers:
    description: Layers on the host, from M(galilean.hub.image_info).
    type: list
    elements: str
    default: []
  state:
    description: Whether the host still needs its archive.
    type: str
    choices:
      present: The archive exists.
      absent: Archives of this host and of killed runs are removed, unless another host of the run needs them.
    default: present
  path:
    description: Folder for archives, on a file system with free space of twice the size of all images.
    type: path
    required: true
  timeout:
    description: Timeout of the engine's answer in seconds.
    type: int
    default: 3600
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
seealso:
  - module: galilean.hub.image_info
  - module: galilean.hub.image_import
"""

EXAMPLES = r"""
- name: Export what the host lacks
  delegate_to: localhost
  galilean.hub.image_export:
    refs: "{{ host.missing }}"
    known_layers: "{{ host.layers }}"
    path: ~/.cache/galilean-hub
  register: exported

- name: Send it
  galilean.hub.image_import:
    archive: "{{ exported.archive }}"

- name: Remove the archive
  delegate_to: localhost
  galilean.hub.image_export:
    path: ~/.cache/galilean-hub
    state: absent
"""

RETURN = r"""
archive:
  description:
    - The archive with RV(ignore:path), size in RV(ignore:bytes), and size of the content in RV(ignore:unpacked) bytes.
    - RV(ignore:whole) tells whether it contains all layers. RV(ignore:images) has the ID of each image by reference.
    - In check mode RV(ignore:path) is empty and the sizes are estimates.
  returned: success and O(state=present)
  type: dict
  sample:
    path: /home/ada/.cache/galilean-hub/4711-88123/5f0c8b2d3e4a1c9d.tar.gz
    bytes: 105000000
    unpacked: 312000000
    whole: false
    images: {'galilean/hub:3f1c02aa9b7e': 'sha256:9c1d0f5a'}
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    "refs": {"type": "list", "elements": "str", "default": []},
    "known_layers": {"type": "list", "elements": "str", "default": []},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "path": {"type": "path", "required": True},
    "timeout": {"type": "int", "default": 3600},
    "docker_cli": {"type": "list", "elements": "str"},
    # From the action plugin only: the run, the host that the archive is for, and who sends it.
    "_run": {"type": "str", "required": True},
    "_host": {"type": "str", "required": True},
    "_owner": {"type": "int", "required": True},
}


def provide(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """The archive, or in check mode what it would be."""
    engine = DeliveryEngine(params["docker_cli"])
    images = observe_images(engine, params["refs"])
    known = params["known_layers"]
    ids = {image.ref: image.id for image in images}
    if check_mode:
        size = estimate(engine, images, known)
        return {"path": "", "bytes": size, "unpacked": size, "whole": not known, "images": ids}
    folder = prepare_dir(params["path"], "images_controller_dir")
    made = export(
        engine,
        images,
        known,
        folder,
        params["_run"],
        params["_host"],
        params["_owner"],
        params["timeout"],
    )
    return {**made, "images": ids}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    result: dict[str, t.Any] = {"changed": False}
    try:
        if params["state"] == "present":
            result["archive"] = provide(params, module.check_mode)
        elif not module.check_mode:
            folder = prepare_dir(params["path"], "images_controller_dir")
            release(folder, params["_run"], params["_host"])
            remove_ended(folder)
    except HubError as exc:
        module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
