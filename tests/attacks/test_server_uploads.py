# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Bodies, tokens and logins that nobody has asked for, sent to a user's server.

And those of people, which go on to work.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import random
import secrets
import socket
import ssl
import time
import typing as t
from pathlib import Path

import pytest
from deployment import Deployment, docker
from hub_settings import in_hub
from patience import AT_ONCE
from user_client import UserClient

MB = 2**20


@pytest.fixture(scope="module")
def ada(people: t.Callable[[str], UserClient]) -> UserClient:
    """Somebody at work: with an open kernel that has computed something."""
    ada = people("ada")
    ada.open_kernel("python3")
    ada.run("held = 6 * 7")
    return ada


@pytest.fixture
def container(site: Deployment, ada: UserClient) -> t.Iterator[str]:
    """Ada's container; after the attack it is the same one, and the kernel has what it had."""
    container = ada.container(site.instance)
    started = docker("inspect", "--format={{.State.StartedAt}}", container)
    yield container
    form = "--format={{.State.StartedAt}} {{.State.OOMKilled}}"
    assert docker("inspect", form, container) == f"{started} false"
    assert ada.run("print(held)") == "42"


def direct(container: str) -> tuple[str, int]:
    """Where the server itself listens, past edge and proxy."""
    form = "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return docker("inspect", form, container), 8888


def memory(container: str) -> int:
    """Bytes that the container's processes have, without the page cache."""
    number = docker("inspect", "--format={{.State.Pid}}", container)
    for line in Path(f"/proc/{number}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for folder in ("/sys/fs/cgroup/memory", "/sys/fs/cgroup"):
            file = Path(f"{folder}{path}/memory.stat")
            if controllers in ("memory", "") and file.exists():
                facts = dict(row.split() for row in file.read_text().splitlines())
                return int(facts.get("total_rss") or facts["anon"])
    raise AssertionError(f"nothing says how much memory {container} has")


def begin(address: tuple[str, int], head: str, authority: Path | None = None) -> socket.socket:
    """Open a connection and send a request's head."""
    connection = socket.create_connection(address, timeout=10)
    if authority:
        connection = ssl.create_default_context(cafile=str(authority)).wrap_socket(
            connection, server_hostname="localhost"
        )
    connection.sendall(head.encode())
    return connection


def pour(connection: socket.socket, size: int, chunked: bool = False) -> None:
    """Send so much of a body, or less when the other side has enough."""
    block = b"x" * 2**16
    if chunked:
        block = b"10000\r\n" + block + b"\r\n"
    try:
        for _ in range(size // 2**16):
            connection.sendall(block)
    except OSError:
        pass


def status(connection: socket.socket) -> int:
    """The status of the answer; 0 where the connection was closed without one."""
    try:
        words = connection.recv(4096).split()
    except OSError:
        return 0
    return int(words[1]) if len(words) > 1 else 0


PATHS = ("api/contents/x", "api/kernels", "proxy/8888/x", "terminals/websocket/1", "nowhere", "../../")
CREDENTIALS = {
    "none": "",
    "forged token": "Authorization: token 0123456789abcdef0123456789abcdef\r\n",
    "forged cookie": 'Cookie: jupyterhub-user-ada="2|1:0|10:1700000000|19:jupyterhub-user-ada|4:eA==|00"\r\n',
}


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("credential", CREDENTIALS)
def test_bodies_of_strangers_are_not_collected(
    ada: UserClient, container: str, credential: str, chunked: bool
) -> None:
    """Found: of three unfinished PUTs without credentials a server of 512 MiB was dead in 6 seconds."""
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {1000 * MB}"
    before = memory(container)
    opened = []
    for path in PATHS:
        head = f"PUT /user/ada/{path} HTTP/1.1\r\nHost: x\r\n{CREDENTIALS[credential]}{length}\r\n\r\n"
        opened.append(begin(direct(container), head))
        pour(opened[-1], 100 * MB, chunked)
    assert memory(container) < before + 50 * MB
    # 400: too large for what asks for no user, such as the page for addresses that are none.
    assert {status(connection) for connection in opened} <= {400, 403}
    for connection in opened:
        connection.close()


def test_neighbours_are_strangers(
    site: Deployment, ada: UserClient, container: str, people: t.Callable[[str], UserClient]
) -> None:
    """A valid token of somebody who may not use the server is none."""
    bob = people("bob").container(site.instance)
    token = docker("exec", bob, "printenv", "JUPYTERHUB_API_TOKEN")
    before = memory(container)
    head = f"PUT /user/ada/api/contents/x HTTP/1.1\r\nHost: x\r\nAuthorization: token {token}\r\n"
    connection = begin(direct(container), f"{head}Content-Length: {1000 * MB}\r\n\r\n")
    pour(connection, 200 * MB)
    assert status(connection) == 403
    assert memory(container) < before + 50 * MB


def test_many_small_bodies_are_not_collected(ada: UserClient, container: str) -> None:
    """Nothing is kept, however small it is: 800 connections with 60 KiB of 64 KiB each would be 48 MiB."""
    before = memory(container)
    head = f"POST /user/ada/api/kernels HTTP/1.1\r\nHost: x\r\nContent-Length: {2**16}\r\n\r\n"
    opened = []
    for _ in range(800):
        opened.append(begin(direct(container), head))
        opened[-1].sendall(b"x" * 60 * 1024)
    assert memory(container) < before + 30 * MB
    for connection in opened:
        connection.close()


def test_nobody_is_asked_to_go_on(ada: UserClient, container: str) -> None:
    head = "PUT /user/ada/api/contents/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
    head += "Content-Length: 1000000\r\n\r\n"
    assert status(begin(direct(container), head)) == 403


def test_the_edge_is_no_way_around(
    site: Deployment, ada: UserClient, container: str, authority: Path
) -> None:
    """The same by the public address, with what looks like a session."""
    port = int(site.url.rpartition(":")[2])
    before = memory(container)
    opened = []
    for _ in range(3):
        head = f"PUT /user/ada/api/contents/x HTTP/1.1\r\nHost: localhost:{port}\r\n"
        head += f"{CREDENTIALS['forged cookie']}Content-Length: {1000 * MB}\r\n\r\n"
        opened.append(begin(("127.0.0.1", port), head, authority))
        pour(opened[-1], 60 * MB)
    assert memory(container) < before + 50 * MB
    # 503: the proxy's word for a server that has hung up.
    assert {status(connection) for connection in opened} <= {0, 403, 413, 503}


# Nearly all that the edge lets through of cookies.
SESSION = "jupyterhub-session-id"
UNKNOWN: dict[str, tuple[str, dict[str, str]]] = {
    "token": ("api/contents", {"Authorization": "token RANDOM"}),
    "bearer": ("lab", {"Authorization": "Bearer RANDOM", "Accept": "text/html"}),
    "websocket": (
        "api/events/subscribe?%74oken=RANDOM",
        {
            **{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"},
            **{"Sec-WebSocket-Key": f"{'A' * 22}==", "Sec-Fetch-Mode": "websocket"},
        },
    ),
    "body": (
        "api/kernels",
        {"Authorization": "token RANDOM", "X-XSRFToken": "RANDOM", "Content-Length": "0"},
    ),
    "login": ("oauth_callback?code=RANDOM&state=RANDOM", {"Authorization": "token RANDOM"}),
}
# A new token, from another address, and how long that took.
ELSEWHERE = """
import ssl, sys, time, urllib.request as r
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
began = time.monotonic()
q = r.Request("https://edge:8443/user/ada/api/status", headers={"Authorization": "token " + sys.argv[1]})
print(r.urlopen(q, timeout=30, context=context).status, time.monotonic() - began)
"""


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_tokens_cost_nothing(
    site: Deployment, ada: UserClient, container: str, authority: Path, name: str
) -> None:
    """Before: the hub was asked about each, and what it said was kept, with the cookies as they came.

    30,000 of these took 378 MiB, at 500 a second.
    """
    path, headers = UNKNOWN[name]
    new = in_hub(site, "print(orm.User.find(db, 'ada').new_api_token(expires_in=600))")
    connection = http.client.HTTPSConnection(
        "localhost", int(site.url.rpartition(":")[2]), timeout=60,
        context=ssl.create_default_context(cafile=str(authority)),
    )  # fmt: skip
    before, began, found, waited = memory(container), time.monotonic(), dict[int, int](), []
    # Logins wait in the line of the hub's requests.
    count = 300 if name == "login" else 1500
    for number in range(count):
        if number % 100 == 0:
            asked = time.monotonic()
            ada.client.ask("GET", f"{ada.server}/api/status")
            waited.append(time.monotonic() - asked)
        said = {key: value.replace("RANDOM", secrets.token_hex(16)) for key, value in headers.items()}
        said["Cookie"] = f"{SESSION}={secrets.token_hex(6500)}"
        method = "POST" if name == "body" else "GET"
        connection.request(method, f"/user/ada/{path.replace('RANDOM', secrets.token_hex(16))}", headers=said)
        answer = connection.getresponse()
        answer.read()
        found[answer.status] = found.get(answer.status, 0) + 1
        if answer.status == 429:
            assert answer.headers["Retry-After"]
        if number == count // 2:
            elsewhere = docker("exec", site.container("hub"), "python3", "-c", ELSEWHERE, new).split()
    connection.close()
    seconds = time.monotonic() - began
    print(name, found, f"{seconds:.0f} s, {(memory(container) - before) / MB:.0f} MiB, {max(waited):.2f} s")
    assert memory(container) < before + 10 * MB
    # So many at once, one in five seconds; and those before of the same address.
    assert found.pop(429) >= count - 21 - seconds / 5
    # Who sends a body gets a new secret, with the name of the session in it: too long for the edge.
    assert set(found) <= ({503} if name == "body" else {302, 403})
    assert max(waited) < AT_ONCE
    assert elsewhere[0] == "200"
    assert float(elsewhere[1]) < AT_ONCE


def test_logins_that_nobody_finishes_are_small(
    ada: UserClient, container: str, site: Deployment, authority: Path
) -> None:
    """Before: each address that somebody wanted to come back to was kept for ten minutes."""
    connection = http.client.HTTPSConnection(
        "localhost", int(site.url.rpartition(":")[2]), timeout=60,
        context=ssl.create_default_context(cafile=str(authority)),
    )  # fmt: skip
    headers = {"Accept": "text/html", "Cookie": "jupyterhub-x=x"}
    before = memory(container)
    for _ in range(2000):
        connection.request("GET", f"/user/ada/lab?{secrets.token_hex(6000)}", headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 302
    connection.close()
    print(f"{(memory(container) - before) / MB:.0f} MiB")
    assert memory(container) < before + 15 * MB


def test_people_upload_in_parts(ada: UserClient, container: str) -> None:
    """As JupyterLab does it, in requests of 1 MiB; 200 MiB in all, and the server does not grow by them."""
    block, said = random.Random(12).randbytes(MB), hashlib.sha256()
    before, parts = memory(container), 200
    for number in range(1, parts + 1):
        part = number.to_bytes(4, "big") + block[4:]
        said.update(part)
        model = {"type": "file", "format": "base64", "content": base64.b64encode(part).decode()}
        model["chunk"] = number if number < parts else -1  # type: ignore[assignment]
        ada.client.ask("PUT", f"{ada.server}/api/contents/big.bin", (200, 201), model)
    assert memory(container) < before + 100 * MB
    digest = "hashlib.file_digest(open('/home/jovyan/big.bin', 'rb'), 'sha256').hexdigest()"
    assert ada.run(f"import hashlib; print({digest})") == said.hexdigest()
    ada.delete("big.bin")


def test_people_save_large_notebooks(ada: UserClient, container: str) -> None:
    """60 MB in one request."""
    cell = {"cell_type": "raw", "id": "a", "metadata": {}, "source": "x" * 60_000_000}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    model = {"type": "notebook", "format": "json", "content": notebook}
    ada.client.ask("PUT", f"{ada.server}/api/contents/large.ipynb", (200, 201), model)
    assert int(ada.run("import os; print(os.path.getsize('/home/jovyan/large.ipynb'))")) > 60_000_000
    ada.delete("large.ipynb")
