# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The engine's own interface, for what its client does not tell exactly."""

from __future__ import annotations

import json
import socket
import time
import typing as t
from urllib.parse import quote, urlencode

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.unix_socket import exchange
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli, EngineAway

# What the engine says of an operation that it does only once at a time.
BUSY = "operation is already running"
# The newest form of answers that this collection knows; an engine older than that speaks its own.
NEWEST = (1, 44)


class ApiError(HubError):
    """The engine said no; ``status`` is the number of its answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def pick_version(newest_of_engine: str) -> str:
    """The version of the interface to use with an engine."""
    major, minor = (int(part) for part in newest_of_engine.split(".")[:2])
    return ".".join(map(str, min((major, minor), NEWEST)))


def split_messages(text: str) -> list[dict[str, t.Any]]:
    """The messages of a push or pull, one a line."""
    out = []
    for line in text.splitlines():
        if line.strip():
            out.append(json.loads(line))
    return out


class EngineApi:
    """The engine that a ``docker`` command on this host talks to, when that is one of this host."""

    def __init__(self, client: t.Sequence[str] | None = None) -> None:
        cli = DockerCli(client)
        host = (cli.call("context", "inspect", "--format={{.Endpoints.docker.Host}}") or "").strip()
        if not host.startswith("unix://"):
            raise HubError(
                f"docker_cli talks to the engine at {host or 'no address'}: use one of this host (unix://), as this needs its disk."
            )
        self._path = host[len("unix://") :]
        self._base = ""
        self._base = "/v" + pick_version(self.get("/version")["ApiVersion"])
        # A command that goes elsewhere, such as into a container, names the socket as it is there.
        identity = (cli.call("info", "--format={{.ID}}") or "").strip()
        if identity != str(self.get("/info").get("ID", "")):
            raise HubError(
                f"docker_cli is {' '.join(cli.client)}, which does not talk to the engine at {host} of this host: name one that does."
            )

    def request(
        self,
        method: str,
        path: str,
        query: t.Mapping[str, str] | None = None,
        headers: t.Mapping[str, str] | None = None,
        timeout: float = 600,
    ) -> str:
        """The text of an answer; ApiError for one that is no success."""
        target = self._base + quote(path, safe="/:@") + ("?" + urlencode(query) if query else "")
        end = time.monotonic() + timeout
        while True:
            try:
                status, text = exchange(self._path, method, target, timeout, headers)
            except socket.timeout:
                raise HubError(
                    f"The Docker engine did not answer {method} {path} within {timeout:.0f} s."
                ) from None
            except OSError as exc:
                raise EngineAway(
                    f"The Docker engine does not answer at {self._path}: {exc.strerror or exc}"
                ) from exc
            if status < 400:
                return text
            # It measures its disk, and prunes, for one at a time: another instance or person is waited for.
            if BUSY not in text or time.monotonic() > end:
                raise ApiError(f"The Docker engine refused {method} {path}: {_message(text)}", status)
            time.sleep(0.5)

    def get(self, path: str, query: t.Mapping[str, str] | None = None) -> t.Any:
        return json.loads(self.request("GET", path, query))

    def transfer(
        self, path: str, query: t.Mapping[str, str], auth: str, timeout: float
    ) -> list[dict[str, t.Any]]:
        """Push or pull; the engine's messages, or its complaint as an error."""
        # An engine refuses a push without this header, also where nobody has to log in.
        messages = split_messages(self.request("POST", path, query, {"X-Registry-Auth": auth}, timeout))
        for message in messages:
            if message.get("error"):
                raise ApiError(str(message["error"]), 500)
        return messages


def _message(text: str) -> str:
    try:
        return str(json.loads(text).get("message", text)).strip()
    except (ValueError, AttributeError):
        return text.strip()[:300]
