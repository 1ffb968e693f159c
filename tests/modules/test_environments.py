# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Other ways to work than JupyterLab: classic notebook, terminal, apps behind the server; and its notices."""

from __future__ import annotations

import json
import time
import typing as t
from pathlib import Path

import own_kernels
import pytest
from engine import docker
from environments import BASE, Server, running

# A web app that says what it was asked and given, by HTTP and by websocket, on loopback or on a socket.
APP = """
import asyncio, os, sys
import tornado.httpserver, tornado.netutil, tornado.web, tornado.websocket

class Page(tornado.web.RequestHandler):
    def get(self, path):
        self.write({"path": path, "greeting": os.environ["GREETING"], "arguments": sys.argv[1:]})

class Echo(tornado.websocket.WebSocketHandler):
    def check_origin(self, origin):
        return True
    def on_message(self, message):
        self.write_message(message[::-1])

async def main():
    app = tornado.web.Application([("/echo", Echo), ("/(.*)", Page)])
    server = tornado.httpserver.HTTPServer(app)
    if sys.argv[1].startswith("/"):
        server.add_socket(tornado.netutil.bind_unix_socket(sys.argv[1]))
    else:
        server.listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()

asyncio.run(main())
"""
# Takes RStudio Server's options, and serves what the app does.
RSERVER = f"""#!/usr/bin/python3
import sys, os
if "--help" in sys.argv:
    print("--www-root-path --server-data-dir --database-config-file --www-socket")
    sys.exit()
socket = [a.split("=", 1)[1] for a in sys.argv if a.startswith("--www-socket=")]
os.environ["GREETING"] = "rstudio"
sys.argv[1:] = socket + sys.argv[1:]
{APP}
"""
ECHO = """
(address) => new Promise((done, failed) => {
  const socket = new WebSocket(address);
  socket.onopen = () => socket.send("galilean");
  socket.onmessage = (event) => done(event.data);
  socket.onerror = () => failed(new Error("the websocket failed"));
})
"""


@pytest.fixture(scope="module")
def notebook(refs: dict[str, t.Any]) -> str:
    return str(refs["notebook"])


def apps(*more: dict[str, t.Any]) -> str:
    listed: list[dict[str, t.Any]] = [
        {
            "name": "hello",
            "title": "Hello there",
            "command": ["/opt/notebook/bin/python", "-c", APP, "{port}", "{base_url}"],
            "environment": {"GREETING": "by port"},
            "start_timeout": 20,
            "icon_path": "/nowhere.svg",
        },
        {
            "name": "socket",
            "command": ["/opt/notebook/bin/python", "-c", APP, "{unix_socket}"],
            "environment": {"GREETING": "by socket"},
        },
        *more,
    ]
    # What the proxy fills in is in braces, so those of the program are doubled.
    for app in listed:
        app["command"] = [
            part.replace("{", "{{").replace("}", "}}") if part == APP else part for part in app["command"]
        ]
    return json.dumps(listed)


@pytest.fixture(scope="module")
def plain(notebook: str, prefix: str) -> t.Iterator[Server]:
    with running(notebook, f"{prefix}-plain") as server:
        yield server


@pytest.fixture(scope="module")
def rich(notebook: str, prefix: str, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Server]:
    """With apps, some of which are mistakes, a stand-in for RStudio, and a repository that is away."""
    rserver = tmp_path_factory.mktemp("rstudio") / "rserver"
    rserver.write_text(RSERVER)
    for path in (rserver, rserver.parent):
        path.chmod(0o755)
    mistakes: list[dict[str, t.Any]] = [
        {"name": "lab", "command": ["true"]},
        {"name": "../x", "command": ["true"]},
        {"name": "nothing", "command": []},
    ]
    away = json.dumps([{"url": "https://me:pass-83@127.0.0.1:1/x.git", "branch": "", "path": "away"}])
    with running(
        notebook,
        f"{prefix}-rich",
        f"--env=GALILEAN_APPS={apps(*mistakes)}",
        f"--env=GALILEAN_REPOSITORIES={away}",
        f"--volume={rserver.parent}:/usr/lib/rstudio-server/bin:ro",
    ) as server:
        yield server


def test_what_nobody_uses_is_not_loaded(plain: Server) -> None:
    logs = plain.logs()
    assert "lazyclassic | extension was successfully loaded" in logs
    for name in ("jupyter_server_proxy", "nbgitpuller", " notebook |"):
        assert name not in logs
    for path in ("hello/", "rstudio/", "server-proxy/servers-info", "git-pull?repo=https://git.test/x"):
        assert plain.get(path)[0] == 404, path
    _, _, page = plain.get("lab")
    assert "jupyter-server-proxy" not in page


def test_the_classic_notebook_comes_with_the_first_request(plain: Server, tmp_path: Path) -> None:
    status, url, page = plain.get("tree?x=1")
    assert (status, url.endswith("/tree?x=1")) == (200, True)
    assert "static/notebook/" in page
    with plain.visit(tmp_path, "tree") as person:
        person.page.get_by_role("tab", name="Files").wait_for()
        person.page.get_by_text("Upload").first.wait_for()
        person.picture("tree")
    # The look's own style stays where it is, for JupyterLab, too.
    assert "galilean.css" in plain.get("custom/custom.css")[2]
    assert "/login?next=" in plain.get("tree", token=False)[1]


def test_a_terminal_as_the_first_page(plain: Server, tmp_path: Path) -> None:
    with plain.visit(tmp_path, "terminals/1") as person:
        person.page.locator(".jp-Terminal .xterm").wait_for()
        person.page.wait_for_timeout(2000)
        person.page.locator(".jp-Terminal textarea").focus()
        person.page.keyboard.type("touch was-here\n")
        end = time.monotonic() + 30
        while plain.get("api/contents/was-here")[0] != 200:
            assert time.monotonic() < end, person.picture("terminal")
            time.sleep(0.2)


@pytest.mark.parametrize(
    ("name", "greeting"), [("hello", "by port"), ("socket", "by socket"), ("rstudio", "rstudio")]
)
def test_an_app_is_reached_by_http_and_websocket(
    rich: Server, tmp_path: Path, name: str, greeting: str
) -> None:
    status, _, content = rich.get(f"{name}/some/path?a=b")
    assert status == 200, rich.logs()
    answer = json.loads(content)
    assert (answer["path"], answer["greeting"]) == ("some/path", greeting)
    if name == "hello":
        assert answer["arguments"][1] == f"{BASE}/"
    if name == "rstudio":
        assert f"--www-root-path={BASE}/rstudio/" in answer["arguments"]
    with rich.visit(tmp_path, f"{name}/") as person:
        address = f"{rich.url.replace('http', 'ws')}{BASE}/{name}/echo"
        assert person.page.evaluate(ECHO, address) == "naelilag"


def test_an_app_is_only_for_its_user(rich: Server) -> None:
    for path in ("hello/", "rstudio/", "galilean/repositories", "proxy/8888/"):
        status, url, _ = rich.get(path, token=False)
        assert status == 403 or "/login" in url, path
    # And leads to no other machine.
    assert rich.get("proxy/192.0.2.1:80/")[0] == 403


def test_mistakes_cost_the_app_and_not_the_server(rich: Server) -> None:
    listed = json.loads(rich.get("server-proxy/servers-info")[2])["server_processes"]
    assert [one["name"] for one in listed] == ["hello", "socket", "rstudio"]
    titles = [one["launcher_entry"]["title"] for one in listed]
    assert titles == ["Hello there", "socket", "RStudio"]
    assert rich.get("lab")[0] == 200


def test_jupyterlab_shows_apps_and_what_became_of_repositories(rich: Server, tmp_path: Path) -> None:
    with rich.visit(tmp_path, "lab") as person:
        person.page.locator(".jp-LauncherCard", has_text="Hello there").first.wait_for()
        person.page.locator(".jp-LauncherCard", has_text="RStudio").first.wait_for()
        what = "its server cannot be reached; to try again later, restart your server."
        notice = f"~/away could not be updated: {what}"
        person.page.get_by_text(notice).first.wait_for()
        person.picture("notice")
        person.page.get_by_role("button", name="Details").first.click()
        person.page.locator(".jp-Dialog pre").wait_for()
        said = person.page.locator(".jp-Dialog pre").inner_text()
        assert notice in said
        assert "https://127.0.0.1:1/x.git" in said
        assert "pass-83" not in person.page.content()
    with rich.visit(tmp_path, "tree") as person:
        person.page.get_by_text(notice).first.wait_for()
        person.picture("notice-tree")


def test_a_terminal_says_it_too(rich: Server) -> None:
    said = docker("exec", rich.container, "bash", "-lic", "true")
    assert "~/away could not be updated" in said
    assert docker("exec", rich.container, "bash", "-lc", "true") == ""


def test_shared_folders_are_in_the_list_of_files(notebook: str, prefix: str, tmp_path: Path) -> None:
    """Folders of the site lie outside of the home, which is all that JupyterLab shows."""
    (tmp_path / "team").mkdir(parents=True)
    (tmp_path / "team/plan.txt").write_text("plan")
    tmp_path.chmod(0o755)
    home = f"{prefix}-shared-home"
    mounts = [f"--volume={home}:/home/jovyan", f"--volume={tmp_path}/team:/shared/team"]
    try:
        with running(notebook, f"{prefix}-shared", *mounts) as server:
            assert json.loads(server.get("api/contents/shared/team/plan.txt")[2])["content"] == "plan"
            assert server.get("api/contents/data")[0] == 404
        entry = ["run", "--rm", f"--volume={home}:/home/jovyan", notebook]
        # Gone with the share; what the user calls so is theirs.
        assert docker(*entry, "sh", "-c", "ls -d ~/shared ~/data 2>/dev/null; mkdir ~/shared") == ""
        docker("run", "--rm", *mounts, notebook, "test", "!", "-L", "/home/jovyan/shared")
    finally:
        docker("volume", "rm", "--force", home, check=False)


# As a site sets them, in seconds that a test waits for.
IDLE = {"KERNEL_CULL_IDLE": 12, "KERNEL_CULL_INTERVAL": 1, "KERNEL_CULL_CONNECTED": 1, "CULL_WARNING": 9}


@pytest.mark.slow
def test_a_kernel_that_nobody_uses_is_stopped_with_notice(notebook: str, prefix: str, tmp_path: Path) -> None:
    options = [f"--env=NOTEBOOK_{name}={value}" for name, value in IDLE.items()]
    with (
        running(notebook, f"{prefix}-idle", *options) as server,
        server.visit(tmp_path, "lab") as person,
    ):
        own_kernels.start_notebook(person, "Python 3")
        own_kernels.run(person, "print('here')")
        own_kernels.printed(person, "here")
        before = person.page.locator(".Toastify__toast", has_text="is stopped in about a minute")
        before.wait_for()
        person.picture("idle-before")
        asked = time.monotonic()
        before.get_by_role("button", name="Keep it running").click()
        before.wait_for(state="detached")
        after = person.page.locator(
            ".Toastify__toast", has_text="was stopped after a minute without activity"
        )
        after.wait_for()
        assert time.monotonic() - asked > IDLE["KERNEL_CULL_IDLE"]
        person.picture("idle-after")
        assert json.loads(server.get("api/kernels")[2]) == []
        # What the page asks by itself is no use of the server, and it says what the server takes.
        usage = json.loads(server.get("galilean/usage")[2])
        assert usage["idle"] > IDLE["KERNEL_CULL_IDLE"]
        assert 20 * 2**20 < usage["memory"] < usage["memory_limit"] == 2 * 2**30
        person.page.locator(".galilean-status", has_text="of 2.0 GB").wait_for()
