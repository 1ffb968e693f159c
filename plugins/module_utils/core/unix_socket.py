# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""HTTP over a socket of this host, as of the Docker engine. It stands alone: the monitoring's program has it, too."""

from __future__ import annotations

import http.client
import socket
import typing as t


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def exchange(
    path: str, method: str, target: str, timeout: float, headers: t.Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Send a request to a socket; return status and text of its answer. timeout: seconds."""
    connection = _UnixConnection(path, timeout)
    try:
        connection.request(method, target, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()
