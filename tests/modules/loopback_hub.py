# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A real JupyterHub on loopback for tests: no containers, servers are plain processes of this account.

What it needs is installed once into .cache/ of the checkout, from PyPI and npm, in the versions below.
"""

from __future__ import annotations

import ast
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import typing as t
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

# Other tests' programs are beside those of the end-to-end tests.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from programs import install, node

ROOT = Path(__file__).resolve().parents[2]
PYTHON_PACKAGES = ("jupyterhub==6.1.1", "jupyterlab==4.6.6")
NODE_PACKAGES = ("configurable-http-proxy@5.3.0",)

CONFIG = """
import os
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.services = [
    {{"name": "check", "api_token": "{token}"}},
    {{"name": "check-of-nina", "api_token": "{nina_token}"}},
    {{"name": "reader", "api_token": "{reader_token}"}},
    {{"name": "accounts", "api_token": "{accounts_token}"}},
    # Only an administrator may make others administrators.
    {{"name": "root", "api_token": "{root_token}", "admin": True}},
]
c.JupyterHub.load_roles = [
    {{
        "name": "check",
        "services": ["check"],
        "scopes": ["admin:users", "admin:servers", "access:servers"],
    }},
    # As our own hub's check: for one user.
    {{"name": "check-of-nina", "services": ["check-of-nina"], "scopes": {nina_scopes!r}}},
    # Everything but the right to use the servers that it starts.
    {{"name": "reader", "services": ["reader"], "scopes": ["admin:users", "admin:servers"]}},
    {{"name": "accounts", "services": ["accounts"], "scopes": {accounts_scopes!r}}},
]
c.JupyterHub.allow_named_servers = True
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.command = {proxy_command!r}
c.SimpleLocalProcessSpawner.home_dir_template = "{state}/homes/{{username}}"
c.Spawner.notebook_dir = "{state}/homes/{{username}}"
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser", "--allow-root"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 60
# A server that is a process is interrupted first, and Python drops an interrupt that comes in the callback
# of a weak reference, as when a kernel is being started. The hub would wait for 30 seconds, until it ends
# the server with the signal that containers get at once.
c.LocalProcessSpawner.interrupt_timeout = 3


def before_start(spawner):
    # Two accounts show what goes wrong with a server: one never starts, one never answers.
    if spawner.user.name == "broken":
        spawner.cmd = ["/nonexistent/singleuser"]
    elif spawner.user.name == "silent":
        spawner.cmd = ["sleep", "60"]
        spawner.args = []


c.Spawner.pre_spawn_hook = before_start
"""


@dataclass(frozen=True)
class LoopbackHub:
    """A running hub."""

    url: str
    token: str
    nina_token: str
    reader_token: str
    accounts_token: str
    root_token: str
    log: Path

    def ask(self, path: str, method: str = "GET") -> tuple[int, t.Any]:
        """Send a request with the check's token and return the status and what the hub says."""
        request = urllib.request.Request(f"{self.url}/hub/api{path}", method=method)
        request.add_header("Authorization", f"token {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
                return int(answer.status), json.loads(text) if text else None
        except urllib.error.HTTPError as exc:
            return exc.code, None

    def api(self, path: str, method: str = "GET") -> int:
        """Send a request with the check's token and return the status."""
        return self.ask(path, method)[0]

    def server(self, user: str) -> dict[str, t.Any]:
        """Return what the hub says about the user's server; nothing where there is none."""
        _, model = self.ask(f"/users/{user}")
        server: dict[str, t.Any] = (model or {}).get("servers", {}).get("", {})
        return server


def scopes_of(name: str) -> list[str]:
    """What services of our own hub may do, by the name of the constant."""
    path = ROOT / "files" / "images" / "hub" / "galilean_hub" / "loader.py"
    return next(
        list(ast.literal_eval(node.value))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == name
    )


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nothing listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(listener.getsockname()[1]) for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


def run_hub(
    state: Path, config_extra: str = "", environment: t.Mapping[str, str] | None = None
) -> t.Generator[LoopbackHub, None, None]:
    """Start a hub with its state in the folder, yield it, and end it with everything that it started."""
    place = install("loopback-hub", NODE_PACKAGES, PYTHON_PACKAGES)
    port, hub_port, api_port = free_ports(3)
    names = ("token", "nina_token", "reader_token", "accounts_token", "root_token")
    tokens = {name: secrets.token_hex(20) for name in names}
    proxy = place / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
    config = state / "jupyterhub_config.py"
    config.write_text(
        CONFIG.format(
            port=port,
            hub_port=hub_port,
            api_port=api_port,
            **tokens,
            accounts_scopes=scopes_of("ACCOUNTS_SCOPES"),
            nina_scopes=[f"{scope}!user=nina" for scope in scopes_of("CHECK_SCOPES")],
            proxy_command=[str(node(place)), str(proxy)],
            python=str(place / "bin" / "python"),
            state=state,
        )
        + config_extra,
        encoding="utf-8",
    )
    hub = LoopbackHub(f"http://127.0.0.1:{port}", **tokens, log=state / "hub.log")
    with hub.log.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [str(place / "bin" / "jupyterhub"), "-f", str(config)],
            cwd=state,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {}), "PATH": f"{place / 'bin'}:{os.environ['PATH']}"},
            start_new_session=True,
        )
    try:
        wait_until(lambda: process.poll() is None and hub.api("/") == 200, 60, f"the hub, see {hub.log}")
        yield hub
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def wait_until(condition: t.Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until the condition holds; a connection that is refused means not yet."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise TimeoutError(f"{what} did not come within {seconds:g} seconds")
