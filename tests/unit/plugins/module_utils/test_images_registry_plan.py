# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Names, credentials and answers of registries."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.images import registry_plan as plan

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("registry", "right"),
    [
        ("registry.example.org", True),
        ("registry.example.org:5000/hub/images_1", True),
        ("localhost:5000/hub", True),
        ("registry:5000", True),
        ("[2001:db8::1]:5000/hub", True),
        ("https://registry.example.org", False),
        ("hub/images", False),
        ("registry.example.org/Hub", False),
        ("registry.example.org/hub/", False),
        ("a b.c", False),
        ("x.org:port", False),
    ],
)
def test_registries(registry: str, right: bool) -> None:
    refused = pytest.raises(HubError, match=re.escape(f"setting is {registry!r}: give a host"))
    with contextlib.nullcontext() if right else refused:
        plan.check_registry(registry, "setting")


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("galilean/hub:3f1c02aa9b7e", ("r.org:5000/x/hub", "3f1c02aa9b7e")),
        ("some/deep/prefix/hub:1", ("r.org:5000/x/hub", "1")),
        ("hub:1", ("r.org:5000/x/hub", "1")),
    ],
)
def test_place_of(ref: str, expected: tuple[str, str]) -> None:
    assert plan.place_of(ref, "r.org:5000/x") == expected


def test_auth_header() -> None:
    content = json.loads(base64.urlsafe_b64decode(plan.auth_header("r.org:5000/x", "robot", "pass?>word")))
    assert content == {"username": "robot", "password": "pass?>word", "serveraddress": "r.org:5000"}
    assert json.loads(base64.urlsafe_b64decode(plan.auth_header("r.org", "", ""))) == {}


def test_pushed_digest() -> None:
    messages: list[dict[str, t.Any]] = [
        {"status": "Pushed", "id": "abc"},
        {"status": f"x: digest: {DIGEST} size: 1"},
        {"progressDetail": {}, "aux": {"Tag": "x", "Digest": DIGEST, "Size": 1}},
    ]
    assert plan.pushed_digest(messages) == DIGEST
    with pytest.raises(HubError, match=r"^The engine did not say under which digest"):
        plan.pushed_digest(messages[:2])


def test_transferred() -> None:
    messages: list[dict[str, t.Any]] = [
        {"status": "Downloading", "id": "a", "progressDetail": {"current": 10, "total": 100}},
        {"status": "Downloading", "id": "a", "progressDetail": {"current": 100, "total": 100}},
        {"status": "Downloading", "id": "b", "progressDetail": {"current": 7}},
        {"status": "Extracting", "id": "a", "progressDetail": {"current": 5, "total": 5000}},
        {"status": "Already exists", "id": "c"},
    ]
    assert plan.transferred(messages, ("Downloading",)) == 107
    assert plan.transferred([], ("Downloading",)) == 0
