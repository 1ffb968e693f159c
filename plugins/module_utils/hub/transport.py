# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""HTTP and websocket to a hub: the only file that opens a connection to one."""

from __future__ import annotations

import socket
import ssl
import traceback
import typing as t
from urllib.error import HTTPError, URLError

from ansible.module_utils.urls import open_url

from ansible_collections.galilean.hub.plugins.module_utils.hub.api import (
    Answer,
    HubApiError,
    Transport,
    websocket_url,
)
from ansible_collections.galilean.hub.plugins.module_utils.hub.kernel_channel import Channel

try:
    import websocket
except ImportError:
    WEBSOCKET_ERROR: str | None = traceback.format_exc()
else:
    WEBSOCKET_ERROR = None


_resolve = socket.getaddrinfo


def resolve(host: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
    """Names below localhost are this machine (RFC 6761, section 6.3): browsers know, not every C library does.

    socket.gaierror with the name if it is not found: the hub and its users' servers have different records.
    """
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name.lower().rstrip(".").endswith(".localhost"):
        return _resolve("127.0.0.1", *args, **kwargs)
    try:
        return _resolve(host, *args, **kwargs)
    except socket.gaierror as exc:
        reason = f"the name {name} is not found ({exc.strerror}): it, or a wildcard in the DNS, must lead to the hub"
        raise socket.gaierror(exc.errno, reason) from exc


def os_reason(exc: BaseException) -> str:
    """Say in a few words why a connection failed."""
    inner = getattr(exc, "reason", None)
    if isinstance(inner, BaseException):
        return os_reason(inner)
    if isinstance(exc, TimeoutError) or "timed out" in str(exc):
        return "no answer in time"
    text = getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
    return " ".join(str(text).split())


# For all that opens connections in a module: neither urllib nor websocket-client takes another resolver.
socket.getaddrinfo = resolve


class UrlTransport(Transport):
    """Requests by Ansible's own HTTP client, always straight to the address and never through a web proxy.

    The modules run where the hub runs: a proxy from the environment would only see an address that it cannot reach.
    """

    def __init__(self, token: str, validate_certs: bool, ca_path: str | None, accept: str = "") -> None:
        self._headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
        if accept:
            self._headers["Accept"] = accept
        self._validate_certs = validate_certs
        self._ca_path = ca_path

    def send(self, method: str, url: str, body: str | None, timeout: float) -> Answer:
        try:
            response = open_url(
                url,
                data=body,
                method=method,
                headers=self._headers,
                timeout=timeout,
                validate_certs=self._validate_certs,
                ca_path=self._ca_path,
                use_proxy=False,
                # A login for the same host in ~/.netrc would take the place of the token.
                use_netrc=False,
                follow_redirects="none",
            )
            return Answer(response.status, response.read().decode("utf-8", "replace"))
        except HTTPError as exc:
            text = exc.read().decode("utf-8", "replace") if exc.fp else ""
            return Answer(exc.code, text, exc.headers.get("Location", "") if exc.headers else "")
        except (URLError, OSError, ValueError) as exc:
            raise HubApiError(os_reason(exc)) from exc
        except Exception as exc:
            # open_url's own errors (certificate, connection) share no base class over all versions of ansible-core.
            raise HubApiError(" ".join(str(exc).split())) from exc


class WebsocketChannel(Channel):
    """A kernel's websocket by the library websocket-client."""

    def __init__(
        self, url: str, token: str, validate_certs: bool, ca_path: str | None, timeout: float
    ) -> None:
        options: dict[str, t.Any] = {"cert_reqs": ssl.CERT_REQUIRED if validate_certs else ssl.CERT_NONE}
        if not validate_certs:
            options["check_hostname"] = False
        if validate_certs and ca_path:
            options["ca_certs"] = ca_path
        try:
            self._socket = websocket.create_connection(
                websocket_url(url),
                timeout=timeout,
                header=[f"Authorization: token {token}"],
                sslopt=options,
                # The check is no web page: a server compares an origin with its own address, if there is one.
                suppress_origin=True,
                http_no_proxy=["*"],
            )
        except (websocket.WebSocketException, OSError) as exc:
            raise HubApiError(f"the websocket was not opened: {os_reason(exc)}") from exc

    def send(self, text: str) -> None:
        try:
            self._socket.send(text)
        except (websocket.WebSocketException, OSError) as exc:
            raise HubApiError(f"the websocket broke: {os_reason(exc)}") from exc

    def receive(self, timeout: float) -> str | bytes:
        self._socket.settimeout(max(timeout, 0.1))
        try:
            frame: str | bytes = self._socket.recv()
        except websocket.WebSocketTimeoutException as exc:
            raise HubApiError("the kernel did not answer in time") from exc
        except (websocket.WebSocketException, OSError) as exc:
            raise HubApiError(f"the websocket broke: {os_reason(exc)}") from exc
        return frame

    def close(self) -> None:
        self._socket.close()
