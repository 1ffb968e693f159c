# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The broker's two sockets: the hub's, where it listens, and the engine's.

Each request is read to its end, decided on, and asked of the engine anew, over a connection of its own.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any

from . import policy
from .policy import Call, Denied

ENGINE = "/var/run/docker.sock"
LISTEN = "/run/broker/docker.sock"
DATA = Path("/etc/jupyterhub/config.json")
# A server may take that long to stop.
ENGINE_TIMEOUT = 900
PART = 64 * 1024


class Engine(http.client.HTTPConnection):
    """A connection to the engine, for one request."""

    def __init__(self) -> None:
        super().__init__("docker", timeout=ENGINE_TIMEOUT)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(ENGINE)

    def ask(self, call: Call) -> http.client.HTTPResponse:
        """The engine's answer, of which only the head has been read."""
        query = f"?{urllib.parse.urlencode(call.query)}" if call.query else ""
        body = None if call.body is None else json.dumps(call.body).encode()
        headers = {"Content-Type": "application/json"} if body else {}
        self.request(call.method, call.path + query, body, headers)
        return self.getresponse()


def inspect(path: str) -> tuple[int, bytes]:
    """Status and answer of a look at something."""
    connection = Engine()
    try:
        answer = connection.ask(Call("GET", path))
        return answer.status, answer.read()
    finally:
        connection.close()


class Settings:
    """The policy that follows from the hub's data file; read again when that changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._policy: dict[str, Any] = {}
        self._lock = threading.Lock()

    def policy(self) -> dict[str, Any]:
        """Denied with a sentence where the data cannot be used."""
        with self._lock:
            try:
                stat = self._path.stat()
                seen = (stat.st_ino, stat.st_mtime_ns)
                if seen != self._seen:
                    self._policy = self._compile()
                    self._seen = seen
            except (OSError, ValueError, KeyError, subprocess.CalledProcessError) as exc:
                raise Denied(f"the broker cannot use {self._path}: {exc}") from exc
            return self._policy

    def _compile(self) -> dict[str, Any]:
        # In a process of its own: the library that this takes is three times the size of all the rest.
        done = subprocess.run(
            [sys.executable, "-m", "galilean_broker", "compile"],
            stdin=self._path.open(), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise ValueError(done.stderr.strip()[-2000:] or "no reason was given")
        found: dict[str, Any] = json.loads(done.stdout)
        return found


class Handler(BaseHTTPRequestHandler):
    """One connection of the hub."""

    protocol_version = "HTTP/1.1"
    server_version = "galilean-broker"
    server: Server  # type: ignore[assignment]

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: only what is denied is worth a line."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def handle_expect_100(self) -> bool:
        """No client of ours asks first."""
        self._answer(417, b"")
        self.close_connection = True
        return False

    def _body(self) -> bytes:
        """The body, read to its end; Denied where that is not plain to see."""
        lengths = self.headers.get_all("Content-Length") or []
        if self.headers.get("Transfer-Encoding") or self.headers.get("Upgrade") or len(lengths) > 1:
            self.close_connection = True
            raise Denied("the request has Transfer-Encoding, Upgrade, or two lengths")
        text = lengths[0].strip() if lengths else "0"
        if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) > policy.BODY_LIMIT:
            self.close_connection = True
            raise Denied(f"the body is too large, or its length is not a number: {text[:20]!r}")
        body = self.rfile.read(int(text))
        if len(body) != int(text):
            raise ConnectionResetError
        return body

    def _handle(self) -> None:
        container = ""
        try:
            body = self._body()
            rules = self.server.settings.policy()
            call = policy.decide(rules, self.command, self.path, body)
            container = call.container or call.query.get("name", "")
            self._pass(call, rules)
        except Denied as exc:
            said = {
                "denied": str(exc),
                "method": self.command,
                "path": self.path[:300],
                "container": container,
            }
            print(
                json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **said}), flush=True
            )
            self._message(403, f"the broker of this hub denies it: {exc}")
        except (OSError, http.client.HTTPException) as exc:
            print(json.dumps({"engine": f"{type(exc).__name__}: {exc}"}), flush=True)
            self.close_connection = True
            self._message(503, f"the Docker engine does not answer the broker: {exc}")
        except Exception as exc:
            # Nothing is passed on that was not looked at to the end.
            print(json.dumps({"failed": f"{type(exc).__name__}: {exc}", "path": self.path[:300]}), flush=True)
            self.close_connection = True
            self._message(500, "the broker of this hub failed, its log says how")

    do_GET = do_POST = do_DELETE = do_HEAD = do_PUT = do_PATCH = do_OPTIONS = _handle

    def _pass(self, call: Call, rules: Mapping[str, Any]) -> None:
        """Ask the engine, after a look at what the request is about."""
        path = call.path
        prefix = "/".join(path.split("/")[:2])
        if call.container:
            # Under an id, a container has the labels that it was made with.
            known = self.server.known
            if call.container not in known or path.endswith("/json"):
                status, found = inspect(f"{prefix}/containers/{call.container}/json")
                if status != 200:
                    return self._answer(status, found)
                container = json.loads(found)
                if not policy.own_container(rules, container):
                    raise Denied(f"{call.container} is no server of this instance")
                if len(known) > 10000:
                    known.clear()
                known[container["Id"]] = True
                if path.endswith("/json"):
                    return self._answer(status, found)
                path = path.format(container["Id"])
            else:
                path = path.format(call.container)
        for volume in call.volumes:
            status, found = inspect(f"{prefix}/volumes/{volume}")
            # One that is not there is made by the engine, as this instance's.
            if status != 404 and not (status == 200 and policy.own_volume(rules, json.loads(found))):
                raise Denied(f"the volume {volume} is another instance's, or cannot be looked at ({status})")
        connection = Engine()
        try:
            self._stream(connection.ask(Call(call.method, path, call.query, call.body)))
        finally:
            connection.close()
        return None

    def _head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _answer(self, status: int, body: bytes) -> None:
        self._head(status, Content_Type="application/json", Content_Length=str(len(body)))
        if self.command != "HEAD":
            self.wfile.write(body)

    def _message(self, status: int, text: str) -> None:
        self._answer(status, json.dumps({"message": text}).encode())

    def _stream(self, answer: http.client.HTTPResponse) -> None:
        """Pass an answer on as it comes."""
        kept = ("Content-Type", "Api-Version", "Ostype")
        headers = {name.replace("-", "_"): value for name in kept if (value := answer.getheader(name))}
        if self.command == "HEAD" or answer.status in (204, 304):
            return self._head(answer.status, **headers)
        self._head(answer.status, Transfer_Encoding="chunked", **headers)
        while part := answer.read1(PART):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")
        return None


class Server(ThreadingMixIn, UnixStreamServer):
    """A thread for each connection; the hub keeps a few open."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, listen: str, settings: Settings, clients: set[int]) -> None:
        self.settings = settings
        # Ids of containers that were seen to be this instance's.
        self.known: dict[str, bool] = {}
        self._clients = clients
        Path(listen).unlink(missing_ok=True)
        super().__init__(listen, Handler)
        # The folder says who comes near; the group is the hub's.
        os.chmod(listen, 0o660)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Only the hub's account, and the broker itself for its health check."""
        _, uid, _ = struct.unpack("3i", request.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return uid in self._clients


def serve() -> None:
    """Serve until the container is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = Settings(DATA)
    server = Server(LISTEN, settings, {int(os.environ["BROKER_CLIENT"]), os.getuid()})
    try:
        settings.policy()
    except Denied as exc:
        print(json.dumps({"problem": str(exc)}), flush=True)
    server.serve_forever()


def healthy(listen: str = LISTEN) -> bool:
    """Whether broker and engine answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(5)
        try:
            client.connect(listen)
            client.sendall(b"GET /_ping HTTP/1.1\r\nHost: broker\r\nConnection: close\r\n\r\n")
            return client.recv(PART).startswith(b"HTTP/1.1 200")
        except OSError:
            return False
