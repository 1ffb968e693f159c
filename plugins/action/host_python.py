# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""galilean.hub.host_python: a shell's standard input is all that a host without Python needs."""

from __future__ import annotations

import re
import shlex
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.galilean.hub.plugins.action.apt import LOCKED, Patience
from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

SPEC: dict[str, t.Any] = {
    "environment": {"type": "dict", "default": {}},
    "wait": {"type": "int", "default": 600},
}
SCRIPT = """
command -v apt-get >/dev/null ||
  { echo 'This server has neither Python nor apt: use Debian or Ubuntu, or install python3 yourself.'; exit 3; }
exec 2>&1
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -qq -y --no-install-recommends python3 python3-apt </dev/null; }
dpkg --force-confdef --force-confold --configure -a </dev/null && { install || { apt-get update -qq && install; }; }
"""
# apt's own words: E: Could not get lock /var/lib/dpkg/lock. It is held by process 812 (unattended-upgr)
# and dpkg's: dpkg frontend lock was locked by another process with pid 812
HELD = re.compile(
    r"Could not get lock (?P<path>\S+?)\.? It is held by process (?P<pid>\d+)"
    r"|(?P<lock>dpkg \w+ lock) was locked by another process with pid (?P<other>\d+)"
)
TRIES = 15


class ActionModule(ActionBase):
    """Ansible's entry point."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        _validated, params = self.validate_argument_spec(argument_spec=SPEC)
        params = to_plain(params)
        if self._task.check_mode:
            return {**result, "changed": True}
        lines = [
            f"export {name}={shlex.quote(str(value))}\n" for name, value in params["environment"].items()
        ]
        script = "".join(lines) + SCRIPT
        patience = Patience(str((task_vars or {}).get("inventory_hostname", "this host")), params["wait"])
        failures = 0
        while True:
            done = self._low_level_execute_command("/bin/sh -s", in_data=script.encode())
            if done["rc"] == 0:
                return {**result, "changed": True, "waited": patience.waited}
            said = f"{done['stdout']}\n{done['stderr']}".strip()
            what = self._reason(said)
            if not what:
                # A network that is not up yet on the first boot.
                failures += 1
                lines = said.splitlines()[-5:] or ["it said nothing"]
                if done["rc"] == 3 or failures == TRIES:
                    said = "\n".join(lines)
                    return {**result, "failed": True, "msg": f"Python cannot be installed: {said}"}
                what = f"apt says '{lines[-1]}'"
            refusal = patience.wait(what)
            if refusal:
                return {**result, "failed": True, "msg": refusal}

    def _reason(self, said: str) -> str:
        """What keeps packages from being installed, in words; empty where it is no lock."""
        held = HELD.search(said)
        if not held:
            return "a program holds a lock of dpkg or apt" if LOCKED.search(said) else ""
        pid = held["pid"] or held["other"]
        name = self._low_level_execute_command(f"cat /proc/{pid}/comm")["stdout"].strip()
        return f"{name or 'a program'} (process {pid}) holds {held['path'] or 'the ' + held['lock']}"
