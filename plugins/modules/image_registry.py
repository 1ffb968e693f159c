#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Images through a registry: pushed by one, pulled by digest by many."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.api import ApiError, EngineApi
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import EngineAway
from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_engine import (
    DeliveryEngine,
    free_space,
)
from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_plan import (
    chain_ids,
    layer_sizes,
    registry_problem,
    space_problem,
)
from ansible_collections.galilean.hub.plugins.module_utils.images.registry_plan import (
    DIGEST,
    auth_header,
    check_registry,
    place_of,
    pushed_digest,
    transferred,
    was_lacking,
)

DOCUMENTATION = r"""
module: image_registry
short_description: Push images to a registry, or pull them
version_added: 0.2.0
author: galilean.hub contributors (@galilean)
description:
  - Pushes images of an engine to a registry, or pulls them by digest and restores their names.
  - The engine gets the password for each transfer. It is not written to any file or command line.
  - Names in the registry are the names of the images with O(registry) instead of their prefix. These names are removed from the
    engine afterwards, so that images can be removed later.
requirements:
  - An engine that O(docker_cli) reaches through a Unix socket.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  check_mode:
    support: full
    details:
      - Does not connect to the registry.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - O(state=pulled) does not connect to the registry if the engine has all images.
      - O(state=pushed) always connects, and reports a change only if the registry lacked a layer or the image.
options:
  images:
    description:
      - Full references of the images. For O(state=pulled) each with its digest, C(sha256:...). For O(state=pushed) the value is ignored.
    type: dict
    required: true
  registry:
    description: Host of the registry, optionally with port and path.
    type: str
    required: true
  state:
    description: Direction of the transfer.
    type: str
    choices:
      pushed: The registry has the images.
      pulled: The engine has the images.
    required: true
  layers:
    description:
      - Sizes of the images' layers, from RV(layers) of the push, for a check of the free space before a pull.
    type: dict
    default: {}
  username:
    description: Account of the registry. Empty if no login is needed.
    type: str
    default: ''
  password:
    description: Password of the account.
    type: str
    default: ''
  host:
    description: Name of the engine's host in messages.
    type: str
    default: this host
  timeout:
    description: Timeout of one transfer in seconds.
    type: int
    default: 3600
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
seealso:
  - module: galilean.hub.image
"""

EXAMPLES = r"""
- name: Push from the controller
  delegate_to: localhost
  galilean.hub.image_registry:
    images: {'galilean/hub:3f1c02aa9b7e': ''}
    registry: registry.example.org/hub
    username: robot
    password: "{{ images_registry_password }}"
    state: pushed
  register: pushed

- name: Pull on the host
  galilean.hub.image_registry:
    images: "{{ pushed.digests }}"
    registry: registry.example.org/hub
    username: robot
    password: "{{ images_registry_password }}"
    state: pulled
"""

RETURN = r"""
digests:
  description: Digest of each image in the registry, by reference.
  returned: success, outside check mode
  type: dict
  sample: {'galilean/hub:3f1c02aa9b7e': 'sha256:9c1d0f5a'}
layers:
  description: Size of each layer in bytes, by chain ID (digest of a layer with all layers below it).
  returned: success and O(state=pushed)
  type: dict
bytes:
  description: Number of transferred bytes.
  returned: success
  type: int
  sample: 105000000
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    "images": {"type": "dict", "required": True},
    "registry": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["pushed", "pulled"], "required": True},
    "layers": {"type": "dict", "default": {}},
    "username": {"type": "str", "default": ""},
    "password": {"type": "str", "default": "", "no_log": True},
    "host": {"type": "str", "default": "this host"},
    "timeout": {"type": "int", "default": 3600},
    "docker_cli": {"type": "list", "elements": "str"},
}


class Transfer:
    """Pushes and pulls single images."""

    def __init__(self, params: dict[str, t.Any]) -> None:
        self.registry, self.host, self.timeout = params["registry"], params["host"], params["timeout"]
        check_registry(self.registry)
        self.auth = auth_header(self.registry, params["username"], params["password"])
        self.engine = DeliveryEngine(params["docker_cli"])
        self.api = EngineApi(params["docker_cli"])

    def _ask(self, ref: str, path: str, query: dict[str, str]) -> list[dict[str, t.Any]]:
        try:
            return self.api.transfer(path, query, self.auth, self.timeout)
        except ApiError as exc:
            raise HubError(registry_problem(exc.message, self.registry, self.host, ref)) from exc

    def _name(self, source: str, target: str) -> None:
        name, _colon, tag = target.rpartition(":")
        self.api.request("POST", f"/images/{source}/tag", {"repo": name, "tag": tag})

    def push(self, ref: str) -> tuple[str, int, bool]:
        """The digest of the image in the registry, how many bytes that took, and whether the registry lacked something."""
        name, tag = place_of(ref, self.registry)
        self._name(ref, f"{name}:{tag}")
        try:
            messages = self._ask(ref, f"/images/{name}/push", {"tag": tag})
            digest = pushed_digest(messages)
        finally:
            self.engine.call("image", "rm", f"{name}:{tag}", missing_ok=True)
        self.engine.call("image", "rm", f"{name}@{digest}", missing_ok=True)
        return digest, transferred(messages, ("Pushing",)), was_lacking(messages)

    def pull(self, ref: str, digest: str) -> int:
        """Pull an image and give it its name; returns how many bytes that took."""
        name, _tag = place_of(ref, self.registry)
        messages = self._ask(ref, "/images/create", {"fromImage": name, "tag": digest})
        self._name(f"{name}@{digest}", ref)
        self.engine.call("image", "rm", f"{name}@{digest}", missing_ok=True)
        return transferred(messages, ("Downloading",))

    def layers(self, refs: t.Sequence[str]) -> dict[str, int]:
        """The sizes of all layers of the images."""
        out: dict[str, int] = {}
        for data in self.engine.inspect_images(refs):
            chains = chain_ids((data.get("RootFS") or {}).get("Layers") or [])
            out.update(zip(chains, layer_sizes(len(chains), self.engine.history(data["Id"]))))
        return out

    def check_room(self, refs: t.Sequence[str], layers: t.Mapping[str, int]) -> None:
        """Stop where what the engine lacks does not fit."""
        known = set(self.engine.known_layers()) if layers else set()
        needed = sum(int(size) for chain, size in layers.items() if chain not in known)
        root = self.engine.info().get("DockerRootDir") or "/"
        problem = space_problem(self.host, {root: needed}, free_space([root]), f"pulling {', '.join(refs)}")
        if problem:
            raise HubError(problem)


def push(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """All images into the registry."""
    refs = sorted(params["images"])
    transfer = Transfer(params)
    absent = sorted(set(refs) - set(transfer.engine.present(refs)))
    if absent:
        raise HubError(f"{params['host']} has no {', '.join(absent)} to push: build it first.")
    result: dict[str, t.Any] = {"changed": check_mode, "bytes": 0, "layers": transfer.layers(refs)}
    if check_mode:
        return {**result, "diff": {"before": {}, "after": dict.fromkeys(refs, "pushed")}}
    digests = {}
    for ref in refs:
        digests[ref], size, lacking = transfer.push(ref)
        result["bytes"] += size
        result["changed"] = result["changed"] or lacking
    return {
        **result,
        "digests": digests,
        "diff": {"before": {}, "after": digests if result["changed"] else {}},
    }


def pull(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """All images that the engine lacks."""
    images: dict[str, str] = params["images"]
    for ref, digest in images.items():
        if not DIGEST.match(str(digest)):
            raise HubError(
                f"images has {ref} with digest {digest!r}: give the one that the push returned, sha256:<64 digits>."
            )
    try:
        present = DeliveryEngine(params["docker_cli"]).present(list(images))
    except EngineAway:
        if not check_mode:
            raise
        present = {}
    missing = [ref for ref in sorted(images) if ref not in present]
    result: dict[str, t.Any] = {
        "changed": bool(missing),
        "bytes": 0,
        "diff": {"before": {}, "after": {ref: images[ref] for ref in missing}},
    }
    if check_mode or not missing:
        return result
    transfer = Transfer(params)
    transfer.check_room(missing, params["layers"])
    result["bytes"] = sum(transfer.pull(ref, images[ref]) for ref in missing)
    return {**result, "digests": dict(images)}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    run = push if module.params["state"] == "pushed" else pull
    try:
        result = run(module.params, module.check_mode)
    except HubError as exc:
        module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
