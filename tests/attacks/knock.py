# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A browser without comfort: it sends what it is told to, from where it is told, and keeps its cookies."""

from __future__ import annotations

import http.client
import json
import re
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

    def ask(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection(self._address, timeout=60)
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
