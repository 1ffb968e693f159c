# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Two instances behind one SNI router, as the tests reach them: by name, by the engine, by further runs."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import os
import socket
import ssl
import subprocess
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import websocket

SCENARIO = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"])
PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    def seen(self) -> dict[str, str]:
        """The headers that reached the upstream."""
        return t.cast("dict[str, str]", json.loads(self.text)["headers"])


def docker(*argv: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *argv], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, done.stderr
    return (done.stdout + done.stderr).strip()


def ansible(
    host: str, playbook: str = "converge.yml", *argv: str, **settings: object
) -> subprocess.Popen[str]:
    """Begin a further run for a host (or several, with commas)."""
    command = ["ansible-playbook", f"--limit={host}", "--extra-vars", json.dumps(settings), *argv]
    command += [f"--inventory={folder}/inventory" for folder in (PROJECT / "molecule/resources", SCENARIO)]
    environment = dict(os.environ, ANSIBLE_CONFIG=str(EPHEMERAL / "ansible.cfg"), ANSIBLE_FORCE_COLOR="0")
    return subprocess.Popen(
        [*command, str(SCENARIO / playbook)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )


def said(process: subprocess.Popen[str]) -> str:
    """What it says in the end, in one line: Ansible wraps long ones."""
    return " ".join(process.communicate()[0].split()) + f" rc={process.returncode}"


def run(host: str, playbook: str = "converge.yml", *argv: str, **settings: object) -> str:
    return said(ansible(host, playbook, *argv, **settings))


def converge(host: str, **settings: object) -> str:
    """A run that must go well."""
    told = run(host, **settings)
    assert told.endswith("rc=0"), told
    return told


@dataclasses.dataclass
class Hub:
    """One of the instances."""

    host: str
    instance: str
    name: str
    port: int
    router: str
    router_folder: str

    @property
    def edge(self) -> str:
        return f"{self.instance}-edge"

    @property
    def proxy(self) -> str:
        return f"{self.instance}-proxy"

    @property
    def authority(self) -> str:
        return f"/srv/{self.instance}/edge/ca.crt"

    @property
    def file(self) -> Path:
        return Path(self.router_folder) / "127.0.0.1/names" / f"{self.instance}.conf"

    def plain(self, port: int | None = None) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port or self.port), timeout=10)

    def tls(self, name: str = "", port: int | None = None) -> ssl.SSLSocket:
        """A connection as a browser's that trusts the instance's own authority and nobody else."""
        context = ssl.create_default_context(cafile=self.authority)
        plain = self.plain(port)
        try:
            return context.wrap_socket(plain, server_hostname=name or self.name)
        except BaseException:
            plain.close()
            raise

    def ask(
        self,
        path: str = "/",
        headers: dict[str, str] | None = None,
        *,
        over: socket.socket | None = None,
        name: str = "",
        method: str = "GET",
        body: t.Any = None,
    ) -> Answer:
        """Ask over TLS, or over a connection that is there."""
        connection = http.client.HTTPConnection(name or self.name, self.port)
        connection.sock = over or self.tls(name)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read().decode())
        finally:
            connection.close()

    def kernel(self, over: socket.socket | None = None) -> websocket.WebSocket:
        """A websocket through router and edge."""
        return websocket.create_connection(
            f"ws://{self.name}:{self.port}/user/alice/api/kernels", socket=over or self.tls(), timeout=10
        )

    def start_upstream(self) -> None:
        docker(
            *("run", "--detach", "--name", self.proxy),
            *("--network", f"{self.instance}-core", "--network-alias", "proxy"),
            *("--volume", f"{PROJECT}/molecule/edge/files/upstream.py:/upstream.py:ro"),
            *((EPHEMERAL / "image").read_text(), "python3", "/upstream.py"),
        )

    def wait_for(self, status: int, ask: t.Callable[[], Answer] | None = None) -> None:
        begin = time.monotonic()
        while True:
            with contextlib.suppress(OSError):
                if (ask or self.ask)().status == status:
                    return
            assert time.monotonic() - begin < 15, f"{self.name} does not answer {status}"
            time.sleep(0.2)


def known(host: str) -> Hub:
    return Hub(**json.loads((EPHEMERAL / f"{host}.json").read_text()))


def started(container: str) -> str:
    return docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", container)


def echoes(kernel: websocket.WebSocket) -> bool:
    kernel.send("still there?")
    return bool(kernel.recv() == "still there?")


@pytest.fixture(scope="session")
def hubs() -> Iterator[tuple[Hub, Hub]]:
    """Both, with upstreams behind them."""
    both = known("a"), known("b")
    for hub in both:
        docker("rm", "--force", hub.proxy, check=False)
        hub.start_upstream()
        hub.wait_for(200)
    yield both
    for hub in both:
        docker("rm", "--force", hub.proxy, check=False)


@pytest.fixture(scope="session")
def a(hubs: tuple[Hub, Hub]) -> Hub:
    return hubs[0]


@pytest.fixture(scope="session")
def b(hubs: tuple[Hub, Hub]) -> Hub:
    return hubs[1]


# Each file goes on with what the one before it has left.
ORDER = ["names", "changes", "plain"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files in this order, after those that every scenario has."""
    places = {f"test_{name}": place for place, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.path.stem, -1))
