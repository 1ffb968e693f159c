# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Passwords are not tried out at any speed, and a class gets in."""

from __future__ import annotations

import pytest
import requests
from conftest import PERSON, Edge

# As in inventory/hosts.yml.
BURST = 20


def log_in(edge: Edge, session: requests.Session, path: str = "/hub/login?next=%2Flab") -> requests.Response:
    return session.post(edge.url(path), data={"username": "x", "password": "s3cret"}, timeout=10)


@pytest.fixture(scope="module")
def exhausted(upstream: Edge) -> Edge:
    """An address that has sent more logins at once than it may."""
    with requests.Session() as session:
        seen = [log_in(upstream, session).status_code for _ in range(BURST + 20)]
    passed = seen.index(429)
    # One at once, those of the burst, and one for each second that this took.
    assert BURST + 1 <= passed <= BURST + 10
    assert set(seen[:passed]) == {200}
    return upstream


def test_scripts_are_told_when_to_come_back(exhausted: Edge) -> None:
    with requests.Session() as session:
        session.headers["Accept"] = "application/json"
        answer = [log_in(exhausted, session) for _ in range(3)][-1]
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["status"] == 429


@pytest.mark.parametrize("path", ["/hub/login", "/hub/signup", "//hub/./%6Cogin"])
def test_people_get_a_page(exhausted: Edge, path: str) -> None:
    """Also where the path is written in another way."""
    with requests.Session() as session:
        session.headers.update(PERSON)
        answer = [log_in(exhausted, session, path) for _ in range(3)][-1]
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "Institute's &quot;Hub&quot; &amp; $friends has not looked at yours" in answer.text
    assert "Try again" in answer.text


def test_nothing_else_is_held_back(exhausted: Edge) -> None:
    """The form itself, and what people who are in do."""
    assert exhausted.get("/hub/login", PERSON).status_code == 200
    for path in ("/hub/api/users/alice/server", "/user/alice/api/kernels"):
        answer = requests.post(exhausted.url(path), json={}, timeout=10)
        assert answer.json() == {"received": 2}


def test_the_page_cannot_be_asked_for(exhausted: Edge) -> None:
    assert exhausted.get("/_edge/limited.html", PERSON).status_code == 404
    assert exhausted.get("/_edge/away.html", PERSON).status_code == 404
