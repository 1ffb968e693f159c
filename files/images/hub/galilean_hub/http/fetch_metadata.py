# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What pages of users' servers may not ask of the hub with their visitor's cookies. Pure: no I/O.

Without a host name for each user such a page is on the hub's own address, so that its scripts could read the
hub's pages, and find there what the hub's API wants to see. Browsers say what a request is for, and no script
can change that: https://www.w3.org/TR/fetch-metadata/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping

# What browsers show and scripts cannot read. Frames are for the hub's Content-Security-Policy. Nothing: one
# that is no browser, or a connection without encryption.
SHOWN = {"", "document", "image", "style", "font", "audio", "video", "frame", "iframe"}

PAGE = (403, "The pages of the hub are for windows, not for scripts.")
# A server that does not run any more: JupyterLab knows this answer of the hub.
STOPPED = (424, "JupyterHub server no longer running.")


class FetchMetadata:
    """base: where the hub's address begins, with a slash at both ends."""

    def __init__(self, base: str = "/") -> None:
        hub = re.escape(base) + "hub/"
        # The proxy asks the hub, too, where the server's own path leads to nobody.
        self._servers = re.compile(f"{re.escape(base)}(?:hub/)?user/")
        self._api = re.compile(f"{hub}api(?:/|$)(?!oauth2/authorize)")
        self._open = re.compile(f"{hub}static/")

    def refusal(self, path: str, headers: Mapping[str, str]) -> tuple[int, str] | None:
        """The status and the sentence that a request of a script for something that is no script's gets."""
        if headers.get("Sec-Fetch-Dest", "").lower() in SHOWN:
            return None
        if self._servers.match(path):
            return STOPPED
        return None if self._api.match(path) or self._open.match(path) else PAGE

    def strict(self, path: str, headers: MutableMapping[str, str]) -> None:
        """Have JupyterHub ask for its secret (the XSRF token) wherever a cookie says who asks.

        JupyterHub 6.1.1 does without by what this header says: for "websocket", which the hub has none of;
        for "no-cors", with which a script reads answers of its own address all the same; and where it is not
        there, as in a request of a script over an unencrypted connection. Its own scripts always send the
        secret.
        """
        mode = headers.get("Sec-Fetch-Mode", "").lower()
        if mode in ("websocket", "no-cors") or (not mode and self._api.match(path)):
            headers["Sec-Fetch-Mode"] = "cors"
