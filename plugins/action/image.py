# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The controller's side of the image module: sends build contexts and archives that another host needs, and shows progress."""

from __future__ import annotations

import os
import secrets
import shlex
import tempfile
import time
import typing as t

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.images.progress import Progress
from ansible_collections.galilean.hub.plugins.module_utils.images.sources import (
    announced,
    local_archive,
    local_context,
)

MODULE = "galilean.hub.image"
# Seconds between two looks at builds that run, and how many looks go by before the job itself is asked.
PAUSE = 1
LOOKS = 15
# What a job's status says beside the module's result.
OF_THE_JOB = ("started", "finished", "ansible_job_id", "results_file")


class ActionModule(ActionBase):
    """Asks first what is needed where something may have to be sent, or several images built; then has it done."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        self._vars = task_vars
        args = dict(self._task.args)
        single = args.get("images") is None
        self._sources: dict[str, t.Any] = {}
        if self._connection.transport != "local" and args.get("state") != "absent":
            if single:
                args = self._with_hashes(args, {})
            else:
                args["images"] = [self._with_hashes(item, args) for item in args["images"] or []]
        background = bool(self._task.async_val) and not self._connection.has_native_async
        asks = self._task.check_mode or args.get("state", "present") != "present"
        if asks or not (self._sources or (not single and not background)):
            return {**result, **self._module(args, background)}
        answer = self._module({**args, "_compare": True})
        missing = answer.get("missing") or {}
        if answer.get("failed") or not missing:
            return {**result, **answer}
        folder = answer["log_dir"]
        args["_sent"] = {
            name: self._send(
                source, f"{folder}/{answer['refs'][name].replace('/', '-').replace(':', '-')}.sent"
            )
            for name, source in self._sources.items()
            if name in missing
        }
        # One build alone is waited for in the foreground: that saves a second where a site works on its look.
        if background or len(missing) == 1:
            return {**result, **self._module(args, background)}
        limit = int(args.get("timeout") or 3600) * len(missing)
        return {**result, **self._watched(args, folder, limit)}

    def _with_hashes(self, item: t.Any, shared: dict[str, t.Any]) -> t.Any:
        """An image with the hashes of what it is made of, where that is on the controller."""
        # What is no image with a name, the module refuses.
        if not isinstance(item, dict) or not item.get("name"):
            return item
        options = {**shared, **item}
        if boolean(options.get("remote_src", False)):
            return item
        find = self._loader.path_dwim
        try:
            context, archive = local_context(options, find), local_archive(options, find)
            hashes = announced(context, archive)
        except HubError as exc:
            raise AnsibleActionFail(exc.message) from exc
        if context is not None or archive is not None:
            self._sources[item["name"]] = context or archive
        return {**item, **hashes}

    def _module(self, args: dict[str, t.Any], background: bool = False) -> dict[str, t.Any]:
        return self._execute_module(MODULE, module_args=args, task_vars=self._vars, wrap_async=background)

    def _watched(self, args: dict[str, t.Any], folder: str, limit: int) -> dict[str, t.Any]:
        """Run the builds in the background, show how far they are, and return their result."""
        path = f"{folder}/builds-{secrets.token_hex(4)}.progress"
        # In the default folder, ~/.ansible_async, a job is lost where HOME is not the one of root's account.
        jobs = f"{folder}/jobs"
        self._connection._shell.set_option("async_dir", jobs)
        self._task.async_val = limit + 60
        try:
            job = self._module({**args, "_progress": path}, background=True)
        finally:
            self._task.async_val = 0
        if job.get("failed") or "ansible_job_id" not in job:
            return job
        # The job removes its own folder; those of the questions to come are removed as usual.
        self._cleanup_remote_tmp = True
        host = str((self._vars or {}).get("inventory_hostname", ""))
        where = "the controller" if self._task.delegate_to in ("localhost", "127.0.0.1") else host
        progress = Progress(where, time.monotonic())

        def show() -> None:
            read = self._low_level_execute_command(f"cat {shlex.quote(path)} 2>/dev/null || true")
            for line in progress.news(read["stdout"], time.monotonic()):
                Display().display(line)

        # Longer than the job has: it says itself that it took too long.
        deadline = time.monotonic() + limit + 120
        look = 0
        while time.monotonic() < deadline:
            time.sleep(PAUSE)
            look += 1
            show()
            if not progress.ended and look % LOOKS:
                continue
            answer = self._status(job["ansible_job_id"], jobs)
            if answer.get("finished") or answer.get("failed"):
                # What came in between.
                show()
                self._status(job["ansible_job_id"], jobs, "cleanup")
                self._low_level_execute_command(f"rm -f {shlex.quote(path)}")
                if answer.get("failed") and "cmd" in answer:
                    # Ansible's own words, where the module could say nothing.
                    raise AnsibleActionFail(
                        f"Something has ended the builds on {where}: run again, and see the end of their logs in {folder}."
                    )
                return {key: value for key, value in answer.items() if key not in OF_THE_JOB}
        raise AnsibleActionFail(
            f"The builds did not end within {limit} s: see their logs in {folder} on {where}."
        )

    def _status(self, job: str, jobs: str, mode: str = "status") -> dict[str, t.Any]:
        # Asked under the name that Ansible's own action has for it.
        args = {"jid": job, "mode": mode, "_async_dir": jobs}
        return self._execute_module("ansible.legacy.async_status", module_args=args, task_vars=self._vars)

    def _send(self, source: t.Any, destination: str) -> str:
        """Copy an archive, or a build context as one; returns where it is on the host."""
        if isinstance(source, str):
            self._copy(source, destination)
            return destination
        with tempfile.TemporaryDirectory(prefix="galilean-hub-", dir=constants.DEFAULT_LOCAL_TMP) as folder:
            packed = os.path.join(folder, "context.tar.gz")
            source.pack(packed)
            self._copy(packed, destination)
        return destination

    def _copy(self, source: str, destination: str) -> None:
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
        sent = action.run(task_vars=self._vars)
        if sent.get("failed"):
            raise AnsibleActionFail(f"{source} could not be sent to the host: {sent.get('msg')}")
