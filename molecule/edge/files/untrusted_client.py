# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Comes to the edge from an address of its own.

Takes host, port and a list of requests as JSON, prints the answers' statuses and bodies.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys


def ask(
    host: str, port: int, path: str, headers: dict[str, str], proxy: str = "", tls: bool = False
) -> tuple[int, str]:
    """proxy: a line of the PROXY protocol, which comes before everything else."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    connection.sock = socket.create_connection((host, port), timeout=10)
    if proxy:
        connection.sock.sendall(f"{proxy}\r\n".encode())
    if tls:
        connection.sock = ssl._create_unverified_context().wrap_socket(connection.sock)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


if __name__ == "__main__":
    print(json.dumps([ask(sys.argv[1], int(sys.argv[2]), **one) for one in json.loads(sys.argv[3])]))
