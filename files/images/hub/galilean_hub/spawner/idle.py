# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""When the culler stops a server, for its own page to say so before."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from jupyterhub.apihandlers import APIHandler
from jupyterhub.proxy import ConfigurableHTTPProxy
from tornado import web

from .profiles import time_left


class IdleHandler(APIHandler):
    """For one of the servers of the user who asks, or whose server asks with its token."""

    def get(self) -> None:
        user = self.current_user
        name = self.get_argument("server", "")
        # A service has none.
        if getattr(user, "spawners", None) is None or name not in user.orm_spawners:
            raise web.HTTPError(404)
        spawner = user.spawners[name]
        own = spawner.cull_timeout
        found = time_left(
            active=spawner.orm_spawner.last_activity,
            started=spawner.orm_spawner.started,
            limit=spawner.cull_default if own is None else own,
            max_age=spawner.cull_max_age,
            now=datetime.now(timezone.utc),
        )
        self.finish(json.dumps(found))


class QuietProxy(ConfigurableHTTPProxy):
    """A proxy whose traffic is no activity: a page that is only open answers its server's pings."""

    async def get_all_routes(self) -> dict[str, Any]:
        routes: dict[str, Any] = await super().get_all_routes()
        for route in routes.values():
            route["data"].pop("last_activity", None)
        return routes
