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
  - Leaves nothing behind, also after a failure. A server that a killed check left is stopped first.
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
requirements:
  - The Python library websocket-client on the host (Debian's C(python3-websocket)).
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
  instance:
    version_added: 0.6.0
    description:
      - Name of the instance. Where it is given, the log of the container of O(user)'s server is searched, too. The container's name
        does not say whose it is.
    type: str
    default: ""
  docker_cli:
    description: The Docker client that reads the logs, a name or a path.
    type: str
    default: docker
  ca_content:
    version_added: 0.3.0
"""

EXAMPLES = r"""
- name: Check that a user can work
  galilean.hub.hub_check:
    url: https://hub.example.org
    token_path: /srv/hub/secrets/check-token

- name: Check the scientific stack, and quote the logs if it fails
  galilean.hub.hub_check:
    url: http://127.0.0.1:8000
    token_path: /srv/hub/secrets/check-token
    kernel: python-science
    code: |
      import numpy
      print(int(numpy.arange(9).sum()))
    expect: "36"
    containers: [hub-edge, hub-proxy, hub-hub]
    instance: hub
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

import signal
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.container_logs import (
    as_text,
    read_logs,
)
from ansible_collections.galilean.hub.plugins.module_utils.hub.api import HubClient
from ansible_collections.galilean.hub.plugins.module_utils.hub.check_run import (
    CheckFailure,
    CheckSettings,
    HubCheck,
)
from ansible_collections.galilean.hub.plugins.module_utils.hub.connection import (
    CONNECTION_SPEC,
    EXCLUSIVE,
    ONE_OF,
    ca_file,
    read_token,
)
from ansible_collections.galilean.hub.plugins.module_utils.hub.transport import (
    WEBSOCKET_ERROR,
    UrlTransport,
    WebsocketChannel,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    **CONNECTION_SPEC,
    "user": {"type": "str", "default": "hub-check"},
    "kernel": {"type": "str", "default": "python3"},
    "code": {"type": "str", "default": "print(6 * 7)"},
    "expect": {"type": "str", "default": ""},
    "timeout": {"type": "int", "default": 300},
    "answer_timeout": {"type": "int", "default": 30},
    "containers": {"type": "list", "elements": "str", "default": []},
    "instance": {"type": "str", "default": ""},
    "docker_cli": {"type": "str", "default": "docker"},
}


def run(module: AnsibleModule) -> dict[str, t.Any]:
    """Check the hub and return the module's result."""
    params = module.params
    if module.check_mode:
        try:
            token = read_token(params, "the check's service")
        except HubError:
            # Not made yet.
            token = ""
        else:
            module.no_log_values.add(token)
        client = HubClient(params["url"], UrlTransport(token, params["validate_certs"], params["ca_path"]))
        try:
            seen = f"JupyterHub {client.version()} answers at {client.url}"
        except HubError as exc:
            seen = f"nothing answers as a hub at {client.url} yet ({exc})"
        return {"skipped": True, "msg": f"{seen}; outside check mode a server would be started and stopped"}
    token = read_token(params, "the check's service")
    module.no_log_values.add(token)

    def open_channel(url: str, timeout: float) -> WebsocketChannel:
        return WebsocketChannel(url, token, params["validate_certs"], params["ca_path"], timeout)

    def runner(argv: list[str]) -> tuple[int, str, str]:
        result: tuple[int, str, str] = module.run_command(argv, handle_exceptions=False)
        return result

    settings = CheckSettings(
        **{key: params[key] for key in ("user", "kernel", "code", "expect", "timeout", "answer_timeout")}
    )
    client = HubClient(params["url"], UrlTransport(token, params["validate_certs"], params["ca_path"]))
    check = HubCheck(settings, client, open_channel)
    began = int(time.time())
    message: list[str] = []
    details: dict[str, t.Any] = {}
    try:
        check.run()
    except CheckFailure as exc:
        # Before tidying up: a container that is removed takes its log with it. A hub that does not answer at all may
        # have written down why long ago.
        since = 0 if exc.phase == "answer" else began
        logs = read_logs(
            runner,
            params["docker_cli"],
            params["containers"],
            (params["user"],),
            (token,),
            since,
            (params["instance"], params["user"]) if params["instance"] else None,
        )
        message = [str(exc), *as_text(logs)]
        details = {"phase": exc.phase, "logs": logs}
    finally:
        left = check.clean_up()
    details.update(vars(check.result))
    for notice in check.result.notices:
        module.warn(notice)
    if message:
        module.fail_json(msg="\n".join([*message[:1], *left, *message[1:]]), **details)
    return details


class Ended(BaseException):
    """The check was told to end; nothing that waits or retries takes it for a fault of its own."""


def _end(signum: int, frame: object) -> None:
    # Ansible's worker sends the signal once more to its whole group: that must not end the tidying up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Ended


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        mutually_exclusive=EXCLUSIVE,
        required_one_of=ONE_OF,
        supports_check_mode=True,
    )
    if WEBSOCKET_ERROR and not module.check_mode:
        module.fail_json(msg=missing_required_lib("websocket-client"), exception=WEBSOCKET_ERROR)
    # So that the server is stopped also when a time limit or a person ends the run.
    signal.signal(signal.SIGTERM, _end)
    module.params["ca_path"] = ca_file(module.params, module.tmpdir)
    try:
        result = run(module)
    except HubError as exc:
        module.fail_json(msg=str(exc))
    except Ended:
        # Only now: nobody may be left who reads it, and a broken pipe must not come before the tidying up.
        module.fail_json(msg="The check was ended by a signal.")
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
