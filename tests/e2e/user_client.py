# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A person who works through the hub's API: a server, files in the home and a kernel that lives on."""

from __future__ import annotations

import ssl
import sys
import typing as t
from pathlib import Path

import websocket
from deployment import ROOT, server_of, wait_until

from ansible_collections.galilean.hub.plugins.module_utils.shared.hub_api import (
    HubClient,
    UserState,
    websocket_url,
)
from ansible_collections.galilean.hub.plugins.module_utils.shared.hub_http import UrlTransport, trust

# What of the hub's image the check speaks to a kernel with.
sys.path.append(str(ROOT / "files" / "images" / "hub"))
from galilean_hub.check.kernel import Channel, converse, execute_content


class WebsocketChannel(Channel):
    """A kernel's websocket, which lives on between two requests."""

    def __init__(self, url: str, token: str, context: ssl.SSLContext, timeout: float) -> None:
        self._socket = websocket.create_connection(
            websocket_url(url),
            timeout=timeout,
            header=[f"Authorization: token {token}"],
            sslopt={"context": context},
            suppress_origin=True,
            http_no_proxy=["*"],
        )

    def send(self, text: str) -> None:
        self._socket.send(text)

    def receive(self, timeout: float) -> str | bytes:
        self._socket.settimeout(timeout)
        frame: str | bytes = self._socket.recv()
        return frame

    def close(self) -> None:
        self._socket.close()


class UserClient:
    """One account and its server. All requests go through the public address."""

    def __init__(self, url: str, token: str, name: str, ca: str | None = None, patience: float = 240) -> None:
        self.name = name
        self._context = trust(True, Path(ca).read_text(encoding="utf-8") if ca else "")
        self.client = HubClient(url, UrlTransport(token, self._context))
        self._token, self._patience = token, patience
        self._channel: WebsocketChannel | None = None
        self.server = self._kernel = ""

    def state(self) -> UserState:
        return self.client.user(self.name)

    def start(self) -> None:
        """Start the server, with an account for it if there is none."""
        if not self.state().exists:
            self.client.create_user(self.name)
        if not self.state().ready:
            self.client.start_server(self.name, {})
        wait_until(lambda: self.state().ready, self._patience, f"the server of {self.name}")
        self.server = self.client.server_url(self.state())

    def stop(self) -> None:
        self.client.stop_server(self.name)
        wait_until(lambda: not self.state().running, 60, f"the end of the server of {self.name}")

    def leave(self) -> None:
        """Stop the server and delete the account; the home stays until the instance is removed."""
        if self.state().exists:
            self.stop()
            self.client.delete_user(self.name)

    def open_kernel(self, kernel: str) -> str:
        """Start a kernel and keep its websocket open; its number."""
        self._kernel = self.client.start_kernel(self.server, kernel)
        self.join_kernel()
        return self._kernel

    def join_kernel(self, number: str = "") -> None:
        """Open a websocket to a kernel that runs, or anew to its own: a silent one is closed."""
        self._channel = WebsocketChannel(
            f"{self.server}/api/kernels/{number or self._kernel}/channels",
            self._token,
            self._context,
            self._patience / 4,
        )

    def close(self) -> None:
        """Close the websocket; the kernel runs on."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def run(self, code: str) -> str:
        """Run code in the kernel, over the websocket that open_kernel() opened, and return its output."""
        assert self._channel is not None
        done = converse(self._channel, "execute_request", execute_content(code), lambda: self._patience / 2)
        assert not done.error, done.error
        return done.output.strip()

    def read(self, path: str) -> dict[str, t.Any]:
        """Return the model of a file in the home."""
        model: dict[str, t.Any] = self.client.ask("GET", f"{self.server}/api/contents/{path}").json()
        return model

    def has(self, path: str) -> bool:
        """Tell whether the home has the file."""
        answer = self.client.ask("GET", f"{self.server}/api/contents/{path}?content=0", accept=(200, 404))
        return answer.status == 200

    def write(self, path: str, text: str) -> None:
        model = {"type": "file", "format": "text", "content": text}
        self.client.ask("PUT", f"{self.server}/api/contents/{path}", (200, 201), model)

    def delete(self, path: str) -> None:
        self.client.ask("DELETE", f"{self.server}/api/contents/{path}", (204,))

    def container(self, instance: str) -> str:
        """Return the id of the server's container."""
        return server_of(instance, self.name)
