# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The controller's side of the image module: sends a build context or an archive to another host, only when it is needed there."""

from __future__ import annotations

import os
import tempfile
import typing as t

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.images.sources import (
    announced,
    local_archive,
    local_context,
)

MODULE = "galilean.hub.image"


class ActionModule(ActionBase):
    """Runs the module where the context is, or asks first whether the context is needed."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        args = dict(self._task.args)
        background = bool(self._task.async_val) and not self._connection.has_native_async
        find = self._loader.path_dwim
        try:
            here = self._connection.transport == "local" or boolean(args.get("remote_src", False))
            context = None if here else local_context(args, find)
            archive = None if here else local_archive(args, find)
            if context is None and archive is None:
                return {**result, **self._module(args, task_vars, background)}
            asked = {**args, **announced(context, archive)}
        except HubError as exc:
            raise AnsibleActionFail(exc.message) from exc
        answer = self._module(asked, task_vars, False)
        needed = answer.pop("_needed", False)
        if not needed or self._task.check_mode or answer.get("failed"):
            return {**result, **answer}
        stem = answer["image"]["ref"].replace("/", "-").replace(":", "-")
        destination = f"{answer['log_dir']}/{stem}.sent"
        if archive is not None:
            self._send(archive, destination, task_vars)
        elif context is not None:
            with tempfile.TemporaryDirectory(
                prefix="galilean-hub-", dir=constants.DEFAULT_LOCAL_TMP
            ) as folder:
                packed = os.path.join(folder, "context.tar.gz")
                context.pack(packed)
                self._send(packed, destination, task_vars)
        return {**result, **self._module({**asked, "_sent": destination}, task_vars, background)}

    def _module(
        self, args: dict[str, t.Any], task_vars: dict[str, t.Any] | None, background: bool
    ) -> dict[str, t.Any]:
        return self._execute_module(MODULE, module_args=args, task_vars=task_vars, wrap_async=background)

    def _send(self, source: str, destination: str, task_vars: dict[str, t.Any] | None) -> None:
        # The copy action knows how to become another user, which a bare transfer does not.
        task = self._task.copy()
        task.async_val = 0
        task.args = {"src": source, "dest": destination, "mode": "0600"}
        action = self._shared_loader_obj.action_loader.get(
            "ansible.legacy.copy",
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        sent = action.run(task_vars=task_vars)
        if sent.get("failed"):
            raise AnsibleActionFail(f"{source} could not be sent to the host: {sent.get('msg')}")
