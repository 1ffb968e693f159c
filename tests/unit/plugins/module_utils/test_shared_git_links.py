# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which repositories links may bring: what is the same address, and what only looks like an allowed one."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.shared import git_links

ALLOWED = ["git.example.org", "git.example.org:8443", "code.example.com/astro"]


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("https://git.example.org/course", "https://git.example.org/course"),
        ("HTTPS://Git.Example.ORG./a/course.git/", "https://git.example.org/a/course.git"),
        ("https://git.example.org:443/course", "https://git.example.org/course"),
        ("https://git.example.org:08443/course", "https://git.example.org:8443/course"),
        ("https://git.example.org//course", "https://git.example.org/course"),
        ("https://git.example.org/My%20Course/%C3%BC", "https://git.example.org/My%20Course/%C3%BC"),
        ("https://code.example.com/astro/course", "https://code.example.com/astro/course"),
        ("https://code.example.com/astro.git", "https://code.example.com/astro.git"),
    ],
)
def test_allowed_in_any_spelling(address: str, canonical: str) -> None:
    assert git_links.refusal(address, ALLOWED) == ""
    assert git_links.canonical(address) == canonical


@pytest.mark.parametrize(
    ("address", "why"),
    [
        # Other hosts, ports and folders.
        ("https://evil.org/course", "evil.org/course is not there"),
        ("https://git.example.org.evil.org/course", "is not there"),
        ("https://xgit.example.org/course", "is not there"),
        ("https://sub.git.example.org/course", "is not there"),
        ("https://evil.org/git.example.org/course", "is not there"),
        ("https://git.example.org:22/course", "is not there"),
        ("https://code.example.com/astronomy/course", "is not there"),
        ("https://code.example.com:8443/astro/course", "is not there"),
        ("https://code.example.com/astro/../evil", "in its path"),
        ("https://code.example.com/astro/%2E%2e/evil", "in its path"),
        ("https://code.example.com/astro/%252e%252e/evil", "in its path"),
        ("https://code.example.com/astro/..%2fevil", "in its path"),
        ("https://code.example.com/astro%2f..%2f..", "in its path"),
        # What other programs read otherwise.
        ("https://git.example.org@evil.org/course", "take it out"),
        ("https://git.example.org:443@evil.org/course", "take it out"),
        ("https://user:token@git.example.org/course", "take it out"),
        ("https://evil.org\\@git.example.org/course", "letters"),
        ("https://git.example.org#@evil.org/course", "number sign"),
        ("https://git.example.org?@evil.org/course", "question mark"),
        ("https://git.example.org/course?x", "question mark"),
        ("https://git.example.org../course", "no host"),
        ("https://.git.example.org/course", "no host"),
        ("https://g\u0456t.example.org/course", "no host"),
        ("https://[::1]/course", "no host"),
        ("https:///git.example.org/course", "no host"),
        ("https://git.example.org:/course", "the port"),
        ("https://git.example.org:70000/course", "the port"),
        ("https://git.example.org/course\n", "letters"),
        ("https://git.example.org/co urse", "letters"),
        ("https://git.example.org/" + "x" * 1000, "too long"),
        ("https://git.example.org/", "no repository"),
        # Other ways to fetch.
        ("http://git.example.org/course", "https://"),
        ("ssh://git.example.org/course", "https://"),
        ("git@git.example.org:course", "https://"),
        ("file:///home", "https://"),
        ("/home", "https://"),
        ("ext::sh%20-c", "https://"),
        ("https::https://git.example.org/course", "https://"),
        ("--upload-pack=x", "https://"),
        ("https:git.example.org/course", "https://"),
    ],
)
def test_refused_with_a_sentence(address: str, why: str) -> None:
    said = git_links.refusal(address, ALLOWED)
    assert why in said
    assert "token@" not in said


@pytest.mark.parametrize("entry", ["git.example.org", "Git.example.org:8443", "git.example.org/teaching/"])
def test_entries_of_the_setting(entry: str) -> None:
    assert git_links.entry_problem(entry) == ""


@pytest.mark.parametrize(
    "entry", ["https://git.example.org", "me@git.example.org", "", "/a", "a b", "a:0", "a/../b"]
)
def test_entries_that_are_none(entry: str) -> None:
    assert git_links.entry_problem(entry)


@pytest.mark.parametrize("branch", ["-x", "a..b", "a b", "x.lock", "@{1}", "a\n"])
def test_no_branches(branch: str) -> None:
    assert git_links.branch_problem(branch)
    assert git_links.branch_problem("feature/größe") == git_links.branch_problem("") == ""


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("https://x.org/a/b", ("https://x.org/a/b", "", "")),
        ("https://x.org/a/b/blob/main/n/1%20x.ipynb?plain=1", ("https://x.org/a/b", "main", "n/1 x.ipynb")),
        ("https://x.org/g/a/b/-/tree/dev", ("https://x.org/g/a/b", "dev", "")),
        ("https://x.org/a/b/src/branch/main/n", ("https://x.org/a/b", "main", "n")),
    ],
)
def test_addresses_of_pages_are_taken_apart(address: str, parts: tuple[str, str, str]) -> None:
    assert git_links.taken_apart(address) == parts


def test_links_are_those_of_nbgitpuller() -> None:
    link = git_links.link_to("https://hub/hub/", "https://x.org/a/b.git", "main", "n/1 x.ipynb", False)
    parts = urlsplit(link)
    assert parts.path == "/hub/user-redirect/git-pull"
    asked = {"repo": ["https://x.org/a/b.git"], "branch": ["main"], "urlpath": ["lab/tree/b/n/1%20x.ipynb"]}
    assert parse_qs(parts.query) == asked
    classic = git_links.link_to("https://hub/hub/", "https://x.org/a/b", "", "x.ipynb", True)
    assert classic.endswith("?repo=https%3A%2F%2Fx.org%2Fa%2Fb&urlpath=notebooks%2Fb%2Fx.ipynb")
