# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The controller's side of image_plan: hashes build contexts and archives where they are."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.images.sources import (
    announced,
    local_archive,
    local_context,
)


class ActionModule(ActionBase):
    """Adds the hashes of every context and archive, unless the module can read them itself."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        args = dict(self._task.args)
        if self._connection.transport != "local":
            args["images"] = [self._hashed(item) for item in args.get("images") or []]
        answer = self._execute_module("galilean.hub.image_plan", module_args=args, task_vars=task_vars)
        return {**result, **answer}

    def _hashed(self, item: t.Any) -> t.Any:
        if not isinstance(item, dict) or item.get("remote_src"):
            return item
        find = self._loader.path_dwim
        try:
            return {**item, **announced(local_context(item, find), local_archive(item, find))}
        except HubError as exc:
            raise AnsibleActionFail(exc.message) from exc
