# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The ansible command for tests that call it hundreds of times: loaded once, and forked for each call.

To load Ansible takes longer than most calls. Each line of the input is a call (JSON: the arguments, and the
files for what the command says); its exit status is the answer. The environment is that of this process.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys

from ansible.cli.adhoc import AdHocCLI

# What a call, or its worker, would load by itself.
MORE = (
    "executor.process.worker", "executor.task_queue_manager", "playbook.role_include",
    "plugins.action.normal", "plugins.cache.memory", "plugins.callback.minimal", "plugins.connection.local",
    "plugins.inventory.auto", "plugins.inventory.host_list", "plugins.inventory.ini",
    "plugins.inventory.toml", "plugins.inventory.yaml", "plugins.shell.sh", "plugins.strategy.linear",
    "plugins.vars.host_group_vars",
)  # fmt: skip
# In seconds, against a module that hangs.
LIMIT = 900


def call(argv: list[str], files: list[str]) -> None:
    """Be the ansible command, in a process of its own that ends here."""
    status = 250
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.alarm(LIMIT)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for descriptor, file in enumerate(files, 1):
            os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
        AdHocCLI.cli_executor(argv)
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Not the end of the process that this one comes from, which removes what all calls share.
        os._exit(status)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    for name in MORE:
        importlib.import_module(f"ansible.{name}")
    for line in sys.stdin:
        asked = json.loads(line)
        process = os.fork()
        if not process:
            call(**asked)
        _process, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
