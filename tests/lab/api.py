# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A small client of OpenStack's APIs, for what the lab sets up and checks. Standard library only.

The roles use openstacksdk. The lab has a client of its own because a second `make lab-up` is to take seconds,
and because what is tested should not be prepared by itself.
"""

from __future__ import annotations

import http.client
import json
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

from settings import LabError

Json = dict[str, t.Any]
# Of an API that several others ask in turn, on a busy machine.
LIMIT = 90
# Servers and volumes in ways that the first versions of these APIs do not know.
VERSIONS = {
    "compute": {"X-OpenStack-Nova-API-Version": "2.79"},
    "volumev3": {"OpenStack-API-Version": "volume 3.60"},
}
# The machine's proxy leads to the internet, not to the lab.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ApiError(LabError):
    """An answer that is no success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _send(method: str, url: str, headers: dict[str, str], data: t.Any) -> tuple[Json, t.Mapping[str, str]]:
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with _OPENER.open(request, timeout=LIMIT) as answer:
            body = answer.read()
            return json.loads(body) if body[:1] == b"{" else {}, answer.headers
    except urllib.error.HTTPError as error:
        said = " ".join(error.read(2000).decode(errors="replace").split())
        raise ApiError(error.code, f"{method} {url} was answered with {error.code}: {said[:400]}") from None
    except (OSError, http.client.HTTPException) as error:
        raise LabError(f"{method} {url} failed: {error}.") from None


class Cloud:
    """One login. `auth` is what stands in clouds.yaml under this word."""

    def __init__(self, auth: Json) -> None:
        self.auth_url = auth["auth_url"]
        if "application_credential_id" in auth:
            identity: Json = {
                "methods": ["application_credential"],
                "application_credential": {
                    "id": auth["application_credential_id"], "secret": auth["application_credential_secret"],
                },
            }  # fmt: skip
            request: Json = {"auth": {"identity": identity}}
        else:
            user = {
                "name": auth["username"], "password": auth["password"],
                "domain": {"name": auth["user_domain_name"]},
            }  # fmt: skip
            scope = {
                "project": {"name": auth["project_name"], "domain": {"name": auth["project_domain_name"]}}
            }
            request = {
                "auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}
            }
        body, headers = _send(
            "POST", f"{self.auth_url}/auth/tokens", {"Content-Type": "application/json"},
            json.dumps(request).encode(),
        )  # fmt: skip
        self.token = headers["X-Subject-Token"]
        self.project_id: str = body["token"]["project"]["id"]
        self.user_id: str = body["token"]["user"]["id"]
        self._endpoints = {
            entry["type"]: next(one["url"] for one in entry["endpoints"] if one["interface"] == "public")
            for entry in body["token"]["catalog"]
            if entry["endpoints"]
        }
        self._endpoints["identity"] = self.auth_url
        self.services = set(self._endpoints)

    def call(self, method: str, service: str, path: str, body: t.Any = None) -> Json:
        """Ask a service, by its type in the catalogue; a body is sent as JSON, a file as it is."""
        headers = {"X-Auth-Token": self.token, **VERSIONS.get(service, {})}
        url = f"{self._endpoints[service]}{path}"
        if isinstance(body, Path):
            headers |= {
                "Content-Type": "application/octet-stream",
                "Content-Length": str(body.stat().st_size),
            }
            with open(body, "rb") as stream:
                return _send(method, url, headers, stream)[0]
        headers["Content-Type"] = "application/json"
        return _send(method, url, headers, None if body is None else json.dumps(body).encode())[0]

    def get(self, service: str, path: str) -> Json:
        return self.call("GET", service, path)

    def post(self, service: str, path: str, body: t.Any) -> Json:
        return self.call("POST", service, path, body)

    def put(self, service: str, path: str, body: t.Any = None) -> Json:
        return self.call("PUT", service, path, body)

    def delete(self, service: str, path: str) -> None:
        """Delete; what is gone already may be."""
        try:
            self.call("DELETE", service, path)
        except ApiError as error:
            if error.status != 404:
                raise


def wait_for(what: str, condition: t.Callable[[], t.Any], limit: float, pause: float = 1) -> t.Any:
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + limit
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise LabError(f"{what} took longer than {limit:.0f} s.")
        time.sleep(pause)
