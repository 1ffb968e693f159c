# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A server of the notebook image, or of one on top of it, that a test and a person's browser can reach.

It runs without a hub, so that a token in the address is enough.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

from browser import Visit, visit
from confined import confined
from engine import docker

TOKEN = "f00d" * 8
BASE = "/user/test"
SERVE = [
    *("/opt/notebook/bin/jupyter", "lab", "--no-browser", "--ip=0.0.0.0"),
    *(f"--ServerApp.base_url={BASE}", f"--IdentityProvider.token={TOKEN}"),
]


class Server:
    """A running server of the image."""

    def __init__(self, container: str) -> None:
        self.container = container
        address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        self.url = f"http://{docker('inspect', f'--format={address}', container)}:8888"

    def get(self, path: str, token: bool = True) -> tuple[int, str, str]:
        """Status, where it ended, content."""
        request = urllib.request.Request(f"{self.url}{BASE}/{path}")
        if token:
            request.add_header("Authorization", f"token {TOKEN}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.url, answer.read().decode()
        except urllib.error.HTTPError as exc:
            return exc.code, "", ""

    def logs(self) -> str:
        argv = ["docker", "logs", self.container]
        return subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
        ).stdout

    @contextlib.contextmanager
    def visit(self, pictures: Path, path: str) -> t.Iterator[Visit]:
        with visit(self.url, pictures) as person:
            person.go(f"{BASE}/{path}?token={TOKEN}")
            yield person


@contextlib.contextmanager
def running(image: str, name: str, *options: str) -> t.Iterator[Server]:
    """Confined as behind the hub. The home is a volume without a name, unless the options mount another."""
    container = docker(
        *("run", "--detach", f"--name={name}", *confined(), "--volume=/home/jovyan", *options, image, *SERVE)
    )
    server = Server(container)
    try:
        end = time.monotonic() + 60
        while True:
            try:
                assert server.get("api")[0] == 200
                break
            except (OSError, AssertionError):
                assert time.monotonic() < end, server.logs()
                time.sleep(0.1)
        yield server
    finally:
        docker("rm", "--force", "--volumes", container)
