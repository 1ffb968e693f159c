# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Where a login may be tried, how often, and under which names nobody logs in: over any authenticator.

Also over a site's own, which has nothing else of ours: see `guarded`.
"""

from __future__ import annotations

import asyncio
import contextlib
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
from jupyterhub.utils import maybe_future, utcnow
from tornado import web
from traitlets import Integer, Set, Unicode
from traitlets.utils.importstring import import_item

from . import guesses, limits
from .refusals import refused
from .server import by_proxy

# What a browser gets that has logged in, and how long it counts.
DEVICE = "galilean-device"
DEVICE_DAYS = 180


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


class LoginGuard(Authenticator):
    """Mixed into every authenticator."""

    reserved = Set(
        Unicode(),
        config=True,
        help="Names of services and of the check's user: nobody logs in or signs up with one of them.",
    )
    wrong_passwords = Integer(
        60, min=0, config=True, help="Wrong passwords that an address may send in ten minutes; 0 is no limit."
    )

    _guesses: guesses.Guesses | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # By address, how many passwords are being tried.
        self._under_way: Counter[str] = Counter()

    # -- names

    def is_reserved(self, name: str) -> bool:
        """Whether it is, in any spelling, a name that the hub uses itself."""
        names = {folded(name)}
        # PAM's fails where there is no such account.
        with contextlib.suppress(KeyError):
            names.add(folded(self.normalize_username(name)))
        return bool(names & {folded(one) for one in self.reserved})

    def refuse_reserved(self, name: str) -> None:
        """HTTPError 403 where it is one."""
        if self.is_reserved(name):
            text = f"The name {name} belongs to the hub itself, and nobody can log in with it."
            raise refused(403, text, "No access to this hub", "%r is a name of the hub itself: refused", name)

    async def check_blocked_users(self, username: str, authentication: Any = None) -> bool:
        self.refuse_reserved(username)
        return bool(await maybe_future(super().check_blocked_users(username, authentication)))

    # -- logins

    async def get_authenticated_user(self, handler: Any, data: Any) -> Any:
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
        if not data:
            # A provider or a proxy says who it is: there is no password to guess.
            return self._named(await super().get_authenticated_user(handler, data))
        name = data.get("username") if isinstance(data, dict) else None
        attempt = await self.attempt(handler, str(name or ""))
        place = guesses.network(handler.request.remote_ip)
        self._under_way[place] += 1
        try:
            result = self._named(await super().get_authenticated_user(handler, data))
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

    def _named(self, result: Any) -> Any:
        # A site's hook may have given another name at last.
        if isinstance(result, dict):
            self.refuse_reserved(str(result.get("name", "")))
        return result

    async def attempt(self, handler: Any, name: str) -> guesses.Attempt:
        """Count a password that is about to be tried; HTTPError 429 where there were too many wrong ones."""
        if not self.wrong_passwords:
            return guesses.Attempt(())
        if self._guesses is None:
            self._guesses = guesses.Guesses(self.wrong_passwords)
        address, account = handler.request.remote_ip, self._account(name)
        device = self._device(handler, account)
        attempt = self._guesses.begin(address, account, device, time.monotonic())
        while attempt.seconds and self._under_way[guesses.network(address)]:
            # What is being tried counts until it turns out to be right: a class waits for itself.
            await asyncio.sleep(0.1)
            attempt = self._guesses.begin(address, account, device, time.monotonic())
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
        if self._guesses is not None:
            self._guesses.passed(handler.request.remote_ip, account)
        mark = f"{guesses.key(account).hex()}:{secrets.token_hex(8)}"
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
        return mark if mark.partition(":")[0] == guesses.key(account).hex() else ""

    # -- the hub's start

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        """Ours come before JupyterHub's."""
        # Called once, when the database is there; a check of the configuration has none.
        if getattr(app, "db", None) is not None:
            self._settle(app)
            limits.Apart.session = app.db
        return [(r"/api/?", RootAPI), *limits.HANDLERS, *super().get_handlers(app)]

    def _settle(self, app: Any) -> None:
        """What an older hub left: sessions and tokens under reserved names, and tokens that never end."""
        for name in sorted(self.reserved):
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
            # Servers' own end with the server.
            found = [token for token in endless if not (token.note or "").startswith("Server at ")]
            for token in found:
                if token not in kept:
                    token.expires_at = ends
                    self.log.warning(
                        "The token %s of %s ends on %s", token.api_id, token.user.name, ends.date()
                    )
        app.db.commit()


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
