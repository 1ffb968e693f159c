# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Where authenticators do otherwise than docs/login.md says: laid between their classes and ours.

Written for oauthenticator 17.4, ldapauthenticator 2.0 and nativeauthenticator 1.3 with JupyterHub 6.1.
"""

from __future__ import annotations

import asyncio
import importlib
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import bcrypt
from jupyterhub.auth import Authenticator
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import maybe_future
from tornado import web
from traitlets import Integer

from ..http import leaky_buckets
from ..http.errors import refused
from ..http.server import by_proxy

# Seconds that somebody waits for the directory.
PATIENCE = 20


BLOCKED = "This account is blocked."


class Rules(Authenticator):
    """What is asked of each of them."""

    def withdrawn(self, username: str) -> str:
        """Why an account that had come in may not stay, as far as it is known here; empty: it may."""
        return ""


class Google(Rules):
    """Names are addresses, so nobody comes in with one that they have not shown to be theirs."""

    async def check_blocked_users(self, username: str, authentication: Any = None) -> bool:
        # Google's class looks at it in check_allowed, which nobody asks where everybody of a domain or of a
        # group may come in.
        if not authentication["auth_state"]["google_user"].get("verified_email"):
            self.log.warning("Google has not verified the address of %s", username)
            return False
        return bool(super().check_blocked_users(username, authentication))


class GitLab(Rules):
    """Groups in groups."""

    async def httpfetch(self, url: str, *args: Any, **kwargs: Any) -> Any:
        # A group's path is escaped twice, and GitLab knows no such group (oauthenticator's issue 423).
        return await super().httpfetch(url.replace("%252F", "%2F"), *args, **kwargs)  # type: ignore[misc]


class Globus(Rules):
    """Tokens as with the other providers, and nowhere else."""

    async def pre_spawn_start(self, user: Any, spawner: Any) -> None:
        """Nothing: Globus' class puts all tokens into the server's environment, which `docker inspect`
        shows.
        """

    def build_auth_state_dict(self, token_info: dict[str, Any], user_info: dict[str, Any]) -> dict[str, Any]:
        # Without these, users' programs get no token, and the hub cannot renew it.
        given = {name: token_info.get(name) for name in ("access_token", "refresh_token")}
        return {**given, **super().build_auth_state_dict(token_info, user_info)}  # type: ignore[misc]

    async def _fetch_users_groups(self, tokens: list[dict[str, Any]]) -> set[str]:
        # Asked for wherever there are groups at all, and it fails without the token for them.
        if not any(token["resource_server"] == "groups.api.globus.org" for token in tokens):
            return set()
        groups: set[str] = await super()._fetch_users_groups(tokens)  # type: ignore[misc]
        return groups


class Directory(Rules):
    """One that does not answer stops nobody but those who log in."""

    # Its own: of a few that hang, nothing else of the hub has to know.
    _threads: ClassVar[ThreadPoolExecutor] = ThreadPoolExecutor(4, thread_name_prefix="directory")

    async def authenticate(self, handler: Any, data: Any) -> Any:
        # LDAPAuthenticator's is a coroutine that awaits nothing: it would keep the hub for as long as it
        # waits, which are two minutes where packets get lost.
        asked = asyncio.get_running_loop().run_in_executor(
            self._threads, asyncio.run, super().authenticate(handler, data)
        )
        try:
            return await asyncio.wait_for(asked, PATIENCE)
        except Exception as exc:
            text = self.ask("The directory of users does not answer. Try again later.")  # type: ignore[attr-defined]
            said = "The directory cannot be asked who %r is: %s"
            why = f"{type(exc).__name__}: {exc}"
            raise refused(500, text, "The login does not work now", said, data["username"], why) from exc


def by_link(handler: Any) -> web.HTTPError:
    """The error for what changes something and was no form of the hub's: a letter's link, another page's.

    Only the hub's own pages know the secret (the XSRF token) that JupyterHub asks of a form. What a browser
    says of where it was sent from is also said of a user's page, which may be at the hub's own address.
    """
    said = "%s was not asked for on the list of accounts"
    text = "Go to the list of accounts (/hub/authorize), and do it there."
    return refused(403, text, "Nothing was changed", said, handler.request.path)


def no_account(name: str) -> web.HTTPError:
    """The error for an account of the hub's own that there is not, or not any more."""
    text = "There is no account of this name that has a password here."
    return refused(404, text, "No such account", "There is no account %.64r", name)


def has_account(handler: Any, name: str) -> None:
    """HTTPError 404 where there is none of that name."""
    if handler.authenticator.get_user(name) is None:
        raise no_account(name)


# What is compared with where there is no such account, so that it takes as long; no password is known for it.
NOBODY = b"$2b$12$R/xTguTwf5gcp6qT7c4GMOeAQxjyPzSzuTUUrqNct29IDHfOoXWUG"


def _matches(password: str, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(password.encode(), hashed)
    except ValueError:
        # Longer than bcrypt takes, or with a zero byte.
        return False


class Passwords(Rules):
    """A file of names and hashes: nobody in it has to have an account in the hub's container."""

    async def add_user(self, user: Any) -> None:
        # PAMAuthenticator's looks for such an account, and the first login of whoever is new ended there.
        await maybe_future(Authenticator.add_user(self, user))


# What bcrypt looks at: its release 5 refuses more.
LONGEST_PASSWORD = 72
# As long as the columns are that names and addresses of mail are written to.
LONGEST_NAME = 128


class Native(Rules):
    """Its login page with JupyterHub 6, what it changes by a mere link, and whom it lets in no more."""

    sign_ups = Integer(
        100, min=0, config=True, help="Sign-ups that an address may send in ten minutes; 0 is no limit."
    )
    waiting = Integer(1000, min=0, config=True, help="Accounts that may wait for approval; 0 is no limit.")

    _sign_ups: leaky_buckets.LeakyBuckets | None = None
    # A comparison takes a quarter of a second, which the hub must not wait for.
    _threads: ClassVar[ThreadPoolExecutor] = ThreadPoolExecutor(2, thread_name_prefix="passwords")

    def withdrawn(self, username: str) -> str:
        # Who has no account here never came in by one: an administrator has started that server.
        user = self.get_user(username)  # type: ignore[attr-defined]
        if user is None or user.is_authorized:
            return ""
        return "An administrator has taken back the approval of this account."

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> bool | dict[str, Any]:
        """False for whoever has no account any more, or came by another kind of login."""
        if self.get_user(user.name) is None:  # type: ignore[attr-defined]
            return False
        return await super().refresh_user(user, handler, **kwargs)

    async def right(self, user: Any, password: str) -> bool:
        """Whether it is the password of the account, which may be None."""
        hashed = NOBODY if user is None else bytes(user.password)
        return await asyncio.get_running_loop().run_in_executor(self._threads, _matches, password, hashed)

    async def authenticate(self, handler: Any, data: Any) -> str | None:
        """As its own, which shuts an account for its owner, too, when somebody guesses (failed_logins.py)."""
        user = self.get_user(data.get("username", ""))  # type: ignore[attr-defined]
        if not await self.right(user, data.get("password", "")) or user is None:
            return None
        if user.has_2fa and not user.is_valid_token(data.get("2fa")):
            return None
        name: str = user.username
        if name in self.blocked_users:
            raise self.refuse(name, BLOCKED)  # type: ignore[attr-defined]
        if not user.is_authorized:
            # As the page for signing up has told: whom the settings do not let in, an approval does not help.
            text = await self.unlisted(name)
            text = text or f"The account {name} waits for an administrator to approve it."
            raise self.refuse(name, text)  # type: ignore[attr-defined]
        return name

    def unusable(self, name: str) -> str:
        """Why nobody can sign up with this name; empty: somebody can."""
        if self.is_reserved(name):  # type: ignore[attr-defined]
            return f"The name {name} is reserved for the hub. Choose another one."
        normalized = self.normalize_username(name)
        if normalized in self.blocked_users:
            return str(self.ask(f"The account {normalized} is blocked."))  # type: ignore[attr-defined]
        if not self.validate_username(normalized):
            return f"A username has no spaces, commas or slashes, and {LONGEST_NAME} letters at most."
        return ""

    async def unlisted(self, name: str) -> str:
        """What is told to those whom the settings do not let in, approved or not; empty: they do."""
        try:
            await maybe_future(self.check_allowed(name, {"name": name, "groups": []}))
        except web.HTTPError:
            return "This account waits for the administrators, who have to list it in the hub's settings."
        return ""

    async def hindrance(self, name: str) -> str:
        """Why an account of this name could not log in, approved or not; empty: it could."""
        text = await self.unlisted(name)
        if text:
            return text
        reason, _ = await self.standing(name)  # type: ignore[attr-defined]
        return str(reason)

    def create_user(self, username: str, password: str, **kwargs: Any) -> Any:
        """Nothing under a name of the hub itself, or of somebody who is blocked."""
        if len(kwargs.get("email") or "") > LONGEST_NAME:
            return None
        why = self.unusable(username)
        if why:
            self.log.warning("A sign-up as %.32r was not taken: %s", username, why)
            return None
        return super().create_user(username, password, **kwargs)  # type: ignore[misc]

    def validate_username(self, username: str) -> bool:
        return len(username) <= LONGEST_NAME and bool(super().validate_username(username))

    def is_password_strong(self, password: str) -> bool:
        # One that cannot be hashed ends in an error, here and where a password is changed.
        if len(password.encode()) > LONGEST_PASSWORD:
            return False
        return bool(super().is_password_strong(password))  # type: ignore[misc]

    def get_authed_users(self) -> set[str]:
        """Who needs no approval, or has it: its own asks the database for each account, at each sign-up."""
        orm = importlib.import_module("nativeauthenticator.orm")
        approved = self.db.query(orm.UserInfo.username).filter_by(is_authorized=True)
        return {name for (name,) in approved} | self.allowed_users | self.admin_users

    def admit_sign_up(self, address: str, name: str) -> None:
        """HTTPError where this address has sent too many, or too many wait for approval."""
        if self.sign_ups:
            if self._sign_ups is None:
                self._sign_ups = leaky_buckets.LeakyBuckets(self.sign_ups)
            place, now = leaky_buckets.key(leaky_buckets.network(address)), time.monotonic()
            seconds = int(self._sign_ups.wait(place, now) + 1)
            if seconds > 1:
                text = f"There were too many sign-ups from this address. Try again in {seconds} seconds."
                said = "A sign-up as %.32r from %s was not taken: too many from this address, next in %d s"
                raise refused(429, text, "Too many sign-ups", said, name, address, seconds, retry=seconds)
            self._sign_ups.take(place, now)
        listed = self.normalize_username(name) in self.allowed_users | self.admin_users
        if not self.waiting or self.open_signup or listed:  # type: ignore[attr-defined]
            return
        orm = importlib.import_module("nativeauthenticator.orm")
        many = self.db.query(orm.UserInfo).filter_by(is_authorized=False).count()
        if many >= self.waiting:
            text = "So many accounts wait for an administrator to approve them that no more are taken now."
            said = "A sign-up as %.32r from %s was not taken: %d accounts wait at /hub/authorize"
            text = self.ask(f"{text} Try again later.")  # type: ignore[attr-defined]
            raise refused(403, text, "Too many sign-ups", said, name, address, many)

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        native = importlib.import_module("nativeauthenticator.handlers")

        class Toggle(native.ToggleAuthorizationHandler):  # type: ignore[misc, name-defined]
            async def get(self, slug: str) -> None:
                raise by_link(self)

            @needs_scope("admin:users")
            async def post(self, slug: str) -> None:
                """Theirs ends in an error where the account is gone, and forgets to escape its name."""
                has_account(self, slug)
                self.authenticator.get_user(slug).change_authorization(self.db, slug)
                self.redirect(f"{self.hub.base_url}authorize#{urllib.parse.quote(slug)}")

        class Discard(native.DiscardHandler):  # type: ignore[misc, name-defined]
            async def get(self, user_name: str) -> None:
                raise by_link(self)

            async def post(self, user_name: str) -> None:
                await super().get(user_name)

        class SignUp(native.SignUpHandler):  # type: ignore[misc, name-defined]
            # One hash at a time, and the hub's other work in between.
            turn: ClassVar[asyncio.Lock] = asyncio.Lock()

            async def post(self) -> None:
                if not by_proxy(self):
                    raise web.HTTPError(403, "%s signs up past the page", self.request.remote_ip)
                if not self.authenticator.enable_signup:
                    raise web.HTTPError(404)
                name = self.get_body_argument("username", "", strip=False)
                self.authenticator.admit_sign_up(self.request.remote_ip, name)
                name = self.authenticator.normalize_username(name)
                self.hindrance = await self.authenticator.hindrance(name)
                async with self.turn:
                    await super().post()
                    await asyncio.sleep(0.1)

            def get_result_message(
                self, user: Any, human: bool, taken: bool, confirmed: bool, admin: bool
            ) -> tuple[str, str]:
                """As theirs; that a name is taken is told last.

                So nobody finds out which names are there without leaving an account behind for each that is
                not, where an administrator sees it.
                """
                password = self.get_body_argument("signup_password", "", strip=False)
                if len(password.encode()) > LONGEST_PASSWORD:
                    many = f"{LONGEST_PASSWORD} letters of ASCII are the most."
                    return "alert-danger", f"Your password is too long: {many}"
                strong = self.authenticator.is_password_strong(password)
                taken = taken and confirmed and strong
                told: tuple[str, str] = super().get_result_message(user, human, taken, confirmed, admin)
                if user is not None and not user.login_email_sent:
                    text = f"You have signed up as {user.username}"
                    if self.hindrance:
                        return "alert-info", self.authenticator.ask(f"{text}. {self.hindrance}")
                    if user.is_authorized:
                        return "alert-success", f"{text}, and may log in now."
                    text += ". This account waits for an administrator to approve it; then you may log in."
                    return "alert-info", self.authenticator.ask(text)
                why = self.authenticator.unusable(self.get_body_argument("username", "", strip=False))
                if not why and user is None and confirmed and not strong:
                    least = self.authenticator.minimum_password_length
                    why = "Your password is too easy to guess. Take one that has "
                    why += f"at least {least} characters, and is not among the most common ones."
                return (told[0], why) if why and human else told

        class Confirm(native.EmailAuthorizationHandler):  # type: ignore[misc, name-defined]
            async def get(self, slug: str) -> None:
                try:
                    await super().get(slug)
                except AttributeError:
                    # Theirs looks for nothing before it uses it.
                    raise no_account(slug) from None

        class ChangePasswordAdmin(native.ChangePasswordAdminHandler):  # type: ignore[misc, name-defined]
            @needs_scope("admin:users")
            async def post(self, user_name: str) -> None:
                has_account(self, user_name)
                await super().post(user_name)

        class ChangePassword(native.ChangePasswordHandler):  # type: ignore[misc, name-defined]
            @web.authenticated
            async def get(self) -> None:
                has_account(self, self.current_user.name)
                await super().get()

            @web.authenticated
            async def post(self) -> None:
                """Whoever has somebody's session may not guess the password with it."""
                access, name = self.authenticator, self.current_user.name
                has_account(self, name)
                attempt = await access.attempt(self, name)
                old = self.get_body_argument("old_password", "", strip=False)
                if await access.right(access.get_user(name), old):
                    attempt.give_back(time.monotonic())
                # Their own comparison ends in an error for what is longer than any password.
                self.request.body_arguments["old_password"] = [old.encode()[:LONGEST_PASSWORD]]
                await super().post()

        class Login(native.LoginHandler):  # type: ignore[misc, name-defined]
            # Their own measures its time with statsd, which JupyterHub 6 does not have any more.
            post = LoginHandler.post
            _now = False

            def render_template(self, name: str, sync: bool = False, **more: Any) -> Any:
                """Theirs forgets that the page of a refusal has to be ready at once."""
                return super().render_template(name, sync=sync or self._now, **more)

            def _render(
                self,
                login_error: str | None = None,
                username: str | None = None,
                sync: bool = False,
                **_: Any,
            ) -> Any:
                """JupyterHub gives more than theirs takes where somebody is refused with a reason."""
                self._now = sync
                return super()._render(login_error, username)

        changed = (Login, Toggle, Discard, SignUp, Confirm, ChangePassword, ChangePasswordAdmin)
        ours = {cls.__base__: cls for cls in changed}
        return [
            (path, ours.get(handler, handler), *rest) for path, handler, *rest in super().get_handlers(app)
        ]


RULES: dict[str, type[Authenticator]] = {
    "google": Google,
    "gitlab": GitLab,
    "globus": Globus,
    "ldap": Directory,
    "native": Native,
    "pam": Passwords,
}
