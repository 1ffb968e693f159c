# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Addresses of a proxy and of indexes: what is taken or refused, without a password in any sentence."""

from __future__ import annotations

import configparser
import typing as t
import urllib.request

import pytest
import tomllib
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.galilean.hub.plugins.module_utils.core import proxy

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("proxy.example.org:3128", "has no scheme: begin with http://"),
        (f"ada:{SECRET}@proxy.example.org:3128", "has no scheme"),
        ("proxy.example.org", "has no scheme"),
        ("//proxy.example.org:3128", "has no scheme"),
        ("socks5://proxy.example.org:1080", "a SOCKS proxy, which apt, pip and npm cannot use"),
        ("https://proxy.example.org:3128", "which begins with https://: give one that begins with http://"),
        ("ftp://proxy.example.org:21", "which begins with ftp://"),
        ("http://proxy.example.org", "without a port"),
        ("http://proxy.example.org/", "without a port"),
        ("http://proxy.example.org:3128/proxy.pac", "with something after host and port"),
        ("http://proxy.example.org:3128?x=1", "with something after host and port"),
        ("http://proxy.example.org:eighty", "whose port is not a number"),
        ("http://proxy.example.org:99999", "whose port is not a number"),
        ("http://proxy .example.org:3128", "a space or a line break"),
        (" http://proxy.example.org:3128", "a space or a line break"),
        ("http://proxy.example.org:3128\n", "a space or a line break"),
        (f"http://ada:{SECRET}@x@proxy.example.org:3128", "more than one @: write %40"),
        (f"http://ada:{SECRET}/x@proxy.example.org:3128", "write %2F for /, %3F for ?, %23 for #"),
        (f"http://ada:{SECRET}#x@proxy.example.org:3128", "write %2F for /, %3F for ?, %23 for #"),
        (f"http://ada:{SECRET}%x@proxy.example.org:3128", "a % that escapes nothing: write %25"),
        (f"http://:{SECRET}@proxy.example.org:3128", "with a password and no user"),
        ("http://proxy_1.example.org:3128", "no name and no address"),
        ("http://300.1.1.1.:3128x", "whose port is not a number"),
        ("http://:3128", "no name and no address"),
        ("http://localhost:3128", "which builds and containers take for themselves"),
        ("http://127.0.0.1:3128", "which builds and containers take for themselves"),
        ("http://[::1]:3128", "which builds and containers take for themselves"),
    ],
)
def test_what_is_no_proxy_is_one_sentence(value: str, words: str) -> None:
    for name in ("http_proxy", "https_proxy"):
        (sentence,) = proxy.problems({name: value})
        assert sentence.startswith(f"bootstrap_{name} is '"), sentence
        assert words in sentence
        assert SECRET not in sentence
        assert sentence.endswith(".")


def test_one_proxy_for_both_is_told_once() -> None:
    assert len(proxy.problems({"http_proxy": "x:1", "https_proxy": "x:1"})) == 1
    assert (
        proxy.problems({"http_proxy": "", "https_proxy": "", "no_proxy": [], "pypi": "", "npm": None}) == []
    )


@pytest.mark.parametrize(
    ("value", "full"),
    [
        ("http://proxy.example.org:3128", "http://proxy.example.org:3128"),
        ("http://proxy.example.org:3128/", "http://proxy.example.org:3128"),
        ("HTTP://Proxy.Example.org:3128", "http://proxy.example.org:3128"),
        ("http://10.0.0.1:3128", "http://10.0.0.1:3128"),
        ("http://[fd00::1]:3128", "http://[fd00::1]:3128"),
        ("http://ada@proxy:3128", "http://ada@proxy:3128"),
        (f"http://ada:{SECRET}@proxy:3128", f"http://ada:{SECRET}@proxy:3128"),
        # Characters that one program escapes and another does not.
        ("http://ada:p:w!$&'@proxy:3128", "http://ada:p%3Aw%21%24%26%27@proxy:3128"),
        ("http://INST%5Cada:p%40ss@proxy:3128", "http://INST%5Cada:p%40ss@proxy:3128"),
    ],
)
def test_a_proxy_is_the_same_to_every_program(value: str, full: str) -> None:
    found = proxy.environment(value, value, [])
    assert found["http_proxy"] == found["https_proxy"] == full


@given(user=st.text(min_size=1, max_size=20), password=st.text(min_size=1, max_size=20))
def test_any_password_arrives(user: str, password: str) -> None:
    """Escaped as in addresses, whatever it is made of: as Python, and so pip, reads it."""
    try:
        escaped = (
            f"http://{urllib.parse.quote(user, safe='')}:{urllib.parse.quote(password, safe='')}@proxy:3128"
        )
    except UnicodeEncodeError:
        return
    found = proxy.environment(escaped, "", [])["http_proxy"]
    parts = urllib.parse.urlsplit(found)
    assert urllib.parse.unquote(parts.username or "") == user
    assert urllib.parse.unquote(parts.password or "") == password
    assert (parts.hostname, parts.port) == ("proxy", 3128)


@given(st.text(max_size=60), st.text(max_size=30))
def test_no_text_ends_in_a_traceback(url: str, word: str) -> None:
    for value in (url, f"http://{url}", f"http://{url}:3128", f"http://ada:{url}@proxy:3128"):
        if not proxy.problems({"http_proxy": value, "no_proxy": [word]}):
            proxy.environment(value, value, [word])
        if not proxy.problems({"pypi": value, "npm": value, "mirror": value}):
            proxy.build_secrets({"pypi": value, "npm": value, "mirror": value})


@pytest.mark.parametrize(
    ("entries", "direct"),
    [
        ([], []),
        (["wiki.example.org", "*.example.net", ".lan", "10.0.0.0/8", "192.0.2.7", "fd00::/8"],
         ["wiki.example.org", ".example.net", ".lan", "10.0.0.0/8", "192.0.2.7", "fd00::/8"]),
        # As it stands in many a shell's settings.
        ("localhost,127.0.0.1, intranet", ["intranet"]),
    ],
)  # fmt: skip
def test_what_is_reached_directly(entries: t.Any, direct: list[str]) -> None:
    found = proxy.environment("http://proxy:3128", "", entries, ["10.210.16.0/20"])
    assert found["no_proxy"].split(",") == [*proxy.LOCAL, "10.210.16.0/20", *direct]
    assert "https_proxy" not in found
    assert proxy.environment("", "", entries) == {}


@pytest.mark.parametrize("word", ["http://wiki", "wiki:8080", "*", "10.0.0.0/33", "a/b", "300.1.1.1", "a'b"])
def test_what_is_no_name_is_one_sentence(word: str) -> None:
    (sentence,) = proxy.problems({"no_proxy": [word]})
    assert sentence.startswith(f"bootstrap_no_proxy has '{word}': give ")


def test_apt_is_told() -> None:
    variables = proxy.environment(
        "http://ada:p%22w@proxy:3128", "http://other:3128", [".lan", "wiki.lan", "10.0.0.0/8"]
    )
    text = proxy.apt_options(variables)
    assert 'Acquire::http::Proxy "http://ada:p%22w@proxy:3128";' in text
    assert 'Acquire::https::Proxy "http://other:3128";' in text
    assert 'Acquire::https::Proxy::wiki.lan "DIRECT";' in text
    assert ".lan " not in text.replace("wiki.lan ", "")
    assert proxy.apt_options({}) == ""


def test_indexes_are_files_of_each_tool() -> None:
    files = proxy.build_secrets(
        {
            "pypi": "https://ada:p%25w@pypi.example.org/simple",
            "npm": "https://ada:p%3Aw@npm.example.org:4873/npm",
            "mirror": "http://ada:p%40w@debian.example.org/debian/",
        }
    )
    pip = configparser.RawConfigParser()
    pip.read_string(files["pip"])
    assert dict(pip["global"]) == {"index-url": "https://ada:p%25w@pypi.example.org/simple"}
    plain = proxy.build_secrets({"pypi": "http://pypi.example.org:8080/simple"})["pip"]
    assert plain.endswith("\ntrusted-host = pypi.example.org:8080\n")
    assert tomllib.loads(files["uv"])["index"] == [
        {"url": "https://ada:p%25w@pypi.example.org/simple", "default": True}
    ]
    assert files["npm"].splitlines() == [
        "registry=https://npm.example.org:4873/npm/",
        "//npm.example.org:4873/npm/:_auth=YWRhOnA6dw==",
    ]
    assert files["apt"] == "machine http://debian.example.org/debian login ada password p@w\n"
    token = proxy.build_secrets({"npm": "https://__token__:npm_abc@npm.example.org/"})
    assert token["npm"].splitlines()[1] == "//npm.example.org/:_authToken=npm_abc"
    assert proxy.build_secrets({"mirror": "http://debian.example.org/debian", "pypi": "", "npm": ""}) == {}


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("pypi", "pypi.example.org/simple", "begin with http://"),
        ("pypi", f"https://ada:{SECRET}@x@pypi.example.org/simple", "more than one @"),
        ("pypi", "file:///srv/simple", "which begins with file://"),
        ("npm", "https://ada@npm.example.org/", "with a user and no password"),
        ("npm", "https://npm.example.org/?a=b", "with something after host and port"),
        ("mirror", f"http://ada:{SECRET}%20x@debian.example.org/debian", "a password with a space"),
    ],
)
def test_what_is_no_index_is_one_sentence(kind: str, value: str, words: str) -> None:
    (sentence,) = proxy.problems({kind: value})
    assert sentence.startswith(proxy.INDEXES[kind][0])
    assert words in sentence
    assert SECRET not in sentence
