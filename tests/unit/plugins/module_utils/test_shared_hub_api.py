# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import json
import re
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.shared import hub_api as api

READY = {"": {"ready": True, "pending": None, "url": "/user/a/", "user_options": {"hub_check": "created"}}}

USERS: list[tuple[int, t.Any, api.UserState]] = [
    (404, {"status": 404}, api.UserState(exists=False)),
    (200, {"name": "a"}, api.UserState(exists=True)),
    (200, {"name": "a", "servers": {}, "pending": None}, api.UserState(exists=True)),
    (
        200,
        {"servers": READY},
        api.UserState(True, running=True, ready=True, url="/user/a/", options={"hub_check": "created"}),
    ),
    (200, {"servers": {"": {"pending": "spawn"}}}, api.UserState(True, running=True, pending="spawn")),
    (200, {"servers": {"": {"stopped": True, "user_options": None}}}, api.UserState(True)),
    (200, {"servers": {"named": {"ready": True}}}, api.UserState(True)),
]


@pytest.mark.parametrize(("status", "model", "expected"), USERS)
def test_parse_user(status: int, model: t.Any, expected: api.UserState) -> None:
    assert api.parse_user(api.Answer(status, json.dumps(model))) == expected


def test_parse_user_refuses_a_page() -> None:
    with pytest.raises(api.HubApiError, match="not JSON"):
        api.parse_user(api.Answer(200, "<html>"))


REASONS: list[tuple[api.Answer, str]] = [
    (
        api.Answer(403, '{"message": "Missing or invalid\\ncredentials."}'),
        "Missing or invalid credentials. (HTTP 403)",
    ),
    (api.Answer(404, '{"message": null}'), "no reason given (HTTP 404)"),
    (api.Answer(302, "", "/hub/login?next=%2Fsecret"), "sent on to /hub/login (HTTP 302)"),
    (api.Answer(302), "sent on to another page (HTTP 302)"),
    (api.Answer(502, "<html>"), "the part behind the edge is away (HTTP 502)"),
    (api.Answer(500, "[1]"), "no reason given (HTTP 500)"),
]


@pytest.mark.parametrize(("answer", "expected"), REASONS)
def test_reason(answer: api.Answer, expected: str) -> None:
    assert api.reason(answer) == expected


STREAMS: list[tuple[str, str]] = [
    ("", ""),
    ("\n\n", ""),
    ('data: {"progress": 0, "message": "Server requested"}\n\n', ""),
    (
        '\n\ndata: {"failed": true, "message": "Spawn failed: no such\\n image."}\n\n',
        "Spawn failed: no such image",
    ),
    ('data: {"progress": 50}\n\ndata: {"failed": true, "message": "late"}\n', "late"),
    ("data: {broken\ndata: [1]\nevent: x\n", ""),
    ('data: {"failed": true}\n', ""),
]


@pytest.mark.parametrize(("stream", "expected"), STREAMS)
def test_spawn_failure(stream: str, expected: str) -> None:
    assert api.spawn_failure(stream) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://hub.example.org/", "https://hub.example.org"),
        ("https://example.org/jupyter/", "https://example.org/jupyter"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
    ],
)
def test_base_url(url: str, expected: str) -> None:
    assert api.check_base_url(url) == expected


@pytest.mark.parametrize(
    "url", ["", "hub.example.org", "ftp://hub", "http://", "http://hub:port", "http://hub:0"]
)
def test_base_url_refused(url: str) -> None:
    expected = f"url is {url!r}: give the public address of the hub, such as http://127.0.0.1:8000"
    with pytest.raises(api.HubApiError, match=f"^{re.escape(expected)}$"):
        api.check_base_url(url)


@pytest.mark.parametrize(
    ("url", "expected"), [("http://h/user/a", "ws://h/user/a"), ("https://h:1/x", "wss://h:1/x")]
)
def test_websocket_url(url: str, expected: str) -> None:
    assert api.websocket_url(url) == expected


def test_offered_kernels() -> None:
    answer = api.Answer(200, json.dumps({"default": "python3", "kernelspecs": {"r": {}, "python3": {}}}))
    assert api.offered_kernels(answer) == ["python3", "r"]
    with pytest.raises(api.HubApiError, match="did not list its kernels"):
        api.offered_kernels(api.Answer(200, "<html>"))


class Recorder(api.Transport):
    """Answers every request alike and remembers them."""

    def __init__(self, answer: api.Answer) -> None:
        self.answer = answer
        self.sent: list[tuple[str, str, str | None]] = []

    def send(self, method: str, url: str, body: str | None, timeout: float) -> api.Answer:
        self.sent.append((method, url, body))
        return self.answer


def test_server_url_takes_the_path_from_the_hub() -> None:
    client = api.HubClient("https://h/base", Recorder(api.Answer(200)))
    assert client.server_url(api.UserState(True, url="/base/user/a/")) == "https://h/base/user/a"
    # Servers with names of their own.
    assert client.server_url(api.UserState(True, url="https://a.h/user/a/")) == "https://a.h/user/a"


def test_unwanted_status_is_an_error() -> None:
    client = api.HubClient("http://h", Recorder(api.Answer(500, '{"message": "no"}')))
    with pytest.raises(api.HubApiError, match=r"^no \(HTTP 500\)$") as info:
        client.create_user("a")
    assert info.value.status == 500


def test_something_else_than_a_hub() -> None:
    client = api.HubClient("http://h", Recorder(api.Answer(200, "<html>")))
    with pytest.raises(api.HubApiError, match="not a JupyterHub"):
        client.version()
