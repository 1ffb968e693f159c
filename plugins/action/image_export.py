# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The controller's side of image_export: says which run the archive belongs to, and who will send it."""

from __future__ import annotations

import hashlib
import os
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.galilean.hub.plugins.module_utils.core.runs import run_token


class ActionModule(ActionBase):
    """Names run, host and account."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        host = str((task_vars or {}).get("inventory_hostname", ""))
        args = {
            **self._task.args,
            # Each host has a process of its own; the run is the one that started them all.
            "_run": run_token(os.getppid()),
            "_host": hashlib.sha256(host.encode()).hexdigest()[:12],
            "_owner": os.getuid(),
        }
        answer = self._execute_module("galilean.hub.image_export", module_args=args, task_vars=task_vars)
        return {**result, **answer}
