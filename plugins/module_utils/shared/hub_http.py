# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""HTTP to a hub. It is part of the hub's image as well (galilean_hub/shared), for the check."""

from __future__ import annotations

import http.client
import socket
import ssl
import typing as t
import urllib.request
from urllib.error import HTTPError

from .hub_api import Answer, HubApiError, Transport

_resolve = socket.getaddrinfo


def resolve(host: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
    """Names below localhost are this machine (RFC 6761, section 6.3): browsers know, not every C library does.

    Not to be found is said with the name, which a hub's own and those of its users' servers have in different records.
    """
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name.lower().rstrip(".").endswith(".localhost"):
        return _resolve("127.0.0.1", *args, **kwargs)
    try:
        return _resolve(host, *args, **kwargs)
    except socket.gaierror as exc:
        reason = f"the name {name} is not found ({exc.strerror}): it, or a wildcard in the DNS, must lead to the hub"
        raise socket.gaierror(exc.errno, reason) from exc


# For all that opens connections in this process: neither urllib nor tornado takes another resolver.
socket.getaddrinfo = resolve


def os_reason(exc: BaseException) -> str:
    """Say in a few words why a connection failed."""
    inner = getattr(exc, "reason", None)
    if isinstance(inner, BaseException):
        return os_reason(inner)
    if isinstance(exc, TimeoutError) or "timed out" in str(exc):
        return "no answer in time"
    text = getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
    return " ".join(str(text).split())


def trust(validate_certs: bool, certificates: str) -> ssl.SSLContext:
    """What a server's certificate is held against: certificates as text, or those that the system trusts where it is empty."""
    # Comments between the certificates may be in any language; the library takes ASCII alone.
    text = certificates.encode("ascii", "ignore").decode()
    try:
        context = ssl.create_default_context(cadata=text or None)
    except ssl.SSLError as exc:
        raise HubApiError(f"the certificates to trust cannot be read: {os_reason(exc)}") from exc
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: t.Any) -> None:
        """Where an answer points to is for the caller to read."""


class UrlTransport(Transport):
    """Requests always straight to the address and never through a web proxy.

    They are made where the hub runs: a proxy from the environment would only see an address that it cannot reach.
    """

    def __init__(self, token: str, context: ssl.SSLContext, accept: str = "") -> None:
        self._headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
        if accept:
            self._headers["Accept"] = accept
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context), _NoRedirect
        )

    def send(self, method: str, url: str, body: str | None, timeout: float) -> Answer:
        data = None if body is None else body.encode()
        request = urllib.request.Request(url, data, self._headers, method=method)
        try:
            with self._opener.open(request, timeout=timeout) as response:
                return Answer(response.status, response.read().decode("utf-8", "replace"))
        except HTTPError as exc:
            with exc:
                return Answer(
                    exc.code, exc.read().decode("utf-8", "replace"), exc.headers.get("Location") or ""
                )
        except (OSError, ValueError, http.client.HTTPException) as exc:
            raise HubApiError(os_reason(exc)) from exc
