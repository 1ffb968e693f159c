# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A browser without comfort: it sends what it is told to, from where it is told, and keeps its cookies."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import typing as t
import urllib.parse
from dataclasses import dataclass

from deployment import docker


def addresses(container: str) -> dict[str, str]:
    """A container's addresses by the name of the network."""
    networks = json.loads(docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", container))
    return {name: network["IPAddress"] for name, network in networks.items()}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    text: str

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def cookies(self) -> dict[str, str]:
        """What it sets, by the cookie's name, with all that is said of it."""
        lines = [value for key, value in self.headers if key.lower() == "set-cookie"]
        return {line.partition("=")[0]: line for line in lines}


class Browser:
    """address: of the proxy or the hub itself; client: whom the proxy says it asks for."""

    def __init__(self, address: str, client: str = "") -> None:
        self._address = address
        self.cookies: dict[str, str] = {}
        self.headers = {"X-Forwarded-Proto": "https", **({"X-Forwarded-For": client} if client else {})}

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._address, timeout=60)

    def ask(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> Answer:
        connection = self.connection()
        sent = {**self.headers, **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, body, sent)
            came = connection.getresponse()
            answer = Answer(came.status, came.getheaders(), came.read().decode(errors="replace"))
        finally:
            connection.close()
        for name, line in answer.cookies().items():
            self.cookies[name] = line.partition("=")[2].partition(";")[0].strip('"')
        return answer

    def form(self, path: str, page: str, **fields: str) -> Answer:
        """Fill in a form as its page gives it."""
        found = re.search(r'name="_xsrf" value="([^"]+)"', self.ask("GET", page).text)
        body = urllib.parse.urlencode({**fields, **({"_xsrf": found[1]} if found else {})})
        return self.ask("POST", path, body, **{"Content-Type": "application/x-www-form-urlencoded"})

    def log_in(self, name: str, password: str) -> Answer:
        return self.form("/hub/login?next=%2Fhub%2Ftoken", "/hub/login", username=name, password=password)

    def sign_up(self, name: str, password: str) -> Answer:
        fields = {"signup_password": password, "signup_password_confirmation": password, "email": ""}
        return self.form("/hub/signup", "/hub/signup", username=name, **fields)

    def token(self, name: str, **more: t.Any) -> Answer:
        """Ask for a token as a script does, with what the answer's model shall have."""
        return self.ask(
            "POST", f"/hub/api/users/{name}/tokens", json.dumps(more), **{"Content-Type": "application/json"}
        )


class EdgeBrowser(Browser):
    """As people come: by the edge, over TLS."""

    def __init__(self, url: str, authority: str) -> None:
        super().__init__(urllib.parse.urlsplit(url).netloc)
        # A browser says that it shows a page; what it says of its address is a lie.
        self.headers = {
            "Sec-Fetch-Site": "same-origin",
            "X-Forwarded-For": "203.0.113.66",
            "X-Request-ID": "0" * 32,
        }
        self._context = ssl.create_default_context(cafile=authority)

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPSConnection(self._address, timeout=60, context=self._context)

    def api(self, method: str, path: str, token: str = "", **body: t.Any) -> Answer:
        """A call of the API, by a page's script or with a token."""
        said = (
            {"Authorization": f"token {token}"} if token else {"X-XSRFToken": self.cookies.get("_xsrf", "")}
        )
        text = json.dumps(body) if body or method in ("POST", "PATCH") else None
        browser = EdgeBrowser.__new__(EdgeBrowser) if token else self
        if token:
            browser.__dict__.update(self.__dict__, cookies={})
        return browser.ask(method, f"/hub/api/{path}", text, **{"Content-Type": "application/json", **said})

    def follow(self, path: str, most: int = 10) -> tuple[str, Answer]:
        """A page, wherever it leads; the last path."""
        for _ in range(most):
            answer = self.ask("GET", path)
            where = answer.header("Location")
            if answer.status not in (301, 302, 303, 307, 308) or not where:
                return path, answer
            parts = urllib.parse.urlsplit(where)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
        raise AssertionError(f"{path}: no end of redirects")
