# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Strangers at the front door, while people work.

Strangers come from containers of their own, so from addresses of their own. People come over loopback.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import statistics
import subprocess
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from deployment import Deployment, as_root, docker
from patience import AT_ONCE

if t.TYPE_CHECKING:
    from user_client import UserClient

PROGRAM = Path(__file__).with_name("untrusted_client.py")


class Strangers:
    """A container that attacks; leaving the block ends it."""

    def __init__(self, site: Deployment, *what: dict[str, t.Any]) -> None:
        network = f"{site.instance}-core"
        image = docker("inspect", "--format", "{{.Config.Image}}", site.container("hub"))
        told = [{"host": "edge", "port": 8443, "path": "/hub/login", **one} for one in what]
        argv = ["docker", "run", "--rm", "--interactive", "--network", network, "--entrypoint", "python3"]
        # Others' computers do not take this one's processors.
        argv += ["--cpu-shares", "512"]
        argv += ["--volume", f"{PROGRAM}:/client.py:ro", image, "/client.py", json.dumps(told)]
        self._process = subprocess.Popen(
            as_root(argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Strangers:
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def said(self) -> dict[str, int]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the strangers have failed"
        found: dict[str, int] = json.loads(line)
        return found

    def leave(self) -> dict[str, int]:
        """End, and what was there until then."""
        assert self._process.stdin
        self._process.stdin.close()
        return self.said()


def edge_state(site: Deployment) -> dict[str, t.Any]:
    """What changes when something is restarted or killed, of all parts and of nginx' own processes."""
    parts = [site.container(part) for part in ("edge", "proxy", "hub")]
    form = "{{.Name}} {{.State.StartedAt}} {{.RestartCount}} {{.State.OOMKilled}}"
    return {
        "parts": docker("inspect", "--format", form, *parts),
        "processes": sorted(docker("top", parts[0], "-eo", "pid,comm").splitlines()),
    }


def memory(site: Deployment) -> int:
    """Most memory of the edge so far, as far as its kernel keeps that."""
    for file in ("memory.peak", "memory/memory.max_usage_in_bytes"):
        found = docker("exec", site.container("edge"), "cat", f"/sys/fs/cgroup/{file}", check=False)
        if found.isdigit():
            return int(found)
    return 0


class Work:
    """People who compute, and somebody who looks at the login page all the time."""

    def __init__(self, site: Deployment, authority: Path, workers: list[UserClient]) -> None:
        self.workers = workers
        self.context = ssl.create_default_context(cafile=str(authority))
        self.port = int(site.url.rpartition(":")[2])
        self.seconds: list[float] = []
        self.failed: list[str] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._observe, daemon=True)]
        self._threads += [threading.Thread(target=self._compute, args=(one,), daemon=True) for one in workers]

    def page(self) -> float:
        """Seconds until the login page is there, over a new connection."""
        began = time.monotonic()
        connection = http.client.HTTPSConnection("localhost", self.port, context=self.context, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", "/hub/login")
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
        return time.monotonic() - began

    def _observe(self) -> None:
        while not self._ended.wait(0.1):
            try:
                self.seconds.append(self.page())
            except (OSError, AssertionError) as exc:
                self.failed.append(f"login: {exc!r}")

    def _compute(self, one: UserClient) -> None:
        number = 0
        while not self._ended.wait(1):
            number += 1
            try:
                assert one.run(f"print({number} * 7)") == str(number * 7)
            except Exception as exc:
                self.failed.append(f"kernel of {one.name}: {exc!r}")
                return

    def __enter__(self) -> Work:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(timeout=60)


@pytest.fixture(scope="module", params=[4, pytest.param(20, marks=pytest.mark.slow)])
def workers(
    site: Deployment, authority: Path, request: pytest.FixtureRequest
) -> t.Iterator[list[UserClient]]:
    """People with open kernels, who come together, and leave together."""
    from user_client import UserClient

    found = [
        UserClient(site.url, site.token, f"edge{number}", ca=str(authority))
        for number in range(request.param)
    ]
    with ThreadPoolExecutor(len(found)) as pool:
        list(pool.map(UserClient.start, found))
        list(pool.map(lambda person: person.open_kernel("python3"), found))
        yield found
        list(pool.map(UserClient.leave, found))


@pytest.fixture
def windows(site: Deployment, authority: Path, workers: list[UserClient]) -> t.Iterator[list[ssl.SSLSocket]]:
    """Second websockets of the same people, which nobody says anything on."""
    context = ssl.create_default_context(cafile=str(authority))
    port = int(site.url.rpartition(":")[2])
    found = []
    for person in workers:
        kernels = person.client.ask("GET", f"{person.server}/api/kernels").json()
        path = f"/user/{person.name}/api/kernels/{kernels[0]['id']}/channels"
        raw = socket.create_connection(("localhost", port), timeout=60)
        one = context.wrap_socket(raw, server_hostname="localhost")
        one.sendall(
            f"GET {path}?session_id=second HTTP/1.1\r\nHost: localhost:{port}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {'A' * 22}==\r\nAuthorization: token {site.token}\r\n\r\n".encode()
        )
        assert b" 101 " in one.recv(4096)
        found.append(one)
    yield found
    for one in found:
        one.close()


def lost(windows: list[ssl.SSLSocket]) -> int:
    """How many of them were hung up on. Kernels say things on them all the time."""
    gone = 0
    for one in windows:
        one.settimeout(0.02)
        with contextlib.suppress(TimeoutError, ssl.SSLWantReadError):
            for _ in range(50):
                try:
                    more = one.recv(65536)
                except TimeoutError:
                    raise
                except OSError:
                    more = b""
                if not more:
                    gone += 1
                    break
    return gone


# What strangers may ask for, of the hub, the proxy, and somebody's server that asks the hub.
REQUESTS: list[dict[str, t.Any]] = [
    {"path": "/hub/login"},
    {"path": "/hub/login", "headers": {"Accept": "text/html"}},
    {"method": "POST", "path": "/hub/api/users", "headers": {"Authorization": "token RANDOM"}},
    {"path": "/hub/static/js/admin-react.js"},
    {"path": "/user/nobody/lab"},
    {"path": "/user/nobody/lab", "headers": {"Authorization": "token RANDOM"}},
    {"path": "/user/edge1/api/contents", "headers": {"Authorization": "token RANDOM"}},
    {"path": "/user/edge1/oauth_callback?code=RANDOM&state=x", "headers": {"Authorization": "token RANDOM"}},
    {"path": "/user/edge1/lab?RANDOM", "headers": {"Accept": "text/html", "Cookie": "jupyterhub-x=x"}},
    {"path": "/services/nothing/"},
    {"path": "/_edge/ready"},
]

# 94 KB of the first one ended one of nginx' two processes. The rest are neighbours.
ATTACKS: dict[str, list[dict[str, t.Any]]] = {
    "repeated-headers": [
        {"kind": "streams", "count": 8, "streams": 120, "repeat": 60, "path": "/_edge/health"},
        {"kind": "streams", "count": 500, "streams": 8, "repeat": 4, "path": "/_edge/away.css"},
    ],
    "unfinished-headers": [
        {"kind": "unfinished", "count": 400},
        {"kind": "unfinished", "count": 700, "line": 3000, "lines": 5},
    ],
    "slow-posts": [{"kind": "posts", "count": 1200, "length": 60000, "sent": 3000}],
    "header-lines": [
        {"kind": "lines", "count": 50, "streams": 8, "path": "/_edge/health"},
        {"kind": "continued", "count": 50, "repeat": 3},
        {"kind": "continued", "count": 50, "repeat": 16000, "frames": 4},
    ],
    # Not at the hub: what was taken back is counted, and the next stranger here has the same address.
    "resets": [{"kind": "resets", "count": 2, "seconds": 1.5, "path": "/services/nothing/"}],
    "silence": [{"kind": "silent", "count": 2400}],
    "slow-reads": [
        {
            "kind": "slow_reads",
            "count": 60,
            "path": "/hub/static/js/admin-react.js",
            "reads": False,
            "buffer": 4096,
            "pipelined": 1,
        }
    ],
    "requests": [{"kind": "flood", "count": 1, "connections": 36, "seconds": 4, "requests": REQUESTS}],
    "guesses": [
        {
            "kind": "flood",
            "count": 1,
            "connections": 36,
            "seconds": 3,
            "requests": [
                {"method": "POST", "path": "/hub/login", "form": True, "body": "username=edge1&password=no"}
            ],
        }
    ],
    "uploads": [
        {
            "kind": "posts",
            "count": 100,
            "path": "/user/edge1/api/contents/x",
            "length": 2**30,
            "sent": 300_000,
            "headers": {"Cookie": "jupyterhub-user-edge1=x"},
        },
        {"kind": "posts", "count": 100, "path": "/user/edge1/api/contents/x", "sent": 60_000},
    ],
}


# One that another test has, too.
SELDOM = {"silence"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SELDOM else ()) for name in ATTACKS]
)
def test_people_go_on_working(
    site: Deployment, authority: Path, workers: list[UserClient], windows: list[ssl.SSLSocket], name: str
) -> None:
    """Before: for each of the first two, the kernel ended nginx' processes and so all websockets."""
    before = edge_state(site)
    with Work(site, authority, workers) as work, Strangers(site, *ATTACKS[name]) as strangers:
        told = strangers.said()
        # A moment more with all that is still open.
        time.sleep(1.5)
    assert not work.failed
    assert lost(windows) == 0
    assert edge_state(site) == before
    assert len(work.seconds) > 3
    assert sorted(work.seconds)[int(len(work.seconds) * 0.99)] < AT_ONCE, (
        statistics.median(work.seconds),
        max(work.seconds),
    )
    limit = int(docker("inspect", "--format", "{{.HostConfig.Memory}}", site.container("edge")))
    peak = memory(site)
    print(
        name, told, f"{peak / 2**20:.0f} of {limit / 2**20:.0f} MiB, login {max(work.seconds):.2f} s at most"
    )
    assert peak < limit * 0.6


def test_one_address_leaves_room_for_others(site: Deployment, authority: Path) -> None:
    """Before: one client held 1,468 of 2,400 silent connections."""
    with Strangers(site, {"kind": "silent", "count": 2400}) as strangers:
        told = strangers.said()
        assert told["open"] < told["tried"], "this machine has memory for more connections than were tried"
        with Strangers(site, {"kind": "keep", "count": 20}) as others:
            assert others.said()["open"] == 20
        assert Work(site, authority, []).page() < AT_ONCE * 2


def test_a_class_behind_one_address(site: Deployment, authority: Path) -> None:
    """300 people, each with a connection of HTTP/2 and four of HTTP/1.1."""
    with Strangers(
        site, {"kind": "visit", "count": 300, "path": "/hub/login"}, {"kind": "keep", "count": 1200}
    ) as people:
        assert people.said()["open"] == 1500
        assert Work(site, authority, []).page() < AT_ONCE * 2
        assert people.leave() == {"tried": 1500, "open": 1500, "answered": 1200}


UPLOAD = 3 * 2**20


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/hub/api/users", {}),
        ("/hub/api/users", {"Authorization": "token x"}),
        ("/hub/login", {"Cookie": "jupyterhub-session-id=x"}),
        ("//hub/api/users", {}),
        ("/HUB/api/users", {}),
        ("/hub/../hub/api/users", {}),
        ("/%68ub/api/users", {}),
        ("/nothing", {}),
        ("/user/../hub/api/users", {"Authorization": "token x"}),
        ("//user/edge1/api/contents/x", {"Authorization": "token x"}),
        ("/user/edge1/api/contents/x", {}),
        ("/user/edge1/api/contents/x", {"Cookie": "_xsrf=x"}),
        ("/%75ser/edda/api/contents/x", {"Authorization": "token x"}),
    ],
)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_large_bodies_are_refused_unread(
    site: Deployment, authority: Path, path: str, headers: dict[str, str], chunked: bool
) -> None:
    """Before: all of it was taken before the answer came."""
    context = ssl.create_default_context(cafile=str(authority))
    connection = http.client.HTTPSConnection(
        "localhost", int(site.url.rpartition(":")[2]), context=context, timeout=60
    )
    sent = 0
    with contextlib.closing(connection):
        connection.putrequest("PUT", path)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("Transfer-Encoding", "chunked") if chunked else connection.putheader(
            "Content-Length", str(UPLOAD)
        )
        connection.endheaders()
        # The answer comes while the body is still being sent, and then the connection ends.
        with contextlib.suppress(OSError):
            for _ in range(12):
                piece = b"x" * 2**15
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
                sent += len(piece)
        answer = connection.getresponse()
        assert answer.status in (404, 413), answer.status
    assert sent <= 12 * 2**15 < UPLOAD


def test_slow_bodies_for_the_hub_fill_no_disk(site: Deployment, authority: Path) -> None:
    """Before: of 256 KiB all but the first part went to /tmp, which 64 of them filled."""
    context = ssl.create_default_context(cafile=str(authority))
    port = int(site.url.rpartition(":")[2])
    head = f"POST /hub/api/users HTTP/1.1\r\nHost: localhost:{port}\r\n"
    kinds = ("Content-Length: 262144\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n3f000\r\n")
    with contextlib.ExitStack() as opened:
        slow = []
        for number in range(80):
            raw = opened.enter_context(socket.create_connection(("localhost", port), timeout=60))
            slow.append(opened.enter_context(context.wrap_socket(raw, server_hostname="localhost")))
            # Who is refused may hang up meanwhile.
            with contextlib.suppress(OSError):
                slow[-1].sendall(f"{head}{kinds[number % 2]}".encode() + b"x" * 200_000)
        time.sleep(1)
        used = docker("exec", site.container("edge"), "df", "-k", "/tmp").split()[-4]
        assert int(used) < 4096
        refused = 0
        for one in slow:
            one.settimeout(0.02)
            with contextlib.suppress(OSError):
                refused += b" 429 " in one.recv(4096)
        assert refused > 40
        # Forms and most of what programs send are smaller.
        assert Work(site, authority, []).page() < AT_ONCE
        connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=60)
        connection.request("POST", "/hub/api/users", body=b"x" * 60_000)
        assert connection.getresponse().status == 403
        connection.close()


def test_uploads_of_people_go_on_to_work(site: Deployment, workers: list[UserClient]) -> None:
    """A file of 20 MB in one request, by somebody who may."""
    person = workers[0]
    text = "x" * (20 * 2**20)
    person.write("large.txt", text)
    assert person.read("large.txt")["size"] == len(text)
    person.delete("large.txt")


def test_what_the_proxy_and_nginx_could_take_differently(
    site: Deployment, authority: Path, workers: list[UserClient]
) -> None:
    """A user's server is reached by its plain path alone. Before: backslashes and dots led there, too."""
    context = ssl.create_default_context(cafile=str(authority))
    port = int(site.url.rpartition(":")[2])

    def ask(path: str) -> tuple[int, str]:
        connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=60)
        with contextlib.closing(connection):
            connection.putrequest("GET", path)
            connection.putheader("Authorization", f"token {site.token}")
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")

    name = workers[0].name
    assert "started" in ask(f"/user/{name}/api/status")[1]
    for path in (
        f"//user/{name}/api/status", f"/%75ser/{name}/api/status", f"/user%2f{name}/api/status",
        f"/user\\{name}/api/status", f"/\\user/{name}/api/status", f"/hub/../user/{name}/api/status",
        f"/./user/{name}/api/status",
        f"/%75ser/{name}/../../hub/home", f"/user%5c{name}/api/status", f"/%2fuser/{name}/api/status",
        f"/user/{name}/../../hub/api/info",
    ):  # fmt: skip
        status, said = ask(path)
        assert status == 404, (path, status, said[:200])
        assert "started" not in said


def test_the_edge_says_that_it_is_well(site: Deployment) -> None:
    """Before: it had no check."""
    end = time.monotonic() + 60
    while (
        seen := docker("inspect", "--format", "{{.State.Health.Status}}", site.container("edge"))
    ) != "healthy":
        assert seen == "starting"
        assert time.monotonic() < end
        time.sleep(1)
