#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The front of a host, which leads browsers to one of several hub instances by name."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.edge import front as front_plan
from ansible_collections.galilean.hub.plugins.module_utils.edge.front_host import Front, alone, fronts_of

DOCUMENTATION = r"""
module: edge_front
short_description: The front of a host, which leads browsers to one of several hub instances by name
version_added: 0.4.0
author: galilean.hub contributors (@galilean)
description:
  - The front is a container with nginx that owns an address and its ports, and hands connections on by name to the edges of the
    instances that share it. It decrypts nothing, and tells the edges who the client is.
  - Every instance has a file of its own with its names. Adding or removing an instance and changing its names is a reload, which
    ends no open connection. The first instance starts the front, the last one removes it with its network and folder.
  - Runs for several instances may be on the host at the same time. What nginx does not take is never put where it reads.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - With O(state=joined).
  idempotent:
    support: full
options:
  instance:
    description: Name of the hub instance.
    type: str
    required: true
  state:
    description: What should be.
    type: str
    default: started
    choices:
      joined: The front's files have the instance's names. Nothing is started or loaded.
      started: The front runs and has the instance's file loaded, which O(state=joined) has put there.
      left: The instance is behind no front, or behind no other one than that of O(address) where this is given.
  address:
    description: IP address of the host that the front listens at. There is a front for each address.
    type: str
  ports:
    description:
      - TCP ports of O(address) that the instance wants, C(0) for none. The front has those of all its instances. TLS and plain
        HTTP are told apart on each.
    type: list
    elements: int
  names:
    description: Host names that lead to the instance.
    type: list
    elements: str
  configuration:
    description:
      - Text of the front's F(nginx.conf), the same for all instances. The word C(DIGEST) in it is replaced by a digest of the rest.
    type: str
  image:
    description:
      - Image with nginx. A front that runs with a newer one keeps that.
    type: str
  group:
    description: Number of the account in the image, and of its group.
    type: int
    default: 61080
  mtu:
    description: MTU of the front's network. V(0) is what the engine takes by itself.
    type: int
    default: 0
  memory:
    description: Most memory of the front's container. It has to be the same for all instances, or each of them makes a new container.
    type: str
    default: 256m
  front:
    description: What the front's folder is called, and what the names of its container and its network begin with.
    type: str
    default: galilean-front
  root:
    description: Folder that holds the front's own folder.
    type: path
    default: /srv
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
seealso:
  - module: galilean.hub.port_info
"""

EXAMPLES = r"""
- name: Have the front know the names of an instance
  galilean.hub.edge_front:
    instance: physics
    state: joined
    address: 0.0.0.0
    ports: [443, 80]
    names: [physics.example.org]
    configuration: "{{ lookup('ansible.builtin.template', 'front.conf.j2') }}"
    image: "{{ images_refs.edge }}"

- name: Have it lead there
  galilean.hub.edge_front:
    instance: physics
    state: started
    address: 0.0.0.0
    image: "{{ images_refs.edge }}"

- name: Have no front know the instance
  galilean.hub.edge_front:
    instance: physics
    state: left
"""

RETURN = r"""
done:
  description:
    - What was done, or would be in check mode. V(files), V(network), V(create), V(replace), V(start) and V(reload) are about the
      container; V(left) and V(removed) stand before the name of a front that the instance has left.
  returned: success
  type: list
  elements: str
  sample: [create]
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    "instance": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["joined", "started", "left"], "default": "started"},
    "address": {"type": "str"},
    "ports": {"type": "list", "elements": "int"},
    "names": {"type": "list", "elements": "str"},
    "configuration": {"type": "str"},
    "image": {"type": "str"},
    "group": {"type": "int", "default": 61080},
    "mtu": {"type": "int", "default": 0},
    "memory": {"type": "str", "default": "256m"},
    "front": {"type": "str", "default": "galilean-front"},
    "root": {"type": "path", "default": "/srv"},
    "docker_cli": {"type": "list", "elements": "str"},
}
NEEDED = [
    ("state", "joined", ["address", "ports", "names", "configuration", "image"]),
    ("state", "started", ["address", "image"]),
]


def run(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Join, start or leave, while no other run does."""
    if os.geteuid() != 0:
        raise HubError("The front needs root rights: connect as root, or set ansible_become to true.")

    def front(address: str) -> Front:
        return Front(params["root"], params["front"], address, params["group"], params["docker_cli"] or [])

    instance, address = params["instance"], params["address"]
    diff: list[dict[str, str]] = []
    with alone(params["front"]):
        if params["state"] == "joined":
            one = front_plan.member(instance, params["ports"], params["names"])
            if not one.ports or not one.names:
                raise HubError(f"{instance} has no ports or no names: give one of each at least.")
            diff = front(address).join(one, params["configuration"], params["image"], check_mode)
            done = ["files"] if diff else []
        elif params["state"] == "started":
            done = front(address).start(
                instance, params["image"], params["mtu"], params["memory"], check_mode
            )
        else:
            kept = front_plan.slug(address) if address else ""
            left = [
                front(front_plan.address_of(slug))
                for slug in fronts_of(params["root"], params["front"], instance)
                if slug != kept
            ]
            done = [f"{one.leave(instance, check_mode)} {one.name}" for one in left]
    return {"changed": bool(done), "done": done, "diff": diff}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, required_if=NEEDED, supports_check_mode=True)
    try:
        result = run(module.params, module.check_mode)
    except HubError as exc:
        module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
