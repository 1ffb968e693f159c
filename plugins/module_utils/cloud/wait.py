# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Waiting for a cloud: within a time limit, with a word now and then, and with reasons. PRIVATE to the collection."""

from __future__ import annotations

import threading
import time
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

PAUSE = 1.0
# Seconds between two lines that say what is waited for.
PROGRESS = 20.0
CONSOLE_LINES = 15


class Together:
    """One question for all who wait at the same time: lanes that each ask for their own keep a cloud busy."""

    def __init__(self, ask: t.Callable[[], t.Iterable[t.Any]]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._asked = float("-inf")
        self._answer: dict[str, t.Any] = {}

    def get(self, what: str, since: float) -> t.Any:
        """The thing with this id, as it was after the moment `since` and not long ago; None where there is none."""
        with self._lock:
            now = time.monotonic()
            # A little less than the pause, so that nobody sees the same answer twice.
            if self._asked < since or now - self._asked > PAUSE * 0.9:
                self._answer = {one.id: one for one in self._ask()}
                self._asked = now
            return self._answer.get(what)


class Waiter:
    """Asks again and again until a deadline that all waiting of a run shares."""

    def __init__(self, conn: t.Any, deadline: float, limit: float, say: t.Callable[[str], None]) -> None:
        self.conn, self.deadline, self.limit, self.say = conn, deadline, limit, say
        self._servers = Together(lambda: conn.compute.servers())
        self._volumes = Together(lambda: conn.block_storage.volumes())

    def until(self, what: str, observe: t.Callable[[], tuple[bool, str]]) -> None:
        """Wait until `look` returns true; its second value says how far it is."""
        began = shown = time.monotonic()
        while True:
            done, state = observe()
            if done:
                return
            now = time.monotonic()
            if now > self.deadline:
                raise HubError(
                    f"{what} was not ready within {self.limit:.0f} s, it is {state}: run again to wait for it once more, or "
                    "raise timeout."
                )
            if now - shown >= PROGRESS:
                shown = now
                self.say(f"{what}: {state}, {now - began:.0f} s")
            time.sleep(PAUSE)

    def server(self, server_id: str, name: str, states: tuple[str, ...]) -> t.Any:
        """Wait for a server; when it fails, its fault and the end of its console are the reason."""
        last: list[t.Any] = []
        since = time.monotonic()

        def observe() -> tuple[bool, str]:
            # Alone where the list does not have it, for the cloud's own words.
            server = self._servers.get(server_id, since) or self.conn.compute.get_server(server_id)
            last[:] = [server]
            if server.status == "ERROR":
                fault = (server.fault or {}).get("message") or "the cloud gives no reason"
                raise HubError(
                    f"Server {name} could not be created: {fault.strip().rstrip('.')}. The next run creates it again."
                    + self._console(server_id)
                )
            done = server.status in states and not server.task_state
            return done, server.status + (f" ({server.task_state})" if server.task_state else "")

        try:
            self.until(f"Server {name}", observe)
        except HubError as exc:
            if "within" in exc.message:
                raise HubError(exc.message + self._console(server_id)) from exc
            raise
        return last[0]

    def server_gone(self, server_id: str, name: str) -> None:
        from openstack import exceptions

        def observe() -> tuple[bool, str]:
            try:
                server = self.conn.compute.get_server(server_id)
            except exceptions.NotFoundException:
                return True, ""
            return server.status == "DELETED", f"still {server.status}"

        self.until(f"The removal of server {name}", observe)

    def volume(self, volume_id: str, name: str, states: tuple[str, ...], size: int = 0) -> t.Any:
        """Wait for a volume to be in one of some states, and of a size."""
        last: list[t.Any] = []
        since = time.monotonic()

        def observe() -> tuple[bool, str]:
            volume = self._volumes.get(volume_id, since) or self.conn.block_storage.get_volume(volume_id)
            last[:] = [volume]
            if volume.status == "error_extending":
                raise HubError(
                    f"Volume {name} did not grow: this cloud may not be able to do that while it is attached. Have its state "
                    "reset to in-use by the cloud's administrators, and set openstack_volume_growth to offline."
                )
            if volume.status.startswith("error") and "error" not in states:
                raise HubError(
                    f"Volume {name} is in the state {volume.status}: remove it, or ask the cloud's administrators."
                )
            return volume.status in states and volume.size >= size, volume.status

        self.until(f"Volume {name}", observe)
        return last[0]

    def _console(self, server_id: str) -> str:
        """The last lines that a server printed, where there are any."""
        from openstack import exceptions

        try:
            output = self.conn.compute.get_server_console_output(server_id, length=CONSOLE_LINES)["output"]
        except (exceptions.SDKException, KeyError, TypeError):
            return ""
        lines = [line for line in (output or "").splitlines() if line.strip()]
        return "\nThe last lines of its console:\n" + "\n".join(lines) if lines else ""
