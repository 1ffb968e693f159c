# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""DockerSpawner that starts servers in turn, sees at once when one is ready or dead, and labels volumes."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import docker.errors
from dockerspawner import DockerSpawner
from jupyterhub.spawner import SpawnException
from traitlets import Float, Integer, Unicode

from .queue import StartQueue


class GalileanSpawner(DockerSpawner):
    """DockerSpawner with a start queue.

    A start costs seconds of processor time. When many users come at once, starting all of them together
    makes everybody wait for the last one; JupyterHub's own limit (`concurrent_spawn_limit`) answers the
    others with an error. Here they wait in a queue, in the order in which they came, and their start page
    says so.
    """

    parallel_starts = Integer(
        4, min=1, config=True, help="How many servers may be starting at the same time."
    )
    ready_timeout = Float(
        300, min=1, config=True, help="Seconds from the start of the container until its server must answer."
    )
    instance = Unicode("hub", config=True, help="Name of the instance; goes into the labels of volumes.")

    _queue: ClassVar[StartQueue | None] = None
    _threads: ClassVar[ThreadPoolExecutor | None] = None

    @property
    def executor(self) -> ThreadPoolExecutor:
        """Threads for calls to the engine: with DockerSpawner's single one, starts would wait for each other.

        One `docker start` takes some tenths of a second. requests' connection pool, which the client stands
        on, may be used by several threads.
        """
        cls = GalileanSpawner
        if cls._threads is None:
            cls._threads = ThreadPoolExecutor(self.parallel_starts + 1, thread_name_prefix="docker")
        return cls._threads

    @property
    def queue(self) -> StartQueue:
        """The start queue: one for all users, since there is one hub process."""
        cls = GalileanSpawner
        if cls._queue is None:
            cls._queue = StartQueue(self.parallel_starts)
        return cls._queue

    async def start(self) -> tuple[str, int]:
        async with self.queue.turn(self._log_name):
            await self._ensure_home()
            address = await super().start()
            await self._wait_until_ready(*address)
        return address

    async def _ensure_home(self) -> None:
        """Create the user's volumes with labels; those that Docker makes by itself say not whose they are."""
        for source, target in self.volumes.items():
            # A mapping says how to mount what is there already; a plain path is the user's own volume.
            if isinstance(target, str) and not source.startswith("/"):
                await self.docker(
                    "create_volume",
                    self.format_volume_name(source, self),
                    labels={
                        "galilean.hub.instance": self.instance,
                        "galilean.hub.role": "home",
                        "galilean.hub.user": self.user.name,
                    },
                )

    async def _wait_until_ready(self, host: str, port: int) -> None:
        """Return when the server listens.

        JupyterHub's own wait doubles its pauses up to five seconds and so notices late; it also goes on
        waiting for a container that has died.
        """
        deadline = time.monotonic() + self.ready_timeout
        look_at_container = time.monotonic() + 2
        while time.monotonic() < deadline:
            try:
                _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), timeout=2)
            except (OSError, asyncio.TimeoutError):
                pass
            else:
                writer.close()
                return
            if time.monotonic() > look_at_container:
                look_at_container = time.monotonic() + 2
                if await self.poll() is not None:
                    raise SpawnException(
                        "Your server stopped while it was starting. Try again; if that does not help, "
                        "tell the people who run this hub.",
                        reason="exited",
                        log_message=f"{self._log_name}: the container exited during its start, see above",
                    )
            await asyncio.sleep(0.05)
        raise SpawnException(
            f"Your server did not answer within {self.ready_timeout:.0f} seconds. Try again later.",
            reason="timeout",
            log_message=f"{self._log_name}: no answer from {host}:{port} in {self.ready_timeout:.0f} s",
        )

    async def poll(self) -> Any:
        """As DockerSpawner's; what a dead container said last goes to the hub's log before it is removed."""
        status = await super().poll()
        if status is not None and self.object_id and self.remove:
            try:
                lines = await self.docker("logs", self.object_id, tail=30)
                self.log.warning(
                    "%s: the container has exited (%s); its last lines:\n%s",
                    self._log_name,
                    status,
                    lines.decode(errors="replace"),
                )
            except docker.errors.APIError as exc:
                self.log.warning("%s: the container has exited (%s): %s", self._log_name, status, exc)
            await self.remove_object()
        return status

    async def progress(self) -> Any:
        """Messages for the start page: the place in the queue while there is one, then the start itself."""
        last = None
        while True:
            place = self.queue.place(self._log_name)
            if place != last:
                last = place
                if place:
                    yield {
                        "progress": 10,
                        "message": f"Waiting for other servers to start: you are number {place}",
                    }
                else:
                    yield {"progress": 40, "message": "Starting your server"}
            await asyncio.sleep(1)
