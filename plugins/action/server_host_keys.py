# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Controller side of galilean.hub.server_host_keys: reads consoles through the compute API and keeps known_hosts."""

from __future__ import annotations

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.galilean.hub.plugins.module_utils.cloud import known_hosts
from ansible_collections.galilean.hub.plugins.module_utils.cloud.console_keys import host_keys
from ansible_collections.galilean.hub.plugins.module_utils.cloud.session import connect, errors
from ansible_collections.galilean.hub.plugins.module_utils.core.atomic_file import replace_file
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

display = Display()

PAUSE, PROGRESS, CONSOLE_LINES = 2.0, 20.0, 15
SERVER = {
    "id": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "hosts": {"type": "list", "elements": "str", "required": True},
}
SPEC: dict[str, t.Any] = {
    "cloud": {"type": "str", "required": True},
    "servers": {"type": "list", "elements": "dict", "options": SERVER, "required": True},
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "timeout": {"type": "int", "default": 600},
}


def read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as exc:
        raise HubError(
            f"path is {path}, which cannot be read ({exc}): correct it, or remove the file."
        ) from exc


def save(path: Path, text: str) -> None:
    """Write the file at once, as others may be reading it; its folder is made where it is missing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(str(path), text, mode=0o644)
    except OSError as exc:
        raise HubError(
            f"path is {path}, which cannot be written ({exc.strerror}): choose another place."
        ) from exc


def await_keys(conn: t.Any, server: dict[str, t.Any], deadline: float, limit: float) -> list[str]:
    """Ask for a server's console until its keys are there."""
    began = shown = time.monotonic()
    name, console = server["name"], ""
    while True:
        with errors(f"The console of server {name}"):
            console = conn.compute.get_server_console_output(server["id"]).get("output") or ""
        keys = host_keys(console)
        if keys:
            return keys
        now = time.monotonic()
        if now > deadline:
            lines = [line for line in console.splitlines() if line.strip()][-CONSOLE_LINES:]
            raise HubError(
                f"Server {name} printed no SSH host keys on its console within {limit:.0f} s: its image needs cloud-init with "
                "keys_to_console, as stock cloud images have it, or more time (timeout)."
                + (
                    "\nThe last lines of its console:\n" + "\n".join(lines)
                    if lines
                    else " Its console is empty."
                )
            )
        if now - shown >= PROGRESS:
            shown = now
            display.display(f"  Server {name} is booting, {now - began:.0f} s")
        time.sleep(PAUSE)


class ActionModule(ActionBase):
    """Ansible's entry point."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validated, params = self.validate_argument_spec(argument_spec=SPEC)
        params = to_plain(params)
        path = Path(params["path"]).expanduser()
        try:
            before = read(path)
            after = (
                self._without(before, params) if params["state"] == "absent" else self._with(before, params)
            )
            if after != before and not self._task.check_mode:
                save(path, after)
        except HubError as exc:
            return {**result, "failed": True, "changed": False, "msg": exc.message}
        return {
            **result,
            "changed": after != before,
            "keys": {
                server["name"]: known_hosts.keys_of(after, server["id"]) for server in params["servers"]
            },
            "diff": {"before_header": str(path), "after_header": str(path), "before": before, "after": after},
        }

    def _without(self, text: str, params: dict[str, t.Any]) -> str:
        ids = {server["id"] for server in params["servers"] if server["id"]}
        return known_hosts.without(
            text, ids, {host for server in params["servers"] for host in server["hosts"]}
        )

    def _with(self, text: str, params: dict[str, t.Any]) -> str:
        todo = [one for one in params["servers"] if not known_hosts.pinned(text, one["id"], one["hosts"])]
        if not todo:
            return text
        # A server that has another address now still has the keys that were read when it was made; its console may
        # have moved on long ago.
        known = {one["id"]: known_hosts.keys_of(text, one["id"]) for one in todo}
        unknown = [one for one in todo if not known[one["id"]]]
        if unknown and not self._task.check_mode:
            conn = connect(params["cloud"])
            deadline = time.monotonic() + params["timeout"]
            with ThreadPoolExecutor(max_workers=16) as pool:
                answers = [
                    (one, pool.submit(await_keys, conn, one, deadline, params["timeout"])) for one in unknown
                ]
                known.update({one["id"]: answer.result() for one, answer in answers})
        for one in todo:
            if known[one["id"]]:
                text = known_hosts.updated(text, one["id"], one["hosts"], known[one["id"]])
        return text
