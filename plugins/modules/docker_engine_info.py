#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: docker_engine_info
short_description: Return the state of a host's Docker engine
version_added: 0.8.0
author: galilean.hub contributors (@galilean)
description:
  - Returns whether an engine answers, whether this collection manages it, which docker command can reach it and use BuildKit,
    which problems prevent the role C(docker) from using it, and what the role must do.
  - Needs neither a docker command nor Python libraries. Changes nothing.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.info_module
  - galilean.hub.attributes.actiongroup_hub
options:
  engine:
    description: Who manages the engine.
    type: str
    default: auto
    choices:
      auto: An engine that runs or has an options file, without this collection's marker, is used unchanged. Otherwise it is managed.
      managed: This collection manages it in any case.
      existing: It is used unchanged. Fails if there is none.
  client:
    description: The docker command to use. When not set, searched in C(PATH) and the usual folders.
    type: path
  packages:
    description: Debian packages that a host needs. A package of a Python library is not reported as missing if the Python of modules has the library.
    type: list
    elements: str
    default: []
  engine_packages:
    description: Debian packages that a managed engine needs.
    type: list
    elements: str
    default: []
  data_root:
    description:
      - Folder that the engine is to keep its data in. Its free space is checked if the engine does not report one.
      - A managed engine that has volumes in another folder is a problem, as they would be gone from sight.
    type: path
    default: /var/lib/docker
  moved:
    description: Whether all that the engine keeps was copied to O(data_root).
    type: bool
    default: false
  files:
    description: Files whose digests are returned.
    type: list
    elements: path
    default: []
  kernel:
    description: Kernel settings by sysctl name, with the minimum of each.
    type: dict
    default: {}
  options:
    description: Options of a site for C(daemon.json). The program of a managed engine validates them.
    type: dict
    default: {}
seealso:
  - module: community.docker.docker_host_info
"""

EXAMPLES = r"""
- name: Look at the engine
  galilean.hub.docker_engine_info:
  register: found
"""

RETURN = r"""
engine:
  description:
    - State of the engine. Without an engine, RV(engine.ready) is false, RV(engine.cli) is empty and RV(engine.socket_gid) is null.
  type: dict
  returned: success
  contains:
    ready: {description: Whether the engine answers., type: bool}
    running: {description: Whether its process exists., type: bool}
    log: {description: 'Last log lines of an engine that does not answer, from the journal or C(/var/log/docker-engine.log).', type: str}
    mode: {description: V(managed) or V(existing)., type: str}
    stale: {description: Whether a managed engine runs with other options than those in its file., type: bool}
    version: {description: Version of the engine., type: str}
    dockerd: {description: Path of the engine's program., type: str}
    systemd: {description: Whether systemd is PID 1., type: bool}
    can_validate: {description: Whether the engine can check an options file., type: bool}
    cli: {description: A docker command that reaches the engine., type: str}
    buildkit: {description: 'BuildKit support of that command: V(builtin), V(buildx), or empty for none.', type: str}
    socket_gid: {description: Group of the engine's socket., type: int}
    missing_packages: {description: Needed packages that are not installed., type: list, elements: str}
    disk_free_gib: {description: Free space in GiB in the engine's data folder., type: float}
    data_root: {description: Folder of the engine's data. Where it does not answer that of its options file., type: str}
    wanted_data_root: {description: 'Folder that it is to have, from O(options) or O(data_root).', type: str}
    volumes: {description: Number of volumes in RV(engine.data_root)., type: int}
    mtu: {description: MTU of the interface of the default route., type: int}
    nofile_limit: {description: Maximum number of open files of the engine. 0 for no limit., type: int}
    bridge_nf: {description: 'Value of C(net.bridge.bridge-nf-call-iptables), null if the kernel does not have it.', type: int}
    ip_forward: {description: Value of C(net.ipv4.ip_forward)., type: int}
    ipv6: {description: Whether the engine forwards IPv6 connections to containers and preserves the source address., type: bool}
    ipv6_forward: {description: 'Value of C(net.ipv6.conf.all.forwarding), null without IPv6.', type: int}
    ipv6_interface: {description: Interface of the IPv6 default route. Empty without one., type: str}
    ipv6_accept_ra: {description: 'Value of C(accept_ra) of that interface, null without one.', type: int}
    files: {description: 'SHA-256 of each of O(files), empty if the file does not exist.', type: dict}
    kernel_low: {description: 'Settings of O(kernel) below their minimum, as C(name=minimum).', type: list, elements: str}
    options_problem: {description: Validation error of the engine's program for O(options)., type: str}
  sample: {ready: true, mode: managed, version: 26.1.5, cli: /usr/bin/docker, buildkit: buildx, socket_gid: 102}
problems:
  description: One sentence for each reason why the role cannot use the engine.
  type: list
  elements: str
  returned: success
  sample: []
todo:
  description: Necessary action, V(start) or V(restart). Empty if none is needed.
  type: str
  returned: success
  sample: ''
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine import host
from ansible_collections.galilean.hub.plugins.module_utils.engine.state import host_problems

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "engine": {"type": "str", "choices": ["auto", "managed", "existing"], "default": "auto"},
    "client": {"type": "path"},
    "packages": {"type": "list", "elements": "str", "default": []},
    "engine_packages": {"type": "list", "elements": "str", "default": []},
    "data_root": {"type": "path", "default": "/var/lib/docker"},
    "moved": {"type": "bool", "default": False},
    "files": {"type": "list", "elements": "path", "default": []},
    "kernel": {"type": "dict", "default": {}},
    "options": {"type": "dict", "default": {}},
}


def run(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Look at the host, and say what follows."""
    if os.geteuid() != 0:
        raise HubError("The Docker engine needs root rights: connect as root, or set ansible_become to true.")
    engine = host.observe(
        params["engine"],
        params["client"],
        params["packages"],
        params["engine_packages"],
        params["data_root"],
        params["files"],
        params["kernel"],
        params["options"],
    )
    return {
        "changed": False,
        "engine": engine,
        "problems": host_problems(engine, params["moved"]),
        "todo": host.what_to_do(engine),
    }


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = run(module.params)
    except HubError as exc:
        module.fail_json(msg=exc.message)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
