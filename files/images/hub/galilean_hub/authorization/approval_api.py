# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the hub's API says of the list of approved users: the sentence that administrators see."""

from __future__ import annotations

import json

from jupyterhub.apihandlers import APIHandler
from jupyterhub.scopes import needs_scope

from .approval_source import Source


class ApprovalHandler(APIHandler):
    """For the check of the hub: why the list was not renewed and which one counts, or nothing."""

    @needs_scope("read:hub")
    async def get(self) -> None:
        source: Source | None = self.authenticator.source()
        if source is not None:
            await source.refresh()
        self.finish(json.dumps({"notice": source.notice() if source is not None else ""}))
