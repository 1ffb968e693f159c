# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The controller's side of image_import: sends the archive, when the host needs it and has room for it."""

from __future__ import annotations

import hashlib
import os
import time
import typing as t

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.galilean.hub.plugins.module_utils.core.runs import controller_id, is_alive, run_token


def folder_name(run: str, host: str) -> str:
    """The name of the folder on the host for what this run sends to it; two names of one machine do not share it."""
    return f"{controller_id()}.{run}.{hashlib.sha256(host.encode()).hexdigest()[:8]}"


def over(names: t.Iterable[str]) -> list[str]:
    """The folders of this controller's runs that are over."""
    parts = [(name, name.split(".")) for name in names]
    return [
        name
        for name, part in parts
        if len(part) == 3 and part[0] == controller_id() and not is_alive(part[1])
    ]


class ActionModule(ActionBase):
    """Looks, prepares, sends, loads: each step of the host's side is a call of the module."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        variables = task_vars or {}
        host = str(variables.get("inventory_hostname", "the host"))
        # Each host has a process of its own; the run is the one that started them all.
        args = {**self._task.args, "_host": host, "_folder": folder_name(run_token(os.getppid()), host)}

        def step(name: str, **more: t.Any) -> dict[str, t.Any]:
            return self._execute_module(
                "galilean.hub.image_import", module_args={**args, "_step": name, **more}, task_vars=variables
            )

        answer = step("look")
        missing, left = answer.pop("_missing", []), over(answer.pop("_folders", []))
        if answer.get("failed") or self._task.check_mode:
            return {**result, **answer}
        if not missing:
            if left:
                step("clean", _over=left)
            return {**result, **answer}
        ready = step("prepare", _over=left, _sender=self._account())
        if ready.get("failed"):
            return {**result, **ready}
        started = time.monotonic()
        try:
            self._connection.put_file(args["archive"]["path"], ready["destination"])
        except AnsibleError as exc:
            step("clean")
            raise AnsibleActionFail(f"The images could not be sent to {host}: {exc}") from exc
        seconds = round(time.monotonic() - started, 1)
        return {**result, **step("load"), "seconds": seconds}

    def _account(self) -> int:
        # The connection's own account writes the file, not the one that the task becomes.
        answer = self._low_level_execute_command("id -u", sudoable=False)
        text = str(answer.get("stdout", "")).strip()
        return int(text) if text.isdigit() else 0
