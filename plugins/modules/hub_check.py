#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: hub_check
short_description: Check a JupyterHub as a user would
version_added: 0.1.0
author:
  - galilean.hub contributors (@galilean)
description:
  - Plays a user through the public address of a hub, so through everything that stands in front of it. Starts a server,
    starts a kernel in it, runs code over the kernel's websocket, reads the result and stops the server again.
  - Says how long each step took, or which step failed and why, with the telling lines of the containers' logs.
  - Leaves nothing behind, also after a failure or when it is killed. A server that an earlier check left all the same is stopped first.
  - Runs in a container of the hub's image on the host's network, so the host needs a Docker client and no libraries for it.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
  - galilean.hub.hub_api
attributes:
  check_mode:
    support: partial
    details:
      - Only asks whether a hub answers at the address, is skipped, and never fails.
  diff_mode:
    support: N/A
    details:
      - Nothing is different after a check.
  idempotent:
    support: full
options:
  url:
    description: Public address of the hub, with its path below the host if it has one.
    type: str
    required: true
  token:
    description:
      - Token of a service or an administrator with the scopes C(admin:users), C(admin:servers) and C(access:servers) for O(user).
        Its servers see it, so give it no more than C(!user=) that one.
      - Exactly one of O(token) and O(token_path) is needed.
    type: str
  user:
    description:
      - Account to play. It is created, and removed at the end, if it does not exist.
      - An account with a running server that no check started is left alone, and the check fails.
    type: str
    default: hub-check
  kernel:
    description: Name of the kernel to run the code in.
    type: str
    default: python3
  code:
    description: Code to run.
    type: str
    default: print(6 * 7)
  expect:
    description: Text that the output must contain. Empty if it is enough that the code raises nothing.
    type: str
    default: ''
  timeout:
    description: Seconds that the whole check may take. Tidying up after a failure may take 60 more.
    type: int
    default: 300
  answer_timeout:
    description: Seconds of O(timeout) within which the address must answer. A hub that was just restarted needs a few.
    type: int
    default: 30
  containers:
    description:
      - Names of containers whose logs are searched for lines about O(user) and for errors when the check fails.
      - Ones that do not exist are passed over.
    type: list
    elements: str
    default: []
  hub_container:
    version_added: 0.8.0
    description:
      - Container of the hub. The check runs in another one of its image.
      - When the check fails, the log of the container of O(user)'s server is searched, too. The container's name does not say whose it is,
        but its labels do.
    type: str
    required: true
  docker_cli:
    description: The Docker client, a name or a path.
    type: str
    default: docker
  result_path:
    version_added: 0.9.0
    description:
      - File on the host that the result is written to as JSON, with its time, also after a failure. Nothing is written where its folder is missing.
    type: path
  ca_content:
    version_added: 0.3.0
"""

EXAMPLES = r"""
- name: Check that a user can work
  galilean.hub.hub_check:
    url: https://hub.example.org
    token_path: /srv/hub/secrets/check-token
    hub_container: hub-hub

- name: Check the scientific stack, and quote the logs if it fails
  galilean.hub.hub_check:
    url: http://127.0.0.1:8000
    token_path: /srv/hub/secrets/check-token
    kernel: python-science
    code: |
      import numpy
      print(int(numpy.arange(9).sum()))
    expect: "36"
    hub_container: hub-hub
    containers: [hub-edge, hub-proxy, hub-hub]
"""

RETURN = r"""
timings:
  description:
    - Seconds that each step took. C(answer) until the address answered, C(spawn) until the server
      was ready, C(kernel_start) until the kernel answered over its websocket, C(execute) for the code,
      C(stop) until the server was gone, C(total) for all.
    - After a failure, the steps before it.
  returned: when the check ran
  type: dict
  sample: {answer: 0.012, spawn: 3.207, kernel_start: 0.911, execute: 0.034, stop: 0.548, total: 4.83}
output:
  description: What the code printed and, if its last line is an expression, its value.
  returned: when the check ran
  type: str
  sample: "42\n"
kernels:
  description: Names of the kernels that the server offers.
  returned: when the check ran
  type: list
  elements: str
  sample: [python-science, python3]
versions:
  description: Versions that were met, of the hub, the single-user server, the kernel and its language.
  returned: when the check ran
  type: dict
  sample: {hub: 6.1.1, server: 2.21.1, ipython: 9.9.0, python: 3.13.5}
notices:
  version_added: 0.7.0
  description:
    - What the hub tells its administrators, one sentence each. Each one is a warning of the task.
    - It says where a list of approved users was not renewed, and which one counts instead.
  returned: when the check ran
  type: list
  elements: str
  sample:
    - "The list of approved users from https://example.org/list was not renewed: it answered with status 502; the last good one counts, 120
      entries, 3.5 hours old."
phase:
  description: The step that failed.
  returned: failure of a step
  type: str
  sample: spawn
logs:
  description: The telling lines of the containers' logs, without anything that looks like a secret.
  returned: failure of a step
  type: dict
  sample: {hub-hub: ["[E 2026-11-20 10:00:00 JupyterHub user:1] Unhandled error starting hub-check's server"]}
"""

import json
import os
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.atomic_file import replace_file
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.container_logs import (
    as_text,
    read_logs,
)
from ansible_collections.galilean.hub.plugins.module_utils.hub.check_container import (
    CheckContainer,
    CheckEnded,
    host_certificates,
    result,
)
from ansible_collections.galilean.hub.plugins.module_utils.hub.connection import (
    CONNECTION_SPEC,
    EXCLUSIVE,
    ONE_OF,
    certificates,
    hub_client,
    read_token,
)
from ansible_collections.galilean.hub.plugins.module_utils.shared.hub_api import HubApiError

SETTINGS = ("user", "kernel", "code", "expect", "timeout", "answer_timeout")
ARGUMENT_SPEC: dict[str, t.Any] = {
    **CONNECTION_SPEC,
    "user": {"type": "str", "default": "hub-check"},
    "kernel": {"type": "str", "default": "python3"},
    "code": {"type": "str", "default": "print(6 * 7)"},
    "expect": {"type": "str", "default": ""},
    "timeout": {"type": "int", "default": 300},
    "answer_timeout": {"type": "int", "default": 30},
    "hub_container": {"type": "str", "required": True},
    "containers": {"type": "list", "elements": "str", "default": []},
    "docker_cli": {"type": "str", "default": "docker"},
    "result_path": {"type": "path"},
}


def observe(module: AnsibleModule) -> dict[str, t.Any]:
    """Check mode: only ask whether a hub answers."""
    params = module.params
    try:
        token = read_token(params, "the check's service")
    except HubError:
        # Not made yet.
        token = ""
    else:
        module.no_log_values.add(token)
    client = hub_client(params, token)
    try:
        seen = f"JupyterHub {client.version()} answers at {client.url}"
    except HubApiError as exc:
        seen = f"nothing answers as a hub at {client.url} yet ({exc})"
    return {"skipped": True, "msg": f"{seen}; outside check mode a server would be started and stopped"}


def read_container_logs(
    module: AnsibleModule, token: str, instance: str, phase: str, began: int
) -> dict[str, list[str]]:
    """The telling lines of the containers' logs."""
    user = module.params["user"]
    return read_logs(
        lambda argv: module.run_command(argv, handle_exceptions=False),
        module.params["docker_cli"],
        module.params["containers"],
        (user,),
        (token,),
        # A hub that does not answer at all may have written down why long ago.
        0 if phase == "answer" else began,
        (instance, user) if instance else None,
    )


def record(module: AnsibleModule, seen: dict[str, t.Any]) -> None:
    """Keep the result on the host, for those who ask there."""
    path = module.params["result_path"]
    # A host that was deployed before there was this folder.
    if not path or not os.path.isdir(os.path.dirname(path)):
        return
    try:
        replace_file(
            path, json.dumps(result(seen, time.time()), indent=2) + "\n", module.atomic_move, mode=0o644
        )
    except OSError as exc:
        raise HubError(f"result_path is {path!r}, which cannot be written: {exc.strerror}.") from exc


def run(module: AnsibleModule) -> dict[str, t.Any]:
    """Check the hub and return the module's result."""
    params = module.params
    token = read_token(params, "the check's service")
    module.no_log_values.add(token)
    # Wrong options are refused before anything is started.
    hub_client(params, token)
    try:
        check = CheckContainer([params["docker_cli"]], params["hub_container"], module.run_command)
        check.end_former()
        request = {
            "url": params["url"],
            "token": token,
            "validate_certs": params["validate_certs"],
            "certificates": certificates(params) or host_certificates(),
            "settings": {key: params[key] for key in SETTINGS},
        }
        seen = check.run(
            request,
            lambda phase, began: read_container_logs(module, token, check.instance, phase, began),
        )
    except CheckEnded as exc:
        record(module, {"reason": str(exc)})
        raise HubError(str(exc)) from exc
    record(module, seen)
    reason, left = seen.pop("reason", ""), seen.pop("left")
    for notice in seen["notices"]:
        module.warn(notice)
    if reason:
        module.fail_json(msg="\n".join([reason, *left, *as_text(seen["logs"])]), **seen)
    return seen


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        mutually_exclusive=EXCLUSIVE,
        required_one_of=ONE_OF,
        supports_check_mode=True,
    )
    try:
        result = observe(module) if module.check_mode else run(module)
    except HubError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
