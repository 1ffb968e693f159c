# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.edge.headers import (
    ALWAYS,
    DEFAULTS,
    edge_headers,
    header_problems,
)


def by_name(given: dict[str, t.Any]) -> dict[str, tuple[str, bool]]:
    return {header["name"]: (header["value"], header["fill"]) for header in edge_headers(given)}


def test_defaults_only_fill_gaps() -> None:
    expected = {name: (value, True) for name, value in DEFAULTS.items()}
    expected.update({name: (value, False) for name, value in ALWAYS.items()})
    assert by_name({}) == expected
    assert header_problems({**DEFAULTS, **ALWAYS}) == []


@pytest.mark.parametrize("name", ["X-Frame-Options", "x-frame-options", "X-FRAME-OPTIONS"])
def test_what_is_given_replaces(name: str) -> None:
    assert by_name({name: "DENY"}) == {**by_name({}), "X-Frame-Options": ("DENY", False)}


@pytest.mark.parametrize("empty", ["", None])
@pytest.mark.parametrize("name", [*DEFAULTS, *ALWAYS])
def test_an_empty_one_is_not_sent(name: str, empty: str | None) -> None:
    expected = by_name({})
    del expected[name]
    assert by_name({name: empty}) == expected


def test_others_are_added_as_nginx_wants_them() -> None:
    (header,) = [h for h in edge_headers({"Reporting-Endpoints": 'a="https://x/\\"'}) if not h["fill"]][:1]
    assert header == {
        "name": "Reporting-Endpoints",
        "variable": "reporting_endpoints",
        "value": 'a=\\"https://x/\\\\\\"',
        "fill": False,
    }


@pytest.mark.parametrize(
    ("given", "begin", "fix"),
    [
        ({"X Frame": "DENY"}, "edge_security_headers has 'X Frame':", "X-Frame-Options"),
        ({7: "DENY"}, "edge_security_headers has 7:", "X-Frame-Options"),
        ({"strict-transport-security": ""}, "edge_security_headers has 'strict-", "edge_hsts_seconds"),
        ({"Content-Type": "text/html"}, "edge_security_headers has 'Content-Type', which", "leave it out"),
        ({"X-A": "two\nlines"}, "edge_security_headers has 'X-A' with 'two\\nlines':", "one line"),
        ({"X-A": "$request_uri"}, "edge_security_headers has 'X-A' with '$request_uri':", "dollar"),
        ({"X-A": True}, "edge_security_headers has 'X-A' with True:", "plain text"),
        ({"X-A": "1", "x-a": "2"}, "edge_security_headers has 'x-a' twice:", "leave one"),
    ],
)
def test_refuses(given: dict[t.Any, t.Any], begin: str, fix: str) -> None:
    (problem,) = header_problems(given)
    assert problem.startswith(begin)
    assert fix in problem


@pytest.mark.parametrize(
    ("given", "hub"),
    [
        ({}, "same-origin"),
        ({"cross-origin-opener-policy": "unsafe-none"}, "same-origin"),
        ({"Cross-Origin-Opener-Policy": "same-origin"}, "same-origin-allow-popups"),
    ],
)
def test_the_hubs_windows_are_others_than_those_of_servers(given: dict[str, str], hub: str) -> None:
    (header,) = [header for header in edge_headers(given) if header["name"] == "Cross-Origin-Opener-Policy"]
    assert header["places"] == {"hub": hub}
    assert header["value"] != hub
