# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.hub.branding import branding, is_link, web_problems

GOOD: dict[str, t.Any] = {
    "title": "Arcetri",
    "announcement": "Two\nlines & a <tag>",
    "links": [{"label": "Help", "url": "https://example.org/help?a=1&b=2#c"}],
}


LINKS = [
    "https://example.org", "http://example.org:8080/x?y=z#w", "https://[::1]/x", "/services/docs/", "/",
    "https://example.org/%C3%BC",
]  # fmt: skip
NO_LINKS = [
    "javascript:alert(1)", "JavaScript:alert(1)", "java\nscript:alert(1)", "data:text/html,x",
    "mailto:x@example.org", "//other.example.org/x", "/\\other.example.org", "https://", "https:/x",
    "https://[::1", "docs/", "", " https://example.org", "https://example.org/a b",
    'https://example.org/"onclick=', None, 7,
]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "right"), [*((url, True) for url in LINKS), *((url, False) for url in NO_LINKS)]
)
def test_addresses_of_the_web_and_paths_are_links(url: t.Any, right: bool) -> None:
    assert is_link(url) is right


def test_good_settings_have_no_problems() -> None:
    assert web_problems(GOOD) == []


ADVICE = (
    "give an address that begins with https:// or http://, or a path of this site such as /services/docs/"
)

REFUSED: list[tuple[dict[str, t.Any], str]] = [
    ({"title": " "}, "jupyterhub_web_title is ' ': give one line of text"),
    ({"title": "a\nb"}, "jupyterhub_web_title is 'a\\nb': give one line of text"),
    ({"title": "a" * 81}, "jupyterhub_web_title has 81 characters: use at most 80"),
    ({"announcement": "\x1b[31m"}, "jupyterhub_web_announcement is '\\x1b[31m': give text, or '' for none"),
    ({"links": ["x"]}, "jupyterhub_web_links[0] is 'x': give a mapping with label and url"),
    (
        {"links": [*GOOD["links"], {"label": "", "url": "/"}]},
        "jupyterhub_web_links[1].label is '': give one line of text",
    ),
    (
        {"links": [{"label": "a" * 61, "url": "/"}]},
        "jupyterhub_web_links[0].label has 61 characters: use at most 60",
    ),
    (
        {"links": [{"label": "Help", "url": "javascript:x"}]},
        f"jupyterhub_web_links[0].url is 'javascript:x': {ADVICE}",
    ),
    (
        {"links": [{"label": "Help", "url": "/", "places": ["header", "left"]}]},
        "jupyterhub_web_links[0].places has 'left': use some of header, footer, help, home",
    ),
    (
        {"links": [{"label": "Help", "url": "/", "description": "a\nb"}]},
        "jupyterhub_web_links[0].description is 'a\\nb': give one line of text",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), REFUSED)
def test_each_mistake_is_one_sentence(changes: dict[str, t.Any], sentence: str) -> None:
    assert web_problems({**GOOD, **changes}) == [sentence]


def test_all_mistakes_are_told_at_once() -> None:
    assert len(web_problems({"title": "", "announcement": 1, "links": [{}]})) == 4


def test_the_look_is_text_with_all_defaults() -> None:
    links = [*GOOD["links"], {"label": " Imprint ", "url": "/x", "places": ["help", "footer"]}]
    links += [{"label": "Data", "url": "/d", "places": ["home"], "description": " All of it "}]
    assert branding({"title": " Arcetri ", "announcement": "now\n", "links": links}) == {
        "title": "Arcetri",
        "announcement": "now",
        "links": [
            {"label": "Help", "url": "https://example.org/help?a=1&b=2#c", "places": ["header", "help"]},
            {"label": "Imprint", "url": "/x", "places": ["footer", "help"]},
            {"label": "Data", "url": "/d", "places": ["home"], "description": "All of it"},
        ],
    }
