# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The deployed edge, as the tests reach it: by its address, its engine, and further runs of the role."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

SCENARIO = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"])
PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@dataclasses.dataclass
class Edge:
    instance: str
    port: int
    python: str
    tls: bool = False
    upstream_address: str = ""

    @property
    def container(self) -> str:
        return f"{self.instance}-edge"

    @property
    def proxy(self) -> str:
        return f"{self.instance}-proxy"

    @property
    def folder(self) -> Path:
        return Path("/srv") / self.instance / "edge"

    def url(self, path: str = "/", scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def get(self, path: str, headers: dict[str, str] | None = None) -> requests.Response:
        return requests.get(self.url(path), headers=headers, timeout=10, allow_redirects=False)

    def docker(self, *argv: str, check: bool = True) -> str:
        done = subprocess.run(["docker", *argv], capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout + done.stderr

    def started(self) -> str:
        return self.docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", self.container)

    def log(self) -> str:
        return self.docker("logs", self.container)

    def logs(self, text: str) -> bool:
        """Whether a text comes into the log: a request is written down after its answer."""
        end = time.monotonic() + 20
        while text not in self.log():
            if time.monotonic() > end:
                return False
            time.sleep(0.2)
        return True

    def converge(self, *argv: str, playbook: str = "../resources/converge.yml", **settings: object) -> str:
        """Run the role again with other settings; returns what Ansible says."""
        command = ["ansible-playbook", "--extra-vars", json.dumps(settings), *argv, str(SCENARIO / playbook)]
        command += [
            f"--inventory={folder}/inventory" for folder in (PROJECT / "molecule/resources", SCENARIO)
        ]
        environment = dict(os.environ, ANSIBLE_CONFIG=str(EPHEMERAL / "ansible.cfg"), ANSIBLE_FORCE_COLOR="0")
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        # Ansible wraps long lines of errors.
        return " ".join((done.stdout + done.stderr).split()) + f" rc={done.returncode}"

    def start_upstream(self) -> None:
        image = (EPHEMERAL / "image").read_text()
        self.docker(
            *("run", "--detach", "--name", self.proxy),
            *("--network", f"{self.instance}-core", "--network-alias", "proxy"),
            *("--volume", f"{SCENARIO}/files/upstream.py:/upstream.py:ro", image, "python3", "/upstream.py"),
        )
        self.wait_for(200, "/hub/health", PERSON)
        # One worker of nginx has answered. Each keeps the address that it knows for five seconds.
        address = self.docker(
            "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", self.proxy
        )
        if address != self.upstream_address:
            time.sleep(5.5)
        self.upstream_address = address

    def untrusted_client(self, port: int, *requests: dict[str, object]) -> list[tuple[int, str]]:
        """Ask the edge from another container, so from an address that it does not know."""
        image = (EPHEMERAL / "image").read_text()
        said = self.docker(
            *("run", "--rm", "--network", f"{self.instance}-core"),
            *("--volume", f"{SCENARIO}/files/untrusted_client.py:/untrusted_client.py:ro", image),
            *("python3", "/untrusted_client.py", "edge", str(port), json.dumps(requests)),
        )
        return [(status, body) for status, body in json.loads(said)]

    def stop_upstream(self) -> None:
        self.docker("rm", "--force", self.proxy, check=False)

    def wait_for(self, status: int, path: str, headers: dict[str, str]) -> float:
        """Seconds until it answers so: nginx asks for a name again only after five seconds."""
        begin = time.monotonic()
        while (seen := self.get(path, headers).status_code) != status:
            assert time.monotonic() - begin < 15, f"{path} still answers {seen}"
            time.sleep(0.2)
        return time.monotonic() - begin


class Drip(threading.Thread):
    """A client that sends a byte every half second, beside other tests: how long it may, and what it gets."""

    def __init__(self, port: int, beginning: str, drops: str) -> None:
        super().__init__(daemon=True)
        self.port, self.beginning, self.drops = port, beginning, drops
        self.seconds, self.answer, self.cut_off = 0.0, b"", False
        self.start()

    def run(self) -> None:
        begin = time.monotonic()
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=0.5) as connection:
                connection.sendall(self.beginning.encode())
                for drop in self.drops:
                    with contextlib.suppress(TimeoutError):
                        self.answer = connection.recv(4096)
                        break
                    connection.sendall(drop.encode())
                connection.settimeout(10)
                self.answer = self.answer or connection.recv(4096)
                self.seconds = time.monotonic() - begin
                # The rest of it, if there is more.
                connection.settimeout(1)
                with contextlib.suppress(TimeoutError):
                    while more := connection.recv(4096):
                        self.answer += more
        except ConnectionError:
            self.cut_off = True
        self.seconds = self.seconds or time.monotonic() - begin


@pytest.fixture(scope="session")
def edge() -> Edge:
    return Edge(**json.loads((EPHEMERAL / "edge.json").read_text()))


@pytest.fixture(scope="session")
def away(edge: Edge) -> Edge:
    """The edge with nobody behind it."""
    edge.stop_upstream()
    return edge


@pytest.fixture(scope="session")
def upstream(edge: Edge) -> Iterator[Edge]:
    """The edge with an upstream behind it."""
    edge.stop_upstream()
    edge.start_upstream()
    yield edge
    edge.stop_upstream()


# Each file goes on with what the one before it has left.
ORDER = ["away", "headers", "logins", "rates", "serving", "operator", "scan", "tls"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files in this order, after those that every scenario has."""
    places = {f"test_{name}": place for place, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.path.stem, -1))
