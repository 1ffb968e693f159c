# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What passes through the edge, what does not, and what stays when the settings change."""

from __future__ import annotations

import os
import socket
import time

import pytest
import requests
import websocket
from conftest import PERSON, Drip, Edge


def test_headers_reach_the_hub_as_the_browser_sent_them(upstream: Edge) -> None:
    forged = {"X-Forwarded-For": "192.0.2.7", "X-Real-IP": "192.0.2.7", "X-Scheme": "https", "Forwarded": "x"}
    answer = upstream.get("/hub/home?next=%2Flab%3Fa%3Db", forged).json()
    seen = answer["headers"]
    assert answer["path"] == "/hub/home?next=%2Flab%3Fa%3Db"
    assert seen["host"] == seen["x-forwarded-host"] == f"127.0.0.1:{upstream.port}"
    assert seen["x-forwarded-port"] == str(upstream.port)
    assert seen["x-forwarded-proto"] == seen["x-scheme"] == "http"
    assert seen["x-forwarded-for"] == seen["x-real-ip"] != "192.0.2.7"
    assert "forwarded" not in seen


@pytest.mark.parametrize("path", ["/_edge/health", "/_edge/nothing", "/hub/home", "/none503"])
def test_no_version_is_told(upstream: Edge, path: str) -> None:
    answer = upstream.get(path)
    assert answer.headers["Server"] == "nginx"
    assert not {"X-JupyterHub-Version", "X-Powered-By", "Via"} & set(answer.headers)
    assert "nginx/" not in answer.text


def test_a_hub_that_is_away_behind_the_proxy(upstream: Edge) -> None:
    assert "will be right back" in upstream.get("/none503", PERSON).text
    assert upstream.get("/none503").text == ""


def test_the_hubs_own_error_page_is_left_alone(upstream: Edge) -> None:
    for headers in (PERSON, None):
        answer = upstream.get("/page503", headers)
        assert (answer.status_code, answer.text) == (503, "<p>Your server is not running</p>")


def test_nothing_is_held_back(upstream: Edge) -> None:
    begin = time.monotonic()
    with requests.get(upstream.url("/slow"), stream=True, timeout=10) as answer:
        assert next(answer.iter_content(5)) == b"first"
        assert time.monotonic() - begin < 1.2


def test_large_uploads_pass(upstream: Edge) -> None:
    size = 120 * 2**20
    chunk = os.urandom(2**20)
    body = (chunk for _ in range(120))
    # A generator alone would be sent in chunks, without the length.
    session = requests.Session()
    request = session.prepare_request(
        requests.Request(
            "PUT", upstream.url("/user/alice/big"), data=body, headers={"Authorization": "token x"}
        )
    )
    del request.headers["Transfer-Encoding"]
    request.headers["Content-Length"] = str(size)
    assert session.send(request, timeout=60).json() == {"received": size}


@pytest.fixture(scope="module", autouse=True)
def slow_upload(upstream: Edge) -> Drip:
    """Takes 20 seconds, and more than one reload."""
    head = "PUT /user/alice/slow-upload HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n"
    return Drip(upstream.port, head.replace("\r\n\r\n", "\r\nCookie: jupyterhub-x=\r\n\r\n"), "x" * 40)


@pytest.fixture(scope="module")
def first_configuration(edge: Edge) -> bytes:
    return (edge.folder / "nginx.conf").read_bytes()


@pytest.mark.usefixtures("first_configuration")
def test_a_websocket_survives_a_change_of_settings(upstream: Edge) -> None:
    """And the new setting is served, by the same container."""
    before = upstream.started()
    kernel = websocket.create_connection(upstream.url("/user/alice/api/kernels", "ws"), timeout=10)
    kernel.send("before")
    assert kernel.recv() == "before"
    said = upstream.converge(edge_title="Another name")
    assert said.endswith("rc=0"), said
    assert "Another name will be right back" in upstream.get("/none503", PERSON).text
    kernel.send("after")
    assert kernel.recv() == "after"
    kernel.close()
    assert upstream.started() == before


def test_a_lost_reload_is_made_good(upstream: Edge, first_configuration: bytes) -> None:
    """A run that was killed between the two has left another configuration on disk than nginx has loaded."""
    (upstream.folder / "nginx.conf").write_bytes(first_configuration)
    assert "Another name" in upstream.get("/none503", PERSON).text
    assert upstream.converge().endswith("rc=0")
    assert "Institute" in upstream.get("/none503", PERSON).text


def test_a_slow_upload_passes(slow_upload: Drip) -> None:
    """Over a bad line a part comes now and then; the settings changed meanwhile."""
    slow_upload.join(30)
    assert slow_upload.answer.startswith(b"HTTP/1.1 200 ")
    assert slow_upload.answer.endswith(b'{"received": 40}')
    assert slow_upload.seconds > 19


def test_a_bad_configuration_leaves_the_old_one(upstream: Edge) -> None:
    before, written = upstream.get("/_edge/health").text, (upstream.folder / "nginx.conf").read_bytes()
    said = upstream.converge(__edge_digest='"; nonsense')
    assert "nginx: configuration file /candidate/nginx.conf test failed" in said
    assert not said.endswith("rc=0")
    assert (upstream.folder / "nginx.conf").read_bytes() == written
    assert upstream.get("/_edge/health").text == before


def test_a_port_that_is_taken_is_named(upstream: Edge) -> None:
    before = upstream.started()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        said = upstream.converge(edge_port=port)
    assert f"edge_port is {port} on 127.0.0.1: the process" in said, said
    assert f"({os.getpid()}) holds it. Choose another port or address, or stop that program." in said
    assert "changed=0" in said
    assert upstream.started() == before


def test_no_secret_is_in_the_log(upstream: Edge) -> None:
    upstream.get("/user/alice/lab?token=s3cret-token", {"Referer": "http://x/?token=s3cret-token"})
    upstream.get("/none503?token=s3cret-token", PERSON)
    requests.put(upstream.url("/big?token=s3cret-token"), headers={"Content-Length": str(2**40)}, timeout=10)
    upstream.stop_upstream()
    try:
        upstream.wait_for(503, "/hub/home?token=s3cret-token", PERSON)
    finally:
        upstream.start_upstream()
    log = upstream.log()
    assert '"GET /user/alice/lab HTTP/1.1" 200' in log
    assert "s3cret" not in log
    assert "?" not in log


def test_nginx_has_no_rights(upstream: Edge) -> None:
    shape = "{{.Config.User}} {{with .HostConfig}}{{.ReadonlyRootfs}} {{.CapDrop}} {{.SecurityOpt}}{{end}}"
    seen = upstream.docker("inspect", "--format", shape, upstream.container).strip()
    assert seen == "61080:61080 true [ALL] [no-new-privileges:true]"
    assert upstream.docker("port", upstream.container).strip() == f"8080/tcp -> 127.0.0.1:{upstream.port}"
    folder = upstream.folder.stat()
    assert (folder.st_uid, folder.st_gid, oct(folder.st_mode & 0o777)) == (0, 61080, "0o750")
