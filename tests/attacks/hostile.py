# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a user puts in the place of the own server: it answers anything, and sees what browsers send along."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

seen: list[dict[str, str]] = []


class Hostile(BaseHTTPRequestHandler):
    """Any page, with every header that a neighbour would be glad of."""

    def do_GET(self) -> None:
        if self.path.endswith("/seen.json"):
            body, kind = json.dumps(seen).encode(), "application/json"
        elif self.path.endswith(".js"):
            body, kind = (
                b"self.addEventListener('fetch', (e) => e.respondWith(new Response('taken')));",
                "text/javascript",
            )
        else:
            seen.append({"path": self.path, "cookies": self.headers.get("Cookie", "")})
            body, kind = b"<!DOCTYPE html><title>lovely</title><body></body>", "text/html"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Service-Worker-Allowed", "/")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Cross-Origin-Opener-Policy", "unsafe-none")
        self.send_header("Referrer-Policy", "unsafe-url")
        self.send_header("Set-Cookie", f"_xsrf=tossed; Domain={sys.argv[2]}; Path=/hub/")
        self.send_header(
            "Set-Cookie", f"__Host-jupyterhub-hub-login=tossed; Domain={sys.argv[2]}; Path=/; Secure"
        )
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Hostile).serve_forever()
