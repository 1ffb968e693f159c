# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""First come, first served: who may start now, and who is where in the line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class StartQueue:
    """A semaphore that can tell everybody's place in the line."""

    def __init__(self, parallel: int) -> None:
        self._semaphore = asyncio.Semaphore(parallel)
        self._waiting: list[str] = []

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Wait for a turn, and hold it for the length of the `async with` block."""
        self._waiting.append(name)
        try:
            await self._semaphore.acquire()
        finally:
            # Also when the wait is cancelled, because the user gave up or the start timed out.
            self._waiting.remove(name)
        try:
            yield
        finally:
            self._semaphore.release()

    def place(self, name: str) -> int:
        """The place in the line, from 1; 0 for those who do not wait (any more)."""
        return self._waiting.index(name) + 1 if name in self._waiting else 0
