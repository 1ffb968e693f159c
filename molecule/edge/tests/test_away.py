# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""While proxy and hub are away, and when they come back."""

from __future__ import annotations

import re
import socket
import time

import pytest
import requests
from conftest import PERSON, PROJECT, Drip, Edge
from playwright.sync_api import sync_playwright

FOREIGN = '<a href="{}_edge/forget">Look at this</a>'


@pytest.fixture(scope="module", autouse=True)
def slow_header(away: Edge) -> Drip:
    """Never comes to the end of its header."""
    return Drip(away.port, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", "x" * 200)


def test_health_needs_nobody_behind_it(away: Edge) -> None:
    answer = away.get("/_edge/health")
    assert answer.status_code == 200
    digest, pair = answer.text.split()
    assert (len(digest), pair) == (12, "-")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_people_get_a_page_that_waits(away: Edge, method: str) -> None:
    address = away.url("/user/alice/lab?token=secret")
    answer = requests.request(method, address, headers=PERSON, timeout=10)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Institute's &quot;Hub&quot; &amp; $friends will be right back" in answer.text
    assert "/_edge/away.js" in answer.text
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/_edge/away.css", "text/css"),
        ("/_edge/site.css", "text/css"),
        ("/_edge/away.js", "application/javascript"),
        ("/_edge/theme.js", "application/javascript"),
        ("/_edge/logo", "image/svg+xml"),
    ],
)
def test_the_page_brings_its_parts(away: Edge, path: str, kind: str) -> None:
    answer = away.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(kind)
    # Before: thousands of parts at a time, each with memory of its own that nothing counted.
    assert away.get(path, {"Range": "bytes=0-0,2-2"}).content == answer.content


def test_scripts_get_a_plain_error(away: Edge) -> None:
    answer = away.get("/hub/api/users", {"Accept": "application/json"})
    assert answer.status_code == 503
    assert answer.json()["status"] == 503
    assert answer.headers["Retry-After"] == "5"


# Below the limit the hub would answer, which is away.
REFUSED = [
    ("/hub/home", 13_000, 503, "will be right back"),
    *(("/hub/home", size, 431, "too many cookies") for size in (14_400, 16_300, 20_000, 32_000, 100_000)),
    ("/user/ada/lab", 20_000, 431, "too many cookies"),
    ("/hub/home?next=" + "x" * 20_000, 0, 414, "This address is too long"),
]


@pytest.mark.parametrize(("path", "cookies", "status", "said"), REFUSED)
def test_what_is_too_large_gets_a_page(away: Edge, path: str, cookies: int, status: int, said: str) -> None:
    """Before, an empty 431 of the proxy, or nginx's "400 Bad Request"."""
    answer = away.get(path, {**PERSON, "Cookie": f"x={'y' * cookies}"})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (status, "no-store")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert said in answer.text
    # Whatever else it asked for would come with the same cookies.
    assert status == 503 or not re.search(r"<(link|script|img)|url\(", answer.text)


def test_the_page_arrives_while_the_request_is_still_sent(away: Edge) -> None:
    """Before, the rest of the request met a closed connection: a reset, and the page was lost."""
    with socket.create_connection(("127.0.0.1", away.port), timeout=10) as connection:
        for part in (b"GET /hub/home?next=" + b"x" * 17_000, b"x" * 4_000, b"x" * 4_000):
            connection.sendall(part)
            time.sleep(0.3)
        connection.sendall(b" HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    assert said.startswith("HTTP/1.1 414 ")
    assert said.endswith("</html>\n")


def test_what_is_no_request_gets_a_page(away: Edge) -> None:
    with socket.create_connection(("127.0.0.1", away.port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nno header\r\n\r\n")
        said = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    assert said.startswith("HTTP/1.1 400 ")
    assert "<h1>This request cannot be read</h1>" in said


def test_cookies_that_are_too_many_can_be_deleted(away: Edge) -> None:
    """By a button on the page that tells of them, and not by a page of another site."""
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=PROJECT / "tests/e2e/chromium_alone.py", args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context()
        page = context.new_page()
        # Also those that no script of a page sees.
        context.add_cookies(
            [
                {"name": f"c{i}", "value": "x" * 4000, "url": away.url(), "httpOnly": i % 2 == 0}
                for i in range(6)
            ]
        )
        page.route("http://other.test/", lambda route: route.fulfill(body=FOREIGN.format(away.url())))
        page.goto("http://other.test/")
        page.get_by_role("link").click()
        page.get_by_role("heading", name="too many cookies").wait_for()
        assert len(context.cookies()) == 6
        with page.expect_navigation():
            page.get_by_role("link", name="Delete the cookies and log in again").click()
        assert page.url == away.url()
        page.get_by_role("heading", name="will be right back").wait_for()
        assert context.cookies() == []
        browser.close()


def test_the_page_finds_nobody_ready(away: Edge) -> None:
    assert away.get("/_edge/ready").status_code == 503


def test_the_page_goes_on_by_itself(away: Edge) -> None:
    """A real browser waits on it, without an error in its console, and ends where it wanted to go."""
    with sync_playwright() as play:
        options = ["--no-sandbox", "--disable-gpu"]
        browser = play.chromium.launch(executable_path=PROJECT / "tests/e2e/chromium_alone.py", args=options)
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        # Such as a header that the browser does not understand, or a part of the page that was kept away.
        page.on("console", lambda message: "olicy" in message.text and errors.append(message.text))
        page.goto(away.url("/hub/home?next=x"))
        page.get_by_text("Waiting for the hub").wait_for()
        assert page.title() == 'Back soon – Institute\'s "Hub" & $friends'
        try:
            away.start_upstream()
            page.get_by_text('"path": "/hub/home?next=x"').wait_for(timeout=20_000)
        finally:
            away.stop_upstream()
        assert errors == []
        browser.close()
    away.wait_for(503, "/hub/home", PERSON)


def test_heals_by_itself(away: Edge) -> None:
    """The proxy comes, goes, and comes back with another address; nobody touches the edge."""
    try:
        away.start_upstream()
        assert away.get("/_edge/ready").status_code == 200
        away.stop_upstream()
        away.wait_for(503, "/hub/home", PERSON)
        # Takes the address that the proxy had.
        blocker = away.docker(
            *("run", "--detach", "--rm", "--network", f"{away.instance}-core"),
            *(away.docker("inspect", "--format", "{{.Config.Image}}", away.container).strip(), "sleep", "60"),
        ).strip()
        away.start_upstream()
        away.docker("rm", "--force", blocker)
    finally:
        away.stop_upstream()


def test_a_slow_header_is_cut_off(slow_header: Drip) -> None:
    """Without an answer, and although it sends something all the time."""
    slow_header.join(30)
    assert not slow_header.is_alive()
    assert (slow_header.cut_off, slow_header.answer) == (True, b"")
    assert 14 < slow_header.seconds < 25
