# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Errors of openstacksdk and keystoneauth, as these raise them, in one sentence."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import typing as t
from pathlib import Path

import pytest
import requests
from keystoneauth1 import exceptions as auth
from openstack import exceptions as sdk

from ansible_collections.galilean.hub.plugins.module_utils.cloud import session as s
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

URL = "http://10.0.0.1:8774/v2.1/servers"


def answer(status: int, body: t.Any, kind: str = "application/json") -> sdk.HttpException:
    """What openstacksdk makes of an answer of a service."""
    response = requests.Response()
    response.status_code, response.url = status, URL
    response._content = (body if isinstance(body, str) else json.dumps(body)).encode()
    response.headers["content-type"] = kind
    response.request = requests.Request("POST", URL).prepare()
    with pytest.raises(sdk.HttpException) as caught:
        sdk.raise_from_response(response)
    return caught.value


ANSWERS: list[tuple[int, t.Any, str, str]] = [
    (
        400,
        {"badRequest": {"code": 400, "message": "Invalid key_name provided."}},
        "application/json",
        "Invalid key_name provided",
    ),
    (
        403,
        {"forbidden": {"code": 403, "message": "Quota exceeded for cores: Requested 4, but used 8 of 8"}},
        "application/json",
        "the credentials may not do that (Quota exceeded for cores: Requested 4, but used 8 of 8)",
    ),
    (
        409,
        {"NeutronError": {"type": "OverQuota", "message": "Quota exceeded for resources: ['port']."}},
        "application/json",
        "Quota exceeded for resources: ['port']",
    ),
    (
        401,
        {"error": {"code": 401, "message": "The request you have made requires authentication."}},
        "application/json",
        "the cloud refuses the credentials; they may have expired meanwhile",
    ),
    (503, "<html><body>The service is busy</body></html>", "text/html", "The service is busy"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind", "reason"), ANSWERS)
def test_answers_of_services(status: int, body: t.Any, kind: str, reason: str) -> None:
    exc = answer(status, body, kind)
    assert s.reason_of(exc) == reason
    with pytest.raises(HubError) as caught, s.errors("Server hub"):
        raise exc
    assert caught.value.message == f"Server hub: {reason}."
    assert caught.value.details == {"status": status}


@pytest.mark.parametrize("status", [400, 404, 409, 500, 503])
def test_an_address_is_no_reason(status: int) -> None:
    """Services that say nothing: what is left is at most the kind of the error."""
    exc = answer(status, "", "application/json")
    assert URL in str(exc), "this test is for errors that name it"
    reason = s.reason_of(exc)
    assert reason
    assert "http" not in reason.replace("HttpException", "")
    assert "Error for url" not in reason


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("No server with that name.", "No server with that name"),
        ("One\ntwo", "One"),
        ("\n  One.\n", "One"),
        ("", "no reason given"),
        (" \n ", "no reason given"),
        (".", "no reason given"),
        ("Wrong password (HTTP 401) (Request-ID: req-7b1f)", "Wrong password"),
        ("Wrong (HTTP 401)", "Wrong"),
        (f"NotFound: 404: Client Error for url: {URL}, No such image", "NotFound: 404: No such image"),
        (f"HttpException: 500: Server Error for url: {URL}, Broken", "HttpException: 500: Broken"),
        (f"HttpException: 500: Server Error for url: {URL}", "HttpException: 500"),
        ("x" * 400, "x" * 300),
        (
            "Unable to connect to https://x/v3: HTTPSConnectionPool(host='x', port=443): Max retries exceeded"
            " with url: /v3 (Caused by NameResolutionError(\"HTTPSConnection(host='x', port=443): Failed to"
            " resolve 'x' ([Errno -2] Name or service not known)\"))",
            "Unable to connect to https://x/v3: Name or service not known",
        ),
    ],
)  # fmt: skip
def test_the_first_line_for_people(text: str, line: str) -> None:
    assert s._first(text) == line


@pytest.mark.parametrize(
    ("exc", "sentence"),
    [
        (
            auth.http.Unauthorized("Wrong password", http_status=401, request_id="req-1"),
            "Cloud x: the cloud refuses the credentials (Wrong password). They are wrong, "
            "expired or revoked: correct "
            "clouds.yaml, or make a new application credential.",
        ),
        (
            auth.ConnectFailure("Unable to establish connection to http://x:5000"),
            "Cloud x: the cloud does not answer (Unable to establish connection to "
            "http://x:5000): check auth_url in "
            "clouds.yaml and the network.",
        ),
        (auth.ConnectTimeout("Request timed out"), "Cloud x: the cloud does not answer (Request timed out)"),
        (auth.SSLError("certificate verify failed\nmore"), "Cloud x: certificate verify failed."),
        (auth.EndpointNotFound("No compute endpoint."), "Cloud x: No compute endpoint."),
        (auth.http.ServiceUnavailable(), "Cloud x: Service Unavailable."),
        (sdk.ResourceTimeout("Too long"), "Cloud x: Too long."),
        (sdk.SDKException(""), "Cloud x: "),
    ],
)  # fmt: skip
def test_errors_begin_with_what_was_tried(exc: Exception, sentence: str) -> None:
    with pytest.raises(HubError) as caught, s.errors("Cloud x"):
        raise exc
    assert caught.value.message.startswith(sentence)
    assert caught.value.__cause__ is exc
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("exc", [HubError("Ours."), ZeroDivisionError(), KeyboardInterrupt()])
def test_other_errors_stay_as_they_are(exc: BaseException) -> None:
    with pytest.raises(type(exc)) as caught, s.errors("Cloud x"):
        raise exc
    assert caught.value is exc


def test_no_error() -> None:
    with s.errors("Cloud x"):
        pass


@pytest.fixture
def clouds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clouds.yaml for this test, and none of this machine's own."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    return tmp_path / "clouds.yaml"


def entry(url: str, **more: str) -> str:
    account = {
        "username": "a",
        "password": "b",
        "project_name": "c",
        "user_domain_id": "d",
        "project_domain_id": "d",
    }
    return json.dumps({"clouds": {"mycloud": {"auth": {"auth_url": url, **account}, **more}}})  # fmt: skip


def test_a_cloud_that_no_file_has(clouds: Path) -> None:
    clouds.write_text(entry("http://127.0.0.1:1/v3"))
    with pytest.raises(
        HubError, match=r"^The cloud is 'nowhere', and no clouds.yaml that openstacksdk finds has it"
    ):
        s.connect("nowhere")


def test_an_entry_that_cannot_be_used(clouds: Path) -> None:
    clouds.write_text(entry("http://127.0.0.1:1/v3", auth_type="carrier-pigeon"))
    with pytest.raises(HubError, match="carrier-pigeon") as caught:
        s.connect("mycloud")
    assert "\n" not in caught.value.message


def test_a_cloud_that_does_not_answer(clouds: Path) -> None:
    with socket.socket() as taken:
        # Bound and not listening: nobody else gets this port, and nobody answers there.
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v3"
        clouds.write_text(entry(url))
        with pytest.raises(HubError) as caught:
            s.connect("mycloud")
    assert caught.value.message == (
        "Cloud mycloud: the cloud does not answer (Unable to establish connection to "
        f"{url}/auth/tokens: Connection "
        "refused): check auth_url in clouds.yaml and the network."
    )


class Refuses(http.server.BaseHTTPRequestHandler):
    """Keystone, where somebody comes with a wrong password."""

    def do_GET(self) -> None:
        self.send_error(404)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = b'{"error": {"code": 401, "message": "Wrong password.", "title": "Unauthorized"}}'
        self.send_response(401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: t.Any) -> None:
        """Nothing on the screen."""


def test_a_cloud_that_refuses_the_credentials(clouds: Path) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Refuses) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            clouds.write_text(entry(f"http://127.0.0.1:{server.server_port}/v3"))
            with pytest.raises(HubError) as caught:
                s.connect("mycloud")
        finally:
            server.shutdown()
    assert caught.value.message.startswith(
        "Cloud mycloud: the cloud refuses the credentials (Wrong password). They are wrong, "
        "expired or revoked:"
    )
