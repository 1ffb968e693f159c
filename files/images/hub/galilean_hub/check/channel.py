# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A kernel's websocket by tornado's client."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from typing import Any

from tornado.httpclient import HTTPError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketError, websocket_connect

from ..shared.hub_api import HubApiError, websocket_url
from ..shared.hub_http import os_reason
from .kernel import Channel


class WebsocketChannel(Channel):
    """The check does one thing after the other, so the loop runs only while it waits for this websocket."""

    def __init__(self, url: str, token: str, context: ssl.SSLContext, timeout: float) -> None:
        # Without an Origin: the check is no web page.
        request = HTTPRequest(
            websocket_url(url),
            headers={"Authorization": f"token {token}"},
            ssl_options=context,
            connect_timeout=timeout,
            request_timeout=timeout,
        )

        async def connect() -> WebSocketClientConnection:
            return await websocket_connect(request)

        self._runner = asyncio.Runner()
        self._socket = self._wait(connect(), timeout, "the websocket was not opened")

    def _wait(self, what: Coroutine[Any, Any, Any], timeout: float, failure: str) -> Any:
        try:
            return self._runner.run(asyncio.wait_for(what, max(timeout, 0.1)))
        except TimeoutError as exc:
            raise HubApiError(f"{failure} in time") from exc
        except (HTTPError, WebSocketError, OSError) as exc:
            raise HubApiError(f"{failure}: {os_reason(exc)}") from exc

    def send(self, text: str) -> None:
        async def write() -> None:
            await self._socket.write_message(text)

        self._wait(write(), 60, "the websocket broke")

    def receive(self, timeout: float) -> str | bytes:
        async def read() -> str | bytes | None:
            return await self._socket.read_message()

        frame: str | bytes | None = self._wait(read(), timeout, "the kernel did not answer")
        if frame is None:
            raise HubApiError("the websocket broke: it was closed")
        return frame

    def close(self) -> None:
        self._socket.close()
        self._runner.close()
