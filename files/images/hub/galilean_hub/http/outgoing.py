# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How the hub asks a login's provider or a source of approvals: through the site's proxy where there is one.

The proxy's address, which may have a password in it, comes in a file of its own: an environment given to a
container is shown by `docker inspect`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

PROXY = Path("/run/secrets/outgoing-proxy")
VARIABLES = ("http_proxy", "https_proxy", "no_proxy")


def variables(path: Path = PROXY) -> dict[str, str]:
    """What programs read a proxy from; empty where there is none."""
    found = json.loads(path.read_text()) if path.is_file() else {}
    return {name: str(found[name]) for name in VARIABLES if found.get(name)}


def use(path: Path = PROXY) -> None:
    """Let this process, and nothing that it starts by itself, go through the proxy."""
    os.environ.update(variables(path))


def taken() -> dict[str, str]:
    """The same variables as this process has them, for a program that goes out, too."""
    return {name: os.environ[name] for name in VARIABLES if os.environ.get(name)}


def client(longest: int | None = None) -> Any:
    """An HTTP client of Tornado's, to be closed by who asks for it; longest: bytes of an answer's body.

    Tornado's knows no proxy, so that curl does it where there is one: it reads the environment.
    """
    if not taken():
        from tornado.simple_httpclient import SimpleAsyncHTTPClient

        return SimpleAsyncHTTPClient(force_instance=True, max_body_size=longest)
    import pycurl
    from tornado.curl_httpclient import CurlAsyncHTTPClient

    def bounded(curl: Any) -> None:
        if longest:
            curl.setopt(pycurl.MAXFILESIZE_LARGE, longest)

    # Its own certificates are not where Debian's are.
    trusted = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    defaults = {"ca_certs": trusted, "prepare_curl_callback": bounded}
    return CurlAsyncHTTPClient(force_instance=True, defaults=defaults)
