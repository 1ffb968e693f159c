# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Where a login may be tried, how often, and under which names nobody logs in: over any authenticator.

Also over a site's own, which has nothing else of ours: see `guarded`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import time
import unicodedata
from collections import Counter
from datetime import timedelta
from typing import Any

from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.apihandlers.hub import RootAPIHandler
from jupyterhub.auth import Authenticator
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.utils import maybe_future, utcnow
from tornado import web
from traitlets import Integer, Set, Unicode
from traitlets.utils.importstring import import_item

from ..audit import events
from ..http import api_limits, leaky_buckets, sharing
from ..http.errors import refused
from ..http.server import by_proxy
from ..pages import git_links
from ..shared.usernames import composed, name_problem
from ..spawner.drain import DRAIN
from . import failed_logins

# What a browser gets that has logged in, and how long it counts.
DEVICE = "galilean-device"
DEVICE_DAYS = 180
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def folded(name: str) -> str:
    """The name as a person reads it: how it is spelled makes no other name of it."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


class RootAPI(RootAPIHandler):
    """The top of the API, which tells JupyterHub's version: to whom it knows."""

    def get(self) -> None:
        if self.current_user:
            super().get()
        elif by_proxy(self):
            raise web.HTTPError(403, "Missing or invalid credentials.")
        else:
            # A user's server asks without a token whether the hub is there, and ends where it is refused.
            self.finish("{}")


class LoginPage(LoginHandler):
    """Over the page with the form for a name and a password, of every authenticator that has one."""

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """What is no text is no name and no password either.

        JupyterHub reads the name once more for the page of an error, which then stayed empty.
        """
        return value.decode(errors="replace")

    def _render(self, login_error: str | None = None, username: str | None = None, **more: Any) -> Any:
        if login_error == "Invalid username or password":
            login_error = self.authenticator.ask(f"{login_error}.")
        return super()._render(login_error, username, **more)


class LoginGuard(Authenticator):
    """Mixed into every authenticator."""

    reserved_names = Set(
        Unicode(),
        config=True,
        help="Names of services and of the check's user: nobody logs in or signs up with one of them.",
    )
    failed_login_limit = Integer(
        60, min=0, config=True, help="Wrong passwords that an address may send in ten minutes; 0 is no limit."
    )

    contact = Unicode(config=True, help="Whom to ask, at the end of each refusal.")

    _failed_logins: failed_logins.FailedLogins | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # By address, how many passwords are being tried.
        self._under_way: Counter[str] = Counter()

    def ask(self, text: str) -> str:
        """The text, and whom to ask."""
        return f"{text} Ask {self.contact}." if self.contact else text

    # -- names

    def normalize_username(self, username: str) -> str:
        """Names are compared sign by sign, so each has to come in one way only."""
        return str(super().normalize_username(composed(username)))

    def validate_username(self, username: str) -> bool:
        """Only what can be printed, as in the settings.

        Programs that check passwords in C read a name up to a zero byte. Others take some signs for the end
        of a line, or show the name in another order.
        """
        return not name_problem(username) and bool(super().validate_username(username))

    def is_reserved(self, name: str) -> bool:
        """Whether it is, in any spelling, a name that the hub uses itself."""
        names = {folded(name)}
        # PAM's fails where there is no such account.
        with contextlib.suppress(KeyError):
            names.add(folded(self.normalize_username(name)))
        return bool(names & {folded(one) for one in self.reserved_names})

    def refuse_reserved(self, name: str) -> None:
        """HTTPError 403 where it is one."""
        if self.is_reserved(name):
            text = f"The name {name} is reserved for the hub, and cannot be used for a login."
            text = self.ask(text)
            raise refused(403, text, "No access to this hub", "%r is a name of the hub itself: refused", name)

    async def check_blocked_users(self, username: str, authentication: Any = None) -> bool:
        self.refuse_reserved(username)
        return bool(await maybe_future(super().check_blocked_users(username, authentication)))

    # -- logins

    async def get_authenticated_user(self, handler: Any, data: Any) -> Any:
        """As below, and written down.

        What was typed as a name is only kept where it is one: it may be a password in the wrong field.
        """
        via = "provider" if data is None else "form"
        try:
            result = await self._authenticated(handler, data)
        except web.HTTPError as exc:
            outcome = "refused" if exc.status_code < 500 else "failed"
            name, why = getattr(exc, "galilean_refused", (_typed(handler, data), exc.reason or "refused"))
            events.emit("login", via=via, user=name, outcome=outcome, detail=why)
            raise
        if result:
            name = result["name"] if isinstance(result, dict) else str(result)
            # What else this request does is this user's doing.
            handler.galilean_login = name
            events.emit("login", via=via, user=name)
        else:
            detail = "wrong name or password"
            events.emit("login", via=via, user=_typed(handler, data), outcome="failed", detail=detail)
        return result

    async def _authenticated(self, handler: Any, data: Any) -> Any:
        """As the authenticator does it, for what comes from a page and not too often.

        Each login of each authenticator comes through here; JupyterHub's API takes passwords, too.
        """
        if isinstance(handler, APIHandler) or not by_proxy(handler):
            text = "Logins are accepted on the hub's login page only."
            said = "%s tried to log in by %s %s, past the login page: refused"
            request = handler.request
            raise refused(
                403, text, "Not accepted here", said, request.remote_ip, request.method, request.path
            )
        if data is None:
            # A provider or a proxy says who it is: there is no password to guess.
            return self._named(await self._checked(handler, data))
        if isinstance(data, dict):
            # A form without them; JupyterHub's page and most authenticators look for both.
            data.setdefault("username", "")
            data.setdefault("password", "")
        name = data.get("username") if isinstance(data, dict) else None
        if CONTROL.search(str(name or "")):
            return None
        attempt = await self.attempt(handler, str(name or ""))
        place = leaky_buckets.network(handler.request.remote_ip)
        self._under_way[place] += 1
        try:
            result = self._named(await self._checked(handler, data))
        except Exception:
            # Refused for another reason, or it could not be found out.
            attempt.give_back(time.monotonic())
            raise
        finally:
            self._under_way[place] -= 1
            if not self._under_way[place]:
                del self._under_way[place]
        if result:
            attempt.give_back(time.monotonic())
            self.passed(handler, str(name or ""))
        return result

    async def _checked(self, handler: Any, data: Any) -> Any:
        """As the authenticator does it; what goes wrong there is a sentence on a page, a line in the log."""
        try:
            return await super().get_authenticated_user(handler, data)
        except web.HTTPError as exc:
            if hasattr(exc, "jupyterhub_message"):
                raise
            said = exc.get_message() or exc.reason or str(exc)
            if exc.status_code < 500:
                text = self.ask(f"The login did not work: {said.rstrip('.')}. Log in again.")
                raise refused(exc.status_code, text, "You are not logged in", "%s", said) from exc
            # What comes after a colon may be a provider's answer, with tokens.
            said = said.partition(":")[0]
        except Exception as exc:
            said = " ".join(f"{type(exc).__name__}: {exc}".split())[:500]
            self.log.debug("A login could not be checked", exc_info=True)
        text = "Your login could not be checked, because something that the hub asks about it does not answer"
        text = self.ask(f"{text} as it should. Try again in some minutes.")
        raise refused(500, text, "The login does not work now", "A login could not be checked: %s", said)

    def _named(self, result: Any) -> Any:
        # A site's hook may have given another name at last.
        if isinstance(result, dict):
            self.refuse_reserved(str(result.get("name", "")))
        return result

    async def attempt(self, handler: Any, name: str) -> failed_logins.Attempt:
        """Count a password that is about to be tried; HTTPError 429 where there were too many wrong ones."""
        if not self.failed_login_limit:
            return failed_logins.Attempt(())
        if self._failed_logins is None:
            self._failed_logins = failed_logins.FailedLogins(self.failed_login_limit)
        address, account = handler.request.remote_ip, self._account(name)
        device = self._device(handler, account)
        attempt = self._failed_logins.begin(address, account, device, time.monotonic())
        while attempt.seconds and self._under_way[leaky_buckets.network(address)]:
            # What is being tried counts until it turns out to be right: a class waits for itself.
            await asyncio.sleep(0.1)
            attempt = self._failed_logins.begin(address, account, device, time.monotonic())
        if attempt.seconds:
            seconds = int(attempt.seconds) + 1
            text = f"There were too many wrong passwords {attempt.why}. Try again in {seconds} seconds."
            said = "A login as %.32r from %s was not tried: too many wrong passwords %s, next in %d s"
            raise refused(
                429,
                text,
                "Too many wrong passwords",
                said,
                name,
                address,
                attempt.why,
                seconds,
                retry=seconds,
            )
        if attempt.delay:
            self.log.warning(
                "A login as %.32r waits %.1f s: many wrong passwords for it", name, attempt.delay
            )
            await asyncio.sleep(attempt.delay)
        return attempt

    def passed(self, handler: Any, name: str) -> None:
        """Remember from where somebody has logged in: the address, and in a cookie the browser."""
        account = self._account(name)
        if self._failed_logins is not None:
            self._failed_logins.passed(handler.request.remote_ip, account)
        mark = f"{leaky_buckets.key(account).hex()}:{secrets.token_hex(8)}"
        path = handler.hub.base_url + "login"
        handler._set_cookie(DEVICE, mark, encrypted=True, path=path, expires_days=DEVICE_DAYS)

    def _account(self, name: str) -> str:
        try:
            return folded(self.normalize_username(name))
        except KeyError:
            return folded(name)

    def _device(self, handler: Any, account: str) -> str:
        """What the browser's cookie says, where it is for this account."""
        value = handler.get_secure_cookie(DEVICE, max_age_days=DEVICE_DAYS)
        mark = value.decode() if value else ""
        return mark if mark.partition(":")[0] == leaky_buckets.key(account).hex() else ""

    # -- the hub's start

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        """Ours come before JupyterHub's."""
        # Called once, when the database is there; a check of the configuration has none.
        if getattr(app, "db", None) is not None:
            self._settle(app)
            DRAIN.start(app)
            sharing.settle(app.db)
            api_limits.FailedSessionRollback.session = app.db
        theirs = [(path, _with_words(handler), *rest) for path, handler, *rest in super().get_handlers(app)]
        own = [*api_limits.HANDLERS, *sharing.HANDLERS, *git_links.HANDLERS]
        return [(r"/api/?", RootAPI), *own, *theirs, (r"/login", LoginPage)]

    def _settle(self, app: Any) -> None:
        """What an older hub left: sessions and tokens under reserved names, and tokens that never end."""
        for name in sorted(self.reserved_names):
            user = orm.User.find(app.db, name)
            if user is not None:
                user.cookie_id = orm.new_token()
                for token in list(user.api_tokens):
                    app.db.delete(token)
        most = app.token_expires_in_max_seconds
        if most > 0:
            ends = utcnow(with_tz=False) + timedelta(seconds=most)
            # Those of the settings (an old way) stay as the settings say.
            kept = {orm.APIToken.find(app.db, token) for token in app.api_tokens}
            endless = app.db.query(orm.APIToken).filter(
                orm.APIToken.user_id.isnot(None), orm.APIToken.expires_at.is_(None)
            )
            for token in endless:
                if token not in kept and not api_limits.of_server(token):
                    token.expires_at = ends
                    self.log.warning(
                        "The token %s of %s ends on %s", token.api_id, token.user.name, ends.date()
                    )
        app.db.commit()


def _with_words(handler: type[Any]) -> type[Any]:
    """An authenticator's page, where it is one of those that have not enough to say."""
    if issubclass(handler, LoginHandler):
        return type(handler.__name__, (LoginPage, handler), {})
    if hasattr(handler, "check_arguments"):
        return type(handler.__name__, (_Callback, handler), {})
    return handler


def _typed(handler: Any, data: Any) -> str:
    name = data.get("username") if isinstance(data, dict) else ""
    return events.known_name(handler, name) if isinstance(name, str) and name else ""


class _Callback:
    """Over oauthenticator's page to which a provider sends people back."""

    def check_arguments(self) -> None:
        """As theirs, in words for people."""
        try:
            super().check_arguments()  # type: ignore[misc]
        except web.HTTPError as exc:
            said = exc.get_message() or ""
            if said.startswith("OAuth error: "):
                service = self.authenticator.login_service or "The provider"  # type: ignore[attr-defined]
                text = f"{service} says: {said.removeprefix('OAuth error: ').rstrip('.')}."
            else:
                text = "The login took too long, or was begun in another window or browser."
            text = self.authenticator.ask(f"{text} Log in again.")  # type: ignore[attr-defined]
            detail = "ended at the provider"
            events.emit("login", via="provider", outcome="refused", detail=detail)
            raise refused(exc.status_code, text, "You are not logged in", "%s", said) from None


def guarded(name: str) -> type[Authenticator]:
    """A site's own authenticator, by its full name, with LoginGuard over it and nothing else of ours."""
    try:
        base = import_item(name)
    except ImportError as exc:
        raise SystemExit(
            f"JupyterHub.authenticator_class is {name!r}, which cannot be imported: {exc}"
        ) from exc
    cls: type[Authenticator] = type(f"Guarded{base.__name__}", (LoginGuard, base), {})
    return cls
