# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""JupyterHub's REST API and that of a user's server, as far as the collection uses them.

It is part of the hub's image as well (galilean_hub/shared), for the check.
"""

from __future__ import annotations

import abc
import json
import typing as t
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit


class HubApiError(Exception):
    """The hub answered with something else than was asked for."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Answer:
    """One HTTP answer: its status, its text and where it points to."""

    status: int
    text: str = ""
    location: str = ""

    def json(self) -> t.Any:
        """Return the parsed body, None where it is no JSON."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


class Transport(abc.ABC):
    """Sends one HTTP request. Raises HubApiError where nothing answers, returns every answer, whatever its status."""

    @abc.abstractmethod
    def send(self, method: str, url: str, body: str | None, timeout: float) -> Answer:
        """Send the request and return the answer."""


@dataclass(frozen=True)
class UserState:
    """What the hub says about one account and its default server."""

    exists: bool
    running: bool = False
    ready: bool = False
    pending: str = ""
    url: str = ""
    options: dict[str, t.Any] = field(default_factory=dict)


def parse_user(answer: Answer) -> UserState:
    """Return the state in the answer to GET /users/<name>; 404 means no account. HubApiError if it is not JSON."""
    if answer.status == 404:
        return UserState(exists=False)
    model = answer.json()
    if not isinstance(model, dict):
        raise HubApiError("the hub described the account in a form that is not JSON", answer.status)
    server = (model.get("servers") or {}).get("") or {}
    pending = str(server.get("pending") or model.get("pending") or "")
    ready = bool(server.get("ready"))
    return UserState(
        exists=True,
        running=ready or bool(pending),
        ready=ready,
        pending=pending,
        url=str(server.get("url") or ""),
        options=dict(server.get("user_options") or {}),
    )


def check_base_url(url: str) -> str:
    """Return the address without its trailing slash; raise HubApiError when it is not one of a hub."""
    try:
        parts = urlsplit(url)
        valid = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        valid = False
    if not valid:
        raise HubApiError(
            f"url is {url!r}: give the public address of the hub, such as http://127.0.0.1:8000"
        )
    return url.rstrip("/")


def origin(url: str) -> str:
    """Return scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def websocket_url(url: str) -> str:
    """Return the address with the scheme of a websocket."""
    return "ws" + url[len("http") :]


def reason(answer: Answer) -> str:
    """Say what an answer that is not the wanted one means: its own message first, then its status."""
    model = answer.json()
    message = str(model.get("message") or "") if isinstance(model, dict) else ""
    sentence = " ".join(message.split()) or "no reason given"
    if answer.status in (301, 302, 303, 307, 308):
        sentence = f"sent on to {answer.location.split('?')[0] or 'another page'}"
    elif answer.status in (502, 503, 504) and not message:
        sentence = "the part behind the edge is away"
    return f"{sentence} (HTTP {answer.status})"


def spawn_failure(stream: str) -> str:
    """Return why a server did not start, out of the hub's stream of progress events; empty where it does not say."""
    failure = ""
    for line in stream.splitlines():
        if not line.startswith("data:"):
            continue
        try:
            event = json.loads(line[len("data:") :])
        except ValueError:
            continue
        if isinstance(event, dict) and event.get("failed"):
            failure = " ".join(str(event.get("message") or "").split())
    return failure.rstrip(".")


def offered_kernels(answer: Answer) -> list[str]:
    """Return the names of the kernels that a server offers, sorted; HubApiError if it did not list them."""
    model = answer.json()
    specs = model.get("kernelspecs") if isinstance(model, dict) else None
    if not isinstance(specs, dict):
        raise HubApiError(f"the server did not list its kernels: {reason(answer)}", answer.status)
    return sorted(specs)


class HubClient:
    """The requests that the collection makes, each with the statuses that it takes for an answer."""

    # No single request may take longer: a hub that hangs would otherwise use up the time of the whole check.
    REQUEST_TIMEOUT = 60.0

    def __init__(self, url: str, transport: Transport) -> None:
        self.url = check_base_url(url)
        self._transport = transport

    def ask(
        self,
        method: str,
        url: str,
        accept: tuple[int, ...] = (200,),
        body: t.Any = None,
        timeout: float = 60.0,
    ) -> Answer:
        """Send one request; raise HubApiError when the status is none of those that are accepted."""
        text = None if body is None else json.dumps(body)
        answer = self._transport.send(method, url, text, max(min(timeout, self.REQUEST_TIMEOUT), 1.0))
        if answer.status not in accept:
            raise HubApiError(reason(answer), answer.status)
        return answer

    def _user_url(self, name: str) -> str:
        return f"{self.url}/hub/api/users/{quote(name, safe='')}"

    def version(self, timeout: float = 10.0) -> str:
        """Return the version of the hub, which it tells to those whom it knows."""
        model = self.ask("GET", f"{self.url}/hub/api/", timeout=timeout).json()
        if model == {}:
            # On the hub's own port, without a right token.
            raise HubApiError("Missing or invalid credentials.", 403)
        if not isinstance(model, dict) or "version" not in model:
            raise HubApiError(f"what answers at {self.url} is not a JupyterHub")
        return str(model["version"])

    def notices(self, timeout: float = 60.0) -> list[str]:
        """What the hub tells its administrators, one sentence each. Nothing where it tells this token nothing."""
        url = f"{self.url}/hub/api/galilean/approval"
        model = self.ask("GET", url, (200, 403, 404), timeout=timeout).json()
        notice = model.get("notice") if isinstance(model, dict) else ""
        return [str(notice)] if notice else []

    def user(self, name: str) -> UserState:
        """Return the account and its default server, running or not."""
        return parse_user(
            self.ask("GET", f"{self._user_url(name)}?include_stopped_servers=1", accept=(200, 404))
        )

    def create_user(self, name: str) -> None:
        self.ask("POST", self._user_url(name), accept=(201,))

    def delete_user(self, name: str) -> None:
        self.ask("DELETE", self._user_url(name), accept=(204, 404))

    def start_server(self, name: str, options: dict[str, t.Any]) -> Answer:
        """Start the default server. 201: ready, 202: starting, 429: too many others are starting, try again."""
        return self.ask("POST", f"{self._user_url(name)}/server", (201, 202, 429), {"user_options": options})

    def stop_server(self, name: str) -> None:
        self.ask("DELETE", f"{self._user_url(name)}/server", accept=(202, 204, 404))

    def forget_options(self, name: str) -> None:
        self.ask("PATCH", f"{self._user_url(name)}/server", accept=(200, 404), body={"user_options": {}})

    def spawn_failure(self, name: str) -> str:
        """Return why the last start of the default server failed, empty where the hub does not know."""
        answer = self.ask("GET", f"{self._user_url(name)}/server/progress", accept=(200, 400, 404))
        return spawn_failure(answer.text) if answer.status == 200 else ""

    def server_url(self, state: UserState) -> str:
        """Return the full address of a running server: the hub tells it where servers have names of their own."""
        url = state.url.rstrip("/")
        return url if "://" in url else origin(self.url) + url

    def server_version(self, server: str) -> str:
        model = self.ask("GET", f"{server}/api").json()
        return str(model.get("version", "")) if isinstance(model, dict) else ""

    def kernels(self, server: str) -> list[str]:
        return offered_kernels(self.ask("GET", f"{server}/api/kernelspecs"))

    def start_kernel(self, server: str, kernel: str) -> str:
        """Start a kernel and return its id."""
        model = self.ask("POST", f"{server}/api/kernels", accept=(201,), body={"name": kernel}).json()
        if not isinstance(model, dict) or not model.get("id"):
            raise HubApiError("the server started a kernel without telling its id")
        return str(model["id"])

    def stop_kernel(self, server: str, kernel_id: str) -> None:
        self.ask("DELETE", f"{server}/api/kernels/{kernel_id}", accept=(204, 404))
