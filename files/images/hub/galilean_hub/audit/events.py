# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What of the hub is an event, and whose doing it is.

JupyterHub's event log has the starts and stops of servers that somebody asked for, and no more. What changes
accounts, groups, tokens and approvals is seen where all of it ends, in the session of the database: no page
and no call of the API is forgotten. Written for JupyterHub 6.1 and nativeauthenticator 1.3.
"""

from __future__ import annotations

import logging
import re
import time
from collections import OrderedDict
from contextvars import ContextVar
from typing import Any

from jupyterhub import log as hub_log
from jupyterhub import orm
from jupyterhub.apihandlers.auth import OAuthAuthorizeHandler
from jupyterhub.apihandlers.users import SelfAPIHandler
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.login import LogoutHandler
from sqlalchemy import event, inspect
from sqlalchemy.orm import Session

from ..http import leaky_buckets
from ..http.api_limits import of_server
from ..http.server import by_proxy
from . import record

# The request that is being answered. What it sets going, such as the start of a server, inherits it.
REQUEST: ContextVar[Any] = ContextVar("request", default=None)
# Of the edge, which gives each request a name of its own (nginx: request_id).
REQUEST_ID = re.compile(r"[0-9a-f]{32}")
# Seconds in which the same refusal, or the same visit by a token, is told once.
AGAIN = 300.0
# Of what was told: with more, the oldest may be told again.
MOST_TOLD = 10_000
# Events of one action, in ten minutes, of one user, or of one address without a login.
MANY = 600
# Letters of a path.
PATH = 100
# What of a path is a secret.
SECRET_PATH = re.compile(r"(/(?:confirm|authorizations/(?:token|cookie)(?:/[^/]+(?=/))?)/)[^/]+")

SPOOL: record.Spool | None = None
# Whether servers tell what is opened and run in them.
CODE = False
_told: OrderedDict[bytes, float] = OrderedDict()
_limit = leaky_buckets.LeakyBuckets(MANY)
# What servers tell, which is counted where it comes.
CODE_ACTIONS = ("notebook.open", "code.run")


def origin() -> dict[str, Any]:
    """Who the present request is of, how they came, and from where; the hub itself where there is none."""
    handler = REQUEST.get()
    if handler is None:
        return {"via": "hub"}
    found: dict[str, Any] = {"address": handler.request.remote_ip}
    if by_proxy(handler):
        given = handler.request.headers.get("X-Request-ID", "")
        found["request"] = given if REQUEST_ID.fullmatch(given) else ""
    token = handler.get_token() if hasattr(handler, "get_token") else None
    user = getattr(handler, "_jupyterhub_user", None)
    if token is None:
        login = getattr(handler, "galilean_login", "")
        return {**found, "actor": user.name if user else login, "via": "session" if user else "login"}
    if token.service is not None:
        name = token.service.name
        return {**found, "actor": name, "via": "culler" if name == "idle-culler" else "service"}
    note = token.note or ""
    via = "server" if of_server(token) or token.client_id != "jupyterhub" else "token"
    more = {"token": f"{token.api_id} {note}"} if via == "token" else {}
    return {**found, "actor": token.user.name if token.user else "", "via": via, **more}


def emit(action: str, by: dict[str, Any] | None = None, **more: Any) -> None:
    """Write an event down. by: whose doing it is, where that is not the present request's user."""
    if SPOOL is not None:
        who = origin() if by is None else by
        _write(SPOOL, {"time": record.stamp(), "action": action, **who, "outcome": "ok", **more})


def _write(spool: record.Spool, event: dict[str, Any]) -> None:
    """Pass it on, unless one user, or one address without a login, fills the log with such events."""
    action, actor = event["action"], event.get("actor") or ""
    if _is_bounded(event):
        of = ("user", actor) if actor else ("address", leaky_buckets.network(event.get("address") or ""))
        who, now = leaky_buckets.key(action, *of), time.monotonic()
        if _limit.wait(who, now):
            if once("many", action, *of):
                detail = f"{action} is left out: more than {MANY} in ten minutes"
                told = {key: event[key] for key in ("time", "actor", "address", "via") if key in event}
                spool.write({**told, "action": "audit.lost", "outcome": "failed", "detail": detail})
            return
        _limit.take(who, now)
    spool.write(event)


def _is_bounded(event: dict[str, Any]) -> bool:
    """Not the hub itself, services and administrators, who may do something to thousands at once."""
    user = getattr(REQUEST.get(), "_jupyterhub_user", None)
    trusted = event.get("via") == "hub" or isinstance(user, orm.Service) or getattr(user, "admin", False)
    return not trusted and event["action"] not in CODE_ACTIONS


HUB = {"via": "hub"}


def once(*key: str) -> bool:
    """Whether this was not told within the last minutes."""
    known, now = leaky_buckets.key(*key), time.monotonic()
    if now - _told.get(known, -AGAIN) < AGAIN:
        return False
    _told[known] = now
    _told.move_to_end(known)
    while len(_told) > MOST_TOLD:
        _told.popitem(last=False)
    return True


# -- what is written to the database


def before_flush(session: Session, *_: Any) -> None:
    """Gather what this flush will write."""
    if SPOOL is None:
        return
    found: list[dict[str, Any]] = []
    with session.no_autoflush:
        for row in session.new:
            found += _created(row)
        for row in session.dirty:
            found += _changed(row)
        for row in session.deleted:
            # JupyterHub deletes what it has laid around a user's row.
            found += _deleted(getattr(row, "orm_user", row))
        found += _members([*session.new, *session.dirty])
    if found:
        who, now = origin(), record.stamp()
        session.info.setdefault("audit", []).extend({"time": now, **who, **one} for one in found)


def after_flush(session: Session, *_: Any) -> None:
    """Numbers of new tokens are known now."""
    for one in session.info.get("audit", ()):
        row = one.pop("row", None)
        if row is not None:
            one["detail"] = f"{row.api_id} {row.note or ''}".strip()


def after_commit(session: Session) -> None:
    for one in session.info.pop("audit", ()):
        if SPOOL is not None:
            _write(SPOOL, {"outcome": "ok", **one})


def after_rollback(session: Session) -> None:
    session.info.pop("audit", None)


def _is_sign_up(row: Any) -> bool:
    return getattr(row, "__tablename__", "") == "users_info"


def _is_own(token: orm.APIToken) -> bool:
    """A token that somebody has asked for: not a server's own, a browser's at a server, or a service's."""
    return token.user is not None and token.client_id in (None, "jupyterhub") and not of_server(token)


def _created(row: Any) -> list[dict[str, Any]]:
    if isinstance(row, orm.User):
        return [_of("account.create", row.name, "administrator" if row.admin else "")]
    if isinstance(row, orm.Group):
        return [_of("group.create", detail=row.name)]
    if isinstance(row, orm.Share):
        return [_shared("server.share", row)]
    if _is_sign_up(row):
        return [_of("account.signup", row.username, "approved" if row.is_authorized else "")]
    return _issued(row)


def _issued(row: Any) -> list[dict[str, Any]]:
    """A token, or a code that opens a server to a browser, now that it is somebody's."""
    if isinstance(row, orm.APIToken) and _is_own(row):
        return [{**_of("token.create", row.user.name), "row": row}]
    if isinstance(row, orm.OAuthCode):
        server = row.client.spawner if row.client is not None else None
        if server is not None and row.user is not None and server.user is not row.user:
            return [{**_of("server.enter", server.user.name), "server": server.name}]
    return []


def _changed(row: Any) -> list[dict[str, Any]]:
    def was(name: str) -> Any:
        """What it had been, in a list; empty where it stays as it is."""
        history = inspect(row).attrs[name].history
        return history.deleted if history.has_changes() else ()

    if isinstance(row, orm.User):
        found = [_of("account.rename", row.name, f"was {old}") for old in was("name")]
        given = "given" if row.admin else "taken"
        return found + [
            _of("account.admin", row.name, given) for old in was("admin") if bool(old) != row.admin
        ]
    if isinstance(row, orm.APIToken | orm.OAuthCode) and inspect(row).attrs.user.history.added:
        return _issued(row)
    if _is_sign_up(row):
        action = "approval.grant" if row.is_authorized else "approval.withdraw"
        found = [_of(action, row.username) for _ in was("is_authorized")]
        return found + [_of("account.password", row.username) for _ in was("password")]
    return []


def _deleted(row: Any) -> list[dict[str, Any]]:
    if isinstance(row, orm.User):
        return [_of("account.delete", row.name)]
    if isinstance(row, orm.Group):
        return [_of("group.delete", detail=row.name)]
    if isinstance(row, orm.Share) and row.owner and row.spawner:
        return [_shared("server.unshare", row)]
    if isinstance(row, orm.APIToken) and _is_own(row):
        ends = row.expires_at
        if ends is None or ends > row.now():
            return [_of("token.revoke", row.user.name, f"{row.api_id} {row.note or ''}".strip())]
    if _is_sign_up(row):
        return [_of("account.discard", row.username)]
    return []


def _members(rows: list[Any]) -> list[dict[str, Any]]:
    """Who comes into groups and roles, and who leaves them: told once, whichever side it was written on."""
    found: dict[tuple[str, str, str], None] = {}
    for row in rows:
        sides = {orm.User: ("groups", "roles"), orm.Group: ("users",), orm.Role: ("users",)}
        for side in sides.get(type(row), ()):
            history = inspect(row).attrs[side].history
            for other, word in [(one, "add") for one in history.added or ()] + [
                (one, "remove") for one in history.deleted or ()
            ]:
                user, whole = (row, other) if isinstance(row, orm.User) else (other, row)
                kind = "group" if isinstance(whole, orm.Group) else "role"
                # Everybody has the first one; the second one is told as what it is.
                if kind == "group" or whole.name not in ("user", "admin"):
                    found[f"{kind}.{word}", user.name, whole.name] = None
    return [_of(action, user, name) for action, user, name in found]


def _shared(action: str, row: orm.Share) -> dict[str, Any]:
    """With whom: a user, or all of a group."""
    whom = f"with {row.user.name}" if row.user else f"with the group {row.group.name}" if row.group else ""
    return {**_of(action, row.owner.name, whom), "server": row.spawner.name}


def _of(action: str, user: str = "", detail: str = "") -> dict[str, Any]:
    return {"action": action, "user": user, "detail": detail}


# -- what is asked of the hub


class ServerActions(logging.Handler):
    """Takes JupyterHub's event log."""

    def emit(self, record: logging.LogRecord) -> None:
        said: Any = record.msg
        if isinstance(said, dict) and said.get("action") in ("start", "stop"):
            emit(f"server.{said['action']}", user=said["username"], server=said["servername"])


async def _prepare(self: BaseHandler) -> None:
    REQUEST.set(self)
    await _prepared(self)


_prepared = BaseHandler.prepare


def _logged_out(self: LogoutHandler, name: str) -> None:
    emit("logout", user=name)
    _log_out(self, name)


_log_out = LogoutHandler._backend_logout_cleanup


async def _who_am_i(self: SelfAPIHandler) -> None:
    """Servers ask this about whoever comes to them with a token of the API."""
    token = self.get_token()
    if token is not None and not by_proxy(self) and token.client_id in (None, "jupyterhub"):
        server = server_at(self, self.request.remote_ip)
        if server is not None and server.user is not token.user:
            who = {**origin(), "address": ""}
            allowed = self.get_scope_filter("access:servers")(server, kind="server")
            if once("enter", token.api_id, server.user.name, server.name):
                outcome = "ok" if allowed else "refused"
                emit("server.enter", who, user=server.user.name, server=server.name, outcome=outcome)
    await _asked_who(self)


_asked_who = SelfAPIHandler.get


def server_at(handler: Any, address: str) -> orm.Spawner | None:
    found: orm.Spawner | None = (
        handler.db.query(orm.Spawner).join(orm.Server).filter(orm.Server.ip == address).first()
    )
    return found


def log_request(handler: Any) -> None:
    """As JupyterHub's, and what somebody was refused who is logged in; of others the edge has a line."""
    hub_log.log_request(handler)
    user = getattr(handler, "_jupyterhub_user", None)
    if SPOOL is None or handler.get_status() != 403 or user is None:
        return
    token = REQUEST.set(handler)
    try:
        path = SECRET_PATH.sub(r"\1[secret]", handler.request.path)[:PATH]
        if isinstance(handler, OAuthAuthorizeHandler):
            client = handler.db.query(orm.OAuthClient).filter_by(
                identifier=handler.get_argument("client_id", "")
            )
            server = getattr(client.first(), "spawner", None)
            if server is not None:
                if once("enter", user.name, server.user.name, server.name):
                    emit("server.enter", user=server.user.name, server=server.name, outcome="refused")
                return
        if once("refused", user.name, handler.request.method, path):
            emit("access.refused", outcome="refused", detail=f"{handler.request.method} {path}")
    finally:
        REQUEST.reset(token)


def known_name(handler: Any, name: str) -> str:
    """The name where it is an account's; otherwise somebody may have typed a password in the wrong field."""
    try:
        name = handler.authenticator.normalize_username(name)
    except Exception:
        return ""
    if len(name) > 255 or orm.User.find(handler.db, name) is None:
        return ""
    return name


def install(c: Any, code: bool) -> None:
    """Begin to write events down; code: also what servers tell."""
    global SPOOL, CODE
    CODE = code
    SPOOL = record.Spool()
    emit("hub.start", HUB)
    c.EventLogger.handlers = [ServerActions()]
    c.JupyterHub.tornado_settings["log_function"] = log_request
    BaseHandler.prepare = _prepare
    LogoutHandler._backend_logout_cleanup = _logged_out
    SelfAPIHandler.get = _who_am_i
    for name in (before_flush, after_flush, after_commit, after_rollback):
        event.listen(Session, name.__name__, name)
