# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Accounts and groups of a hub, through its REST API."""

from __future__ import annotations

import re
import time
import typing as t
from dataclasses import dataclass, field
from urllib.parse import quote

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.shared.hub_api import HubApiError, HubClient

# What a hub must be sent to get lists in pages that say whether another one follows.
PAGES = "application/jupyterhub-pagination+json"
# A hub gives at most api_page_max_limit (200 by default), whatever is asked for.
PAGE = 200
# Names in one request to create accounts: each is a commit of the hub's database, and a request has a time limit.
BATCH = 100
POLL = 0.25


@dataclass(frozen=True)
class Account:
    """One account. None: the token may not see that.

    servers: the names of those that run, start or stop; the default server's name is empty.
    """

    name: str
    admin: bool | None = None
    groups: tuple[str, ...] | None = ()
    servers: tuple[str, ...] | None = ()
    created: str | None = None
    last_activity: str | None = None
    server_models: tuple[dict[str, t.Any], ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Group:
    """One group. properties: what it means is the site's business."""

    name: str
    users: tuple[str, ...] = ()
    properties: dict[str, t.Any] = field(default_factory=dict)


def parse_account(model: t.Mapping[str, t.Any]) -> Account:
    """An account out of the hub's description."""
    servers = model.get("servers")
    active = [server for server in (servers or {}).values() if not server.get("stopped", False)]
    return Account(
        str(model["name"]),
        None if model.get("admin") is None else bool(model["admin"]),
        None if model.get("groups") is None else tuple(sorted(model["groups"])),
        None if servers is None else tuple(sorted(str(server.get("name") or "") for server in active)),
        model.get("created"),
        model.get("last_activity"),
        tuple(sorted(active, key=lambda server: str(server.get("name") or ""))),
    )


def parse_group(model: t.Mapping[str, t.Any]) -> Group:
    """A group out of the hub's description."""
    return Group(
        str(model["name"]), tuple(sorted(model.get("users") or ())), dict(model.get("properties") or {})
    )


def refusal(doing: str, exc: HubApiError) -> HubError:
    """One sentence about why the hub did not do something."""
    text = str(exc)
    needed = re.search(r"requires any of \[([^\],]+)", text)
    if needed:
        why = f"the token lacks the scope {needed.group(1)}"
    elif "Only admins can" in text:
        why = (
            "JupyterHub takes that only from an administrator or a service with admin: true; use the token of one, or name the "
            "administrators in the hub's settings (Authenticator.admin_users)"
        )
    elif "invalid credentials" in text or exc.status == 401:
        why = f"the hub refuses the token: {text}"
    elif "Group management via API is disabled" in text:
        why = "the groups of this hub come from its login provider or its settings, so change them there"
    elif exc.status == 404:
        why = f"the hub does not know it, or the token's scopes leave it out: {text}"
    else:
        why = text
    return HubError(f"The hub did not {doing}: {why}.")


class AccountsClient:
    """What the modules about accounts and groups ask of a hub; raises HubError, one sentence, where the hub refuses."""

    def __init__(
        self,
        client: HubClient,
        clock: t.Callable[[], float] = time.monotonic,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._clock = clock
        self._sleep = sleep

    def version(self) -> str:
        try:
            return self._client.version()
        except HubApiError as exc:
            raise HubError(f"{self._client.url} does not answer as a hub: {exc}.") from exc

    def _ask(
        self, doing: str, method: str, path: str, accept: tuple[int, ...] = (200,), body: t.Any = None
    ) -> t.Any:
        """The answer's status and content; path is below the API and quoted."""
        try:
            answer = self._client.ask(method, f"{self._client.url}/hub/api{path}", accept, body)
        except HubApiError as exc:
            if not exc.status:
                raise HubError(f"{self._client.url} does not answer as a hub: {exc}.") from exc
            raise refusal(doing, exc) from exc
        return answer.status, answer.json()

    @staticmethod
    def _of(kind: str, name: str) -> str:
        return f"/{kind}/{quote(name, safe='')}"

    def _all(self, kind: str) -> list[dict[str, t.Any]]:
        """All of a list, page by page; of what moves between two pages meanwhile, each once."""
        found: dict[str, dict[str, t.Any]] = {}
        offset: int | None = 0
        while offset is not None:
            _, page = self._ask(f"list its {kind}", "GET", f"/{kind}?offset={offset}&limit={PAGE}")
            if isinstance(page, list):
                # A hub older than 2.0 has no pages.
                items, following = page, None
            elif isinstance(page, dict):
                items, following = page.get("items") or [], (page.get("_pagination") or {}).get("next")
            else:
                raise HubError(f"The hub listed its {kind} in a form that is not JSON.")
            found.update({str(item["name"]): item for item in items})
            offset = int(following["offset"]) if following else None
        return list(found.values())

    def accounts(self) -> list[Account]:
        return sorted(map(parse_account, self._all("users")), key=lambda account: account.name)

    def account(self, name: str) -> Account | None:
        status, model = self._ask(f"show {name!r}", "GET", self._of("users", name), (200, 404))
        return parse_account(model) if status == 200 and isinstance(model, dict) else None

    def create(self, names: t.Sequence[str], admin: bool) -> list[Account]:
        """Create accounts and return them with the names that the hub gave them."""
        made: list[Account] = []
        for first in range(0, len(names), BATCH):
            batch = names[first : first + BATCH]
            body = {"usernames": list(batch), "admin": admin}
            _, models = self._ask(f"create {', '.join(map(repr, batch))}", "POST", "/users", (201,), body)
            made += map(parse_account, models or [])
        return made

    def set_admin(self, name: str, admin: bool) -> None:
        doing = f"make {name!r} an administrator" if admin else f"take administration from {name!r}"
        self._ask(doing, "PATCH", self._of("users", name), (200,), {"admin": admin})

    def delete(self, name: str) -> None:
        self._ask(f"delete the account {name!r}", "DELETE", self._of("users", name), (204, 404))

    def _stop_server(self, name: str, server: str) -> None:
        path = self._of("users", name) + (f"/servers/{quote(server, safe='')}" if server else "/server")
        # 400, 500: it is just starting or stopping. The next look says what became of it.
        self._ask(f"stop a server of {name!r}", "DELETE", path, (202, 204, 400, 404, 500))

    def stop_servers(self, name: str, timeout: float) -> None:
        """Stop all servers of an account and return when the hub has none of them left."""
        deadline = self._clock() + timeout
        asked: dict[str, float] = {}
        while True:
            account = self.account(name)
            running = account.servers if account is not None else ()
            if running is None:
                raise HubError(
                    f"The hub did not say which servers {name!r} has: the token lacks the scope read:servers."
                )
            if not running:
                return
            if self._clock() > deadline:
                raise HubError(
                    f"A server of {name!r} still exists after {timeout:g} seconds: see the hub's log, or raise timeout."
                )
            for server in running:
                # Asked again after a while: a request that met a start or a stop under way may have done nothing.
                if self._clock() - asked.get(server, float("-inf")) > 3:
                    self._stop_server(name, server)
                    asked[server] = self._clock()
            self._sleep(POLL)

    def groups(self) -> list[Group]:
        return sorted(map(parse_group, self._all("groups")), key=lambda group: group.name)

    def group(self, name: str) -> Group | None:
        status, model = self._ask(f"show the group {name!r}", "GET", self._of("groups", name), (200, 404))
        return parse_group(model) if status == 200 and isinstance(model, dict) else None

    def create_group(self, name: str, users: t.Sequence[str] = ()) -> None:
        self._ask(
            f"create the group {name!r}", "POST", self._of("groups", name), (201,), {"users": list(users)}
        )

    def delete_group(self, name: str) -> None:
        self._ask(f"delete the group {name!r}", "DELETE", self._of("groups", name), (204, 404))

    def join(self, group: str, users: t.Sequence[str]) -> None:
        """Add accounts to a group, which is created if it does not exist."""
        doing = f"add {', '.join(users)} to the group {group!r}"
        path = self._of("groups", group) + "/users"
        status, _ = self._ask(doing, "POST", path, (200, 404), {"users": list(users)})
        if status == 404:
            self.create_group(group, users)

    def leave(self, group: str, users: t.Sequence[str]) -> None:
        doing = f"take {', '.join(users)} from the group {group!r}"
        path = self._of("groups", group) + "/users"
        self._ask(doing, "DELETE", path, (200, 404), {"users": list(users)})

    def set_properties(self, group: str, properties: t.Mapping[str, t.Any]) -> None:
        path = self._of("groups", group) + "/properties"
        self._ask(f"set the properties of the group {group!r}", "PUT", path, (200,), dict(properties))
