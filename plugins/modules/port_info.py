#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: port_info
short_description: Find the process or container that uses a TCP port
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Checks whether a server can listen on the ports, and names the container or process that uses them.
  - For the check it opens each port for a moment. It sends and answers nothing.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.info_module
  - galilean.hub.attributes.actiongroup_hub
options:
  address:
    description: IP address that the server would bind to.
    type: str
    required: true
  ports:
    description: TCP ports that the server would bind to.
    type: list
    elements: int
    required: true
  own_container:
    description: Names of containers that may use the ports.
    type: list
    elements: str
    default: []
  docker_cli:
    description:
      - Command line of a working Docker client, such as V([docker]).
      - Empty if there is no engine on the host. Containers are not checked then.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: See whether the port is free
  galilean.hub.port_info:
    address: 127.0.0.1
    ports: [8000]

- name: See whether the port is free or held by the hub's own edge
  galilean.hub.port_info:
    address: 0.0.0.0
    ports: [80, 443]
    own_container: [hub-edge]
    docker_cli: [docker]
"""

RETURN = r"""
ports:
  description: One entry for each port of O(ports), in that order.
  returned: success
  type: list
  elements: dict
  contains:
    port:
      description: The port.
      type: int
      sample: 8000
    available:
      description: Whether the port is free or used by O(own_container).
      type: bool
      sample: false
    reason:
      description: What uses the port. Empty if the port is available.
      type: str
      sample: the process python3 (4711) holds it
"""

import contextlib
import errno
import os
import socket
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli, EngineAway
from ansible_collections.galilean.hub.plugins.module_utils.host import ports

ARGUMENT_SPEC: dict[str, t.Any] = {
    "address": {"type": "str", "required": True},
    "ports": {"type": "list", "elements": "int", "required": True},
    "own_container": {"type": "list", "elements": "str", "default": []},
    "docker_cli": {"type": "list", "elements": "str", "default": []},
}


def try_bind(address: str, port: int) -> int:
    """Return 0 when the port can be bound, else the error's number. A closed connection's rest does not count."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            # Two sockets may share a bound port with that option, but only one can listen.
            probe.listen(1)
        except OSError as exc:
            return exc.errno or errno.EIO
    return 0


def find_process(address: str, port: int) -> dict[str, t.Any] | None:
    """Return name and id of the process that listens, as far as this account may see it."""
    links: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            links.update(
                f"socket:[{inode}]"
                for inode in ports.listening_inodes(Path(table).read_text(), address, port)
            )
    for process in Path("/proc").glob("[0-9]*"):
        # Processes come and go while they are listed, and other accounts' are closed to this one.
        with contextlib.suppress(OSError):
            if any(os.readlink(link) in links for link in (process / "fd").iterdir()):
                return {"pid": int(process.name), "name": (process / "comm").read_text().strip()}
    return None


def running_containers(client: list[str]) -> str:
    """Lines of ``name<TAB>ports``; nothing where no engine runs. Raises HubError where it does not tell."""
    if not client:
        return ""
    try:
        return DockerCli(client).call("ps", "--format={{.Names}}\t{{.Ports}}") or ""
    except EngineAway:
        return ""


def observe_in(port: int, address: str, listing: str, own: list[str]) -> dict[str, t.Any]:
    container = ports.publishing_container(listing, address, port)
    if container in own:
        return {"port": port, "available": True, "reason": ""}
    number = try_bind(address, port)
    reason = ""
    if number == errno.EADDRNOTAVAIL:
        reason = f"the host has no address {address}"
    elif number == errno.EADDRINUSE or container:
        reason = ports.holder_sentence(container, None if container else find_process(address, port))
    # Any other error, such as a low port for an account that is not root, says nothing about the engine's chances.
    return {"port": port, "available": not reason, "reason": reason}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        listing = running_containers(module.params["docker_cli"])
    except HubError as exc:
        module.fail_json(msg=exc.message)
    address, own = module.params["address"], module.params["own_container"]
    ports = [observe_in(port, address, listing, own) for port in module.params["ports"]]
    module.exit_json(changed=False, ports=ports)


if __name__ == "__main__":
    main()
