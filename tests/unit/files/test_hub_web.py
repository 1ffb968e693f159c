# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The look of the hub's pages: what they are told, where files are found, and what the build refuses.

That the pages of the real JupyterHub can be made is tested in the image (tests/modules/test_branding.py).
"""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest
from galilean_hub.loader import SECRETS, configure
from galilean_hub.web import DEFAULTS, Files, Look, settings
from galilean_hub.web_check import problems
from traitlets.config import Config

# A JupyterHub of three pages.
LIBRARY = {
    "templates/page.html": "<title>{% block title %}x{% endblock %}</title>{% block main %}{% endblock %}",
    "templates/login.html": (
        '{% extends "page.html" %}{% block main %}{% block login %}{% block login_container %}x'
        "{% endblock %}{% endblock %}{% endblock %}"
    ),
    "templates/home.html": '{% extends "page.html" %}{% block main %}x{% endblock %}',
    "static/css/style.css": "",
}
# A look that fits it.
WEB = {
    "templates/galilean/page.html": '{% extends "templates/page.html" %}{% block title %}y{% endblock %}',
    "templates/page.html": '{% extends "galilean/page.html" %}',
    "static/site.css": 'body { background: url("logo.svg") }',
    "static/logo.svg": "<svg/>",
    "README.md": "",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


@pytest.fixture
def observe(tmp_path: Path) -> t.Callable[[dict[str, str]], list[str]]:
    """Check the look that fits, with some files changed or added."""

    def check(changes: dict[str, str]) -> list[str]:
        library = write(tmp_path / "library", LIBRARY)
        return problems(write(tmp_path / "web", {**WEB, **changes}), library)

    return check


FITTING = [
    {},
    # Blocks of one's own inside of a block that is there, at any depth of the parents.
    {
        "templates/login.html": (
            '{% extends "templates/login.html" %}{% block login_container %}{% block mine %}{% endblock %}'
            "{% endblock %}{% block title %}{% endblock %}"
        )
    },
    {
        "templates/503.html": '{% extends "page.html" %}{% block main %}{% include "a.html" %}{% endblock %}',
        "templates/a.html": "x",
    },
    {"templates/home.html": '{% extends "templates/home.html" %}{% include "none.html" ignore missing %}'},
    {"templates/home.html": '{{ static_url("css/style.css") }}{{ static_url("site/logo.svg") }}'},
    {
        "static/site.css": '/* url("gone.png") */ a { background: url(data:x) } @import "https://example.org/x";'
    },
    {"templates/.page.html.swp": "\x00"},
    # Colours that are written in another way are not judged; those that can be read pass.
    {"static/site.css": ":root { --site-accent: oklch(90% 0.1 70); --site-card: #fff }"},
    {"static/site.css": ":root { --site-accent: rgb(0, 86, 125); --site-card: white }"},
]


@pytest.mark.parametrize("changes", FITTING)
def test_a_look_that_fits_passes(observe: t.Callable[..., list[str]], changes: dict[str, str]) -> None:
    assert observe(changes) == []


UNREADABLE = "give colours with 4.5 or more, so that everybody can read it"
# changed file, its content, the whole sentence
FAULTS = [
    (
        "static/site.css",
        ":root { --site-accent: #6cc4f0; --site-card: #fff }\n"
        '[data-bs-theme="dark"] { --site-card: #1a212b }',
        "static/site.css: --site-accent is #6cc4f0, which on --site-card, #fff, has a contrast of 1.9 "
        f"in light colours: {UNREADABLE}",
    ),
    (
        # What is set for both, and fits one of them.
        "static/site.css",
        ":root { --site-accent: #00567d; --site-card: #fff }\n[data-bs-theme=dark] { --site-card: #1a212b }",
        "static/site.css: --site-accent is #00567d, which on --site-card, #1a212b, has a contrast of 2.0 "
        f"in dark colours: {UNREADABLE}",
    ),
    (
        "templates/login.html",
        '{% extends "templates/login.html" %}\n{% block login_containr %}{% endblock %}',
        "login.html, line 2: templates/login.html has no block 'login_containr', "
        "did you mean login_container?",
    ),
    (
        "templates/page.html",
        '{% extends "galilean/page.html" %}{% block footer_links %}{% endblock %}',
        "page.html, line 1: galilean/page.html has no block 'footer_links'",
    ),
    (
        "templates/home.html",
        '{% extends "templates/hoem.html" %}',
        "home.html, line 1: extends 'templates/hoem.html', which is not in JupyterHub, "
        "did you mean templates/home.html?",
    ),
    (
        "templates/home.html",
        '{% include "galilean/pag.html" %}',
        "home.html, line 1: uses 'galilean/pag.html', which is not in templates/ and in JupyterHub, "
        "did you mean galilean/page.html?",
    ),
    (
        "templates/home.html",
        '{% from "macros.html" import button %}',
        "home.html, line 1: uses 'macros.html', which is not in templates/ and in JupyterHub",
    ),
    (
        "templates/login.html",
        '{% extends "login.html" %}',
        "login.html, line 1: extends 'login.html', which is itself again: write 'templates/login.html' "
        "for JupyterHub's own template",
    ),
    (
        "templates/home.html",
        "{% extends parent %}",
        "home.html, line 1: the name of another template must be a plain text in quotes",
    ),
    (
        "templates/logn.html",
        "x",
        "logn.html: JupyterHub has no page of this name, did you mean login.html?",
    ),
    ("templates/home.html", "\n{{ web.title | shout }}", "home.html, line 2: No filter named 'shout'."),
    ("templates/home.html", "{{ web.title", "home.html, line 1: unexpected end of template, expected "),
    (
        "templates/home.html",
        '{{ static_url("site/lgo.svg") }}',
        "home.html, line 1: static file 'site/lgo.svg' is not there: put lgo.svg into static/, "
        "did you mean site/logo.svg?",
    ),
    (
        "templates/home.html",
        '{{ static_url("logo.svg") }}',
        "home.html, line 1: static file 'logo.svg' is not in JupyterHub; yours begin with 'site/'",
    ),
    (
        "static/site.css",
        '@import "fonts.css"; a { color: red }',
        "static/site.css: asks for 'fonts.css', which is not there",
    ),
    ("logo.png", "", "logo.png: nothing reads this file, it belongs into templates/ or static/"),
]


@pytest.mark.parametrize(("file", "content", "sentence"), FAULTS, ids=[fault[2][:60] for fault in FAULTS])
def test_a_fault_is_named(
    observe: t.Callable[..., list[str]], file: str, content: str, sentence: str
) -> None:
    (found,) = observe({file: content})
    assert found.startswith(sentence) if sentence.endswith(" ") else found == sentence


def test_all_faults_are_told_at_once(observe: t.Callable[..., list[str]]) -> None:
    found = observe({file: content for file, content, _sentence in FAULTS if "home" not in file})
    assert len(found) == len({file for file, _content, _sentence in FAULTS if "home" not in file})


def test_pages_are_told_what_the_role_wrote_and_where_to_show_it(tmp_path: Path) -> None:
    path = tmp_path / "look.json"
    told = Look(path, [tmp_path / "web"])
    # Nothing there, or nothing that can be read: no page fails.
    assert told()["title"] == DEFAULTS["title"]
    path.write_text("{")
    assert told()["announcement"] == ""
    links = [
        {"label": "a", "url": "/", "places": ["header", "help"]},
        {"label": "b", "url": "/", "places": ["footer"]},
    ]
    path.write_text(json.dumps({"title": "t", "announcement": "n", "links": links}))
    now = told(None)
    assert (now["title"], now["announcement"], now["logo"]) == ("t", "n", "site/logo.svg")
    assert [link["label"] for link in now["header"]] == ["a"]
    assert [link["label"] for link in now["footer"]] == ["b"]
    write(tmp_path / "web", {"static/logo.png": ""})
    assert told()["logo"] == "site/logo.png"


def test_the_first_folder_that_has_a_file_wins_and_none_is_left(tmp_path: Path) -> None:
    site, ours = tmp_path / "site", tmp_path / "ours"
    write(ours, {"a.css": "ours", "deep/b.css": "b"})
    files = Files([site, ours])
    assert files.path("site/a.css") == ours / "a.css"
    write(site, {"a.css": "site"})
    assert files.path("site/a.css") == site / "a.css"
    assert files.path("site/deep/b.css") == ours / "deep" / "b.css"
    write(tmp_path, {"secret": "x"})
    (site / "link").symlink_to(tmp_path / "secret")
    for name in ("site/nothing", "site/", "site/deep", "site/../secret", "site//etc/hostname", "site/link"):
        assert files.path(name) is None, name
        assert files.version(name) is None, name


def test_the_version_of_a_file_is_of_its_content(tmp_path: Path) -> None:
    write(tmp_path, {"a.css": "one", "b.css": "one"})
    files = Files([tmp_path])
    assert files.version("site/a.css") == files.version("site/b.css")
    before = files.version("site/a.css")
    write(tmp_path, {"a.css": "two"})
    os.utime(tmp_path / "a.css", ns=(1, 1))
    assert files.version("site/a.css") != before


def test_a_sites_own_traits_stand_beside_the_look(tmp_path: Path) -> None:
    ours = write(tmp_path / "ours", {"static/logo.svg": "<svg/>"})
    handler = object()
    web = settings(True, handler, [tmp_path / "site", ours])
    assert web["template_paths"] == [str(tmp_path / "site/templates"), str(ours / "templates")]
    assert web["logo_file"] == str(ours / "static/logo.svg")
    assert web["jinja_environment_options"] == {"cache_size": 0}
    assert "jinja_environment_options" not in settings(False, handler, [ours])
    traits = {
        "template_paths": ["/mine"],
        "template_vars": {"announcement_login": "x"},
        "tornado_settings": {"headers": {}},
        "logo_file": "/mine.png",
    }
    config = Config()
    data = {"traits": {"JupyterHub": traits}, "culler": None}
    configure(config, data, dict.fromkeys(SECRETS, "00" * 32), web)
    assert config.JupyterHub.template_paths == ["/mine", *web["template_paths"]]
    assert set(config.JupyterHub.template_vars) == {"web", "announcement_login"}
    assert {"static_handler_class", "headers"} <= set(config.JupyterHub.tornado_settings)
    assert config.JupyterHub.logo_file == "/mine.png"
