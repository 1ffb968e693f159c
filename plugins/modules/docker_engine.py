#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: docker_engine
short_description: Look at, start and restart a host's Docker engine
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Says whether the host has an engine that answers, whose it is, and which docker command reaches it and can drive BuildKit.
  - Starts and restarts it through systemd where systemd is PID 1, and directly elsewhere. An engine that is started directly
    outlives the run and keeps the limits of the process that starts it.
  - When the engine does not come up, the last lines of its log are part of the error.
  - Installs nothing and writes no options file.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - O(state=restarted) restarts the engine every time.
options:
  state:
    description: What should be.
    type: str
    default: present
    choices:
      present: Only look, change nothing.
      started: >-
        The engine answers. One that this collection manages also runs with the options that its file has, is restarted otherwise,
        and starts at boot on systemd hosts.
      restarted: The engine is started anew. Refused for an engine that this collection does not manage.
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
    description: Debian packages to look for.
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
    description: Settings of the kernel to return, as sysctl names them.
    type: list
    elements: str
    default: []
  log_path:
    description: Log of an engine that is started directly.
    type: path
    default: /var/log/docker-engine.log
  timeout:
    description: Seconds to wait for the engine to answer.
    type: int
    default: 120
seealso:
  - module: community.docker.docker_host_info
"""

EXAMPLES = r"""
- name: See to it that the engine runs
  galilean.hub.docker_engine:
    state: started
"""

RETURN = r"""
engine:
  description:
    - What was seen. Without an engine, RV(engine.ready) is false, RV(engine.cli) is empty and RV(engine.socket_gid) is null.
  type: dict
  returned: success
  contains:
    ready: {description: Whether the engine answers., type: bool}
    mode: {description: V(managed) or V(existing)., type: str}
    stale: {description: Whether a managed engine runs with other options than its file has., type: bool}
    version: {description: Version of the engine., type: str}
    dockerd: {description: Path of the engine's program., type: str}
    systemd: {description: Whether systemd is PID 1., type: bool}
    can_validate: {description: Whether the engine can check an options file., type: bool}
    cli: {description: A docker command that reaches the engine., type: str}
    buildkit: {description: 'How that command drives BuildKit: V(builtin), V(buildx), or empty for not at all.', type: str}
    socket_gid: {description: Group of the engine's socket., type: int}
    missing_packages: {description: Packages that are not installed., type: list, elements: str}
    package_lists: {description: Whether the distribution's package lists have been fetched., type: bool}
    has_libraries: {description: Whether the Python that runs modules has C(requests) and C(websocket)., type: bool}
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
    kernel: {description: 'Value of each of O(kernel), null for one that the kernel does not have.', type: dict}
  sample: {ready: true, mode: managed, version: 26.1.5, cli: /usr/bin/docker, buildkit: buildx, socket_gid: 102}
todo:
  description: What O(state=started) would still do, V(start) or V(restart). Empty when nothing is to be done.
  type: str
  returned: success
  sample: ''
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine import host as host_io

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["present", "started", "restarted"], "default": "present"},
    "engine": {"type": "str", "choices": ["auto", "managed", "existing"], "default": "auto"},
    "client": {"type": "path"},
    "packages": {"type": "list", "elements": "str", "default": []},
    "data_root": {"type": "path", "default": "/var/lib/docker"},
    "files": {"type": "list", "elements": "path", "default": []},
    "kernel": {"type": "list", "elements": "str", "default": []},
    "log_path": {"type": "path", "default": "/var/log/docker-engine.log"},
    "timeout": {"type": "int", "default": 120},
}


def run(params: t.Mapping[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Look, start or restart when that is wanted, and look again."""
    if os.geteuid() != 0:
        raise HubError("The Docker engine needs root rights: connect as root, or set ansible_become to true.")
    what = (
        params["engine"],
        params["client"],
        params["packages"],
        params["data_root"],
        params["files"],
        params["kernel"],
    )
    engine = host_io.observe(*what)
    restart = params["state"] == "restarted"
    if restart and engine["mode"] != "managed":
        raise HubError(
            "The Docker engine of this host is not managed by galilean.hub and is not restarted: restart it yourself."
        )
    task = "restart" if restart else host_io.what_to_do(engine) if params["state"] == "started" else ""
    if task and not check_mode:
        host_io.bring_up(engine, task == "restart", params["log_path"], params["timeout"])
        engine = host_io.observe(*what)
    return {"changed": bool(task), "engine": engine, "todo": host_io.what_to_do(engine)}


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = run(module.params, module.check_mode)
    except HubError as exc:
        module.fail_json(msg=exc.message)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
