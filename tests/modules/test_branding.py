# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The look of hub and JupyterLab against the JupyterHub and the JupyterLab of the images."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from engine import ROOT, ModuleRunner, docker
from playwright.sync_api import Route, sync_playwright

sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from accessibility import no_violations

WEB = ROOT / "files" / "web"

# What fits: blocks of one's own inside of one that is there, own parts of a page, what editors leave.
FITTING = {
    "templates/login.html": (
        '{% extends "templates/login.html" %}{% block login_container %}{% block mine %}{% endblock %}'
        "{% endblock %}{% block title %}{% endblock %}"
    ),
    "templates/503.html": '{% extends "page.html" %}{% block main %}{% include "a.html" %}{% endblock %}',
    "templates/a.html": "x",
    "templates/logout.html": (
        '{% extends "templates/logout.html" %}{% block main %}{% include "none.html" ignore missing %}'
        '{{ static_url("css/style.min.css") }}{{ static_url("site/logo.svg") }}{% endblock %}'
    ),
    "templates/.page.html.swp": "\x00",
}
# What does not, each as the build says it.
HUB_FILES = {
    # A page that only somebody sees who has not logged in, and one that only errors make.
    "templates/login.html": (
        '{% extends "templates/login.html" %}{% block login_containr %}{% endblock %}\n'
        "{% block login_container %}{{ web.titel }}{% endblock %}"
    ),
    "templates/503.html": '{% extends "error.html" %}{% block error_detail %}{{ cause }}{% endblock %}',
    "templates/home.html": (
        '{% extends "templates/home.html" %}{% block main %}{{ web.announcement | safe }}{% endblock %}'
    ),
    "templates/oauth.html": (
        '{% extends "templates/oauth.html" %}{% block main %}{% set name = "lgo.svg" %}'
        '<img src="{{ static_url("site/" ~ name) }}">{% endblock %}'
    ),
    "templates/spwan.html": '{% extends "page.html" %}',
    "templates/token.html": '{% extends "templates/tokens.html" %}',
    "templates/not_running.html": '\n{% include "galilean/pag.html" %}',
    "templates/signup.html": '{% extends "signup.html" %}',
    "templates/logout.html": "\n{{ web.title | shout }}",
    "templates/stop_pending.html": "{{ web.title",
    "templates/accept-share.html": '{{ static_url("logo.svg") }}',
    "static/site.css": (
        "body { background: url(stars.png) }\n"
        '[data-bs-theme="light"] { --site-notice: #888; --site-notice-text: #777 }'
    ),
    "logo.png": "",
}
HUB_FAULTS = [
    "login.html, line 1: templates/login.html has no block 'login_containr', did you mean login_container?",
    "login.html, line 2: there is no 'titel', did you mean title?",
    "503.html, line 1: 'cause' is undefined",
    "home.html: shows a setting without escaping it, so leave the filter `safe` away",
    "oauth.html, line 1: static file 'site/lgo.svg' is not there: put lgo.svg into static/, "
    "did you mean site/logo.svg?",
    "spwan.html: JupyterHub has no page of this name, did you mean spawn.html?",
    "token.html, line 1: there is no template 'templates/tokens.html', did you mean templates/token.html?",
    "not_running.html, line 2: there is no template 'galilean/pag.html', did you mean galilean/page.html?",
    "signup.html, line 1: stands on itself: begin the name of JupyterHub's own template with 'templates/'",
    "logout.html, line 2: No filter named 'shout'.",
    "stop_pending.html, line 1: unexpected end of template, expected 'end of print statement'.",
    "accept-share.html, line 1: static file 'logo.svg' is not in JupyterHub; yours begin with 'site/'",
    "static/site.css: asks for 'stars.png', which is not there",
    "static/site.css: --site-notice-text is #777, which on --site-notice, #888, has a contrast of 1.3 in "
    "light colours: give colours with 4.5 or more, so that all users can read it",
    "logo.png: nothing reads this file, it belongs into templates/ or static/",
]
LAB_FILES = {
    "logo.svg": "",
    "static/site.css": "@import 'fonts.css'",
    "overrides.json": """{
      "@jupyterlab/apputils-extension:theme": {},
      "@jupyterlab/apputils-extension:themes": {"theme": 1, "adaptiv-theme": true},
      "@jupyterlab/mainmenu-extension:plugin": {"menus": [{"id": "jp-mainmenu-help", "items": [
        {"command": "help:opne", "args": {"url": "/", "text": "x"}}, {"command": "help:about"}]}]}
    }""",
}
THEMES = "@jupyterlab/apputils-extension:themes"
LAB_FAULTS = [
    "logo.svg: nothing reads this file; known are static/ (styles, pictures, fonts), "
    "labextensions/<name>/ and overrides.json",
    "static/site.css: asks for 'fonts.css', which is not there",
    "overrides.json: JupyterLab has no plugin '@jupyterlab/apputils-extension:theme' with settings, "
    f"did you mean {THEMES}?",
    f"overrides.json: {THEMES}, theme is 1: 1 is not of type 'string'",
    f"overrides.json: {THEMES} has no setting 'adaptiv-theme', did you mean adaptive-theme?",
    "overrides.json: JupyterLab has no command 'help:opne', did you mean help:open?",
]


PAGES = """
import asyncio, json, logging, tempfile
from pathlib import Path
from galilean_hub.pages import smoke

async def main():
    web, look = Path("/look"), Path(tempfile.mkdtemp()) / "look.json"
    pages = smoke.Pages(await smoke.set_up(web, look), web)
    return [[name, html] async for name, html in smoke.every_page(web, pages, look)]

logging.disable(logging.ERROR)
print(json.dumps(asyncio.run(main())))
"""


def laid_over(part: str, files: dict[str, str], folder: Path) -> Path:
    """Our look with a site's files over it, as a build has them."""
    subprocess.run(["cp", "-r", str(WEB / part), str(folder)], check=True)
    for name, content in files.items():
        (folder / part / name).write_text(content, encoding="utf-8")
    return folder / part


def check(image: str, folder: Path, *command: str) -> tuple[int, list[str]]:
    argv = ["docker", "run", "--rm", "--network=none", f"--volume={folder}:/look:ro"]
    argv += [f"--volume={ROOT / 'files/images/notebook/check_web.py'}:/tmp/check_web.py:ro", image, *command]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize(
    ("files", "faults"), [({}, []), (FITTING, []), (HUB_FILES, HUB_FAULTS)], ids=["ours", "fitting", "misfit"]
)
def test_templates_against_jupyterhub(
    refs: dict[str, t.Any], tmp_path: Path, files: dict[str, str], faults: list[str]
) -> None:
    folder = laid_over("hub", files, tmp_path)
    code, said = check(refs["hub"], folder, "python3", "-m", "galilean_hub.pages.smoke", "/look")
    last = ["The look of the hub does not fit this JupyterHub; see docs/web.md."] if faults else []
    assert sorted(said) == sorted([*(f"web/hub: {fault}" for fault in faults), *last])
    assert code == bool(faults)


def test_everybody_can_use_each_page(refs: dict[str, t.Any], tmp_path: Path) -> None:
    """Also in states that a hub is seldom in; with JupyterHub's own scripts and styles, and without a hub."""
    folder = laid_over("hub", {}, tmp_path)
    argv = [
        "run",
        "--rm",
        "--network=none",
        f"--volume={folder}:/look:ro",
        refs["hub"],
        "python3",
        "-c",
        PAGES,
    ]
    made: list[list[str]] = json.loads(docker(*argv))
    static = tmp_path / "static"
    container = docker("create", refs["hub"]).strip()
    try:
        docker("cp", f"{container}:/opt/hub/share/jupyterhub/static", str(static))
    finally:
        docker("rm", container)
    subprocess.run(["cp", "-r", str(folder / "static"), str(static / "site")], check=True)
    shown = ""

    def answer(route: Route) -> None:
        path = route.request.url.partition("?")[0].removeprefix("http://hub.test/hub/")
        if path == "page":
            route.fulfill(body=shown, content_type="text/html")
        elif path.startswith("static/"):
            route.fulfill(path=static / path.removeprefix("static/"))
        else:
            route.abort()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=ROOT / "tests/e2e/chromium_alone.py",
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        page = browser.new_page()
        page.route("**/*", answer)
        # The second half is the look that has all there can be.
        for number, (name, html) in enumerate(made[len(made) // 2 :]):
            # What the others stand on has nothing of its own; the admin page asks the hub for all it shows.
            if name in ("page.html", "admin.html"):
                continue
            shown = html
            page.emulate_media(color_scheme="dark" if number % 2 else "light")
            page.goto(f"http://hub.test/hub/page?{name}")
            no_violations(page, narrow=True)
        browser.close()


@pytest.mark.parametrize(("files", "faults"), [({}, []), (LAB_FILES, LAB_FAULTS)], ids=["ours", "misfit"])
def test_files_against_jupyterlab(
    refs: dict[str, t.Any], tmp_path: Path, files: dict[str, str], faults: list[str]
) -> None:
    folder = laid_over("notebook", files, tmp_path)
    command = ("/opt/notebook/bin/python", "-I", "/tmp/check_web.py", "/look")
    code, said = check(refs["notebook"], folder, *command)
    last = ["The look of JupyterLab does not fit this JupyterLab; see docs/web.md."] if faults else []
    assert sorted(said) == sorted([*(f"web/notebook: {fault}" for fault in faults), *last])
    assert code == bool(faults)


def test_a_misfit_fails_the_build_and_says_why(
    run_module: ModuleRunner, refs: dict[str, t.Any], prefix: str, tmp_path: Path
) -> None:
    hub, site = ROOT / "files" / "images" / "hub", tmp_path / "site"
    (site / "templates").mkdir(parents=True)
    (site / "templates" / "login.html").write_text(HUB_FILES["templates/login.html"], encoding="utf-8")
    build = {
        "name": "hub",
        "repository_prefix": prefix,
        "path": str(hub),
        "parent": refs["hub-core"],
        "log_dir": str(tmp_path / "log"),
    }
    shared = [link for link in hub.rglob("*") if link.is_symlink()]
    ours = [
        {"src": str(WEB / "hub"), "dest": "web"},
        *({"src": str(link.resolve()), "dest": str(link.relative_to(hub))} for link in shared),
    ]
    failed = run_module("image", **build, files=[*ours, {"src": str(site), "dest": "web"}])
    assert failed["failed"] is True
    assert HUB_FAULTS[0] in failed["msg"], failed["msg"]
    good = run_module("image", **build, files=ours)
    assert good.get("changed") is True, good
