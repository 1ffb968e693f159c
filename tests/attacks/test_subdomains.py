# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A link to a user's server, opened by an administrator, where each user's server has a host name of its own.

Found without: `fetch('/hub/home')` on a page of another user's server gave the XSRF token, a POST with it a
full token of the visitor that never ended, and a service worker was taken for the whole address.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import ssl
import subprocess
import typing as t
import urllib.request
from pathlib import Path

import pytest
from accessibility import no_violations
from browser import Visit, visit
from conftest import company, deployed, root_of
from deployment import Deployment, as_root, docker, wait_until
from playwright.sync_api import Page
from user_client import UserClient

HOSTILE = Path(__file__).with_name("hostile.py")
PORT = 9999
NAME = "hub.localhost"
SETTINGS: dict[str, t.Any] = {
    "images_software_stack": "",
    "edge_tls_mode": "self_signed",
    "edge_server_name": NAME,
    "jupyterhub_subdomains": True,
    "jupyterhub_admin_users": ["anna"],
    "jupyterhub_web_announcement": "A hub apart",
    "jupyterhub_sharing_days": 7,
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Deployment]:
    """An instance of its own: a change of the setting logs everybody out."""
    name, port = (
        os.environ.get("SUBDOMAINS_INSTANCE", "apart"),
        int(os.environ.get("SUBDOMAINS_PORT", "8141")),
    )
    yield from deployed(tmp_path_factory.mktemp("apart"), name, NAME, port, SETTINGS)


@pytest.fixture(scope="module")
def people(
    site: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[t.Callable[[str], UserClient]]:
    """Its people, by name."""
    yield from company(site, root_of(site, tmp_path_factory.mktemp("authority")))


def below(site: Deployment, label: str) -> str:
    """The address of a name below the hub's."""
    return site.url.replace("://", f"://{label}.")


@pytest.fixture(scope="module")
def route(site: Deployment, people: t.Callable[[str], UserClient]) -> urllib.request.Request:
    """Has the proxy lead to another port of mallory's server: what answers there is hers to replace."""
    mallory = people("mallory")
    mallory.write("hostile.py", HOSTILE.read_text(encoding="utf-8"))
    mallory.open_kernel("python3")
    start = f"subprocess.Popen([sys.executable, 'hostile.py', '{PORT}', '{NAME}'])"
    assert mallory.run(f"import subprocess, sys; {start}; print('begun')") == "begun"
    shown = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    target = f"http://{docker('inspect', '--format', shown, mallory.container(site.instance))}:{PORT}"
    core = json.loads(docker("inspect", site.container("proxy")))[0]["NetworkSettings"]["Networks"]
    routes = f"http://{core[f'{site.instance}-core']['IPAddress']}:8001/api/routes"
    headers = {"Authorization": f"token {site.secret('proxy-token')}"}
    body = json.dumps({"target": target, "user": "mallory", "server_name": ""}).encode()
    return urllib.request.Request(f"{routes}/mallory.{NAME}/user/mallory/", body, headers, method="POST")


@pytest.fixture
def mallory(site: Deployment, route: urllib.request.Request) -> str:
    """The address of mallory's pages."""
    # Each time anew: the hub corrects routes every few minutes.
    urllib.request.urlopen(route, timeout=30).close()
    return f"{below(site, 'mallory')}/user/mallory/"


@pytest.fixture(scope="module")
def spki(site: Deployment) -> str:
    """The certificate's key. Chromium that overlooks all certificates' faults lets no service worker in."""
    argv = ["openssl", "x509", "-noout", "-pubkey", "-in", f"/srv/{site.instance}/certificate/local.crt"]
    key = subprocess.run(as_root(argv), capture_output=True, check=True).stdout
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "der"], input=key, capture_output=True, check=True
    )
    digest = subprocess.run(
        ["openssl", "dgst", "-sha256", "-binary"], input=der.stdout, capture_output=True, check=True
    )
    done = subprocess.run(["openssl", "base64"], input=digest.stdout, capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.fixture
def anna(site: Deployment, spki: str, tmp_path: Path) -> t.Iterator[Visit]:
    """The administrator, logged in, with a server that runs."""
    with visit(site.url, tmp_path, trusted_key=spki) as anna:
        anna.log_in("anna", "anything")
        yield anna


ASK = """async ([url, options]) => fetch(url, options).then(
    async (answer) => `${answer.status} ${await answer.text()}`, (error) => `refused: ${error.name}`)"""
SOCKET = """async (url) => new Promise((done) => { const socket = new WebSocket(url);
    socket.onopen = () => done("open"); socket.onerror = () => done("refused"); })"""
WORKER = """async ([url, options]) => navigator.serviceWorker.register(url, options).then(
    () => "there", (error) => `refused: ${error.name}`)"""
FRAME = """async (url) => new Promise((done) => { const frame = document.createElement("iframe");
    frame.src = url; frame.onload = done; document.body.append(frame); }).then(() => "loaded")"""
FORM = """([action, enctype, fields]) => { const form = document.createElement("form");
    Object.assign(form, {method: "post", action, enctype});
    for (const [name, value] of Object.entries(fields)) {
      const field = document.createElement("input");
      Object.assign(field, {name, value});
      form.append(field);
    }
    document.body.append(form);
    form.submit(); }"""
COOKIES = """(domain) => {
    const names = ["_xsrf", "jupyterhub-session-id", "jupyterhub-user-anna", "__Host-jupyterhub-hub-login"];
    for (const name of names)
      for (const path of ["/", "/hub/", "/user/anna/"])
        document.cookie = `${name}=tossed; Domain=${domain}; Path=${path}; Secure`; }"""


def asked(page: Page, url: str, **options: t.Any) -> str:
    """What a page's own fetch brings, or that it is refused."""
    found: str = page.evaluate(ASK, [url, {"credentials": "include", **options}])
    return found


def sent(page: Page, action: str, enctype: str, **fields: str) -> int:
    """The status of the answer to a form that a page fills in."""
    with page.expect_navigation() as done:
        page.evaluate(FORM, [action, enctype, fields])
    return done.value.status


TOKENS = """
import json, sqlite3
found = sqlite3.connect("file:/srv/jupyterhub/jupyterhub.sqlite?mode=ro", uri=True).execute(
    "select note from api_tokens join users on users.id = user_id "
    "where users.name = 'anna' and session_id is null")
print(json.dumps(sorted(note or "" for (note,) in found)))
"""


STATE = """
import oauthenticator.generic
from oauthenticator.oauth2 import OAuthLoginHandler
from galilean_hub.http import subdomains
subdomains.guard_logins()
class Handler:
    def _set_cookie(self, name, *rest, **more):
        print(name)
OAuthLoginHandler.set_state_cookie(Handler(), "")
"""


def tokens(site: Deployment) -> list[str]:
    """What anna's tokens are for that came from no login in a browser."""
    found: list[str] = json.loads(docker("exec", site.container("hub"), "python3", "-c", TOKENS))
    return found


def test_a_link_to_another_users_server(site: Deployment, mallory: str, anna: Visit) -> None:
    """Nothing of the hub, nor of the own server, is read or done by the page behind it."""
    page, hub, own = anna.page, site.url, f"{below(site, 'anna')}/user/anna"
    api, wanted = f"{hub}/hub/api/users/anna/tokens", '{"expires_in": 0, "note": "stolen"}'
    as_json = {"body": wanted, "headers": {"Content-Type": "application/json"}}
    socket = f"{own}/api/events/subscribe".replace("https", "wss")
    before = tokens(site)
    # Where they may, they do: refusals below come from where the page is.
    assert page.evaluate(SOCKET, socket) == "open"
    assert not asked(page, f"{own}/api/status").startswith("refused")
    assert asked(page, f"{hub}/hub/static/site/look.json", credentials="omit").startswith("200 ")
    page.goto(f"{mallory}lab/tree/lovely.ipynb")
    assert page.title() == "lovely", "the hostile page is not there, and proves nothing"
    # As it was found, and its neighbours.
    assert asked(page, f"{hub}/hub/home").startswith("refused")
    assert asked(page, api, method="POST", body=wanted).startswith("refused")
    assert asked(page, api, method="POST", **as_json).startswith("refused")
    assert asked(page, f"{own}/api/contents").startswith("refused")
    assert asked(page, f"{own}/api/kernels", method="POST").startswith("refused")
    assert page.evaluate(SOCKET, socket) == "refused"
    # Her own host has nothing of the hub, and of nobody else.
    assert asked(page, "/hub/home").startswith("refused")
    assert asked(page, "/user/anna/api/contents").startswith("424 ")
    assert asked(page, "/hub/api/users/anna/tokens", method="POST", **as_json).startswith("404 ")
    # An answer that cannot be read might still be one to what was done.
    for address in (api, f"{own}/api/kernels", f"{hub}/hub/api/shutdown"):
        asked(page, address, method="POST", mode="no-cors", body=wanted)
    assert page.evaluate(WORKER, [f"{hub}/hub/worker.js", {}]).startswith("refused")
    page.evaluate(WORKER, ["/user/mallory/worker.js", {"scope": "/"}])
    for address in (f"{hub}/hub/token", f"{own}/lab"):
        page.evaluate(FRAME, address)
    assert not [frame.url for frame in page.frames if frame.url.startswith((hub, own))]
    assert tokens(site) == before
    # She has seen no cookie that says who somebody is.
    seen = json.loads(asked(page, "/user/mallory/seen.json").partition(" ")[2])
    names = {part.split("=")[0].strip() for entry in seen for part in entry["cookies"].split(";")}
    assert names <= {"", "_xsrf", "jupyterhub-session-id"}, names
    # No worker stands between people and their passwords.
    page.goto(f"{hub}/hub/login")
    assert page.evaluate("navigator.serviceWorker.controller === null")
    assert "taken" not in page.content()


def test_windows_and_forms(site: Deployment, mallory: str, anna: Visit) -> None:
    """Another window can be opened, but neither be read nor led elsewhere; forms are not taken."""
    page, hub = anna.page, site.url
    before = tokens(site)
    page.goto(mallory)
    with page.expect_popup() as opened:
        page.evaluate("(url) => { window.other = window.open(url) }", f"{hub}/hub/token")
    popup = opened.value
    popup.wait_for_load_state()
    read = "() => { try { return window.other.document.title } catch { return 'refused' } }"
    assert page.evaluate(read).startswith("refused")
    page.evaluate("() => { try { window.other.location = 'about:blank#led-away' } catch {} }")
    popup.wait_for_timeout(500)
    assert popup.url == f"{hub}/hub/token"
    popup.close()
    forms: list[tuple[str, str, dict[str, str]]] = [
        (f"{hub}/hub/api/users/anna/tokens", "text/plain", {'{"note": "': '"}'}),
        (f"{hub}/hub/spawn", "application/x-www-form-urlencoded", {"profile": "default"}),
        (f"{below(site, 'anna')}/user/anna/api/kernels", "text/plain", {"name": "python3"}),
    ]
    for action, kind, fields in forms:
        page.goto(mallory)
        assert sent(page, action, kind, **fields) == 403, action
        # The same from nobody knows where.
        page.goto(mallory)
        page.evaluate("document.head.innerHTML = '<meta name=referrer content=no-referrer>'")
        assert sent(page, action, kind, **fields) == 403, action
    assert tokens(site) == before


def test_cookies_of_a_neighbour(site: Deployment, mallory: str, anna: Visit) -> None:
    """Cookies that a page sets for all subdomains make nobody somebody else, and end no session."""
    page = anna.page
    page.goto(mallory)
    page.evaluate(COOKIES, NAME)
    tossed = {cookie["name"] for cookie in page.context.cookies() if cookie["value"] == "tossed"}
    # None that says who somebody is.
    assert tossed == {"_xsrf", "jupyterhub-session-id", "jupyterhub-user-anna"}
    page.goto(f"{site.url}/hub/home")
    assert page.locator("#start, #stop").first.is_visible(), page.url
    assert len(anna.new_token("my own")) >= 32
    page.goto(f"{site.url}/user/anna/lab")
    page.wait_for_selector("#jp-main-dock-panel")
    assert page.url.startswith(f"{below(site, 'anna')}/user/anna/lab")


def test_a_login_that_a_neighbour_fills_in(site: Deployment, mallory: str, spki: str, tmp_path: Path) -> None:
    """Nobody is logged in as mallory by her page; and her host shows no form for passwords."""
    with visit(site.url, tmp_path, trusted_key=spki) as somebody:
        page = somebody.page
        page.goto(mallory)
        kind = "application/x-www-form-urlencoded"
        assert sent(page, f"{site.url}/hub/login", kind, username="mallory", password="x") == 403
        page.goto(f"{below(site, 'mallory')}/hub/login")
        assert page.url.startswith(f"{site.url}/hub/login")
        assert not [cookie for cookie in page.context.cookies() if "hub-login" in cookie["name"]]


def test_a_login_that_a_foreign_site_fills_in(
    site: Deployment, mallory: str, spki: str, tmp_path: Path
) -> None:
    """Mallory's page leaves her secret with the browser, and a site of hers sends it with her password.

    Before: whoever followed two links was logged in as mallory. The secret of who has not logged in says no
    more than an address and the name of a browser.
    """
    with visit(site.url, tmp_path, trusted_key=spki) as somebody:
        page = somebody.page
        agent = page.evaluate("navigator.userAgent")
        connection = http.client.HTTPSConnection(
            "127.0.0.1", int(site.url.rsplit(":", 1)[1]), timeout=30, context=ssl._create_unverified_context()
        )
        connection.request("GET", "/hub/login", headers={"Host": site.url[8:], "User-Agent": agent})
        (secret,) = re.findall(r"_xsrf=([^;]+)", str(connection.getresponse().headers))
        connection.close()
        page.goto(mallory)
        page.evaluate(
            "cookie => { document.cookie = cookie }",
            f"_xsrf={secret}; Domain={NAME}; Path=/hub/; SameSite=None; Secure",
        )
        page.route("https://evil.example/", lambda route: route.fulfill(content_type="text/html", body="."))
        kind = "application/x-www-form-urlencoded"
        for path in ("login", "login?next=%2Fhub%2Fhome", "signup", "spawn", "api/oauth2/authorize"):
            page.goto("https://evil.example/")
            told = {"username": "mallory", "password": "x", "_xsrf": secret}
            assert sent(page, f"{site.url}/hub/{path}", kind, **told) == 403, path
            assert "another server" in page.content(), path
        assert not [cookie for cookie in page.context.cookies() if "hub-login" in cookie["name"]]
        # A provider of logins may send a form: the hub answers, which here has no provider.
        page.goto("https://evil.example/")
        assert sent(page, f"{site.url}/hub/oauth_callback", kind, code="x", state="x") == 403
        assert "another server" not in page.content()


def test_a_code_for_another_server(site: Deployment, mallory: str, anna: Visit) -> None:
    """The hub sends what logs people in at anna's server to nobody but anna's server."""
    query = f"response_type=code&client_id=jupyterhub-user-anna&redirect_uri={mallory}oauth_callback&state=x"
    answer = anna.page.goto(f"{site.url}/hub/api/oauth2/authorize?{query}")
    assert answer is not None
    assert answer.status == 400
    assert anna.page.url.startswith(site.url)


def test_a_login_at_a_provider(site: Deployment) -> None:
    """The half of it that the browser keeps is no neighbour's to set, in what is installed."""
    told = docker("exec", site.container("hub"), "python3", "-c", STATE)
    assert told == "__Host-oauthenticator-state"


def test_work_goes_on_as_ever(site: Deployment, spki: str, tmp_path: Path) -> None:
    """Log in, run a cell, see what the hub announces, go to the hub and back, log out."""
    # Nobody who left a notebook open before.
    name = f"bea{os.getpid()}"
    with visit(site.url, tmp_path, trusted_key=spki) as bea:
        page = bea.page
        bea.log_in(name, "anything")
        home = below(site, name)
        assert page.url.startswith(f"{home}/user/{name}/lab")
        page.locator("#galilean-announcement", has_text="A hub apart").wait_for()
        bea.new_notebook()
        page.locator(".jp-NotebookPanel .jp-Cell .cm-content").first.click()
        page.keyboard.type("6 * 7")
        assert bea.run_all()[0].strip().endswith("42")
        cookies = {cookie["name"] for cookie in page.context.cookies() if "jupyterhub" in cookie["name"]}
        assert {one for one in cookies if not one.startswith("__Host-")} == {"jupyterhub-session-id"}
        # Old links, and those that people send each other.
        for path in (f"/user/{name}/lab", "/hub/user-redirect/lab", "/hub/home"):
            page.goto(f"{site.url}{path}")
            if path != "/hub/home":
                assert page.url.startswith(f"{home}/user/{name}/lab")
        page.locator("#start").click()
        page.wait_for_url(re.compile(re.escape(f"{home}/user/{name}/lab")))
        page.goto(f"{site.url}/hub/logout")
        page.goto(f"{home}/user/{name}/lab")
        page.wait_for_url(re.compile(re.escape(f"{site.url}/hub/login")))
        assert not [error for error in bea.errors if "favicon" not in error]


def test_an_administrator_enters(
    site: Deployment, anna: Visit, people: t.Callable[[str], UserClient]
) -> None:
    """Servers of others are entered at their own address, by the page of the administrators."""
    people("alice")
    anna.go("/hub/admin")
    row = anna.page.locator("tr", has_text="alice").first
    row.get_by_role("link", name=re.compile("Access Server")).first.click()
    wait_until(
        lambda: below(site, "alice") in anna.page.url or "oauth" in anna.page.url,
        60,
        "the address of alice's server",
    )
    if "oauth2/authorize" in anna.page.url:
        anna.page.locator("input[type=submit], button[type=submit]").first.click()
    anna.page.wait_for_url(re.compile(re.escape(f"{below(site, 'alice')}/user/alice/lab")))
    anna.page.wait_for_selector("#jp-main-dock-panel")


def test_names_that_are_no_host_names(site: Deployment, people: t.Callable[[str], UserClient]) -> None:
    """Their servers are reached like all others; a name that the site itself uses is nobody's."""
    for name in ("ann.other@example.org", "www"):
        person = people(name)
        label = person.server.split("//")[1].split(".")[0]
        assert re.fullmatch(r"u-[a-z]+--[0-9a-f]{32}", label)
        assert person.client.server_version(person.server)


CALL = """async ([method, path, body]) => {
    const answer = await fetch(`/hub/api/${path}`, {method, body: body && JSON.stringify(body),
        headers: {"Content-Type": "application/json", "X-XSRFToken": window.jhdata.xsrf_token}});
    return [answer.status, answer.status === 204 ? null : await answer.json()]; }"""


def called(page: Page, method: str, path: str, body: t.Any = None) -> tuple[int, t.Any]:
    """What the hub's API answers to somebody at one of its pages."""
    status, answer = page.evaluate(CALL, [method, path, body])
    return status, answer


def test_a_shared_server(site: Deployment, spki: str, tmp_path: Path) -> None:
    """By a link: who has it enters this server until the owner takes it back, and has no other right."""
    owner, guest = f"olga{os.getpid()}", f"gus{os.getpid()}"
    with visit(site.url, tmp_path, trusted_key=spki) as olga:
        olga.log_in(owner, "anything")
        home = olga.page
        olga.go("/hub/home")
        home.get_by_text("Share my server").click()
        home.get_by_role("button", name="Make a link").click()
        link = home.get_by_label("Send this link.")
        link.wait_for()
        browser = home.context.browser
        assert browser is not None
        gus = Visit(browser.new_context().new_page(), site.url, tmp_path)
        page = gus.page
        page.goto(link.input_value())
        page.fill("#username_input", guest)
        page.fill("#password_input", "anything")
        page.click("#login_submit")
        page.get_by_role("button", name="Accept invitation").wait_for()
        no_violations(page, narrow=True)
        page.get_by_role("button", name="Accept invitation").click()
        page.get_by_role("button", name="Authorize").click()
        page.wait_for_url(re.compile(re.escape(f"{below(site, owner)}/user/{owner}/lab")))
        page.wait_for_selector("#jp-main-dock-panel")
        # No more than that.
        gus.go("/hub/home")
        page.get_by_role("link", name=owner).wait_for()
        for method, path, body in (
            ("DELETE", f"users/{owner}/server", None),
            ("POST", f"share-codes/{owner}/", {}),
            ("POST", f"shares/{owner}/", {"user": "anna"}),
            ("PATCH", f"shares/{owner}/", {"user": guest}),
            ("GET", f"shares/{owner}/", None),
            ("GET", f"users/{owner}", None),
        ):
            assert called(page, method, path, body)[0] in (403, 404), (method, path)
        # Nor has the owner more to give: other rights, a longer time, names of others.
        servers = f"servers!server={owner}/"
        more: list[tuple[str, t.Any, str]] = [
            (f"share-codes/{owner}/", {"scopes": [servers]}, "only access:servers can be shared"),
            (f"share-codes/{owner}/", {"scopes": "servers"}, "scopes"),
            (f"share-codes/{owner}/", {"expires_in": 8 * 86400}, "7 days at most"),
            (f"shares/{owner}/", {"user": "anna"}, "read:users:name"),
            (f"shares/{owner}/", {"user": "anna", "scopes": [servers]}, "only access:servers can be shared"),
        ]
        for path, wanted, words in more:
            status, answer = called(home, "POST", path, wanted)
            assert status in (400, 403), (path, wanted)
            assert words in answer["message"], answer
        # Taken back.
        home.reload()
        home.get_by_text("Share my server").click()
        home.get_by_role("button", name=f"Remove {guest}").click()
        home.get_by_role("button", name=f"Remove {guest}").wait_for(state="detached")
        gus.go("/hub/home")
        assert page.get_by_role("link", name=owner).count() == 0
        status, me = called(page, "GET", "user")
        assert (status, [one for one in me["scopes"] if owner in one]) == (200, [])
    told = [f"/srv/{site.instance}/bin/hubctl", "who", owner, "--action", "server", "--all", "--json"]
    wait_until(
        lambda: (
            {"server.share", "server.enter", "server.unshare"}
            <= {
                one["action"]
                for one in json.loads(subprocess.run(as_root(told), capture_output=True, check=True).stdout)[
                    "events"
                ]
                if one.get("actor") in (owner, guest)
            }
        ),
        30,
        "the events of a shared server",
    )


# Of nobody, of no form at all, and what means something to a table in JavaScript.
NOBODY = ["nobody", "u-x--00000000000000000000000000000000", "u-", "-", "a.b", "x" * 64, "xn--zo-jka", "*"]
NOBODY += ["constructor", "__proto__", "MALLORY", "s-x--00", "nobody--service", "mallory@hub", "zo\xeb", "."]


def test_host_names_that_are_nobodys(site: Deployment, people: t.Callable[[str], UserClient]) -> None:
    """They show nothing and break nothing: they lead to the hub's own address, or are refused."""
    people("mallory")
    port, trusting = int(site.url.rsplit(":", 1)[1]), ssl._create_unverified_context()
    hosts = [f"{label}.{NAME}" for label in NOBODY] + [
        f"mallory.{NAME}.",
        f"mallory.{NAME}:99999",
        "x.org",
        "",
    ]
    for host in hosts:
        for method, path in (
            ("GET", "/hub/home"),
            ("GET", "/user/bob/lab"),
            ("POST", "/user/bob/api/kernels"),
        ):
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=trusting)
            connection.putrequest(method, path, skip_host=True)
            connection.putheader("Host", host.encode("latin-1"))
            connection.putheader("Accept", "text/html")
            connection.putheader("Content-Length", "0")
            connection.endheaders()
            answer = connection.getresponse()
            told = f"{method} {host} {path}: {answer.status} {answer.headers['Location']}"
            connection.close()
            assert answer.status in (302, 400, 403, 404), told
            if answer.status == 302:
                assert re.match(rf"https://{re.escape(NAME)}(:[0-9]+)?/", answer.headers["Location"]), told


def worker(site: Deployment, name: str) -> tuple[str, list[str]]:
    """The container of somebody's server, and the kernels in it, whatever address it has now."""
    authority = Path(f"/srv/{site.instance}/certificate/ca.crt")
    person = UserClient(site.url, site.token, name, ca=str(authority))
    server = person.client.server_url(person.state())
    kernels = person.client.ask("GET", f"{server}/api/kernels").json()
    return person.container(site.instance), [kernel["id"] for kernel in kernels]


def begin(somebody: Visit, name: str) -> str:
    """Log in, and open a notebook; the process of its kernel."""
    page = somebody.page
    somebody.log_in(name, "anything")
    somebody.new_notebook()
    page.locator(".jp-NotebookPanel .jp-Cell .cm-content").first.click()
    page.keyboard.type("import os; os.getpid()")
    process = somebody.run_all()[0].split()[-1]
    with page.expect_response(lambda answer: answer.request.method == "PUT" and "ipynb" in answer.url):
        page.keyboard.press("Control+s")
    return process


def follow_an_old_link(somebody: Visit, name: str) -> None:
    """To one's server at the hub's own name; whoever is asked for a login gives it."""
    page = somebody.page
    page.goto(f"{somebody.url}/user/{name}/lab")
    page.locator("#username_input, #jp-main-dock-panel").first.wait_for()
    if page.locator("#username_input").count():
        page.fill("#username_input", name)
        page.fill("#password_input", "anything")
        page.click("#login_submit")


def goes_on(somebody: Visit) -> str:
    """The process of the notebook's kernel by now."""
    page = somebody.page
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    page.locator(".jp-Launcher, .jp-NotebookPanel").first.wait_for()
    if not page.locator(".jp-NotebookPanel").count():
        somebody.open_notebook("Untitled.ipynb")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    return somebody.run_all()[0].split()[-1]


@pytest.mark.slow
def test_a_hub_is_changed_while_people_work(site: Deployment, spki: str, tmp_path: Path) -> None:
    """Both ways no server and no kernel ends. Who opens one is led to it, or told to start it anew."""
    names = f"cora{os.getpid()}", f"dora{os.getpid()}"
    with visit(site.url, tmp_path, trusted_key=spki) as cora:
        processes = [begin(cora, names[0])]
        before = worker(site, names[0])
        try:
            site.set(**{**SETTINGS, "jupyterhub_subdomains": False, "jupyterhub_sharing_days": 0})
            site.run("site", name="without").assert_done()
            site.run("site", name="without-again").assert_unchanged()
            assert worker(site, names[0]) == before
            # Her server has its logins come back to an address that is no more.
            follow_an_old_link(cora, names[0])
            cora.page.get_by_text("started while servers had other addresses").first.wait_for()
            assert cora.page.url.startswith(f"{site.url}/hub/")
            browser = cora.page.context.browser
            assert browser is not None
            dora = Visit(browser.new_context().new_page(), site.url, tmp_path)
            processes.append(begin(dora, names[1]))
            assert dora.page.url.startswith(f"{site.url}/user/{names[1]}/lab")
            started = worker(site, names[1])
        finally:
            site.set(**SETTINGS)
            site.run("site", name="with").assert_done()
        site.run("site", name="with-again").assert_unchanged()
        assert [worker(site, name) for name in names] == [before, started]
        for somebody, name, process in zip((cora, dora), names, processes, strict=True):
            follow_an_old_link(somebody, name)
            somebody.page.wait_for_url(re.compile(re.escape(f"{below(site, name)}/user/{name}/lab")))
            assert goes_on(somebody) == process
