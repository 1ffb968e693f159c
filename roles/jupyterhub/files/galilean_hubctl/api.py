# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the hub's API tells of users and servers, to the service that may only look at them, stop and delete them."""

from __future__ import annotations

import typing as t
from pathlib import Path

from .hub_api import HubApiError, HubClient
from .hub_http import UrlTransport, trust
from .settings import Problem, Settings

# What a hub must be sent to get lists in pages that say how many there are.
PAGES = "application/jupyterhub-pagination+json"
PAGE = 200


class Api:
    """Raises Problem, one sentence."""

    def __init__(self, settings: Settings) -> None:
        path = Path(settings.secrets_dir) / "accounts-token"
        try:
            token = path.read_text(encoding="utf-8").strip()
        except OSError as exc:
            raise Problem(f"The token {path} cannot be read ({exc.strerror}): run site.yml again.") from exc
        # Straight to the hub: neither edge nor proxy is asked, and no network outside of this host.
        self._client = HubClient(settings.direct_url, UrlTransport(token, trust(True, ""), PAGES))
        self._start = settings.start_command

    def version(self) -> str:
        """Of JupyterHub."""
        return str(self._ask("/").get("version", ""))

    def page(self, query: str) -> tuple[list[dict[str, t.Any]], int]:
        """One page of users, and how many there are."""
        found = self._ask(f"/users?{query}")
        return found["items"], int(found["_pagination"]["total"])

    def users(self, query: str = "") -> list[dict[str, t.Any]]:
        """All users, as the hub describes them."""
        found: list[dict[str, t.Any]] = []
        while True:
            items, total = self.page(f"limit={PAGE}&offset={len(found)}{query}")
            found += items
            if not items or len(found) >= total:
                return found

    def _ask(self, path: str) -> dict[str, t.Any]:
        try:
            found = self._client.ask("GET", f"{self._client.url}/hub/api{path}", timeout=20).json()
        except HubApiError as exc:
            what = "does not answer" if not exc.status else "refuses"
            raise Problem(
                f"The hub {what} ({exc}): see hubctl logs, and start it with {self._start}."
            ) from exc
        if not isinstance(found, dict):
            raise Problem(
                f"What answers at {self._client.url} is no hub of this collection: run site.yml again."
            )
        return found
