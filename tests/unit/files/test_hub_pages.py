# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The look of the hub's pages: what they are told, where files are found, and which styles the build refuses.

That the pages of the real JupyterHub can be made, and which templates are refused, is tested in the image
(tests/modules/test_branding.py).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from galilean_hub.loader import SECRETS, configure
from galilean_hub.pages import styles
from galilean_hub.pages.branding import DEFAULTS, Branding, Files, jupyterhub_traits
from traitlets.config import Config


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


UNREADABLE = "give colours with 4.5 or more, so that all users can read it"


@pytest.mark.parametrize(
    ("style", "sentences"),
    [
        ('body { background: url("logo.svg") }', []),
        ('/* url("gone.png") */ a { background: url(data:x) } @import "https://example.org/x";', []),
        ('@import "fonts.css"; a { color: red }', ["asks for 'fonts.css', which is not there"]),
        # Colours that are written in another way are not judged; those that can be read pass.
        (":root { --site-accent: oklch(90% 0.1 70); --site-card: #fff }", []),
        (":root { --site-accent: rgb(0, 86, 125); --site-card: white }", []),
        # The least that is enough, and a little less.
        (":root { --site-text: #767676; --site-ground: #FFF }", []),
        (
            ":root { --site-text: #777; --site-ground: #fff }",
            [
                "--site-text is #777, which on --site-ground, #fff, has a contrast of 4.5 in "
                f"{theme} colours: {UNREADABLE}"
                for theme in ("light", "dark")
            ],
        ),
        (
            ":root { --site-accent: #6cc4f0; --site-card: #fff }\n"
            '[data-bs-theme="dark"] { --site-card: #1a212b }',
            [
                "--site-accent is #6cc4f0, which on --site-card, #fff, has a contrast of 1.9 in light "
                f"colours: {UNREADABLE}"
            ],
        ),
        (
            # What is set for both, and fits one of them.
            ":root { --site-accent: #00567d; --site-card: #fff }\n"
            "[data-bs-theme=dark] { --site-card: #1a212b }",
            [
                "--site-accent is #00567d, which on --site-card, #1a212b, has a contrast of 2.0 in dark "
                f"colours: {UNREADABLE}"
            ],
        ),
    ],
)
def test_styles(tmp_path: Path, style: str, sentences: list[str]) -> None:
    static = write(tmp_path, {"static/site.css": style, "static/logo.svg": "<svg/>"}) / "static"
    found = [*styles.missing_files(static), *styles.low_contrasts(static)]
    assert found == [f"static/site.css: {sentence}" for sentence in sentences]


def test_pages_are_told_what_the_role_wrote_and_where_to_show_it(tmp_path: Path) -> None:
    path = tmp_path / "look.json"
    told = Branding(path, [tmp_path / "web"])
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
    web = jupyterhub_traits(True, handler, [tmp_path / "site", ours])
    assert web["template_paths"] == [str(tmp_path / "site/templates"), str(ours / "templates")]
    assert web["logo_file"] == str(ours / "static/logo.svg")
    assert web["jinja_environment_options"] == {"cache_size": 0}
    assert "jinja_environment_options" not in jupyterhub_traits(False, handler, [ours])
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
