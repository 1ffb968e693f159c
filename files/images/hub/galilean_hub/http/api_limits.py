# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What one user may have the hub keep, and work on: JupyterHub has no end for either.

Written for JupyterHub 6.1.1, whose handlers these are.
"""

from __future__ import annotations

from typing import Any, ClassVar

from jupyterhub import orm
from jupyterhub.apihandlers.users import ActivityAPIHandler, UserTokenListAPIHandler
from jupyterhub.handlers.base import CSPReportHandler
from sqlalchemy import event, or_
from sqlalchemy.orm import Session
from tornado import web
from tornado.httputil import HTTPHeaders
from tornado.web import OutputTransform

from .errors import refused

# Tokens for the API, of a user, that have not ended.
TOKENS = 100
# The most that a request for a token, or a word about activity, has to say.
WORDS = 8 * 1024
# A time as anybody writes it. JupyterHub's parser takes 21 seconds for one of 240,000 letters, and the hub
# does nothing else.
TIME = 64
# Logins at servers and services, of a user: what browsers hold of them, and codes on their way to becoming
# such. With one more, the oldest is forgotten, and that browser logs in again.
LOGINS = 300
CODES = 50
# What is logged of a report, which comes from a browser, or from whoever says to be one.
REPORT = 1000
# How the note of a token begins that JupyterHub makes for a server.
SERVERS_NOTE = "Server at "


def of_server(token: orm.APIToken) -> bool:
    """Whether it is a server's own, which ends with the server: one that has an end is a user's."""
    return token.expires_at is None and (token.note or "").startswith(SERVERS_NOTE)


def _short(handler: Any, what: str) -> None:
    size = len(handler.request.body)
    if size > WORDS:
        text = f"{what} of {size} bytes is too long: {WORDS} are the most."
        raise refused(413, text, "Too long", text)


class Tokens(UserTokenListAPIHandler):
    """A user's tokens."""

    async def post(self, user_name: str) -> None:
        _short(self, "A request for a token")
        body = self.get_json_body()
        if isinstance(body, dict) and str(body.get("note") or "").startswith(SERVERS_NOTE):
            text = f"A note that begins with '{SERVERS_NOTE}' is for the tokens of servers: give another one."
            raise refused(400, text, "Not for users", text)
        user = self.find_user(user_name) if self.current_user else None
        if user is not None and self._many(user.orm_user) >= TOKENS:
            text = (
                f"{user_name} has {TOKENS} tokens, which is the most: revoke some that are not used any more."
            )
            raise refused(403, text, "Too many tokens", text)
        await super().post(user_name)

    def _many(self, user: orm.User) -> int:
        held = self.db.query(orm.APIToken).filter_by(user_id=user.id, client_id="jupyterhub")
        now = orm.APIToken.now()
        counted: int = held.filter(
            or_(orm.APIToken.expires_at.is_(None), orm.APIToken.expires_at > now)
        ).count()
        return counted


class Activity(ActivityAPIHandler):
    """What users' servers tell of their activity."""

    def post(self, user_name: str) -> None:
        _short(self, "A word about activity")
        super().post(user_name)

    def get_json_body(self) -> Any:
        body = super().get_json_body()
        if isinstance(body, dict):
            servers = body.get("servers")
            told = [body, *(servers.values() if isinstance(servers, dict) else ())]
            times = [one.get("last_activity") for one in told if isinstance(one, dict)]
            if any(isinstance(time, str) and len(time) > TIME for time in times):
                raise web.HTTPError(400, "last_activity is no time")
        return body


class Reports(CSPReportHandler):
    """What browsers report: one line of the log, whatever is in it."""

    @web.authenticated
    def post(self) -> None:
        self.request.body = ascii(self.request.body[:REPORT].decode(errors="replace")).encode()
        super().post()


class FailedSessionRollback(OutputTransform):
    """What one request could not write is no other's matter.

    All of them have one session with the database. JupyterHub rolls it back after errors of the database, and
    for others, as for letters that are none, not before the next request, of anybody, has failed on it.
    """

    session: ClassVar[Session | None] = None

    def __init__(self, request: Any) -> None:
        pass

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        if self.session is not None and not self.session.is_active:
            self.session.rollback()
        return status_code, headers, chunk


HANDLERS: list[tuple[Any, ...]] = [
    (r"/api/users/([^/]+)/tokens", Tokens),
    (r"/api/users/([^/]+)/activity", Activity),
    (r"/security/csp-report", Reports),
]


def forget(session: Session, *_: Any) -> None:
    """Before rows are written: those of a user go that are too many, or of no use, with them."""
    for new in list(session.new):
        if isinstance(new, orm.OAuthCode | orm.APIToken) and new.user is not None:
            with session.no_autoflush:
                for old in _outlived(session, new):
                    session.delete(old)


def _outlived(session: Session, new: Any) -> Any:
    kind = type(new)
    held = session.query(kind).filter(kind.user_id == new.user.id)
    if kind is orm.OAuthCode:
        return held.order_by(kind.id.desc()).offset(CODES - 1)
    if new.client_id != "jupyterhub":
        held = held.filter(kind.client_id != "jupyterhub")
        return held.order_by(kind.id.desc()).offset(LOGINS - 1)
    if of_server(new):
        # A start that was interrupted leaves the token of its server behind, which never ends.
        return held.filter_by(client_id="jupyterhub", note=new.note, expires_at=None)
    return ()


event.listen(Session, "before_flush", forget)
