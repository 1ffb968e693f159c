# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What every answer tells the browser to be careful with."""

from __future__ import annotations

import pytest
from conftest import PERSON, Edge

SECURITY = {
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}
# One for each way in which nginx comes to an answer.
WAYS = [
    "/hub/home", "/hub/login", "/user/alice/files/x", "/none503", "/page503", "/slow",
    "/_edge/health", "/_edge/ready", "/_edge/away.css", "/_edge/away.js", "/_edge/nothing",
]  # fmt: skip


@pytest.mark.parametrize("headers", [PERSON, {}], ids=["person", "script"])
@pytest.mark.parametrize("path", WAYS)
def test_every_answer_has_them_once(upstream: Edge, path: str, headers: dict[str, str]) -> None:
    answer = upstream.get(path, headers)
    # More than one would be joined by commas.
    assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY
    # Pages of servers and of the hub have no hold of each other's windows.
    opener = "same-origin-allow-popups" if path.startswith("/user/") else "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == opener
    assert answer.headers["Permissions-Policy"].startswith("camera=(self), display-capture=(self), ")
    assert "Strict-Transport-Security" not in answer.headers


def test_hub_and_servers_know_better(upstream: Edge) -> None:
    """They speak for themselves, but neither for the whole address nor for guessing."""
    seen = upstream.get("/user/alice/own", PERSON).headers
    assert seen["Referrer-Policy"] == "no-referrer"
    assert seen["X-Frame-Options"] == "DENY"
    assert seen["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert seen["Cross-Origin-Opener-Policy"] == "same-origin-allow-popups"
    assert seen["X-Content-Type-Options"] == "nosniff"
    for name in (
        "Strict-Transport-Security",
        "Service-Worker-Allowed",
        "Clear-Site-Data",
        "X-Accel-Buffering",
    ):
        assert name not in seen
    assert seen["Set-Cookie"] == "jupyterhub-session-id=x; Domain=127.0.0.1; Path=/user/alice/"
