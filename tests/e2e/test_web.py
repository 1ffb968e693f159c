# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The look of hub and JupyterLab as somebody at a browser sees it, and how one works on it.

The tests of this file are steps of one story and run in their order.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
import typing as t
from pathlib import Path

import own_kernels
import pytest
import requests
from accessibility import no_violations
from browser import Visit, visit
from deployment import ROOT, Deployment, as_root, docker, server_of, wait_until
from playwright.sync_api import expect
from portal import NAME, Portal
from user_client import UserClient

TITLE = 'Arcetri <b>& "Friends"</b>'
ANNOUNCEMENT = "Maintenance on Sunday <script>alert(1)</script>"
LOOK: dict[str, t.Any] = {
    "jupyterhub_admin_users": ["root-of-pages"],
    "jupyterhub_contact": "help@example.org",
    "jupyterhub_named_server_limit": 1,
    "jupyterhub_groups": [{"name": "choosers", "users": ["cleo"]}],
    "jupyterhub_profiles": [
        {"name": "main", "label": "Plain Python", "memory_limit": "1G"},
        {"name": "other", "label": "Other <b>", "default_url": "/tree", "groups": ["choosers"]},
    ],
    "jupyterhub_keep_outputs": True,
    "jupyterhub_web_title": TITLE,
    "jupyterhub_web_announcement": ANNOUNCEMENT,
    "jupyterhub_web_links": [
        {"label": "Ask us", "url": "/hub/token?a=1&b=2"},
        {"label": "Imprint", "url": "https://example.org/imprint", "places": ["footer"]},
        {"label": "Data", "url": "/data", "places": ["home"], "description": "All & more"},
    ],
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A copy of our look and a site's own folder, to be worked on."""
    folder = tmp_path_factory.mktemp("web")
    shutil.copytree(ROOT / "files" / "web", folder / "ours")
    (folder / "site").mkdir()
    # Docker mounts what is there when it starts a container; containers are not run by root.
    folder.chmod(0o755)
    return folder / "ours", folder / "site"


@pytest.fixture(scope="module")
def page(site: Deployment, artifacts: Path) -> t.Iterator[Visit]:
    """One browser for all of the story, as of somebody who has the hub open all day."""
    with visit(site.url, artifacts, hosts="MAP hub.example.org 127.0.0.1") as seen:
        yield seen


@pytest.fixture
def stranger(page: Visit, artifacts: Path) -> t.Iterator[Visit]:
    """Somebody at another browser, with nothing remembered."""
    browser = page.page.context.browser
    assert browser is not None
    context = browser.new_context(viewport={"width": 1400, "height": 900}, locale="en-GB")
    yield Visit(context.new_page(), page.url, artifacts)
    context.close()


def leave(seen: Visit) -> None:
    """Go away from the hub: an open page would ask for what is being replaced, and complain."""
    seen.page.goto("about:blank")


def colour(seen: Visit, selector: str) -> str:
    return str(seen.page.locator(selector).evaluate("node => getComputedStyle(node).backgroundColor"))


def hub_started(site: Deployment) -> str:
    return docker("inspect", "--format", "{{.State.StartedAt}}", site.container("hub"))


@pytest.fixture(scope="module")
def portal(site: Deployment) -> t.Iterator[Portal]:
    """Another site, which the hub of the first tests knows."""
    with Portal(site.url).running() as running:
        yield running


def test_the_login_page_shows_the_site(site: Deployment, page: Visit, portal: Portal) -> None:
    site.set(**LOOK, **portal.settings)
    site.run("configure").assert_done()
    page.page.goto(f"{site.url}/hub/login")
    expect(page.page).to_have_title(f"Sign in – {TITLE}")
    expect(page.page.locator(".site-name")).to_have_text(TITLE)
    expect(page.page.locator(".site-announcement")).to_have_text(ANNOUNCEMENT)
    link = page.page.get_by_role("navigation").get_by_role("link", name="Ask us")
    expect(link).to_have_attribute("href", "/hub/token?a=1&b=2")
    imprint = page.page.get_by_role("contentinfo").get_by_role("link", name="Imprint")
    expect(imprint).to_have_attribute("href", "https://example.org/imprint")
    width = page.page.locator(".site-logo").evaluate("logo => logo.complete && logo.naturalWidth")
    assert width > 0
    page.picture("web-login")
    assert page.errors == []


def test_jupyterlab_shows_the_site(site: Deployment, page: Visit) -> None:
    page.log_in("ada", "any password")
    expect(page.page).to_have_title(TITLE)
    expect(page.page.locator("#galilean-announcement p")).to_have_text(ANNOUNCEMENT)
    logo = page.page.locator("#jp-MainLogo").evaluate("node => getComputedStyle(node).backgroundImage")
    assert "/user/ada/custom/logo.svg" in logo
    answer = page.page.request.get(f"{site.url}/user/ada/custom/logo.svg")
    assert answer.status == 200
    page.page.get_by_role("menuitem", name="Help", exact=True).click()
    expect(page.page.get_by_role("menuitem", name="Ask us")).to_be_visible()
    expect(page.page.get_by_role("menuitem", name="Imprint")).to_have_count(0)
    page.picture("web-lab")
    with page.page.context.expect_page() as opened:
        page.page.get_by_role("menuitem", name="Ask us").click()
    assert opened.value.url == f"{site.url}/hub/token?a=1&b=2"
    opened.value.close()
    assert page.errors == []


SENT = "performance.getEntries().reduce((sum, one) => sum + (one.encodedBodySize || 0), 0)"
LARGE = (
    "performance.getEntriesByType('resource').sort((a, b) => b.decodedBodySize - a.decodedBodySize)[0].name"
)


def test_what_pages_load_is_compressed(site: Deployment, page: Visit) -> None:
    """In full it is 0.7 MiB of a page of the hub, 5.7 of JupyterLab. What has secrets stays as it was."""
    for path, most in (("/user/ada/lab", 1.8), ("/hub/token", 0.35)):
        page.go(path)
        page.page.wait_for_load_state("networkidle")
        assert page.page.evaluate(SENT) < most * 2**20, path
        address = page.page.evaluate(LARGE)
        content = set()
        for accepted, encoding in (("gzip", "gzip"), ("identity, br;q=0", None)):
            answer = requests.get(address, headers={"Accept-Encoding": accepted}, timeout=60)
            assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, encoding)
            assert answer.headers["Vary"] == "Accept-Encoding"
            kind = answer.headers["Content-Type"].partition(";")[0]
            assert kind in ("text/javascript", "application/javascript", "text/css")
            content.add((kind, answer.content))
        assert len(content) == 1
    for path in ("/user/ada/lab", "/user/ada/api/contents", "/hub/home"):
        answered = page.page.request.get(f"{site.url}{path}")
        assert (answered.status, answered.headers.get("content-encoding")) == (200, None), path


def test_another_site_starts_servers_of_who_logs_in_there(
    site: Deployment, page: Visit, portal: Portal, artifacts: Path
) -> None:
    """For each their own, after they have agreed; and no more than the settings allow it."""
    browser = page.page.context.browser
    assert browser is not None
    for user in ("ida", "otto"):
        context = browser.new_context(locale="en-GB")
        seen = Visit(context.new_page(), site.url, artifacts)
        seen.page.goto(portal.url)
        seen.page.get_by_role("link", name="Open the notebook").click()
        seen.page.fill("#username_input", user)
        seen.page.fill("#password_input", "any password")
        seen.page.click("#login_submit")
        expect(seen.page.get_by_role("main")).to_contain_text(NAME)
        seen.picture(f"portal-agree-{user}")
        assert user not in portal.tokens
        seen.page.get_by_role("button", name="Authorize").click()
        seen.page.wait_for_url(f"**/user/{user}/lab**")
        seen.page.locator(".jp-LauncherCard").first.wait_for()
    token = portal.tokens["ida"]
    assert portal.call(token, "GET", "/hub/api/users/ida").json()["servers"][""]["ready"] is True
    for method, path in (
        ("POST", "/hub/api/users/otto/server"),
        ("DELETE", "/hub/api/users/otto/server"),
        ("GET", "/hub/api/users/otto"),
        ("GET", "/hub/api/users"),
        ("GET", "/hub/api/services"),
        ("POST", "/hub/api/users/ida/tokens"),
        ("POST", "/hub/api/users/otto/tokens"),
        ("DELETE", "/hub/api/users/ida"),
        # Files and kernels need a scope that it was not given.
        ("GET", "/user/ida/api/contents"),
        ("GET", "/user/otto/api/contents"),
    ):
        answer = portal.call(token, method, path, allow_redirects=False)
        assert answer.status_code in (302, 403, 404), (method, path, answer.status_code)
    # The site by itself is nobody.
    assert portal.call(portal.secret, "POST", "/hub/api/users/ida/server").status_code in (403, 404)
    # A code counts once, and only with the secret; logins go back to the address of the settings alone.
    assert portal.token_for(portal.codes[0], portal.secret).status_code >= 400
    assert portal.token_for(portal.codes[1], "0" * 64).status_code >= 400
    for changes in ({"redirect_uri": "http://localhost:1/callback"}, {"client_id": "service-check"}):
        assert context.request.get(portal.login(**changes)).status >= 400, changes
    # It may ask for more, and gets no more.
    asked = context.request.get(portal.login(scope="access:servers!user admin:users"))
    assert asked.status >= 400 or "access:servers" not in asked.text()
    assert portal.call(token, "DELETE", "/hub/api/users/ida/server").status_code in (202, 204)


LINES = 12
PRINT = f"""import time
for number in range({LINES}):
    print("line", number, flush=True)
    time.sleep(0.8)
print("the end")"""


def all_of_it(seen: Visit, cell: int) -> None:
    """Wait for the end of a cell, and look whether each line is there, once."""
    output = seen.page.locator(".jp-NotebookPanel .jp-CodeCell").nth(cell)
    output.locator(".jp-InputPrompt", has_text=re.compile(r"^\[\d+\]:$")).wait_for()
    text = output.locator(".jp-Cell-outputArea").inner_text()
    assert [line for line in text.split("\n") if line] == [
        *(f"line {number}" for number in range(LINES)),
        "the end",
    ]


def test_outputs_survive_a_reload_and_a_lost_network(site: Deployment, stranger: Visit) -> None:
    stranger.log_in("bob", "any password")
    own_kernels.start_notebook(stranger, "Python 3")
    own_kernels.run(stranger, PRINT)
    own_kernels.printed(stranger, "line 2")
    # Its last line is not in the file yet.
    stranger.page.once("dialog", lambda dialog: dialog.accept())
    stranger.page.reload()
    own_kernels.printed(stranger, "line 2")
    expect(stranger.page.locator(".jp-CodeCell .jp-InputPrompt").first).to_have_text("[*]:")
    stranger.picture("web-reload")
    all_of_it(stranger, 0)
    assert stranger.errors == []

    own_kernels.run(stranger, PRINT)
    output = stranger.page.locator(".jp-NotebookPanel .jp-CodeCell").nth(1)
    output.locator(".jp-OutputArea-output", has_text="line 2").wait_for()
    stranger.page.context.set_offline(True)
    lost = stranger.page.get_by_text("The network is lost.")
    lost.wait_for()
    stranger.page.wait_for_timeout(4000)
    stranger.picture("web-offline")
    expect(stranger.page.locator(".jp-Dialog")).to_have_count(0)
    expect(output.locator(".jp-OutputArea-output", has_text="line 5")).to_have_count(0)
    stranger.page.context.set_offline(False)
    lost.wait_for(state="detached")
    all_of_it(stranger, 1)
    # Now it is the server that is away.
    UserClient(site.url, site.token, "bob").stop()
    stranger.page.get_by_text("Your server was stopped").wait_for()
    stranger.picture("web-stopped")


# Status, heading and what helps: also where JupyterHub has nothing but names of its own to say.
ERRORS = {
    "/hub/admin": (403, "You may not open this page", "Your account has no permission for it."),
    "/hub/nothing": (404, "There is no such page", "Check the address"),
    "/hub/spawn/nobody-here": (404, "There is no such page", "Check the address"),
    "/hub/spawn/ada/no..name": (400, "This request cannot be understood", ""),
}
# What the proxy asks for when it has no answer of its own.
CODES = (400, 401, 403, 404, 405, 413, 429, 431, 500, 502, 503, 504)


def test_errors_speak_plainly_and_keep_who_is_logged_in(site: Deployment, page: Visit) -> None:
    for path, (status, heading, sentence) in ERRORS.items():
        answer = page.page.goto(f"{site.url}{path}")
        assert answer is not None
        assert answer.status == status, path
        expect(page.page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(page.page).to_have_title(f"{heading} – {TITLE}")
        expect(page.page.get_by_role("main")).to_contain_text(sentence)
        expect(page.page.get_by_role("main")).not_to_contain_text("admin-ui")
        expect(page.page.get_by_role("navigation")).to_contain_text("ada")
        expect(page.page.get_by_role("button", name="Logout")).to_be_visible()
        no_violations(page.page, narrow=True)
    page.page.goto(f"{site.url}/hub/admin")
    expect(page.page.get_by_text("If it should work, ask help@example.org.")).to_be_visible()
    page.picture("web-403")
    for code in CODES:
        page.page.goto(f"{site.url}/hub/error/{code}")
        expect(page.page.get_by_role("heading", level=1)).not_to_have_text(str(code))
        no_violations(page.page)
    # Her own server, in the hub's colours.
    page.page.goto(f"{site.url}/user/ada/nothing")
    expect(page.page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    expect(page.page.get_by_role("link", name="Go to your home page")).to_have_attribute(
        "href", f"{site.url}/hub/home"
    )
    ground = "() => getComputedStyle(document.body).backgroundColor"
    assert page.page.evaluate(ground) == "rgb(246, 247, 249)"
    no_violations(page.page, narrow=True)
    # The browser says each of them on its console.
    page.errors.clear()


def test_everybody_can_use_the_pages(site: Deployment, page: Visit) -> None:
    """In light and in dark colours, and as narrow as a telephone."""
    for scheme in ("light", "dark"):
        page.page.emulate_media(color_scheme=scheme)
        for path in ("home", "token", "user/ada/another/lab", "error/404"):
            page.page.goto(f"{site.url}/hub/{path}")
            page.page.wait_for_load_state("networkidle")
            no_violations(page.page, narrow=True)
    page.errors.clear()
    page.page.emulate_media(color_scheme="light")
    page.new_token("of the pages")
    no_violations(page.page, narrow=True)
    # What has the focus is framed, also where Bootstrap takes the frame away.
    page.page.locator("#token-note").focus()
    assert page.page.locator("#token-note").evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    # By the keyboard alone.
    page.page.goto(f"{site.url}/hub/home")
    page.page.wait_for_load_state("networkidle")
    page.page.locator("#stop").press("Enter")
    # As long as it takes to stop, it has another name.
    page.page.get_by_role("button", name="Start My Server").click()
    page.page.wait_for_url("**/user/ada/**")
    page.page.context.clear_cookies()
    leave(page)


def test_the_admin_page_has_names_for_its_buttons(site: Deployment, stranger: Visit) -> None:
    stranger.log_in("root-of-pages", "any password")
    stranger.go("/hub/admin")
    details = stranger.page.get_by_role("button", name="Details of ada", exact=True)
    details.wait_for()
    no_violations(stranger.page, narrow=True)
    details.click()
    stranger.page.wait_for_timeout(700)
    no_violations(stranger.page)
    start = stranger.page.get_by_role("button", name="Start All")
    # The one colour of the site, not Bootstrap's.
    same = "node => getComputedStyle(node).backgroundColor"
    own = stranger.page.evaluate(
        "() => { const one = document.createElement('p'); one.style.background = 'var(--site-accent)';"
        " document.body.append(one); return getComputedStyle(one).backgroundColor }"
    )
    assert start.evaluate(same) == own
    for button in ("Add Users", "Manage Groups", "Edit User"):
        stranger.go("/hub/admin")
        stranger.page.get_by_role("button", name=button).first.click()
        details.wait_for(state="detached")
        no_violations(stranger.page)
    # Somebody else's server asks whether it may know who comes.
    stranger.go("/user/ada/lab")
    stranger.page.get_by_role("heading", name="Authorize access").wait_for()
    no_violations(stranger.page, narrow=True)
    assert stranger.errors == []
    UserClient(site.url, site.token, "root-of-pages").stop()


def test_home_tells_what_runs_and_leads_to_another_environment(site: Deployment, stranger: Visit) -> None:
    UserClient(site.url, site.token, "cleo").start()
    stranger.log_in("cleo", "any password")
    page = stranger.page
    stranger.go("/hub/home")
    server = page.get_by_role("region", name="Your server")
    expect(server).to_contain_text("Plain Python")

    # What was measured last, and the limit of the environment.
    def is_measured() -> bool:
        page.reload()
        return re.search(r"\d+\.\d MiB of 1\.0 GiB", server.inner_text()) is not None

    wait_until(is_measured, 120, "the memory")
    expect(server.locator("time")).to_contain_text("ago")
    expect(server.locator(".btn").first).to_have_text("Open my server")
    ground = "node => getComputedStyle(node).backgroundColor"
    assert page.locator("#stop").evaluate(ground) != page.locator("#start").evaluate(ground)
    data = page.get_by_role("listitem").filter(has_text="All & more").get_by_role("link")
    expect(data).to_have_attribute("href", "/data")
    no_violations(page, narrow=True)
    stranger.picture("web-home")
    # Stop and choose.
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Start with another environment").click()
    page.get_by_label("Other <b>").check()
    page.get_by_role("button", name="Start", exact=True).click()
    # It begins with the classic notebook, which has the site's look and a way home.
    page.wait_for_url("**/user/cleo/tree")
    expect(page.locator("#galilean-announcement p")).to_have_text(ANNOUNCEMENT)
    logo = page.locator("#jp-NotebookLogo").evaluate("node => getComputedStyle(node).backgroundImage")
    assert "/user/cleo/custom/logo.svg" in logo
    expect(page.locator("#galilean-home")).to_have_attribute("href", f"{site.url}/hub/home")
    stranger.picture("web-tree")
    page.locator("#galilean-home").click()
    expect(server).to_contain_text("Other <b>")
    # Another one beside it, with the same home; and no third.
    page.get_by_label("Name").fill("GPU zwei")
    page.get_by_role("button", name="Start another server").click()
    page.get_by_label("Plain Python").check()
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/user/cleo/gpu-zwei/lab**")
    mounts = {
        docker("inspect", "--format", "{{json .HostConfig.Binds}}", one)
        for one in server_of(site.instance, "cleo").split()
    }
    assert len(mounts) == 1
    stranger.go("/hub/home")
    another = page.get_by_role("region", name="GPU zwei")
    expect(another).to_contain_text("Plain Python")
    expect(page.get_by_label("Name")).to_have_count(0)
    no_violations(page, narrow=True)
    answer = page.goto(f"{site.url}/hub/spawn/cleo/third")
    assert answer is not None
    assert (answer.status, "maximum of 1 named servers" in page.content()) == (400, True)
    listed = subprocess.run(
        as_root([f"/srv/{site.instance}/bin/hubctl", "users", "--active"]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "default gpu-zwei" in listed.stdout
    stranger.go("/hub/home")
    another.get_by_role("button", name="Stop GPU zwei").click()
    page.once("dialog", lambda dialog: dialog.accept())
    another.get_by_role("button", name="Delete GPU zwei").click()
    expect(another).to_have_count(0)
    # The classic notebook looks for settings that it has not.
    assert [error for error in stranger.errors if not re.search("third|reading 'schema'", error)] == []


PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
)
TABLET = "Mozilla/5.0 (Linux; Android 15; SM-X710) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"


def test_a_telephone_opens_the_classic_notebook(site: Deployment, stranger: Visit, artifacts: Path) -> None:
    """In place of JupyterLab's narrow panels. What goes wrong there has the site's look, too."""
    stranger.log_in("ada", "any password")
    browser, state = stranger.page.context.browser, stranger.page.context.storage_state()
    assert browser is not None
    pages = []
    for agent, opened in ((PHONE, "tree"), (TABLET, "lab")):
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, user_agent=agent, storage_state=state, locale="en-GB"
        )
        seen = Visit(context.new_page(), site.url, artifacts)
        seen.go("/user/ada/")
        seen.page.wait_for_url(f"**/user/ada/{opened}**")
        pages.append(seen)
    phone = pages[0]
    phone.page.locator(".jp-DirListing-content").wait_for()
    expect(phone.page.locator("#galilean-home")).to_be_visible()
    phone.picture("web-phone")
    for path in ("tree/nothing", "nothing"):
        phone.page.goto(f"{site.url}/user/ada/{path}")
        expect(phone.page).to_have_title(f"There is no such page – {TITLE}")
        expect(phone.page.get_by_role("link", name="Go to your home page")).to_be_visible()
        no_violations(phone.page, narrow=True)
    for seen in pages:
        seen.page.context.close()


def test_http_is_warned_of_but_not_on_loopback(site: Deployment, stranger: Visit) -> None:
    port = site.url.rsplit(":", 1)[1]
    hosts = {"127.0.0.1": False, "localhost": False, "hub.example.org": True}
    for host, warned in hosts.items():
        stranger.page.goto(f"http://{host}:{port}/hub/login")
        stranger.page.wait_for_load_state("networkidle")
        expect(stranger.page.locator("#insecure-login-warning")).to_be_visible(visible=warned)
        no_violations(stranger.page, narrow=True)


def test_a_stopped_hub_leaves_a_page_that_waits(site: Deployment, stranger: Visit) -> None:
    """With logo, colours and announcement of the site, and it opens what was wanted when the hub is back."""
    systemd = Path(f"/etc/systemd/system/{site.instance}.service").exists()
    service = ["systemctl"] if systemd else [f"/srv/{site.instance}/bin/service"]

    def do(verb: str) -> None:
        subprocess.run(as_root([*service, verb, *([site.instance] if systemd else [])]), check=True)

    do("stop")
    try:
        answer = stranger.page.goto(f"{site.url}/hub/token")
        assert answer is not None
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        expect(stranger.page).to_have_title(f"Back soon – {TITLE}")
        expect(stranger.page.locator(".announcement")).to_have_text(ANNOUNCEMENT)
        expect(stranger.page.get_by_text("Waiting for the hub")).to_be_visible()
        assert stranger.page.locator(".logo").evaluate("logo => logo.complete && logo.naturalWidth") > 0
        for scheme in ("light", "dark"):
            stranger.page.emulate_media(color_scheme=scheme)
            no_violations(stranger.page, narrow=True)
        stranger.picture("web-away")
    finally:
        do("start")
    expect(stranger.page).to_have_title(f"Sign in – {TITLE}")
    assert stranger.page.url.endswith("/hub/login?next=%2Fhub%2Ftoken")
    # What the edge has to say by itself.
    for path, heading in (
        ("/_edge/nothing", "There is no such page"),
        ("/%68ub/home", "There is no such page"),
    ):
        stranger.page.goto(f"{site.url}{path}")
        expect(stranger.page.get_by_role("heading", level=1)).to_have_text(heading)
        no_violations(stranger.page, narrow=True)
    large = stranger.page.request.post(f"{site.url}/hub/login", data=bytes(300_000))
    assert (large.status, "take no more than 256k" in large.text()) == (413, True)


def test_hub_shell(site: Deployment) -> None:
    shell = [f"/srv/{site.instance}/bin/hubctl", "shell"]

    def run(*words: str, said: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            as_root([*shell, *words]), input=said, capture_output=True, text=True, check=False, timeout=60
        )

    assert run("jupyterhub", "--version").stdout.strip() == "6.1.1"
    assert run(said="echo $((6 * 7))\n").stdout.strip() == "42"
    assert run("sh", "-c", "exit 7").returncode == 7
    docker("stop", site.container("hub"))
    refused = run("true")
    docker("start", site.container("hub"))
    subprocess.run(as_root([f"/srv/{site.instance}/bin/service", "wait", "60"]), check=True)
    assert refused.returncode == 1
    assert f"The container {site.instance}-hub is not running (exited): start it with " in refused.stderr


@pytest.mark.slow
def test_changes_show_at_the_next_reload(
    site: Deployment, page: Visit, portal: Portal, folders: tuple[Path, Path]
) -> None:
    ours, own = folders
    # Folders that ours has, too: the images stay as they are.
    for name in ("hub/templates", "hub/static", "notebook/static"):
        (own / name).mkdir(parents=True)
    leave(page)
    UserClient(site.url, site.token, "ada").stop()
    site.set(**LOOK, **portal.settings, images_web_path=str(ours), images_web_site_path=str(own))
    said = site.run("web_dev").assert_done().flat()
    for folder in (own, ours):
        assert f"Hub {folder}/hub" in said
        assert f"Notebook {folder}/notebook" in said
    assert "End it ansible-playbook galilean.hub.site -i" in said
    site.run("web_dev", "--check", name="web_dev-again").assert_unchanged()

    # The hub: a template of the site that was not there, and a style of ours.
    login = f"{site.url}/hub/login"
    page.page.context.clear_cookies()
    page.page.goto(login)
    expect(page.page.locator("#mine")).to_have_count(0)
    template = '{% extends "galilean/page.html" %}{% block footer %}<p id="mine">Hello</p>{% endblock %}'
    (own / "hub/templates/page.html").write_text(template, encoding="utf-8")
    with (ours / "hub/static/galilean.css").open("a", encoding="utf-8") as style:
        style.write("body { background: rgb(1, 2, 3) !important; }\n")
    page.page.reload()
    expect(page.page.locator("#mine")).to_have_text("Hello")
    assert colour(page, "body") == "rgb(1, 2, 3)"
    (own / "hub/templates/page.html").unlink()
    page.page.reload()
    expect(page.page.locator("#mine")).to_have_count(0)

    # JupyterLab: a style of the site that was not there, and a setting.
    page.log_in("ada", "any password")
    assert colour(page, "#jp-top-panel") != "rgb(4, 5, 6)"
    (own / "notebook/static/site.css").write_text(
        "#jp-top-panel { background: rgb(4, 5, 6) !important; }\n", encoding="utf-8"
    )
    (own / "notebook/overrides.json").write_text(
        '{"@jupyterlab/apputils-extension:themes": {"theme": "JupyterLab Dark"}}', encoding="utf-8"
    )
    # What the server remembers it looks up again each second.
    page.page.wait_for_timeout(1500)
    page.page.reload()
    expect(page.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    assert colour(page, "#jp-top-panel") == "rgb(4, 5, 6)"
    page.picture("web-live")
    assert page.errors == []


@pytest.mark.slow
def test_site_puts_everything_back(site: Deployment, page: Visit, portal: Portal) -> None:
    leave(page)
    # With the look of before, so that no image is built of what was tried.
    site.set(**LOOK, **portal.settings)
    outcome = site.run("configure", name="web-back").assert_done()
    assert "galilean.hub.jupyterhub : Ensure the containers of the instance run" in outcome.changed_tasks()
    mounts = docker("inspect", "--format", "{{range .Mounts}}{{.Destination}} {{end}}", site.container("hub"))
    assert "/opt/galilean/web" not in mounts
    page.page.goto(f"{site.url}/hub/home")
    assert colour(page, "body") != "rgb(1, 2, 3)"
    expect(page.page.locator(".site-announcement")).to_have_text(ANNOUNCEMENT)
    # A new server has the look of its image.
    person = UserClient(site.url, site.token, "ada")
    person.stop()
    person.start()
    page.page.goto(f"{site.url}/user/ada/lab")
    page.page.wait_for_selector("#jp-main-dock-panel")
    expect(page.page.locator("#galilean-announcement p")).to_have_text(ANNOUNCEMENT)
    assert colour(page, "#jp-top-panel") != "rgb(4, 5, 6)"
    expect(page.page.locator("body")).to_have_attribute("data-jp-theme-light", "true")


def test_an_announcement_needs_no_restart_and_can_be_closed(
    site: Deployment, page: Visit, portal: Portal
) -> None:
    leave(page)
    page.page.context.clear_cookies()
    page.log_in("ada", "any password")
    before = hub_started(site), server_of(site.instance, "ada")
    site.set(**{**LOOK, **portal.settings, "jupyterhub_web_announcement": "It is over"})
    outcome = site.run("configure", name="announcement").assert_done()
    assert outcome.changed_tasks() == [
        "galilean.hub.jupyterhub : Write title, announcement and links, and the instance's programs"
    ]
    after = hub_started(site), server_of(site.instance, "ada")
    assert after == before
    bar = page.page.locator("#galilean-announcement")
    page.page.reload()
    expect(bar.locator("p")).to_have_text("It is over")
    bar.get_by_role("button", name="Close this announcement").click()
    expect(bar).to_be_hidden()
    page.page.reload()
    page.page.wait_for_selector("#jp-main-dock-panel")
    page.page.wait_for_selector("#jupyterlab-splash", state="detached")
    # Links and announcement come together.
    page.page.get_by_role("menuitem", name="Help", exact=True).click()
    expect(page.page.get_by_role("menuitem", name="Ask us")).to_be_visible()
    expect(bar).to_be_hidden()
    page.page.goto(f"{site.url}/hub/home")
    expect(page.page.locator(".site-announcement")).to_have_text("It is over")
    assert page.errors == []


@pytest.mark.slow
def test_open_notebooks_are_saved_before_servers_are_stopped(site: Deployment, page: Visit) -> None:
    """A minute before; JupyterLab itself saves every two minutes."""
    program = f"/srv/{site.instance}/bin/hubctl"
    leave(page)
    at = time.strftime("%F %T", time.localtime(time.time() + 60 + 30))
    subprocess.run(as_root([program, "drain", "--at", at, "--stop"]), check=True)
    try:
        page.page.context.clear_cookies()
        page.log_in("ada", "any password")
        expect(page.page.locator("#galilean-announcement p")).to_contain_text("All servers are stopped on")
        page.new_notebook()
        page.page.locator(".jp-NotebookPanel .jp-Cell .cm-content").first.click()
        page.page.keyboard.type("mine = 42")
        tab = page.page.locator(".lm-TabBar-tab.jp-mod-dirty")
        expect(tab).to_have_count(1)
        expect(tab).to_have_count(0, timeout=60_000)
        assert time.time() < time.mktime(time.strptime(at, "%Y-%m-%d %H:%M:%S"))
    finally:
        subprocess.run(as_root([program, "undrain"]), check=True)
    assert "mine = 42" in docker(
        "exec", server_of(site.instance, "ada"), "cat", "/home/jovyan/Untitled.ipynb"
    )
