# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Users who let others into their servers, by JupyterHub's shares: not at all, or for some days.

By itself JupyterHub lets a share stand for ever, and lets its owner give others each right over the server.
Written for JupyterHub 6.1.1, whose handlers these are.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from jupyterhub import orm
from jupyterhub.apihandlers.shares import ServerShareAPIHandler, ServerShareCodeAPIHandler
from jupyterhub.handlers.pages import AcceptShareHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import utcnow
from sqlalchemy import event
from sqlalchemy.orm import Session
from tornado import web

from .errors import refused

DAY = 86400
# To enter it. Who may stop somebody else's server, or read its state, is the administrators' to say.
SCOPE = "access:servers"
# Of one server: who may enter it, and links that have not ended.
SHARES = 50
LINKS = 20

# Days until what somebody shares ends; 0: nobody shares.
_days = 0


def use(days: int) -> None:
    """Begin, with the setting."""
    global _days
    _days = days
    event.listen(Session, "before_flush", _ending)


def _end() -> Any:
    return utcnow(with_tz=False) + timedelta(days=_days)


def _ending(session: Session, *_: Any) -> None:
    """Each share has an end. Who comes again by a newer link, gets a newer end."""
    for row in session.new:
        if isinstance(row, orm.Share):
            row.expires_at = _end()


def settle(session: Session) -> None:
    """At the start of the hub: what is shared for longer than the settings say, or against them."""
    for kind in (orm.Share, orm.ShareCode):
        for row in session.query(kind):
            if not _days:
                session.delete(row)
            elif row.expires_at is None or row.expires_at > _end():
                row.expires_at = _end()
    session.commit()


def _body(handler: Any) -> dict[str, Any]:
    body = handler.get_json_body()
    return body if isinstance(body, dict) else {}


def _allowed(handler: Any) -> None:
    """HTTPError where nobody shares, or more than the right to enter is given."""
    if not _days:
        text = "Sharing of servers is off on this hub."
        raise refused(403, text, "Sharing is off", text)
    scopes = _body(handler).get("scopes")
    more = [one for one in scopes if str(one).partition("!")[0] != SCOPE] if isinstance(scopes, list) else []
    if more:
        text = f"Of a server only {SCOPE} can be shared, not {str(more[0])[:60]}."
        raise refused(403, text, "Not shared", text)


def _server(handler: Any, user_name: str, server_name: str | None) -> Any:
    user = handler.find_user(user_name)
    return user.orm_spawners.get(server_name or "") if user else None


def _not_too_many(rows: list[Any], most: int, what: str) -> None:
    if sum(not one.expired for one in rows) >= most:
        text = f"This server has {most} {what}, which is the most: remove some of them."
        raise refused(403, text, "Too many", text)


class Shares(ServerShareAPIHandler):
    """Who may enter a server."""

    async def post(self, user_name: str, server_name: str | None = None) -> None:
        _allowed(self)
        spawner = _server(self, user_name, server_name)
        _not_too_many(spawner.shares if spawner else [], SHARES, "people or groups who may enter it")
        await super().post(user_name, server_name)

    @needs_scope("shares")
    async def delete(self, user_name: str, server_name: str | None = None) -> None:
        """One by one, as the audit log sees them."""
        spawner = _server(self, user_name, server_name)
        for share in list(spawner.shares) if spawner else []:
            self.db.delete(share)
        await super().delete(user_name, server_name)


class Links(ServerShareCodeAPIHandler):
    """Links by which others get in."""

    async def post(self, user_name: str, server_name: str | None = None) -> None:
        _allowed(self)
        asked = _body(self).get("expires_in")
        if isinstance(asked, int) and asked > _days * DAY:
            text = f"A link lasts {_days} days at most."
            raise refused(400, text, "Too long", text)
        spawner = _server(self, user_name, server_name)
        _not_too_many(spawner.share_codes if spawner else [], LINKS, "links")
        await super().post(user_name, server_name)


class Accepting(AcceptShareHandler):
    """Who follows a link."""

    @web.authenticated
    def post(self) -> None:
        code = orm.ShareCode.find(self.db, code=self.get_argument("code"))
        if code is not None:
            known = orm.Share.find(self.db, code.spawner, share_with=self.current_user.orm_user)
            if known is None:
                _not_too_many(code.spawner.shares, SHARES, "people or groups who may enter it")
            else:
                known.expires_at = _end()
        super().post()


HANDLERS: list[tuple[Any, ...]] = [
    (r"/api/shares/([^/]+)/([^/]*)", Shares),
    (r"/api/share-codes/([^/]+)/([^/]*)", Links),
    (r"/accept-share", Accepting),
]
