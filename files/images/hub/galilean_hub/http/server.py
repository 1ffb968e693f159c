# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub's HTTP server: Tornado's, with limits on what a client can make it hold, and knowing who asks.

As it comes, Tornado takes a body of 100 MB before anybody looks at it, waits an hour for it, and believes
whoever claims to have another address. What scripts of users' pages may not ask for ends here, too.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

from tornado import httputil
from tornado.httpserver import HTTPServer
from tornado.log import gen_log
from tornado.web import OutputTransform, RequestHandler

from .fetch_metadata import FetchMetadata

# The largest honest body is a list of users: 10,000 names of 20 letters. Forms and activity take a few KB.
MAX_BODY = 256 * 1024
LIMITS = {
    "max_body_size": MAX_BODY,
    "max_buffer_size": 2 * MAX_BODY,
    "max_header_size": 64 * 1024,
    # For headers, also of the next request of a connection, and for a body, each as a whole.
    "idle_connection_timeout": 75,
    "body_timeout": 30,
}
# Connections and bytes of bodies, at a time, of one client that comes past the proxy: a notebook.
MOST_OF_ONE = 64
BODIES_OF_ONE = 4 * MAX_BODY
# Of all of them together; and what comes by the proxy, where the edge has bounded what one client can do.
MOST_PAST_PROXY = 1024
MOST_BY_PROXY = 8192
BODIES_BY_PROXY = 64 * 1024 * 1024
# Cookies for the secret of forms: a page of a user's server may have set some for each of the hub's paths.
XSRF_COOKIES = 100
# Words of a proxy, which only our own is believed.
FORWARDED = (
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
    "X-Real-Ip",
    "X-Scheme",
)


def gateway(path: Path = Path("/proc/net/route")) -> str:
    """The address that the host has for this container; empty where it has none."""
    try:
        rows = [line.split() for line in path.read_text(encoding="ascii").splitlines()]
    except OSError:
        return ""
    for row in rows[1:]:
        if row[1] == "00000000" and row[2] != "00000000":
            return ".".join(str(byte) for byte in reversed(bytes.fromhex(row[2])))
    return ""


class Peers:
    """Who may be the proxy, by the two addresses of a connection.

    In the users' network the proxy has an address that is its own. The other network is the proxy's, the
    edge's and ours; its addresses may change, and users' servers are not in it. The host is in both.
    """

    def __init__(self, hub: str, proxy: str, host: str = "") -> None:
        self._hub, self._proxy, self._host = hub, proxy, host

    def is_proxy(self, peer: str, local: str) -> bool:
        if peer == self._proxy:
            return True
        return local != self._hub and peer not in (self._host, local) and not peer.startswith("127.")


class HubServer(HTTPServer):
    """What JupyterHub gets when it makes Tornado's server."""

    peers: ClassVar[Peers] = Peers("", "")
    fetch_metadata: ClassVar[FetchMetadata] = FetchMetadata()

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        super().initialize(*args, **{**LIMITS, **kwargs})
        self._open: Counter[str] = Counter()
        self.bodies: Counter[str] = Counter()

    def handle_stream(self, stream: Any, address: Any) -> None:
        peer = address[0]
        try:
            local = stream.socket.getsockname()[0]
        except OSError:
            stream.close()
            return
        by_proxy = self.peers.is_proxy(peer, local)
        party = "proxy" if by_proxy else peer
        past = self._open.total() - self._open["proxy"]
        if self._open[party] >= (MOST_BY_PROXY if by_proxy else MOST_OF_ONE) or (
            not by_proxy and past >= MOST_PAST_PROXY
        ):
            gen_log.warning("%s has %d connections open: no more", party, self._open[party])
            stream.close()
            return
        self._open[party] += 1
        stream.party = party
        super().handle_stream(stream, address)

    def start_request(self, server_conn: Any, request_conn: Any) -> httputil.HTTPMessageDelegate:
        party = server_conn.stream.party
        # For whoever has to know it about a request: `by_proxy` below.
        request_conn.context.party = party
        return _Request(self, party, request_conn, super().start_request(server_conn, request_conn))

    def on_close(self, server_conn: Any) -> None:
        party = server_conn.stream.party
        self._open[party] -= 1
        if not self._open[party]:
            del self._open[party]
        super().on_close(server_conn)


class _Request(httputil.HTTPMessageDelegate):
    """Between the connection and what JupyterHub makes of a request."""

    def __init__(self, server: HubServer, party: str, connection: Any, delegate: Any) -> None:
        self._server, self._party, self._connection, self._delegate = server, party, connection, delegate
        self._held = 0
        self._refused = False

    def headers_received(self, start_line: Any, headers: httputil.HTTPHeaders) -> Any:
        if self._party != "proxy":
            for name in FORWARDED:
                if name in headers:
                    del headers[name]
        _fewer_secrets(headers)
        path = start_line.path.partition("?")[0]
        refusal = self._server.fetch_metadata.refusal(path, headers)
        if start_line.method not in RequestHandler.SUPPORTED_METHODS:
            # JupyterHub would count the requests of each method that it is asked for, and never forget one.
            gen_log.info("405 %.20s: no such method", start_line.method)
            self._delegate = _Refusal(self._connection, "", 405, "There is no such method.")
        elif refusal:
            gen_log.info("%d %s %s for a script of a page", refusal[0], start_line.method, path)
            self._delegate = _Refusal(self._connection, start_line.method, *refusal)
        self._server.fetch_metadata.strict(path, headers)
        if "Transfer-Encoding" in headers:
            size = MAX_BODY
        else:
            told = headers.get("Content-Length", "0")
            # Tornado refuses what is larger, and what is no number.
            size = min(int(told), MAX_BODY) if told.isascii() and told.isdigit() else 0
        most = BODIES_BY_PROXY if self._party == "proxy" else BODIES_OF_ONE
        if size and self._server.bodies[self._party] + size > most:
            gen_log.warning("%s sends bodies of more than %d bytes at a time: closed", self._party, most)
            self._refused = True
            self._connection.close()
            return None
        self._held = size
        self._server.bodies[self._party] += size
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Any:
        # What had come before it was refused.
        return None if self._refused else self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._release()
        if not self._refused:
            self._delegate.finish()

    def on_connection_close(self) -> None:
        self._release()
        if not self._refused:
            self._delegate.on_connection_close()

    def _release(self) -> None:
        self._server.bodies[self._party] -= self._held
        self._held = 0
        if not self._server.bodies[self._party]:
            del self._server.bodies[self._party]


def _fewer_secrets(headers: httputil.HTTPHeaders) -> None:
    """Of the cookies by this name JupyterHub looks at each, and writes a line about each that is none."""
    said = headers.get("Cookie", "")
    if said.count("_xsrf") > XSRF_COOKIES:
        names = [(part.partition("=")[0].strip(), part) for part in said.split(";")]
        secrets = [part for name, part in names if name == "_xsrf"]
        others = [part for name, part in names if name != "_xsrf"]
        headers["Cookie"] = ";".join([*secrets[:XSRF_COOKIES], *others])


class _Refusal(httputil.HTTPMessageDelegate):
    """Answers in place of JupyterHub, when the request is there as a whole."""

    def __init__(self, connection: Any, method: str, status: int, sentence: str) -> None:
        self._connection, self._method, self._status = connection, method, status
        self._body = json.dumps({"status": status, "message": sentence}).encode()

    def finish(self) -> None:
        said = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        headers = httputil.HTTPHeaders({**said, "Content-Length": str(len(self._body))})
        line = httputil.ResponseStartLine("HTTP/1.1", self._status, httputil.responses[self._status])
        self._connection.write_headers(line, headers, None if self._method == "HEAD" else self._body)
        self._connection.finish()


def by_proxy(handler: Any) -> bool:
    """Whether a request came by the proxy, and so from the edge."""
    context = getattr(handler.request.connection, "context", None)
    return getattr(context, "party", "") == "proxy"


class VersionHeaderRemoval(OutputTransform):
    """No version in the headers of answers: who may know it asks the API with a token."""

    def __init__(self, request: Any) -> None:
        pass

    def transform_first_chunk(
        self, status_code: int, headers: httputil.HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, httputil.HTTPHeaders, bytes]:
        for name in ("X-JupyterHub-Version", "Server"):
            if name in headers:
                del headers[name]
        return status_code, headers, chunk


def install(network: dict[str, str], base: str) -> None:
    """Have JupyterHub use this server.

    network: the addresses of hub and proxy in the users' network; base: where the hub's address begins.
    """
    HubServer.fetch_metadata = FetchMetadata(base)
    HubServer.peers = Peers(network.get("hub", ""), network.get("proxy", ""), gateway())
    HTTPServer.configure(HubServer)
