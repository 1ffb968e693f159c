# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A user who appends numbered lines to a file of the home through a kernel, whatever happens to the hub."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time

import websocket
from user_client import UserClient

from ansible_collections.galilean.hub.plugins.module_utils.shared.hub_api import HubApiError

# Each line has a number and its user's secret. A half line is one that nobody was told of.
KERNEL = """
import os, uuid
birth, path = uuid.uuid4().hex, os.path.expanduser("~/lines")
open(path, "a").close()
text = open(path, "rb").read()
os.truncate(path, text.rfind(b"\\n") + 1)
number = text.count(b"\\n")
def add(wanted):
    global number
    if wanted == number + 1:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND)
        before = os.fstat(handle).st_size
        try:
            line = f"{wanted} SECRET\\n".encode()
            if os.write(handle, line) < len(line):
                raise OSError("a part")
            os.fsync(handle)
            number = wanted
        except OSError:
            os.ftruncate(handle, before)
        finally:
            os.close(handle)
    print(birth, number, "SECRET")
"""
PAUSE = 0.2


class Worker(threading.Thread):
    """Works until it is told to end. What must not be is in `wrong`."""

    def __init__(self, url: str, token: str, name: str) -> None:
        super().__init__(daemon=True)
        self.user, self.secret = UserClient(url, token, name, patience=60), secrets.token_hex(8)
        self.name, self.wrong = name, list[str]()
        # How many lines are known to be written, and when the last one was.
        self.lines, self.last = 0, 0.0
        self.kernels = 0
        # Whether the container may be gone: a chaos that kills it says so before.
        self.may_lose = False
        self._kernel, self._birth, self._server = "", "", ""
        self._open, self._done, self.trouble = False, threading.Event(), ""

    def end(self) -> None:
        self._done.set()
        self.join(120)

    def run(self) -> None:
        while not self._done.is_set():
            try:
                if not self._open:
                    self._connect()
                self._add()
            except (OSError, HubApiError, websocket.WebSocketException, AssertionError, ValueError) as exc:
                self.trouble = f"{type(exc).__name__}: {exc}"[:300]
                self._open = False
                with contextlib.suppress(OSError, websocket.WebSocketException):
                    self.user.close()
            self._done.wait(PAUSE)

    def _connect(self) -> None:
        state = self.user.state()
        if not state.ready:
            # Stopped, starting or on its way out.
            self.user.start()
            state = self.user.state()
        server = self.user.client.server_url(state)
        self.user.server = server
        if (
            self._kernel
            and self.user.client.ask("GET", f"{server}/api/kernels/{self._kernel}", (200, 404)).status == 404
        ):
            self._lost("the server does not know it any more")
        if self._kernel:
            self.user.join_kernel(self._kernel)
        else:
            self._kernel = self.user.open_kernel("python3")
            self.user.run(KERNEL.replace("SECRET", self.secret))
            self._birth = ""
            self.kernels += 1
        self._open = True

    def _add(self) -> None:
        birth, number, secret = self.user.run(f"add({self.lines + 1})").split()
        if secret != self.secret:
            self.wrong.append(f"{self.name} was answered with another one's secret")
        if self._birth and birth != self._birth:
            self._lost("it has other variables")
        self._birth = birth
        if int(number) < self.lines:
            self.wrong.append(f"{self.name} had {self.lines} lines, and the home has {number}")
            self.lines = int(number)
        if int(number) > self.lines:
            self.lines, self.last = int(number), time.monotonic()

    def _lost(self, why: str) -> None:
        if not self.may_lose:
            self.wrong.append(f"the kernel of {self.name} is lost: {why}")
        self._kernel = self._birth = ""
