# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The controller's side of galilean.hub.apt: installs, and where that fails, waits for whoever is in the way and tells so."""

from __future__ import annotations

import re
import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.galilean.hub.plugins.module_utils.core import apt_locks
from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain
from ansible_collections.galilean.hub.plugins.modules.apt import ARGUMENT_SPEC

display = Display()
LOCKED = re.compile(r"could not get lock|unable to (?:acquire|lock)|failed to lock", re.IGNORECASE)
# Seconds after which lists of packages are fetched again.
DAY = 86400
# The lists of packages are missing, as in an image of a cloud, or older than the mirror.
OUTDATED = re.compile(r"No package matching|404 +Not Found", re.IGNORECASE)
# Nobody has it a moment later: worth another try, and no word.
LET_GO = "a program holds a lock of dpkg or apt again and again"
SETTING = "bootstrap_packages_wait"


class Patience:
    """Waits for what is in the way on a host, tells so, and knows when it has been long enough."""

    def __init__(self, host: str, limit: float) -> None:
        self._host, self._limit = host, limit
        self._began = self._told = time.monotonic()
        self.waited: list[str] = []

    def wait(self, what: str) -> str:
        """Some seconds; a sentence instead where the time is up."""
        now = time.monotonic()
        left = self._limit - (now - self._began)
        if left <= 0:
            return apt_locks.given_up(what, self._limit, self._host, SETTING)
        if what == LET_GO:
            time.sleep(1)
            return ""
        if what not in self.waited[-1:] or now - self._told >= apt_locks.PROGRESS:
            display.display(f"  {apt_locks.waiting(what, left, self._host)}")
            self._told = now
        if what not in self.waited[-1:]:
            self.waited.append(what)
        time.sleep(min(apt_locks.PAUSE, left))
        return ""


class ActionModule(ActionBase):
    """Ansible's entry point."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        _validated, params = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        params = to_plain(params)
        host = str((task_vars or {}).get("inventory_hostname", "this host"))
        patience = Patience(host, params["wait"])
        changed = False
        while True:
            answer = self._install(params, task_vars) if params["name"] else {"changed": False}
            failed = bool(answer.get("failed"))
            if params["name"] and not failed:
                break
            state = self._execute_module("galilean.hub.apt", module_args=params, task_vars=task_vars)
            if state.get("failed"):
                return {**result, **(answer if failed else state)}
            if state.get("unfinished"):
                return {**result, "failed": True, "msg": apt_locks.unfinished(state["unfinished"], host)}
            changed = changed or state["finished"]
            what = state["busy"]
            if self._task.check_mode:
                if what:
                    display.display(
                        f"  Packages cannot be installed on {host} now, as {what}: a run without --check waits"
                    )
                break
            if not what and failed and not state["finished"] and LOCKED.search(str(answer.get("msg"))):
                what = LET_GO
            if what:
                refusal = patience.wait(what)
                if refusal:
                    return {**result, "failed": True, "msg": refusal}
            elif not state["finished"]:
                break
        return {
            **result,
            **answer,
            "changed": bool(answer.get("changed")) or changed,
            "waited": patience.waited,
        }

    def _install(self, params: dict[str, t.Any], task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        names = ("name", "install_recommends", "policy_rc_d")
        args = {name: params[name] for name in names if params[name] is not None}
        # Whoever holds a lock is waited for here, where it can be told.
        args["lock_timeout"] = 0
        args["cache_valid_time"] = DAY
        answer = self._execute_module("ansible.builtin.apt", module_args=args, task_vars=task_vars)
        if answer.get("failed") and OUTDATED.search(str(answer.get("msg"))):
            # Also where their folder looks fresh.
            args["cache_valid_time"] = 1
            answer = self._execute_module("ansible.builtin.apt", module_args=args, task_vars=task_vars)
        return answer
