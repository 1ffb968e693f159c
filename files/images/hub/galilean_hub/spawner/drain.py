# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A drained hub: it starts no servers, and may stop those that run at a given time.

The operator's program hubctl writes the file, beside the settings. It is read at each start of a server, so
a drain survives restarts of the hub.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

PATH = Path("/etc/jupyterhub/operations.json")
EVERY = 5.0
SAID = "No new servers are started at the moment."


def may_start(handler: Any) -> bool:
    """Whether a request comes from somebody who may start everybody's servers, or from the check."""
    if handler is None:
        return False
    if handler.has_scope("start:servers"):
        return True
    # A user may have this name, too; a user has servers.
    asking = handler.current_user
    return getattr(asking, "name", "") == "check" and getattr(asking, "spawners", None) is None


class Drain:
    """One for the hub."""

    def __init__(self, path: Path = PATH) -> None:
        self._path = path
        self._seen: Any = None
        self._state: dict[str, Any] = {}
        self._task: asyncio.Task[None] | None = None
        self._log = logging.getLogger("galilean.drain")

    def state(self) -> dict[str, Any]:
        """What hubctl has written; empty where the hub is not drained."""
        try:
            found = self._path.stat()
            if (found.st_mtime_ns, found.st_ino) != self._seen:
                read = json.loads(self._path.read_text(encoding="utf-8"))
                self._state = read.get("drain") or {}
                self._seen = (found.st_mtime_ns, found.st_ino)
        except FileNotFoundError:
            self._state, self._seen = {}, None
        except (OSError, ValueError, AttributeError) as exc:
            # What was known counts: nobody has ended the drain.
            self._log.error("%s cannot be read: %s", self._path, exc)
        return self._state

    def refusal(self, handler: Any) -> str:
        """Why the request of this handler starts no server now; empty: it does."""
        state = self.state()
        return str(state.get("message") or SAID) if state and not may_start(handler) else ""

    def due(self, started: datetime | None, now: float) -> bool:
        """Whether a server that was started at this time has to end now."""
        state = self.state()
        at = state.get("at")
        if not state.get("stop") or not at or now < at:
            return False
        # JupyterHub's times are UTC. Whoever may start one afterwards, such as the check, keeps it.
        return started is None or started.replace(tzinfo=timezone.utc).timestamp() < at

    def start(self, app: Any) -> None:
        """Begin to look; where no loop runs, as in a check of the configuration, nothing is done."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._task = loop.create_task(self._run(app))

    async def _run(self, app: Any) -> None:
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.once(app)
            except Exception:
                self._log.exception("Servers could not be stopped; it is tried again")

    async def once(self, app: Any) -> None:
        """Stop the servers whose time has come; and those with names, where nobody may have one any more.

        Their users could not: JupyterHub's API knows no server by a name then, for the culler neither.
        """
        if not self.state().get("stop") and app.allow_named_servers:
            return
        now = time.time()
        due = [
            (user, name)
            for user in list(app.users.values())
            for name, spawner in list(user.spawners.items())
            if spawner.active
            and not spawner.pending
            and (self.due(spawner.orm_spawner.started, now) or (name and not app.allow_named_servers))
        ]
        # Threads for calls to the engine are few, so not all of them end at once.
        for done in await asyncio.gather(*(self._stop(app, *one) for one in due), return_exceptions=True):
            if isinstance(done, Exception):
                self._log.error("A server could not be stopped; it is tried again: %s", done)

    async def _stop(self, app: Any, user: Any, name: str) -> None:
        why = "the hub is drained" if self.state().get("stop") else "there are no servers with names any more"
        self._log.warning("Stopping the server %s: %s", user.spawners[name]._log_name, why)
        await app.proxy.delete_user(user, name)
        await user.stop(name)


DRAIN = Drain()
