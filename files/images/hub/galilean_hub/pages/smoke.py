# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Make every page of the installed JupyterHub with a folder of templates: part of the build of the image.

    python3 -m galilean_hub.pages.smoke FOLDER

A template that does not fit fails the build with one sentence for each fault. The hub is set up as it always
is, with a database in memory, and not started. What a page is given comes from JupyterHub's own handler for
pages, and beside that what its handlers add (jupyterhub/handlers/pages.py).
"""

from __future__ import annotations

import asyncio
import difflib
import json
import logging
import re
import sys
import tempfile
import traceback
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import (
    Environment,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    Undefined,
    meta,
    nodes,
)
from jupyterhub.app import JupyterHub
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.utils import url_path_join
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from traitlets.config import Config

from . import styles
from .branding import PREFIX, Branding, Files, jupyterhub_traits
from .static_files import SiteStaticFilesHandler

# How templates name JupyterHub's own ones.
LIBRARY = "templates/"
ERROR_PAGE = re.compile(r"[45]\d\d\.html")
# Of this image alone.
OWN = {"git-links.html"}
USER = "ada"
# Text that must not reach a page as it is.
MARK = "<look>&\"'"
LOOKS: list[dict[str, Any]] = [
    {"title": "JupyterHub", "announcement": "", "links": []},
    {
        "title": f"Title {MARK}",
        "announcement": f"Announcement {MARK}",
        "links": [
            {
                "label": f"Both {MARK}",
                "url": "https://example.org/?a=1&b=2",
                "places": ["header", "footer", "home"],
            },
            {"label": f"Home {MARK}", "description": MARK, "url": "/services/z/", "places": ["home"]},
            {"label": "Header", "url": "/services/x/", "places": ["header"]},
            {"label": "Footer", "url": "/services/y/", "places": ["footer"]},
        ],
    },
]
# What a template can run into; anything else is a fault of this file, and may be seen as such.
MISTAKES = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
)


def nearest(name: str, names: Iterable[str]) -> str:
    """', did you mean x?' with the nearest of the names, or nothing."""
    match = difflib.get_close_matches(name, sorted(names), 1, 0.7)
    return f", did you mean {match[0]}?" if match else ""


def native_pages() -> set[str]:
    """The pages that nativeauthenticator brings; ours by the same names come before them."""
    spec = find_spec("nativeauthenticator")
    folder = Path(str(spec.origin)).parent / "templates" if spec else Path()
    return {path.name for path in folder.glob("*.html")} - {"page.html"}


def files_in(folder: Path) -> list[str]:
    """Without those that editors leave."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return sorted(str(path.relative_to(folder)) for path in files)


def strict_in(folder: Path) -> type[Undefined]:
    """Undefined values that fail where a template of the folder uses them, and nowhere else.

    JupyterHub's own templates ask for many variables that are only there now and then.
    """

    def checked(method: str) -> Callable[..., Any]:
        def call(self: Undefined, *args: Any) -> Any:
            frame = sys._getframe(1)
            while frame is not None and not frame.f_code.co_filename.endswith(".html"):
                frame = frame.f_back  # type: ignore[assignment]
            if frame is not None and Path(frame.f_code.co_filename).is_relative_to(folder):
                self._fail_with_undefined_error()
            return getattr(Undefined, method)(self, *args)

        return call

    def message(self: Undefined) -> str:
        name, owner = str(self._undefined_name), self._undefined_obj
        if not isinstance(owner, dict):
            return str(Undefined._undefined_message.fget(self))  # type: ignore[attr-defined]
        return f"there is no {name!r}{nearest(name, map(str, owner))}"

    methods = ("__str__", "__iter__", "__bool__", "__len__", "__eq__", "__ne__")
    own = {"__slots__": (), "__hash__": Undefined.__hash__, "_undefined_message": property(message)}
    return type("Strict", (Undefined,), {**own, **{name: checked(name) for name in methods}})


async def set_up(web: Path, look: Path) -> JupyterHub:
    """A hub that is complete but for its sockets. It reads `look` for every page."""

    class Handler(SiteStaticFilesHandler):
        files = Files([web / "static"])

    hub = jupyterhub_traits(False, Handler, [web])
    hub["template_vars"] = {"web": Branding(look, [web])}
    hub["jinja_environment_options"] = {"undefined": strict_in(web)}
    config = Config({"JupyterHub": hub})
    config.JupyterHub.db_url = "sqlite:///:memory:"
    config.JupyterHub.cookie_secret = bytes(32)
    config.JupyterHub.authenticator_class = "dummy"
    config.JupyterHub.spawner_class = "simple"
    config.JupyterHub.log_level = logging.ERROR
    # There must be one; it may be empty.
    (look.parent / "config.py").touch()
    config.JupyterHub.config_file = str(look.parent / "config.py")
    config.ConfigurableHTTPProxy.auth_token = "x"
    config.Authenticator.admin_users = {USER}
    config.Authenticator.allow_all = True
    app = JupyterHub(config=config)
    await app.initialize([])
    return app


class Pages:
    """The pages of one hub."""

    def __init__(self, app: JupyterHub, web: Path) -> None:
        self.app, self.web = app, web
        self.user = app.users[USER]
        self.user.spawner.server = None

    def handler(self, user: Any) -> BaseHandler:
        connection: Any = SimpleNamespace(set_close_callback=lambda _callback: None)
        line = RequestStartLine("GET", "/hub/", "HTTP/1.1")
        request = HTTPServerRequest(start_line=line, headers=HTTPHeaders(Host="hub"), connection=connection)
        request.remote_ip = "127.0.0.1"
        handler = BaseHandler(self.app.tornado_application, request)
        # What prepare() does when a request has come.
        handler.expanded_scopes = set()
        handler._jupyterhub_user = user
        handler._resolve_roles_and_scopes()
        # An instance's own comes before the method.
        handler.static_url = self.static_url  # type: ignore[method-assign]
        return handler

    def static_url(self, path: str, **_: Any) -> str:
        """Its address, where the file is there: the template that asks for another one is at fault."""
        if path.startswith(PREFIX):
            ours = {PREFIX + name for name in files_in(self.web / "static")}
            if path not in ours:
                advice = f"put {path.removeprefix(PREFIX)} into static/{nearest(path, ours)}"
                raise LookupError(f"static file {path!r} is not there: {advice}")
        elif not (Path(self.app.data_files_path) / "static" / path).exists():
            raise LookupError(f"static file {path!r} is not in JupyterHub; yours begin with {PREFIX!r}")
        return f"{self.app.hub.base_url}static/{path}"

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
        home |= {"spawners": {}, "invalid_server_names": [], "sharing_days": 0}
        server = {"name": "", "label": "", "state": "stopped", "started": "", "environment": "", "memory": ""}
        server |= {"url": f"/user/{USER}/"}
        runs = {"state": "running", "started": "2026-11-30T12:00:00Z", "environment": MARK, "memory": "1 GiB"}
        theirs = [{"owner": "bob", "name": MARK, "ready": False, "url": "/user/bob/"}]
        several = [
            {**server, **runs},
            {**server, "name": "gpu", "label": MARK},
            {**server, "name": "r", "label": "r", "state": "spawn"},
        ]

        def servers(*these: dict[str, Any], **more: Any) -> Callable[[], dict[str, Any]]:
            return lambda: {"servers": these, "choice": True, "shared": theirs, **more}

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
        link = {"repo": f"https://x/{MARK}", "branch": MARK, "file": MARK, "page": "classic"}
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
            "git-links.html": [
                {"fields": link, "problem": "p", "link": "", "folder": "", "hosts": ["x"]},
                {"fields": link, "problem": "", "link": "l", "folder": "n", "hosts": ["x", "y"]},
            ],
            "page.html": [{}, {"login": False}],
            "login.html": [
                login,
                {**login, "login_error": "Wrong", "username": USER},
                {**login, "custom_html": "<p>Own</p>"},
                {**login, "login_service": "Institute"},
            ],
            "logout.html": [{"login": False}],
            "home.html": [
                {**home, "my_servers": servers(server, shared=[], choice=False)},
                {**home, "my_servers": servers(*several), "allow_named_servers": True, "sharing_days": 7},
            ],
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
        for name in sorted({*cases, *filter(ERROR_PAGE.fullmatch, own)}):
            for case in cases.get(name, cases["error.html"]):
                yield name, case

    async def make(self, name: str, case: dict[str, Any]) -> str:
        namespace = {key: value for key, value in case.items() if key != "login"}
        handler = self.handler(self.user if case.get("login", True) else None)
        if name == "error.html" or ERROR_PAGE.fullmatch(name):
            # JupyterHub makes these in both ways.
            handler.render_template(name, sync=True, **namespace)
        return await handler.render_template(name, **namespace)


async def every_page(web: Path, pages: Pages, look: Path) -> AsyncIterator[tuple[str, str | Exception]]:
    """Each page in each of its states and with each look: its name, and its HTML or what went wrong."""
    own = [path.name for path in (web / "templates").glob("*.html")]
    for content in LOOKS:
        look.write_text(json.dumps(content), encoding="utf-8")
        for name, case in pages.states(own):
            try:
                yield name, await pages.make(name, case)
            except MISTAKES as exc:
                yield name, exc


def sentence(exc: Exception, web: Path, page: str, names: Iterable[str]) -> str:
    """One sentence on an error while a page was made. names: of all templates."""
    folder = web / "templates"
    frames = [frame for frame in traceback.extract_tb(exc.__traceback__) if frame.filename.endswith(".html")]
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
    where, said = f"page {page}", str(exc) or type(exc).__name__
    if own or frames:
        frame = (own or frames)[-1]
        file = Path(frame.filename)
        where = f"{file.relative_to(folder) if own else file.name}, line {frame.lineno}"
    if isinstance(exc, TemplateSyntaxError):
        where, said = f"{exc.name}, line {exc.lineno}", str(exc.message)
    elif isinstance(exc, TemplateNotFound):
        said = f"there is no template {exc.name!r}{nearest(str(exc.name), names)}"
    elif isinstance(exc, RecursionError):
        said = f"stands on itself: begin the name of JupyterHub's own template with {LIBRARY!r}"
    return f"{where}: {said}"


def outer_blocks(node: nodes.Node) -> Iterator[nodes.Block]:
    """Those in no other block: who stands on another template replaces blocks of that."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Block):
            yield child
        else:
            yield from outer_blocks(child)


def unseen(environment: Environment, folder: Path, pages: Iterable[str]) -> Iterator[str]:
    """What no page shows: blocks that the template's parents have not, and templates that nothing uses."""

    def parse(name: str) -> nodes.Template:
        assert environment.loader is not None
        return environment.parse(environment.loader.get_source(environment, name)[0])

    def parent(tree: nodes.Template) -> str:
        extends = tree.find(nodes.Extends)
        return str(extends.template.value) if extends and isinstance(extends.template, nodes.Const) else ""

    own, used = files_in(folder), set[str | None]()
    for name in own:
        try:
            tree = parse(name)
            used.update(meta.find_referenced_templates(tree))
            known, above = set[str](), parent(tree)
            chain = [above] if above else []
            for ancestor in chain:
                parsed = parse(ancestor)
                known |= {block.name for block in parsed.find_all(nodes.Block)}
                if parent(parsed) not in ("", *chain):
                    chain.append(parent(parsed))
        except UnicodeDecodeError:
            yield f"{name}: this template, or one that it stands on, is not UTF-8 text"
            continue
        except TemplateError:
            # The page that is made with it says what is wrong.
            continue
        for block in outer_blocks(tree) if above else ():
            if block.name not in known:
                missed = f"{above} has no block {block.name!r}{nearest(block.name, known)}"
                yield f"{name}, line {block.lineno}: {missed}"
    for name in own:
        # None: there is a name that is only known when a page is made.
        if "/" not in name and not {name, None} & {*pages, *used} and not ERROR_PAGE.fullmatch(name):
            yield f"{name}: JupyterHub has no page of this name{nearest(name, pages)}"


async def all_problems(web: Path) -> list[str]:
    found = [
        f"{name}: nothing reads this file, it belongs into templates/ or static/"
        for name in files_in(web)
        if name.partition("/")[0] not in ("templates", "static") and Path(name).name != "README.md"
    ]
    found += [*styles.missing_files(web / "static"), *styles.low_contrasts(web / "static")]
    with tempfile.TemporaryDirectory() as folder:
        look = Path(folder) / "look.json"
        app = await set_up(web, look)
        pages = Pages(app, web)
        environment: Environment = app.tornado_settings["jinja2_env"]
        names = environment.list_templates()
        library = {path.name for path in (Path(app.data_files_path) / "templates").glob("*.html")}
        shown = library | native_pages() | OWN
        found += [
            f"{name}: this page of JupyterHub is new, add it to Pages.cases() in {Path(__file__).name}"
            for name in sorted(shown - set(pages.cases()))
        ]
        found += unseen(environment, web / "templates", shown)
        async for name, html in every_page(web, pages, look):
            if isinstance(html, UnicodeDecodeError):
                # It is told already, and not of each page.
                continue
            if isinstance(html, Exception):
                found.append(sentence(html, web, name, names))
            elif MARK in html or "<look>" in html:
                found.append(f"{name}: shows a setting without escaping it, so leave the filter `safe` away")
    return list(dict.fromkeys(found))


def problems(web: Path) -> list[str]:
    """Sentences on all that does not fit."""
    # JupyterHub adds a handler of its own; what it has to say while it is set up is not about the look.
    logging.disable(logging.ERROR)
    try:
        return asyncio.run(all_problems(web.resolve()))
    finally:
        logging.disable(logging.NOTSET)


if __name__ == "__main__":
    found = problems(Path(sys.argv[1]))
    for problem in found:
        print(f"web/hub: {problem}", file=sys.stderr)
    if found:
        sys.exit("The look of the hub does not fit this JupyterHub; see docs/web.md.")
