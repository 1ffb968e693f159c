# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What users' servers tell: which notebooks are opened, which code is sent to kernels. Off by default."""

from __future__ import annotations

import time
from typing import Any

from jupyterhub.apihandlers import APIHandler
from tornado import web

from ..audit import events
from ..http import leaky_buckets

# Events of one server at once, and in ten minutes.
MANY = 3000
_limit = leaky_buckets.LeakyBuckets(MANY)


class CodeHandler(APIHandler):
    """Takes events from the server whose token it is; whose doing it was is not taken from its words."""

    def post(self) -> None:
        who = events.origin()
        if not events.CODE or who.get("via") != "server":
            raise web.HTTPError(403)
        body = self.get_json_body()
        told = body.get("events") if isinstance(body, dict) else None
        if not isinstance(told, list):
            raise web.HTTPError(400, "events is no list")
        server = events.server_at(self, self.request.remote_ip)
        own = server is not None and server.user.name == who["actor"]
        name, key, now = (
            server.name if own else "",
            leaky_buckets.key(self.request.remote_ip),
            time.monotonic(),
        )
        if body.get("lost"):
            self._lost(who, name, "the hub was away")
        for one in told:
            if _limit.wait(key, now):
                self._lost(who, name, f"it told more than {MANY}")
                break
            _limit.take(key, now)
            if isinstance(one, dict) and one.get("action") in events.CODE_ACTIONS:
                self._tell(one, who, name)
        self.set_status(204)

    def _tell(self, one: dict[str, Any], who: dict[str, Any], server: str) -> None:
        detail = str(one.get("detail", ""))
        events.emit(one["action"], who, user=who["actor"], server=server, detail=detail)

    def _lost(self, who: dict[str, Any], server: str, why: str) -> None:
        if not events.once("code", who["actor"], server, why):
            return
        detail = f"events of this server are missing: {why}"
        events.emit("audit.lost", who, user=who["actor"], server=server, outcome="failed", detail=detail)
