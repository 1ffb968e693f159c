# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Make every page of a real JupyterHub with a folder of templates, and tell what goes wrong in them.

The hub is set up as it always is, with a database in memory, and not started. What a page is given comes from
JupyterHub's own handler for pages, and beside that what its handlers add (jupyterhub/handlers/pages.py).
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
import tempfile
import traceback
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import TemplateError, Undefined
from jupyterhub.app import JupyterHub
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.utils import url_path_join
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from traitlets.config import Config

from . import web_check
from .web import PREFIX, Files, Look, settings
from .web_static import SiteStaticFilesHandler

USER = "ada"
# Text that must not reach a page as it is.
MARK = "<look>&\"'"
LOOKS: list[dict[str, Any]] = [
    {"title": "JupyterHub", "announcement": "", "links": []},
    {
        "title": f"Title {MARK}",
        "announcement": f"Announcement {MARK}",
        "links": [
            {"label": f"Both {MARK}", "url": "https://example.org/?a=1&b=2", "places": ["header", "footer"]},
            {"label": "Header", "url": "/services/x/", "places": ["header"]},
            {"label": "Footer", "url": "/services/y/", "places": ["footer"]},
        ],
    },
]
# What a template can run into; anything else is a fault of this file, and may be seen as such.
MISTAKES = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
STATIC = re.compile(r"""(?:src|href)=["'][^"']*?/static/(site/[^"'?#]*)""")


def native_pages() -> set[str]:
    """The pages that nativeauthenticator brings; ours by the same names come before them."""
    spec = find_spec("nativeauthenticator")
    folder = Path(str(spec.origin)).parent / "templates" if spec else Path()
    return {path.name for path in folder.glob("*.html")} - {"page.html"}


def strict_in(folder: Path) -> type[Undefined]:
    """Undefined values that fail where a template of the folder uses them, and nowhere else.

    JupyterHub's own templates ask for many variables that are only there now and then.
    """

    def check(value: Undefined) -> None:
        frame = sys._getframe(2)
        while frame is not None:
            path = frame.f_code.co_filename
            if path.endswith(".html"):
                if Path(path).is_relative_to(folder):
                    value._fail_with_undefined_error()
                return
            frame = frame.f_back  # type: ignore[assignment]

    class Strict(Undefined):
        __slots__ = ()

        def __str__(self) -> str:
            check(self)
            return super().__str__()

        def __iter__(self) -> Iterator[Any]:
            check(self)
            return super().__iter__()

        def __bool__(self) -> bool:
            check(self)
            return super().__bool__()

        def __len__(self) -> int:
            check(self)
            return super().__len__()

        def __eq__(self, other: object) -> bool:
            check(self)
            return super().__eq__(other)

        def __ne__(self, other: object) -> bool:
            check(self)
            return super().__ne__(other)

        def __hash__(self) -> int:
            return super().__hash__()

        @property
        def _undefined_message(self) -> str:
            name, owner = str(self._undefined_name), self._undefined_obj
            if not isinstance(owner, dict):
                return super()._undefined_message
            return f"there is no {name!r}{web_check.nearest(name, map(str, owner))}"

    return Strict


async def set_up(web: Path, observe: Path) -> JupyterHub:
    """A hub that is complete but for its sockets. It reads `look` for every page."""

    class Handler(SiteStaticFilesHandler):
        files = Files([web / "static"])

    traits = settings(False, Handler, [web])
    traits["template_vars"] = {"web": Look(observe, [web])}
    traits["jinja_environment_options"] = {"undefined": strict_in(web)}
    config = Config({"JupyterHub": traits})
    config.JupyterHub.db_url = "sqlite:///:memory:"
    config.JupyterHub.cookie_secret = bytes(32)
    config.JupyterHub.authenticator_class = "dummy"
    config.JupyterHub.spawner_class = "simple"
    config.JupyterHub.log_level = logging.ERROR
    # There must be one; it may be empty.
    (observe.parent / "config.py").touch()
    config.JupyterHub.config_file = str(observe.parent / "config.py")
    config.ConfigurableHTTPProxy.auth_token = "x"
    config.Authenticator.admin_users = {USER}
    config.Authenticator.allow_all = True
    app = JupyterHub(config=config)
    await app.initialize([])
    return app


class Pages:
    """The pages of one hub."""

    def __init__(self, app: JupyterHub) -> None:
        self.app = app
        self.user = app.users[USER]
        self.user.spawner.server = None

    def handler(self, user: Any) -> BaseHandler:
        connection: Any = SimpleNamespace(set_close_callback=lambda _callback: None)
        request = HTTPServerRequest("GET", "/hub/", headers=HTTPHeaders(), connection=connection)
        request.remote_ip = "127.0.0.1"
        handler = BaseHandler(self.app.tornado_application, request)
        # What prepare() does when a request has come.
        handler.expanded_scopes = set()
        handler._jupyterhub_user = user
        handler._resolve_roles_and_scopes()
        return handler

    def cases(self) -> dict[str, list[dict[str, Any]]]:
        """What each page is given, in each of the states that it has. `login=False`: nobody has logged in."""
        user, spawner = self.user, self.user.spawner
        base = self.app.hub.base_url
        error = {"status_code": 404, "status_message": "Not Found", "message": "", "message_html": ""}
        error |= {"exception": None, "extra_error_html": "", "logo_url": f"{base}home"}
        login = {"next": "", "username": "", "login_error": "", "login_url": f"{base}login", "login": False}
        login |= {"authenticator_login_url": f"{base}login", "authenticator": self.app.authenticator}
        login |= {"custom_html": "", "xsrf": "x"}
        home = {"auth_state": None, "user": user, "url": f"{base}spawn/{USER}", "allow_named_servers": False}
        home |= {"named_server_limit_per_user": 0, "url_path_join": url_path_join, "default_server": spawner}
        home |= {"spawners": {}, "invalid_server_names": []}
        options = "<label>x <input></label>"
        form = {"for_user": user, "auth_state": None, "spawner_options_form": options, "error_message": ""}
        form |= {"html_error_message": "", "url": f"{base}spawn/{USER}", "spawner": spawner}
        pending = {"user": user, "spawner": spawner, "progress_url": f"{base}progress", "auth_state": None}
        stopped = {"user": user, "auth_state": None, "server_name": "", "spawn_url": f"{base}spawn"}
        failed = {"failed": True, "failed_html_message": "", "failed_message": "m", "exception": ValueError()}
        scopes = [{"scope": "self", "description": "All", "filter": ""}]
        token = SimpleNamespace(
            api_id=1, note="n", scopes=["self"], last_activity=None, created=datetime.now(), expires_at=None
        )
        client = {"token_id": 1, "description": "d", "tokens": [token]}
        client |= {"last_activity": None, "created": None}
        tokens = {"api_tokens": [token], "oauth_clients": [client], "auth_state": None}
        tokens |= {"token_expires_in_options_html": "<option>", "token_expires_in_max_seconds": 0}
        oauth_client = SimpleNamespace(description="d", redirect_uri="/services/x/")
        share = {"code": "c", "owner": user, "spawner": spawner, "spawner_ready": False}
        share |= {"spawner_url": "/user/ada/", "scope_descriptions": scopes, "next_url": "/user/ada/"}
        account = SimpleNamespace(username=f"n{MARK}/", email=None, has_2fa=False, is_authorized=False)
        sign_up = {"ask_email": True, "two_factor_auth": True, "recaptcha_key": "", "tos": "", "login": False}
        told = {"alert": "alert-danger", "result_message": "m"}
        by_native = {**login, "enable_signup": True, "two_factor_auth": True}
        del by_native["authenticator"]
        change = {"user_name": USER}
        return {
            "native-login.html": [by_native, {**by_native, "login_error": "Wrong", "enable_signup": False}],
            "signup.html": [
                {**sign_up, "post_url": ""},
                {**sign_up, **told, "tos": "t", "two_factor_auth_user": True, "two_factor_auth_value": "s"},
            ],
            "change-password.html": [change, {**change, **told}],
            "change-password-admin.html": [change, {**change, **told}],
            "authorization-area.html": [
                {
                    "ask_email": True,
                    "users": [account, SimpleNamespace(**{**vars(account), "is_authorized": True})],
                }
            ],
            "my_message.html": [{"message": "m", "login": False}],
            "page.html": [{}, {"login": False}],
            "login.html": [
                login,
                {**login, "login_error": "Wrong", "username": USER},
                {**login, "custom_html": "<p>Own</p>"},
                {**login, "login_service": "Institute"},
            ],
            "logout.html": [{"login": False}],
            "home.html": [home, {**home, "allow_named_servers": True}],
            "spawn.html": [form, {**form, "error_message": "Failed"}],
            "spawn_pending.html": [pending],
            "stop_pending.html": [pending],
            "not_running.html": [stopped, {**stopped, "implicit_spawn_seconds": 3}, {**stopped, **failed}],
            "token.html": [tokens, {**tokens, "api_tokens": [], "oauth_clients": []}],
            "admin.html": [
                {
                    "current_user": user,
                    "auth_state": None,
                    "admin_access": True,
                    "allow_named_servers": False,
                    "named_server_limit_per_user": 0,
                    "server_version": "0",
                    "api_page_limit": 50,
                }
            ],
            "oauth.html": [
                {
                    "auth_state": None,
                    "allowed_scopes": ["self"],
                    "scope_descriptions": scopes,
                    "oauth_client": oauth_client,
                }
            ],
            "accept-share.html": [share],
            "error.html": [
                error,
                {**error, "message": None, "status_code": 599, "login": False},
                {**error, "message": "m", "login": False},
                {**error, "message_html": "<b>"},
            ],
            "404.html": [error],
        }

    def states(self, own: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every page with each of its states, those of error codes that only the folder has included."""
        cases = self.cases()
        for name in sorted({*cases, *filter(web_check.ERROR_PAGE.fullmatch, own)}):
            for case in cases.get(name, cases["error.html"]):
                yield name, case

    async def make(self, name: str, case: dict[str, Any]) -> str:
        namespace = {key: value for key, value in case.items() if key != "login"}
        handler = self.handler(self.user if case.get("login", True) else None)
        if name == "error.html" or web_check.ERROR_PAGE.fullmatch(name):
            # JupyterHub makes these in both ways.
            handler.render_template(name, sync=True, **namespace)
        return await handler.render_template(name, **namespace)


def sentence(exc: Exception, web: Path, name: str) -> str:
    """One sentence on an error while a page was made."""
    frames = [frame for frame in traceback.extract_tb(exc.__traceback__) if frame.filename.endswith(".html")]
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(web)]
    where = f"page {name}"
    if own or frames:
        frame = (own or frames)[-1]
        file = Path(frame.filename)
        shown = file.relative_to(web / "templates") if own else file.name
        where = f"{shown}, line {frame.lineno}"
    return f"{where}: {exc or type(exc).__name__}"


def page_problems(name: str, html: str, web: Path) -> Iterator[str]:
    if MARK in html or "<look>" in html:
        yield f"{name}: shows a setting without escaping it, so leave the filter `safe` away"
    for path in STATIC.findall(html):
        if not (web / "static" / path.removeprefix(PREFIX)).is_file():
            yield f"{name}: static file {path!r} is not there: put it into static/"


async def every_page(web: Path, pages: Pages, observe: Path) -> AsyncIterator[tuple[str, str | Exception]]:
    """Each page in each of its states and with each look: its name, and its HTML or what went wrong."""
    own = [path.name for path in (web / "templates").glob("*.html")]
    for content in LOOKS:
        observe.write_text(json.dumps(content), encoding="utf-8")
        for name, case in pages.states(own):
            try:
                yield name, await pages.make(name, case)
            except MISTAKES as exc:
                yield name, exc


async def all_problems(web: Path) -> list[str]:
    found: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        observe = Path(folder) / "look.json"
        app = await set_up(web, observe)
        pages = Pages(app)
        library = Path(app.data_files_path) / "templates"
        found += [
            f"{name}: this page of JupyterHub is new, add it to Pages.cases() in galilean_hub/web_render.py"
            for name in sorted(
                ({path.name for path in library.glob("*.html")} | native_pages()) - set(pages.cases())
            )
        ]
        async for name, html in every_page(web, pages, observe):
            if isinstance(html, Exception):
                found.append(sentence(html, web, name))
            else:
                found += page_problems(name, html, web)
    return found


def problems(web: Path) -> list[str]:
    """Sentences on what goes wrong when the pages are made."""
    # JupyterHub adds a handler of its own; what it has to say while it is set up is not about the look.
    logging.disable(logging.ERROR)
    try:
        return asyncio.run(all_problems(web.resolve()))
    finally:
        logging.disable(logging.NOTSET)
