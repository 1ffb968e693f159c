# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Stands in for proxy and hub: tells what arrives, echoes websockets, fails in the ways that the two fail.

/none503 is the proxy without a hub (no page), /page503 the hub's own page about a server that is gone.
Answers of /user/alice/own bring security headers of their own, and others that are not theirs to send.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
OWN = {
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "sniff",
    "Strict-Transport-Security": "max-age=1; includeSubDomains",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Service-Worker-Allowed": "/",
    "Clear-Site-Data": '"*"',
    "X-Accel-Redirect": "/_edge/health",
    "X-Accel-Buffering": "yes",
    "Set-Cookie": "jupyterhub-session-id=x; Domain=example.org; Path=/hub/",
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: bytes, kind: str = "") -> None:
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-JupyterHub-Version", "6.1.1")
        self.send_header("X-Powered-By", "Express 5")
        for name, value in OWN.items() if self.path.endswith("/own") else ():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self.echo_websocket()
        elif path == "/none503":
            self.answer(503, b"")
        elif path == "/page503":
            self.answer(503, b"<p>Your server is not running</p>", "text/html")
        elif path == "/slow":
            self.trickle()
        else:
            seen = {"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}
            self.answer(200, json.dumps(seen).encode(), "application/json")

    def do_PUT(self) -> None:
        left = int(self.headers["Content-Length"])
        total = 0
        while left:
            got = len(self.rfile.read(min(left, 1 << 20)))
            left, total = left - got, total + got
        self.answer(200, json.dumps({"received": total}).encode(), "application/json")

    do_POST = do_PUT
    do_HEAD = do_GET

    def trickle(self) -> None:
        """A first part at once and the second later: shows whether something holds the first one back."""
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"first")
        self.wfile.flush()
        time.sleep(1.5)
        self.wfile.write(b"later")

    def echo_websocket(self) -> None:
        digest = hashlib.sha1((self.headers["Sec-WebSocket-Key"] + MAGIC).encode()).digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
        self.end_headers()
        while head := self.rfile.read(2):
            size = head[1] & 0x7F
            mask = self.rfile.read(4)
            text = bytes(byte ^ mask[index % 4] for index, byte in enumerate(self.rfile.read(size)))
            if head[0] & 0x0F == 8:
                break
            self.wfile.write(struct.pack("BB", head[0], size) + text)
        self.close_connection = True

    def log_message(self, *_args: object) -> None:
        """Quiet."""


ThreadingHTTPServer(("", 8000), Handler).serve_forever()
