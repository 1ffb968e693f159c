# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A real HTTP server with a list of approved users, and with an endpoint that is asked about each."""

from __future__ import annotations

import json
import secrets
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from idp import host_address

# No file of the tests has it: they look for it in all files.
TOKEN = f"knows-the-list-{secrets.token_hex(8)}"


class Source:
    """Serves /list and /ask where the token is right; what it says is changed by the tests."""

    def __init__(self) -> None:
        self.list = ""
        self.approved: dict[str, dict[str, t.Any]] = {}
        self.away = False
        self.asked: list[str] = []
        # Of whom it was asked while it was away.
        self.missed: list[str] = []
        source = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self, status: int, text: str = "") -> None:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def handle_request(self, body: str) -> None:
                if source.away:
                    if self.path == "/ask":
                        source.missed.append(json.loads(body)["user"])
                    self.answer(503)
                elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    self.answer(401)
                elif self.path == "/list":
                    self.answer(200, source.list)
                elif self.path == "/ask":
                    user = json.loads(body)["user"]
                    source.asked.append(user)
                    known = source.approved.get(user)
                    self.answer(200 if known else 404, json.dumps({"approved": True, **(known or {})}))
                else:
                    self.answer(404)

            def do_GET(self) -> None:
                self.handle_request("")

            def do_POST(self) -> None:
                self.handle_request(self.rfile.read(int(self.headers["Content-Length"])).decode())

            def log_message(self, *_: t.Any) -> None:
                pass

        self._server = ThreadingHTTPServer((host_address(), 0), Handler)
        self.url = f"http://{self._server.server_address[0]!s}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
