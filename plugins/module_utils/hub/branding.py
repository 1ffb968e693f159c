# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Title, announcement and links of a hub, as its pages and JupyterLab show them. Pure: no I/O."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

PLACES = ("header", "footer", "help", "home")
DEFAULT_PLACES = ("header", "help")

# Everybody can read these texts: they are no place for a whole page.
TITLE_LENGTH = 80
LABEL_LENGTH = 60
DESCRIPTION_LENGTH = 200

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_URL = re.compile(r"[\x00-\x20\x7f\\\"<>]")


def _line_problem(name: str, value: t.Any, length: int) -> str:
    if not isinstance(value, str) or not value.strip() or _UNPRINTABLE.search(value):
        return f"{name} is {value!r}: give one line of text"
    if len(value) > length:
        return f"{name} has {len(value)} characters: use at most {length}"
    return ""


def is_link(url: t.Any) -> bool:
    """Whether a browser may be sent there: an address of the web, or a path of this site.

    Never a script, and never "//other.example.org", which looks like a path and is none.
    """
    if not isinstance(url, str) or _NOT_IN_URL.search(url):
        return False
    if url.startswith("/"):
        return not url.startswith("//")
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _link_problems(number: int, link: t.Any) -> t.Iterator[str]:
    name = f"jupyterhub_web_links[{number}]"
    if not isinstance(link, dict):
        yield f"{name} is {link!r}: give a mapping with label and url"
        return
    problem = _line_problem(f"{name}.label", link.get("label"), LABEL_LENGTH)
    if problem:
        yield problem
    if link.get("description") and (
        problem := _line_problem(f"{name}.description", link["description"], DESCRIPTION_LENGTH)
    ):
        yield problem
    if not is_link(link.get("url")):
        yield (
            f"{name}.url is {link.get('url')!r}: give an address that begins with https:// or http://, "
            "or a path of this site such as /services/docs/"
        )
    for place in link.get("places") or []:
        if place not in PLACES:
            yield f"{name}.places has {place!r}: use some of {', '.join(PLACES)}"


def web_problems(settings: dict[str, t.Any]) -> list[str]:
    """One sentence, without its full stop, for each setting that cannot be shown.

    settings: title, announcement and links, as the role has them.
    """
    problems = [_line_problem("jupyterhub_web_title", settings["title"], TITLE_LENGTH)]
    announcement = settings["announcement"]
    if not isinstance(announcement, str) or _UNPRINTABLE.search(announcement.replace("\n", "")):
        problems.append(f"jupyterhub_web_announcement is {announcement!r}: give text, or '' for none")
    for number, link in enumerate(settings["links"]):
        problems += _link_problems(number, link)
    return [problem for problem in problems if problem]


def branding(settings: dict[str, t.Any]) -> dict[str, t.Any]:
    """The content of the file that hub and JupyterLab read; all of it is public, and none of it is markup."""
    return {
        "title": settings["title"].strip(),
        "announcement": settings["announcement"].strip(),
        "links": [
            {
                "label": link["label"].strip(),
                "url": link["url"],
                "places": [place for place in PLACES if place in (link.get("places") or DEFAULT_PLACES)],
                **({"description": link["description"].strip()} if link.get("description") else {}),
            }
            for link in settings["links"]
        ],
    }
