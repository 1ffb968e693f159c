# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Who asks the hub often waits in line, and is told so when the line is full."""

from __future__ import annotations

import socket
import time

import pytest
from conftest import PERSON, Edge

# As in inventory/hosts.yml, and as the role has it by default.
BURST, RATE = 40, 60
TOKEN = {"Authorization": "token x"}


def at_once(
    edge: Edge, path: str, headers: dict[str, str], count: int = 4 * BURST
) -> tuple[list[int], float]:
    """Statuses of so many requests, by default four times as many as may wait, and how long all took."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close"]
    request = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()
    # First the connections, because a busy machine takes its time for those.
    opened = [socket.create_connection(("127.0.0.1", edge.port), timeout=20) for _ in range(count)]
    begin = time.monotonic()
    for one in opened:
        one.sendall(request)
    seen = [int(one.recv(4096).split()[1]) for one in opened]
    for one in opened:
        one.close()
    return seen, time.monotonic() - begin


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/hub/home", {}),
        ("/hub/home", PERSON),
        ("/user/alice/lab", {}),
        ("/user/alice/oauth%5Fcallback?code=x&state=x", {**PERSON, **TOKEN}),
    ],
)
def test_who_asks_often_waits_in_line(upstream: Edge, path: str, headers: dict[str, str]) -> None:
    """Scripts, people who look at pages, and strangers at a server: where none runs, the hub answers.

    And codes of logins, which a server asks the hub about.
    """
    # The line of the test before.
    time.sleep(BURST / RATE + 0.2)
    seen, seconds = at_once(upstream, path, headers)
    assert set(seen) == {200, 429}
    assert seen.count(200) > BURST
    assert seconds > (BURST - RATE // 6 - 1) / RATE


def test_servers_have_a_line_of_their_own(upstream: Edge) -> None:
    """And the page that waits for the hub is told to ask again, each time: in a line most were refused."""
    at_once(upstream, "/hub/home", {})
    assert set(at_once(upstream, "/user/alice/lab", TOKEN, BURST)[0]) == {200}
    seen, _ = at_once(upstream, "/_edge/ready", {})
    assert set(seen) <= {200, 503}
