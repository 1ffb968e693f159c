#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: docker_engine_info
short_description: What a host's Docker engine is like
version_added: 0.8.0
author: galilean.hub contributors (@galilean)
description:
  - Says whether the host has an engine that answers, whose it is, which docker command reaches it and can drive BuildKit, what it
    keeps the role C(docker) from, and what the role has to do for it.
  - Needs neither a docker command nor a library of Python. Changes nothing.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.info_module
  - galilean.hub.attributes.actiongroup_hub
options:
  engine:
    description: Whose the engine is.
    type: str
    default: auto
    choices:
      auto: One that runs, or that has an options file, without this collection's marker is used as it is. Otherwise it is managed.
      managed: This collection manages it, whatever there is.
      existing: It is used as it is. It is an error when there is none.
  client:
    description: The docker command to use. Looked for in C(PATH) and the usual folders when left out.
    type: path
  packages:
    description: Debian packages that a host needs. Those of libraries that the Python that runs modules has anyway are not missed.
    type: list
    elements: str
    default: []
  engine_packages:
    description: Debian packages that a managed engine needs.
    type: list
    elements: str
    default: []
  data_root:
    description: Folder whose free space is looked at, when the engine does not say where it keeps its data.
    type: path
    default: /var/lib/docker
  files:
    description: Files to return the digest of.
    type: list
    elements: path
    default: []
  kernel:
    description: Settings of the kernel, as sysctl names them, and the least that each should be.
    type: dict
    default: {}
  options:
    description: Options of a site for C(daemon.json). The program of a managed engine is asked whether it takes them.
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
    - What was seen. Without an engine, RV(engine.ready) is false, RV(engine.cli) is empty and RV(engine.socket_gid) is null.
  type: dict
  returned: success
  contains:
    ready: {description: Whether the engine answers., type: bool}
    running: {description: Whether its process is there., type: bool}
    log: {description: 'The last words of an engine that does not answer, from the journal or C(/var/log/docker-engine.log).', type: str}
    mode: {description: V(managed) or V(existing)., type: str}
    stale: {description: Whether a managed engine runs with other options than its file has., type: bool}
    version: {description: Version of the engine., type: str}
    dockerd: {description: Path of the engine's program., type: str}
    systemd: {description: Whether systemd is PID 1., type: bool}
    can_validate: {description: Whether the engine can check an options file., type: bool}
    cli: {description: A docker command that reaches the engine., type: str}
    buildkit: {description: 'How that command drives BuildKit: V(builtin), V(buildx), or empty for not at all.', type: str}
    socket_gid: {description: Group of the engine's socket., type: int}
    missing_packages: {description: Packages that are needed and not installed., type: list, elements: str}
    package_lists: {description: Whether the distribution's package lists have been fetched., type: bool}
    disk_free_gib: {description: Free space where the engine keeps its data., type: float}
    mtu: {description: MTU of the interface of the default route., type: int}
    nofile_limit: {description: Most open files that the engine can have. 0 for no limit., type: int}
    bridge_nf: {description: 'Value of C(net.bridge.bridge-nf-call-iptables), null when the kernel does not have it.', type: int}
    ip_forward: {description: Value of C(net.ipv4.ip_forward)., type: int}
    ipv6: {description: Whether the engine leads connections over IPv6 to containers without hiding where they come from., type: bool}
    ipv6_forward: {description: 'Value of C(net.ipv6.conf.all.forwarding), null without IPv6.', type: int}
    ipv6_interface: {description: Interface of the IPv6 default route. Empty without one., type: str}
    ipv6_accept_ra: {description: 'Value of C(accept_ra) of that interface, null without one.', type: int}
    files: {description: 'SHA-256 of each of O(files), empty for one that is not there.', type: dict}
    kernel_low: {description: 'Those of O(kernel) that the kernel has smaller, as C(name=value) with the wanted value.', type: list, elements: str}
    options_problem: {description: What the engine's program has against O(options)., type: str}
  sample: {ready: true, mode: managed, version: 26.1.5, cli: /usr/bin/docker, buildkit: buildx, socket_gid: 102}
problems:
  description: One sentence for each reason why the role cannot work with it.
  type: list
  elements: str
  returned: success
  sample: []
todo:
  description: What the engine needs, V(start) or V(restart). Empty when it runs as it should.
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
        "problems": host_problems(engine),
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
