# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Who may come in, over any of JupyterHub's authenticators: groups of the settings, approvals, and sentences.

An authenticator says who somebody is. This says whether that person may use this hub, which groups they are
in, and whether they administrate it; at each login, at each refresh, and for everybody whose server runs.
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

from jupyterhub import orm
from jupyterhub.auth import Authenticator
from jupyterhub.utils import maybe_future
from tornado import web
from traitlets import Bool, Dict, Set, Unicode, default

from ..audit import events
from ..disk.api import DiskHandler
from ..disk.watch import WATCH
from ..http import outgoing
from ..http.errors import refused
from ..shared.approval import UnknownApproval
from ..shared.claims import ClaimError, claimed_groups
from ..spawner.idle import IdleHandler
from ..state.files import save
from .approval_api import ApprovalHandler
from .approval_source import Source, open_source
from .code_api import CodeHandler
from .enforcement import AccessEnforcement
from .login_guard import LoginGuard
from .providers import BLOCKED, RULES, Rules

NO_GROUPS = (
    "Your login does not tell which groups you are in, so this hub cannot know whether you may use it. "
    "Its administrators find the reason in the hub's log."
)
# Whom the settings have made administrators: only they lose it when the settings no longer say so.
GRANTED = Path("/srv/jupyterhub/admins.json")


class GalileanAccess(LoginGuard, Rules):
    """Mixed into the authenticator of the settings' login kind by `with_access`."""

    access_groups = Set(Unicode(), config=True, help="Groups whose members may log in.")
    administrator_groups = Set(Unicode(), config=True, help="Groups whose members are administrators.")
    group_members = Dict(
        value_trait=Set(Unicode()),
        config=True,
        help="Names of the users whom the settings put into each group.",
    )
    approval = Dict(config=True, help="Where approvals come from; empty where none are needed.")
    approval_token = Unicode(config=True, help="What the approvals' source knows the hub by.")
    authorized_locally = Bool(
        False,
        config=True,
        help="Whether the settings alone say who may come in, so that it needs no provider to look at it.",
    )
    renamed_users = Set(Unicode(), config=True, help="Users who have just been given another name.")
    exempt_users = Set(Unicode(), config=True, help="Users who need no approval: those that play for tests.")
    denied_message = Unicode(
        "You are logged in as {user}, and this account may not use this hub.",
        config=True,
        help="What people are told who may not come in; {user} is the account's name.",
    )
    _refused = Dict(Unicode(), help="Who was refused at the last refresh, and why, until a login passes.")
    _source: Source | None = None
    _granted: set[str] | None = None

    # -- what is said

    def refuse(self, user: str, reason: str = "") -> web.HTTPError:
        """The error that shows a person why they may not come in."""
        text = self.ask(reason or self.denied_message.replace("{user}", user))
        error = refused(403, text, "No access to this hub", "%s may not come in: %s", user, text)
        # For the audit log.
        error.galilean_refused = user, str(reason) or "not among the allowed users"  # type: ignore[attr-defined]
        return error

    # -- what is decided

    def source(self) -> Source | None:
        """The approvals' source, opened when it is first needed."""
        if self._source is None and self.approval:
            self._source = open_source(self.approval, self.approval_token, self.log)
        return self._source

    def approval_notice(self, _user: Any = None) -> str:
        """For the pages of administrators: JupyterHub calls it for each page."""
        return self._source.notice() if self._source is not None else ""

    def groups_of_settings(self, user: str) -> set[str]:
        """The groups that the settings put the user into."""
        return {group for group, users in self.group_members.items() if user in users}

    async def standing(self, user: str) -> tuple[str, set[str]]:
        """Why the user may no longer use the hub (empty: may), and the groups that the approval gives.

        Only what can be told without the user: whether they are blocked, and their approval.
        """
        if user in self.blocked_users:
            return BLOCKED, set()
        if user in self.exempt_users:
            return "", set()
        withdrawn = self.withdrawn(user)
        if withdrawn:
            return withdrawn, set()
        source = self.source()
        if source is None or user in self.admin_users:
            return "", set()
        approval, reason = await source.ask(user)
        return reason, set(approval.groups) if approval else set()

    async def lost(self, user: Any, certain: bool = False) -> str:
        """Why a user may not have a server, as far as it can be told without them; empty: may.

        certain: only what is known, for a server that runs: a source of approvals that is away ends none.
        """
        if user.name not in self.exempt_users and self.is_reserved(user.name):
            return f"The name {user.name} is reserved for the hub."
        reason, _ = await self.standing(user.name)
        if certain and isinstance(reason, UnknownApproval):
            return ""
        reason = reason or self._refused.get(user.name, "")
        if reason or not self.authorized_locally or self.allow_all or user.name in self.exempt_users:
            return reason
        # Authenticators of providers look into what came with the login.
        key = getattr(self, "user_auth_state_key", "")
        state = await user.get_auth_state() if key else None
        if key and not (state or {}).get(key):
            # There was no login of this kind; the next refresh asks for one.
            return ""
        groups = [group.name for group in user.groups]
        model = {"name": user.name, "groups": groups, "admin": user.admin, "auth_state": state}
        try:
            await self.check_allowed(user.name, model)
        except web.HTTPError as exc:
            return str(getattr(exc, "jupyterhub_message", exc))
        return ""

    def groups_in_database(self, user: str) -> set[str]:
        """The user's groups as the hub has them: those that were given through its API count, too."""
        found = orm.User.find(self.parent.db, user) if self.parent else None
        return {group.name for group in found.groups} if found else set()

    async def check_blocked_users(self, username: str, authentication: Any = None) -> bool:
        if username in self.blocked_users:
            raise self.refuse(username, BLOCKED)
        # Google's keeps those of other domains out here.
        if not await maybe_future(super().check_blocked_users(username, authentication)):
            raise self.refuse(username)
        return True

    async def check_allowed(self, username: str, authentication: Any = None) -> bool:
        """As the authenticator says, or by a group; who is in neither is told so."""
        groups = set((authentication or {}).get("groups") or []) | self.groups_of_settings(username)
        if not self.manage_groups:
            groups |= self.groups_in_database(username)
        if groups & (self.access_groups | self.administrator_groups):
            return True
        if await maybe_future(super().check_allowed(username, authentication)):
            return True
        # Groups of an approval let in as well; that it holds is looked at afterwards, for everybody.
        _, approved = await self.standing(username)
        if approved & self.access_groups:
            return True
        if self.access_groups:
            try:
                self._told((authentication or {}).get("auth_state"))
            except ClaimError:
                raise self.refuse(username, NO_GROUPS) from None
        raise self.refuse(username)

    async def run_post_auth_hook(self, handler: Any, auth_model: dict[str, Any]) -> dict[str, Any]:
        """The last step of each login: approval, groups, administrator or not. Then the site's own hook."""
        model = await self.complete(auth_model)
        result = await super().run_post_auth_hook(handler, model)
        if result is None:
            raise self.refuse(model["name"])
        completed: dict[str, Any] = result
        return completed

    async def complete(self, model: dict[str, Any]) -> dict[str, Any]:
        """A login's model with groups and administrator; HTTPError 403 where the user may not come in."""
        name = model["name"]
        reason, approved = await self.standing(name)
        if reason:
            error = self.refuse(name, reason)
            error.unsure = isinstance(reason, UnknownApproval)  # type: ignore[attr-defined]
            raise error
        self._refused.pop(name, None)
        groups = {*(model.get("groups") or []), *self.groups_of_settings(name), *approved}
        if self.manage_groups:
            model["groups"] = sorted(groups)
        else:
            model.pop("groups", None)
            groups |= self.groups_in_database(name)
        admin = (
            bool(model.get("admin")) or name in self.admin_users or bool(groups & self.administrator_groups)
        )
        model["admin"] = self.remember(name, admin)
        return model

    def remember(self, name: str, admin: bool) -> bool | None:
        """What a login's model has as administrator.

        True; False for whom the settings had made one; None, as it is, for whom somebody else did.
        """
        granted = self.granted()
        if admin and name not in granted:
            self._save(granted | {name})
        elif not admin and name in granted:
            self._save(granted - {name})
            return False
        return True if admin else None

    def remember_all(self, names: set[str]) -> None:
        """JupyterHub itself has made these administrators, as the settings say."""
        if names - self.granted():
            self._save(self.granted() | names)

    def granted(self) -> set[str]:
        """Whom the settings, or a group in them, have made administrators."""
        if self._granted is None:
            try:
                self._granted = set(json.loads(GRANTED.read_text(encoding="utf-8")))
            except FileNotFoundError:
                self._granted = set()
            except (OSError, ValueError) as exc:
                self.log.error("%s cannot be read: %s", GRANTED, exc)
                self._granted = set()
        return self._granted

    def _save(self, granted: set[str]) -> None:
        self._granted = granted
        save(GRANTED, json.dumps(sorted(granted)))

    # -- when it is looked at again

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> bool | dict[str, Any]:
        """As the authenticator does it, and the whole decision again; who lost it logs in and is told."""
        if user.name in self.exempt_users:
            return True
        if handler is not None and not hasattr(handler, "_token_authenticated"):
            # JupyterHub 6.1.1 looks at it after a refusal, and sets it only for requests with a token.
            handler._token_authenticated = False
        fresh = await maybe_future(super().refresh_user(user, handler, **kwargs))
        if not fresh:
            return False
        if isinstance(fresh, dict):
            model: dict[str, Any] = fresh
        else:
            model = {"name": user.name, "admin": None, "auth_state": await user.get_auth_state()}
        try:
            await self.check_blocked_users(user.name, model)
            if not (self.allow_all or await self.check_allowed(user.name, model)):
                return False
            return await self.complete(model)
        except web.HTTPError as exc:
            if getattr(exc, "unsure", False):
                # Who is in stays in, with the tokens that have just been renewed; groups stay as they were.
                return {**model, "groups": None, "admin": None}
            reason = str(getattr(exc, "jupyterhub_message", exc))
            if self._refused.get(user.name) != reason:
                events.emit("access.withdraw", events.HUB, user=user.name, detail=reason)
            self._refused[user.name] = reason
            self.log.warning("%s may no longer come in: %s", user.name, reason)
            return False

    async def get_user_groups(self, auth_state: dict[str, Any]) -> set[str]:
        """The provider's groups, in any of the ways that providers tell them."""
        if callable(getattr(self, "auth_state_groups_key", "")):
            asked = super().get_user_groups(auth_state)  # type: ignore[misc]
            return set(await maybe_future(asked))
        try:
            return self._told(auth_state)
        except ClaimError as exc:
            self.log.warning("The groups of a user are not known: %s", exc)
            return set()

    def _told(self, auth_state: dict[str, Any] | None) -> set[str]:
        """The groups in the claim of the settings; ClaimError where they cannot be told."""
        key = getattr(self, "auth_state_groups_key", "")
        if not key or callable(key) or not auth_state:
            return set()
        # The settings' claim, below where the authenticator keeps what the provider tells.
        where, _, claim = key.partition(".")
        return claimed_groups(auth_state.get(where), auth_state.get("id_token"), claim)

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        handlers: list[tuple[Any, ...]] = list(super().get_handlers(app))
        # The one call that comes once, when everything is set up and the loop runs.
        AccessEnforcement(app, self).start()
        WATCH.start(app)
        app.template_vars["approval"] = self.approval_notice
        own = [
            (r"/api/galilean/disk", DiskHandler),
            (r"/api/galilean/idle", IdleHandler),
            (r"/api/galilean/approval", ApprovalHandler),
            (r"/api/galilean/audit", CodeHandler),
        ]
        return [*handlers, *own]


def with_access(name: str) -> type[Authenticator]:
    """The authenticator of that name (JupyterHub's entry point) with GalileanAccess over it."""
    (entry,) = importlib.metadata.entry_points(group="jupyterhub.authenticators", name=name)
    base = entry.load()
    bases = (GalileanAccess, *([RULES[name]] if name in RULES else []), base)
    # What those of OAuth ask their provider with.
    more = {"_outgoing": default("http_client")(lambda _self: outgoing.client())}
    cls: type[Authenticator] = type(
        f"Galilean{base.__name__}", bases, more if hasattr(base, "http_client") else {}
    )
    return cls
