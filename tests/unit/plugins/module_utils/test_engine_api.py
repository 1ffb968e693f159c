# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import http.server
import socketserver
import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.engine.api import ApiError, EngineApi

BUSY = '{"message":"a disk usage operation is already running"}'


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Gives its answers one after the other."""

    answers: t.ClassVar[list[tuple[int, str]]] = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, text = Engine.answers.pop(0)
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def address_string(self) -> str:
        return "test"

    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture
def api(tmp_path: Path) -> t.Iterator[EngineApi]:
    with Engine(str(tmp_path / "s"), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        client = EngineApi.__new__(EngineApi)
        client._path, client._base = str(tmp_path / "s"), ""
        yield client
        server.shutdown()


def test_an_operation_of_somebody_else_is_waited_for(api: EngineApi) -> None:
    """Before: two hubs of one host that looked at the disk at once, and one of the runs failed."""
    Engine.answers[:] = [(500, BUSY), (409, BUSY), (200, '{"Images":[]}')]
    assert api.get("/system/df") == {"Images": []}


def test_what_is_refused(api: EngineApi) -> None:
    Engine.answers[:] = [(404, '{"message":"no such thing"}')]
    with pytest.raises(ApiError, match="refused GET /x: no such thing") as refused:
        api.get("/x")
    assert refused.value.status == 404


def test_it_is_not_waited_for_without_end(api: EngineApi) -> None:
    Engine.answers[:] = [(500, BUSY)] * 20
    with pytest.raises(ApiError, match="a disk usage operation is already running"):
        api.request("GET", "/x", timeout=1)
