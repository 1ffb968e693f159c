#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which layers of images a host has, and how much room."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import EngineAway
from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_engine import DeliveryEngine

DOCUMENTATION = r"""
module: image_info
short_description: List images and layers of a host
version_added: 0.2.0
author: galilean.hub contributors (@galilean)
description:
  - Lists the layers that M(galilean.hub.image_export) can omit, because the host's engine has them.
  - An engine with the containerd image store accepts only complete images, so its list is empty.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.info_module
  - galilean.hub.attributes.actiongroup_hub
options:
  refs:
    description: Full references of the images for the host.
    type: list
    elements: str
    required: true
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
seealso:
  - module: galilean.hub.image_export
  - module: galilean.hub.image_import
"""

EXAMPLES = r"""
- name: Ask the host what it has
  galilean.hub.image_info:
    refs: [galilean/hub:3f1c02aa9b7e]
  register: host
"""

RETURN = r"""
missing:
  description: Images of O(refs) that are missing on the host.
  returned: success
  type: list
  elements: str
  sample: [galilean/hub:3f1c02aa9b7e]
layers:
  description: Layers on the host, as chain IDs (digest of a layer with all layers below it).
  returned: success
  type: list
  elements: str
  sample: [sha256:5b1ae79bc4b6286f6a823a6508510d211c8af48d5964b66fb49c3872abe9eb72]
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    "refs": {"type": "list", "elements": "str", "required": True},
    "docker_cli": {"type": "list", "elements": "str"},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    refs = module.params["refs"]
    result: dict[str, t.Any] = {"changed": False}
    try:
        try:
            engine = DeliveryEngine(module.params["docker_cli"])
            present = engine.present(refs)
            result["missing"] = [ref for ref in refs if ref not in present]
            result["layers"] = engine.known_layers() if result["missing"] else []
        except EngineAway as exc:
            if not module.check_mode:
                raise
            result.update(missing=refs, layers=[])
            result["warnings"] = [f"{exc} In check mode this counts as an engine without images."]
    except HubError as exc:
        module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
