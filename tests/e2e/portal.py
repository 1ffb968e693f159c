# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A web site as docs/services.md describes one: people log in with the hub, and it starts their servers."""

from __future__ import annotations

import contextlib
import html
import http.server
import secrets
import threading
import typing as t
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

NAME = "portal"


class Portal:
    """Runs on this machine; what people did there is in `tokens` and `started`, by their name."""

    def __init__(self, hub: str) -> None:
        self.hub, self.secret = hub, secrets.token_hex(32)
        self.tokens: dict[str, str] = {}
        self.codes: list[str] = []
        self._states: set[str] = set()
        portal = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                portal.answer(self)

            def log_message(self, format: str, *args: t.Any) -> None:
                """Nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # By another name than the hub: for browsers that is another site.
        self.url = f"http://localhost:{self._server.server_port}"
        self.callback = f"{self.url}/callback"

    @property
    def settings(self) -> dict[str, t.Any]:
        """For the hub."""
        return {
            "jupyterhub_services": [{"name": NAME, "redirect_url": self.callback}],
            "jupyterhub_service_tokens": {NAME: self.secret},
        }

    @contextlib.contextmanager
    def running(self) -> t.Iterator[Portal]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        yield self
        self._server.shutdown()
        self._server.server_close()

    def login(self, **changes: str) -> str:
        """Where the site sends somebody to log in."""
        state = secrets.token_hex(8)
        self._states.add(state)
        asked = {"client_id": f"service-{NAME}", "redirect_uri": self.callback, "response_type": "code"}
        return f"{self.hub}/hub/api/oauth2/authorize?{urlencode({**asked, 'state': state, **changes})}"

    def token_for(self, code: str, secret: str) -> requests.Response:
        """The hub's answer to a code that somebody has come back with."""
        given = {"client_id": f"service-{NAME}", "client_secret": secret, "grant_type": "authorization_code"}
        data = {**given, "code": code, "redirect_uri": self.callback}
        return requests.post(f"{self.hub}/hub/api/oauth2/token", data=data, timeout=60)

    def call(self, token: str, method: str, path: str, **more: t.Any) -> requests.Response:
        headers = {"Authorization": f"token {token}"}
        return requests.request(method, f"{self.hub}{path}", headers=headers, timeout=120, **more)

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path != "/callback":
            page = f'<a href="{html.escape(self.login())}">Open the notebook</a>'
            self._send(request, 200, page)
        elif asked.get("state") not in self._states or "code" not in asked:
            self._send(request, 400, "This login did not begin here.")
        else:
            self.codes.append(asked["code"])
            answer = self.token_for(asked["code"], self.secret)
            assert answer.ok, answer.text
            token = answer.json()["access_token"]
            name = self.call(token, "GET", "/hub/api/user").json()["name"]
            self.tokens[name] = token
            self.call(token, "POST", f"/hub/api/users/{name}/server", json={}).raise_for_status()
            self._send(request, 302, "", f"{self.hub}/hub/user-redirect/lab")

    @staticmethod
    def _send(
        request: http.server.BaseHTTPRequestHandler, status: int, page: str, location: str = ""
    ) -> None:
        body = page.encode()
        request.send_response(status)
        if location:
            request.send_header("Location", location)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
