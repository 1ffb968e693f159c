# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.catalog.catalog import catalog_images
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

DIGEST = "x@sha256:" + "0" * 64
CATALOG: list[dict[str, t.Any]] = [
    {"name": "hub", "parent": "core"},
    {"name": "core"},
    {"name": "edge", "args": {"A": 1}, "path": "/elsewhere"},
    {"name": "soft", "stack": True},
    {"name": "other", "stack": True},
]


@pytest.mark.parametrize(
    ("catalog", "extra", "stack", "expected"),
    [
        (CATALOG, [], "soft", ["base", "core", "edge", "soft", "hub"]),
        (CATALOG, [], "", ["base", "core", "edge", "hub"]),
        (CATALOG, [{"name": "own", "parent": "hub"}], "", ["base", "core", "edge", "hub", "own"]),
        (CATALOG, [{"name": "core", "parent": "site/x:1"}], "", ["base", "core", "edge", "hub"]),
        # Internal ones only where they are needed.
        (CATALOG, [{"name": "tools", "internal": True}], "", ["base", "core", "edge", "hub"]),
        (
            [{"name": "own", "pip": ["x"]}, {"name": "tools", "internal": True}],
            [],
            "",
            ["base", "tools", "own"],
        ),
        # Of the stacks those that the chosen one includes.
        (
            CATALOG,
            [{"name": "full", "stack": True, "includes": ["soft", "other"]}],
            "full",
            ["base", "core", "edge", "other", "soft", "full", "hub"],
        ),
        # Layers over a Dockerfile of its own.
        (CATALOG, [{"name": "edge", "apt": ["x"]}], "", ["base", "core", "edge-plain", "edge", "hub"]),
        ([{"name": "a", "image": DIGEST}, {"name": "b", "archive": "/b.tar"}], [], "", ["a", "b"]),
        ([{"name": "a", "image": DIGEST, "apt": ["x"]}], [], "", ["a-plain", "a"]),
        ([{"name": "a", "parent": "x:1"}], [], "", ["a"]),
        ([{"name": "a", "parent": "s"}, {"name": "s", "stack": True}], [], "", ["base", "s", "a"]),
        ([], [], "", []),
    ],
)
def test_order(
    catalog: list[dict[str, t.Any]], extra: list[dict[str, t.Any]], stack: str, expected: list[str]
) -> None:
    assert [item["name"] for item in catalog_images(catalog, extra, stack)] == expected


def test_entries_are_complete() -> None:
    images = catalog_images(CATALOG, [{"name": "edge", "args": {"B": 2}, "target": None}], "", "/files/")
    entries = {item["name"]: item for item in images}
    assert entries["core"]["path"] == "/files/core"
    assert entries["core"]["file"] == "/files/core/Dockerfile"
    assert entries["edge"]["path"] == "/elsewhere"
    assert entries["edge"]["args"] == {"A": 1, "B": 2}
    assert entries["base"]["source"] == "bootstrap"
    assert {frozenset(item) for item in entries.values()} == {frozenset(entries["base"])}


def test_what_a_site_adds() -> None:
    catalog: list[dict[str, t.Any]] = [
        {"name": "hub", "path": "/ours/hub", "files": [{"src": "/web", "dest": "web"}]},
        {"name": "tools", "internal": True},
    ]
    site = {
        "name": "hub",
        "pip": ["a==1", "b==2"],
        "files": [{"src": "/own/web", "dest": "web"}, {"src": "/own/etc", "dest": "/etc/own"}],
    }
    images = {item["name"]: item for item in catalog_images(catalog, [site], files_path="/files")}
    plain, hub = images["hub-plain"], images["hub"]
    assert plain["path"] == "/ours/hub"
    assert plain["file"] == "/ours/hub/Dockerfile"
    assert plain["internal"] is True
    assert plain["dockerfile_inline"] is None
    assert plain["files"] == [{"src": "/web", "dest": "web"}, {"src": "/own/web", "dest": "web"}]
    assert (hub["parent"], hub["parents"]) == ("hub-plain", {"TOOLS": "tools"})
    assert hub["files"] == [{"src": "/own/etc", "dest": "files/0"}]
    assert (hub["path"], hub["file"], hub["internal"]) == ("", "", False)
    assert 'COPY ["files/0", "/etc/own"]' in hub["dockerfile_inline"]
    assert "'a==1'" not in hub["dockerfile_inline"]
    assert " a==1 b==2" in hub["dockerfile_inline"]


@pytest.mark.parametrize(
    ("base", "source", "file"),
    [
        ({}, "bootstrap", ""),
        ({"suite": "trixie", "image": ""}, "bootstrap", ""),
        ({"image": DIGEST}, "registry", ""),
        ({"archive": "/base.tar"}, "archive", "/base.tar"),
    ],
)
def test_base(base: dict[str, str], source: str, file: str) -> None:
    item = catalog_images([{"name": "a"}], base=base)[0]
    assert (item["name"], item["source"], item["file"]) == ("base", source, file)


def test_base_from_two_places() -> None:
    with pytest.raises(HubError, match=r"^images_base_image and images_base_archive are both given"):
        catalog_images([{"name": "a"}], base={"image": DIGEST, "archive": "/b.tar"})


NO_STACK = "images_software_stack is '{}', which is no stack of images_catalog: use one of other, soft"


@pytest.mark.parametrize(
    ("catalog", "stack", "message"),
    [
        ([{"path": "/x"}], "", "images_catalog has an entry without a name"),
        ([{"name": "base"}], "", "images_catalog has an entry 'base'"),
        (
            [{"name": "a", "ptah": "/x"}],
            "",
            "images_catalog has 'a' with 'ptah', which is no key of an image",
        ),
        (
            [{"name": "a", "image": DIGEST, "archive": "/x"}],
            "",
            "images_catalog has 'a' with image and archive: leave one of them out",
        ),
        (
            [{"name": "a", "image": DIGEST, "files": [{"src": "/x", "dest": "y"}]}],
            "",
            "images_catalog has 'a' with 'y' in files, but no build context",
        ),
        ([{"name": "a", "includes": ["b"]}], "", "images_catalog has 'a' with image 'b', which it does not"),
        ([{"name": "a", "pip": ["x"]}], "", "images_catalog has 'a' with image 'tools', which it does not"),
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
        (CATALOG, "hub", NO_STACK.format("hub")),
        (CATALOG, "none", NO_STACK.format("none")),
    ],
)
def test_bad_lists(catalog: list[dict[str, t.Any]], stack: str, message: str) -> None:
    with pytest.raises(HubError, match=f"^{re.escape(message)}"):
        catalog_images(catalog, stack=stack)
