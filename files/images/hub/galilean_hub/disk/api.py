# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the hub's API says of a home."""

from __future__ import annotations

import json

from jupyterhub.apihandlers import APIHandler
from tornado import web

from .watch import WATCH


class DiskHandler(APIHandler):
    """How the home of the user stands who asks, or whose server asks with its token."""

    def get(self) -> None:
        user = self.current_user
        # A service has none.
        if getattr(user, "spawners", None) is None:
            raise web.HTTPError(403)
        self.finish(json.dumps(WATCH.model(user.spawner.home_volume())))
