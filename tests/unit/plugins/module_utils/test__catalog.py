# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils._catalog import image_levels
from ansible_collections.galilean.hub.plugins.module_utils._errors import HubError

CATALOG: list[dict[str, t.Any]] = [
    {"name": "hub", "parent": "core"},
    {"name": "core"},
    {"name": "edge", "args": {"A": 1}, "path": "/elsewhere"},
    {"name": "soft", "stack": True},
    {"name": "other", "stack": True},
]


def names(levels: list[list[dict[str, t.Any]]]) -> list[list[str]]:
    return [[item["name"] for item in level] for level in levels]


@pytest.mark.parametrize(
    ("catalog", "extra", "stack", "expected"),
    [
        (CATALOG, [], "soft", [["base"], ["core", "edge", "soft"], ["hub"]]),
        (CATALOG, [], "", [["base"], ["core", "edge"], ["hub"]]),
        (CATALOG, [{"name": "own", "parent": "hub"}], "", [["base"], ["core", "edge"], ["hub"], ["own"]]),
        (CATALOG, [{"name": "core", "parent": "site/x:1"}], "", [["base", "core"], ["edge", "hub"]]),
        ([{"name": "a", "parent": "x:1"}], [], "", [["a"]]),
        ([{"name": "a", "parent": "s"}, {"name": "s", "stack": True}], [], "", [["base"], ["s"], ["a"]]),
        ([], [], "", []),
    ],
)
def test_levels(
    catalog: list[dict[str, t.Any]], extra: list[dict[str, t.Any]], stack: str, expected: list[list[str]]
) -> None:
    assert names(image_levels(catalog, extra, stack)) == expected


def test_entries_are_complete() -> None:
    levels = image_levels(CATALOG, [{"name": "edge", "args": {"B": 2}, "target": None}], "", "/files/")
    entries = {item["name"]: item for level in levels for item in level}
    assert entries["core"]["path"] == "/files/core"
    assert entries["core"]["file"] == "/files/core/Dockerfile"
    assert entries["edge"]["path"] == "/elsewhere"
    assert entries["edge"]["args"] == {"B": 2}
    assert entries["base"]["source"] == "bootstrap"
    assert [name for name, item in sorted(entries.items()) if item["awaited"]] == ["base", "core"]
    assert {frozenset(item) for item in entries.values()} == {frozenset(entries["base"])}


@pytest.mark.parametrize(
    ("catalog", "stack", "message"),
    [
        ([{"path": "/x"}], "", "images_catalog has an entry without a name"),
        ([{"name": "base"}], "", "images_catalog has an entry 'base'"),
        ([{"name": "a"}, {"name": "a"}], "", "images_catalog has 'a' twice"),
        (
            [{"name": "a", "parent": "b"}],
            "",
            "images_catalog has 'a' with parent 'b', which it does not have: use one of base, a",
        ),
        (
            [{"name": "a", "parent": "b"}, {"name": "b", "parent": "a"}],
            "",
            "images_catalog has a circle: a -> b -> a",
        ),
        (
            CATALOG,
            "hub",
            "images_software_stack is 'hub', which is no stack of images_catalog: use one of other, soft",
        ),
        (CATALOG, "none", "images_software_stack is 'none'"),
    ],
)
def test_bad_lists(catalog: list[dict[str, t.Any]], stack: str, message: str) -> None:
    with pytest.raises(HubError, match=f"^{re.escape(message)}"):
        image_levels(catalog, stack=stack)
