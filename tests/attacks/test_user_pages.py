# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Pages of a user's server against whoever opens them, on a hub without a subdomain for each user.

Such a page is on the hub's own origin. Before, it read the hub's pages with its visitor's cookies, and there
found what it takes to have the hub's API make a token.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import subprocess
import typing as t
from pathlib import Path

import pytest
from browser import visit
from deployment import ARTIFACTS, Deployment, as_root, docker

PROGRAM = Path(__file__).with_name("evil_server.py")
SECRET = "xsrf_token"

# Whether a script gets a page of the hub, whatever it does with the request.
FETCH = """
async ([path, options]) => {
  try {
    const answer = await fetch(path, options);
    return [answer.status, await answer.text()];
  } catch (error) { return [0, String(error)]; }
}
"""
FRAME = """
path => new Promise(resolve => {
  const frame = document.createElement("iframe");
  frame.onload = () => {
    try { resolve(frame.contentDocument.documentElement.outerHTML); } catch (error) { resolve(""); }
  };
  frame.src = path;
  document.body.append(frame);
})
"""
WINDOW = """
path => new Promise(resolve => {
  const other = window.open(path);
  let looks = 0;
  const look = () => {
    let text = "";
    try { text = other.document.documentElement.outerHTML; } catch (error) {}
    if (text.includes("xsrf_token") || ++looks > 30) resolve([text, other === null || other.closed]);
    else setTimeout(look, 100);
  };
  look();
})
"""
WORKER = """
([script, scope]) =>
  navigator.serviceWorker.register(script, {scope}).then(() => "registered", error => String(error))
"""
COOKIES = """
() => {
  history.pushState(null, "", "/hub/home");
  const seen = document.cookie;
  history.pushState(null, "", "/user/eve/");
  return seen;
}
"""


# The hub removes routes that it has not made every five minutes. Until the input ends, this one is made anew.
LEAD = """
import json, select, sys, urllib.request as r
body = json.dumps({"target": sys.argv[1]}).encode()
q = r.Request("http://proxy:8001/api/routes/user/eve", body, method="POST")
q.add_header("Authorization", "token " + sys.stdin.readline().strip())
r.urlopen(q, timeout=30)
print("there", flush=True)
while not select.select([sys.stdin], [], [], 0.2)[0]:
    r.urlopen(q, timeout=30)
"""


@pytest.fixture(scope="module")
def evil(site: Deployment) -> t.Iterator[str]:
    """The path of a server that does what it likes, as its user made it: the proxy leads there."""
    name = f"{site.instance}-evil"
    image = docker("inspect", "--format", "{{.Config.Image}}", site.container("hub"))
    docker(
        *("run", "--detach", "--name", name, "--network", f"{site.instance}-core", "--entrypoint", "python3"),
        *("--volume", f"{PROGRAM}:/evil.py:ro", image, "/evil.py"),
    )
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    target = f"http://{docker('inspect', '--format', form, name)}:8888"
    command = as_root(["docker", "exec", "-i", site.container("hub"), "python3", "-c", LEAD, target])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as leading:
        assert leading.stdin
        assert leading.stdout
        leading.stdin.write(site.secret("proxy-token") + "\n")
        leading.stdin.flush()
        assert leading.stdout.readline() == "there\n"
        yield "/user/eve/"
        leading.stdin.close()
    docker("rm", "--force", name)


def test_headers_that_speak_for_all_of_the_address(site: Deployment, evil: str, authority: Path) -> None:
    """Before: all but Strict-Transport-Security went through, and nginx obeyed X-Accel-Redirect."""
    context = ssl.create_default_context(cafile=str(authority))
    connection = http.client.HTTPSConnection(
        "localhost", int(site.url.rpartition(":")[2]), context=context, timeout=60
    )

    def ask(path: str, **headers: str) -> http.client.HTTPResponse:
        connection.request("GET", path, headers={"Accept": "text/html", **headers})
        answer = connection.getresponse()
        answer.read()
        return answer

    answer = ask(evil)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    for name in (
        "Service-Worker-Allowed",
        "Clear-Site-Data",
        "Alt-Svc",
        "NEL",
        "Report-To",
        "X-Accel-Redirect",
    ):
        assert name not in answer.headers
    assert answer.headers["Strict-Transport-Security"] != "max-age=1"
    assert (
        answer.headers["Cross-Origin-Opener-Policy"]
        != ask("/hub/login").headers["Cross-Origin-Opener-Policy"]
    )
    # Also of an error, which the edge asks for a second time.
    for page, status in ((answer, 200), (ask(f"{evil}away", **{"Sec-Fetch-Mode": "navigate"}), 503)):
        assert page.status == status
        assert [value.partition("; ")[2] for value in page.headers.get_all("Set-Cookie") or []] == [
            "Path=/user/eve/",
            "Path=/user/eve/",
            "Path=/user/eve/; Domain=localhost",
            "Path=/user/eve/deeper/",
        ]
    # A worker rules over the folder of its script: /user/ would be everybody's.
    worker = {"Service-Worker": "script", "Sec-Fetch-Dest": "serviceworker", "Sec-Fetch-Site": "same-origin"}
    assert ask(f"{evil}worker.js", **worker).status == 200
    for path in ("/user/eve?worker.js", "/hub/static/js/admin-react.js", "/worker.js"):
        assert ask(path, **worker).status in (301, 403)


def test_a_page_of_a_server_takes_nothing_of_its_visitor(site: Deployment, evil: str) -> None:
    """Before: a fetch and a window gave the page, a worker was taken, and the last step gave a token."""
    with visit(site.url, ARTIFACTS / "attacks", own_certificate=True) as visitor:
        page = visitor.page
        visitor.go("/hub/login?next=/hub/home")
        page.fill("#username_input", "visitor")
        page.fill("#password_input", "x")
        page.click("#login_submit")
        page.wait_for_url("**/hub/home")
        # What the attack wants is in it.
        assert SECRET in page.content()
        visitor.go(evil)
        for path in (
            "/hub/home", "/hub/token", "/hub/spawn", "/hub//home", "/hub/nothing", "/hub/health",
            "/hub/metrics", "/", "/nothing", "/hub/user/visitor/lab", "/hub/user/nobody/api/x",
            "/hub/logout", "/hub/../hub/home",
            "/hub/api/oauth2/authorize?client_id=jupyterhub-user-visitor&response_type=code",
        ):  # fmt: skip
            for options in (
                {}, {"method": "POST"}, {"mode": "no-cors"}, {"referrerPolicy": "no-referrer"},
                {"headers": {"Authorization": "token x"}}, {"headers": {"Accept": "text/html"}},
            ):  # fmt: skip
                status, text = page.evaluate(FETCH, [path, options])
                assert status >= 400 or status == 0, (path, options, status)
                assert SECRET not in text, (path, options)
        assert SECRET not in page.evaluate(FRAME, "/hub/home")
        text, gone = page.evaluate(WINDOW, "/hub/home")
        assert SECRET not in text
        assert gone
        assert "registered" not in page.evaluate(WORKER, [f"{evil}worker.js", "/"])
        # A page may call itself what it likes, and is then shown the cookies of that path.
        cookies = page.context.cookies()
        (secret,) = [one["value"] for one in cookies if (one["name"], one["path"]) == ("_xsrf", "/hub/")]
        assert secret not in page.evaluate(COOKIES)
        tossed = {one["path"] for one in cookies if one["value"] == "evil"}
        assert tossed == {"/user/eve/"}
        # The last step, without what the others were to bring.
        # (Where no server is the hub answers, to somebody whose cookies for its own path it is not shown.)
        _status, text = page.evaluate(FETCH, ["/user/nobody/lab", {"method": "POST"}])
        for secret in ("evil", *re.findall(r'xsrf_token: "([^"]+)"', text)):
            # Without this type the API refuses it anyway.
            headers = {"X-XSRFToken": secret, "Content-Type": "application/json"}
            wish = {"method": "POST", "body": "{}", "headers": headers}
            assert page.evaluate(FETCH, ["/hub/api/users/visitor/tokens", wish])[0] == 403
            for options in ({}, {"mode": "no-cors"}, {"headers": {"X-XSRFToken": secret}}):
                assert page.evaluate(FETCH, ["/hub/api/user", options])[0] == 403


def test_the_hubs_own_pages_go_on_to_work(site: Deployment) -> None:
    """Log in, start a server, work, ask for a token, stop, log out: all that a person's browser does."""
    with visit(site.url, ARTIFACTS / "attacks", own_certificate=True) as visitor:
        page = visitor.page
        visitor.log_in("worker", "x")
        # JupyterLab leads to the hub by windows of their own.
        page.get_by_role("menuitem", name="File", exact=True).click()
        with page.context.expect_page() as opened:
            page.get_by_role("menuitem", name="Hub Control Panel", exact=True).click()
        opened.value.wait_for_url("**/hub/home")
        opened.value.close()
        token = visitor.new_token("from a test")
        assert len(token) > 20
        visitor.go("/hub/home")
        page.wait_for_load_state("networkidle")
        page.locator("#stop").click()
        page.get_by_text("Start My Server").wait_for()
        # A notebook that is still open asks for a server that has gone: the hub's answer, in its form.
        answer = page.request.get(
            f"{site.url}/hub/user/worker/api/kernels",
            headers={"Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"},
        )
        assert answer.status == 424
        # As the notebook does it: the proxy knows no such server any more.
        own = page.request.get(
            f"{site.url}/user/worker/api/kernels",
            headers={"Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"},
        )
        assert own.status == 424
        assert "no longer running" in json.loads(answer.text())["message"]
        visitor.go("/hub/logout")
        page.wait_for_url("**/hub/login*")
        refused = [error for error in visitor.errors if "/hub/" in error and "404" not in error]
        assert refused == []
