# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What anonymous clients do to a front door. A program of its own, with nothing but the standard library.

    python3 untrusted_client.py '{"kind": "posts", "host": "edge", "port": 8443, "count": 1000}'

Opens so many connections, says in one line of JSON what became of them, keeps those that are open until its
input ends, and says then how many still were.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import select
import socket
import ssl
import struct
import sys
import time
import typing as t

Told = dict[str, t.Any]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, RESET, SETTINGS, PING, GOAWAY, CONTINUATION = 1, 3, 4, 6, 7, 9
END_STREAM, END_HEADERS = 1, 4


def context(alpn: str) -> ssl.SSLContext:
    made = ssl.create_default_context()
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if alpn:
        made.set_alpn_protocols([alpn])
    return made


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def text(value: bytes) -> bytes:
    """A string of HPACK, as it is."""
    if len(value) < 127:
        return bytes([len(value)]) + value
    size, rest = b"\x7f", len(value) - 127
    while rest >= 128:
        size, rest = size + bytes([rest % 128 + 128]), rest // 128
    return size + bytes([rest]) + value


def head(path: str, method: bytes = b"\x82") -> bytes:
    """:method GET, :scheme https, :path, :authority; none of them takes a place in the table of HPACK."""
    return method + b"\x87\x04" + text(path.encode()) + b"\x01" + text(b"localhost")


class Client:
    """One connection; it may have been refused."""

    def __init__(self, told: Told, alpn: str = "", plain: bool = False) -> None:
        self.open = False
        self.answered, self.tail = 0, b""
        self._told = told
        try:
            raw = socket.create_connection((told["host"], told["port"]), timeout=told.get("patience", 10))
            if told.get("buffer"):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, told["buffer"])
            self.socket = raw if plain else told["context"].wrap_socket(raw, server_hostname="localhost")
            self.open = True
        except OSError:
            return

    def send(self, data: bytes) -> bool:
        try:
            self.socket.sendall(data)
        except OSError:
            self.open = False
        return self.open

    def receive(self, size: int) -> bytes:
        got = b""
        with contextlib.suppress(OSError):
            while len(got) < size and (more := self.socket.recv(size - len(got))):
                got += more
        return got

    def receive_some(self) -> bytes:
        try:
            return self.socket.recv(65536)
        except ssl.SSLWantReadError:
            raise
        except OSError:
            return b""

    def alive(self) -> bool:
        """Whether the other side has not hung up, whatever it may have sent."""
        if not self.open:
            return False
        self.socket.settimeout(0)
        try:
            while True:
                if not self.socket.recv(65536):
                    return False
                if self._told.get("reads") is False:
                    return True
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False

    def http2(self, window: int) -> bool:
        return self.send(PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, window)))

    def status(self) -> int:
        """Read frames until one with the headers of an answer comes; 200 is a byte of its own in HPACK."""
        while True:
            top = self.receive(9)
            if len(top) < 9:
                return 0
            length, kind = struct.unpack(">I", b"\0" + top[:3])[0], top[3]
            payload = self.receive(length)
            if kind == HEADERS:
                return 200 if payload[:1] == b"\x88" else 1
            if kind == GOAWAY:
                return 0


def streams(told: Told) -> Client:
    """Requests whose header is sent once and said many times (HPACK); answers are not taken."""
    client = Client(told)
    if client.open and client.http2(0):
        first = b"\x40" + text(b"x-a") + text(b"b" * 3900)
        for number in range(told["streams"]):
            repeated = (first if number == 0 else b"\xbe") + b"\xbe" * (told["repeat"] - 1)
            if not client.send(
                frame(HEADERS, END_STREAM | END_HEADERS, 2 * number + 1, head(told["path"]) + repeated)
            ):
                break
    return client


def lines(told: Told) -> Client:
    """Requests of HTTP/2 with as many header lines as one likes, of one byte each, which cost nginx 60."""
    client = Client(told)
    if client.open and client.http2(0):
        for number in range(told["streams"]):
            fields = (b"\x40\x01a\x00" if number == 0 else b"\xbe") + b"\xbe" * 12000
            client.send(frame(HEADERS, END_STREAM | END_HEADERS, 2 * number + 1, head(told["path"]) + fields))
    return client


def continued(told: Told) -> Client:
    """A header that never ends, in frames of its own."""
    client = Client(told)
    if client.open and client.http2(0):
        client.send(frame(HEADERS, 0, 1, head("/") + b"\x40" + text(b"x-a") + text(b"b" * 3900)))
        for _ in range(told.get("frames", 50)):
            if not client.send(frame(CONTINUATION, 0, 1, b"\xbe" * told["repeat"])):
                break
    return client


def resets(told: Told) -> Client:
    """Requests that are taken back at once, settings and pings, for some seconds."""
    client = Client(told)
    until, number = time.monotonic() + told.get("seconds", 3), 1
    if client.open and client.http2(65535):
        while time.monotonic() < until and client.send(
            b"".join(
                frame(HEADERS, END_STREAM | END_HEADERS, stream, head(told["path"]))
                + frame(RESET, 0, stream, b"\0\0\0\x08")
                for stream in range(number, number + 100, 2)
            )
            + frame(SETTINGS, 0, 0) * 20
            + frame(PING, 0, 0, b"12345678") * 20
        ):
            number += 100
    return client


def unfinished(told: Told) -> Client:
    """A header of HTTP/1.1 that does not end."""
    client = Client(told, plain=told.get("plain", False))
    if client.open:
        client.send(b"GET /hub/login HTTP/1.1\r\nHost: localhost\r\n")
        line = b"X-A: " + b"a" * (told.get("line", 8000) - 7) + b"\r\n"
        for _ in range(told.get("lines", 26)):
            if not client.send(line):
                break
    return client


def posts(told: Told) -> Client:
    """A body that is announced, begun and not sent."""
    client = Client(told)
    if client.open:
        lines = [f"POST {told['path']} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in told.get("headers", {}).items()]
        lines += [f"Content-Length: {told.get('length', 60000)}", "", ""]
        client.send("\r\n".join(lines).encode() + b"x" * told.get("sent", 1000))
    return client


def silent(told: Told) -> Client:
    """A connection, and the first bytes of TLS."""
    client = Client(told, plain=True)
    if client.open and told.get("begin", True):
        client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    return client


def slow_reads(told: Told) -> Client:
    """Large answers that are asked for, many times, and not taken."""
    client = Client(told)
    if client.open:
        request = f"GET {told['path']} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n".encode()
        client.send(request * told.get("pipelined", 20))
    return client


def flood(told: Told) -> Client:
    """As many requests as are answered: over many connections, some on the way in each, of several kinds."""
    clients = [Client(told) for _ in range(told["connections"])]
    requests = [asked(one, clients[0]) for one in told["requests"]]
    mark = b"\nServer: nginx"
    until, found, poll = time.monotonic() + told["seconds"], dict[int, tuple[Client, bytes]](), select.poll()
    for number, client in enumerate(clients):
        if client.open and client.send(anew(requests[number % len(requests)], told.get("pipelined", 4))):
            found[client.socket.fileno()] = (client, requests[number % len(requests)])
            client.socket.settimeout(0)
            poll.register(client.socket, select.POLLIN)
    while found and (left := until - time.monotonic()) > 0:
        for place, _event in poll.poll(left * 1000):
            client, request = found[place]
            with contextlib.suppress(ssl.SSLWantReadError):
                while data := client.receive_some():
                    # A mark may come in two parts.
                    seen = (client.tail + data).count(mark)
                    client.tail = data[-len(mark) + 1 :]
                    client.answered += seen
                    client.socket.settimeout(5)
                    client.send(anew(request, seen))
                    client.socket.settimeout(0)
                client.open = False
            if not client.open:
                poll.unregister(place)
                del found[place]
    clients[0].answered = sum(client.answered for client in clients)
    return clients[0]


def anew(request: bytes, count: int) -> bytes:
    """So many of it; what it has in the place of RANDOM is another one each time."""
    return b"".join(request.replace(b"RANDOM", secrets.token_hex(16).encode()) for _ in range(count))


def asked(one: Told, client: Client) -> bytes:
    """A request as it is sent; one with a form has the secret of the form that this client was given."""
    body, cookies = one.get("body", ""), one.get("cookies", "")
    if one.get("form"):
        client.send(f"GET {one['path']} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        said = client.receive(5000).decode()
        found = [
            line[12:].split(";")[0] for line in said.split("\r\n") if line.lower().startswith("set-cookie: ")
        ]
        cookies = "; ".join(found)
        secret = [part[6:] for part in found if part.startswith("_xsrf=")]
        body = f"_xsrf={secret[0] if secret else ''}&{body}"
    lines = [f"{one.get('method', 'GET')} {one['path']} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in one.get("headers", {}).items()]
    lines += [f"Cookie: {cookies}"] if cookies else []
    lines += (
        ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"] if body else []
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def visit(told: Told) -> Client:
    """A person's connection of HTTP/2: a page, as a whole."""
    client = Client(told)
    if client.open and client.http2(65535):
        client.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, head(told["path"])))
        client.open = client.status() == 200
    return client


def keep(told: Told) -> Client:
    """A person's connection of HTTP/1.1, which stays open."""
    client = Client(told)
    if client.open:
        client.open = again(told, client)
    return client


def again(told: Told, client: Client) -> bool:
    """Whether one more request is answered."""
    client.socket.settimeout(told.get("patience", 10))
    client.send(b"GET /_edge/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    got = b""
    while client.open and b"DIGEST" not in got and b"\r\n\r\n" not in got:
        more = client.receive(1)
        if not more:
            return False
        got += more
    size = [line for line in got.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    client.receive(int(size[0].split(b":")[1]) if size else 0)
    return b" 200 " in got


KINDS: dict[str, tuple[t.Callable[[Told], Client], str]] = {
    "streams": (streams, "h2"),
    "lines": (lines, "h2"),
    "continued": (continued, "h2"),
    "resets": (resets, "h2"),
    "visit": (visit, "h2"),
    "unfinished": (unfinished, "http/1.1"),
    "posts": (posts, "http/1.1"),
    "silent": (silent, ""),
    "slow_reads": (slow_reads, "http/1.1"),
    "flood": (flood, "http/1.1"),
    "keep": (keep, "http/1.1"),
}


def main() -> None:
    every: list[tuple[Told, Client]] = []
    asked = json.loads(sys.argv[1])
    began = time.monotonic()
    for told in asked if isinstance(asked, list) else [asked]:
        function, alpn = KINDS[told["kind"]]
        told["context"] = context(alpn)
        told.setdefault("path", "/hub/login")
        for _ in range(told["count"]):
            # Whoever stops the test stops this.
            if select.select([sys.stdin], [], [], 0)[0]:
                break
            every.append((told, function(told)))

    def say(**more: t.Any) -> None:
        still = sum(client.alive() for _told, client in every)
        print(json.dumps({"tried": len(every), "open": still, **more}), flush=True)

    say(seconds=round(time.monotonic() - began, 1), answers=sum(client.answered for _told, client in every))
    sys.stdin.read()
    kept = [(told, client) for told, client in every if told["kind"] == "keep" and client.open]
    say(answered=sum(again(told, client) for told, client in kept))


if __name__ == "__main__":
    main()
