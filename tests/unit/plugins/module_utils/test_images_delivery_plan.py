# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a host lacks, and what is said about it."""

from __future__ import annotations

import hashlib
import re
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.images import delivery_plan as plan

LIST: list[dict[str, t.Any]] = [
    {"name": "base", "internal": True, "parent": ""},
    {"name": "tools", "internal": True, "parent": "base"},
    {"name": "hub-core", "internal": True, "parent": "base"},
    {"name": "hub", "parent": "hub-core"},
    {"name": "stack", "parent": "base", "parents": {"TOOLS": "tools"}},
    {"name": "proxy", "parent": "debian:13"},
]


@pytest.mark.parametrize(
    ("found", "only", "expected"),
    [
        (set(), None, ["base", "tools", "hub-core", "hub", "stack", "proxy"]),
        ({"hub", "stack", "proxy"}, None, []),
        ({"stack", "proxy"}, None, ["base", "hub-core", "hub"]),
        ({"hub-core", "stack", "proxy"}, None, ["hub"]),
        ({"base", "hub", "proxy"}, None, ["tools", "stack"]),
        ({"base", "hub-core", "hub", "stack"}, None, ["proxy"]),
        (set(), ["hub"], ["base", "hub-core", "hub"]),
        ({"base"}, ["hub", "proxy"], ["hub-core", "hub", "proxy"]),
        (set(), [], []),
    ],
)
def test_to_build(found: set[str], only: list[str] | None, expected: list[str]) -> None:
    assert plan.to_build(LIST, found, only) == expected


def test_chain_ids() -> None:
    first, second = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    both = "sha256:" + hashlib.sha256(f"{first} {second}".encode()).hexdigest()
    assert plan.chain_ids([first, second]) == [first, both]
    assert plan.chain_ids([]) == []
    # The same layer on another parent is another one for an engine.
    assert plan.chain_ids([second, second])[1] not in plan.chain_ids([first, second])


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ([["Backing Filesystem", "extfs"], ["Native Overlay Diff", "true"]], True),
        ([["driver-type", "io.containerd.snapshotter.v1"]], False),
        ([], True),
    ],
)
def test_keeps_single_layers(status: list[list[str]], expected: bool) -> None:
    assert plan.keeps_single_layers(status) is expected


@pytest.mark.parametrize(
    ("layers", "history", "expected"),
    [
        (2, [(100, ""), (0, "ENV A=b"), (5, "COPY x /x # buildkit"), (0, 'CMD ["x"]')], [100, 5]),
        (3, [(100, ""), (0, "ENV A=b"), (0, "WORKDIR /x"), (5, "COPY x /x")], [100, 0, 5]),
        (
            3,
            [(100, ""), (0, "ENV A=b"), (5, "COPY x /x"), (0, "RUN /bin/sh -c true # buildkit")],
            [100, 5, 0],
        ),
        (2, [(0, "/bin/sh -c #(nop)  CMD x"), (100, "import"), (0, "/bin/sh -c mkdir /x")], [100, 0]),
        (2, [(7, "one"), (0, "something else")], [7, 0]),
        (2, [(7, "one")], [7, 0]),
        (0, [], []),
    ],
)
def test_layer_sizes(layers: int, history: list[tuple[int, str]], expected: list[int]) -> None:
    assert plan.layer_sizes(layers, history) == expected


ONE = plan.ExportedImage("g/one:1", "sha256:1", ("a", "b", "c"))
TWO = plan.ExportedImage("g/two:1", "sha256:2", ("a", "b", "d"))
OTHER = plan.ExportedImage("g/other:1", "sha256:3", ("x", "c"))


def chains(*layers: str) -> set[str]:
    return set(plan.chain_ids(layers))


@pytest.mark.parametrize(
    ("known", "expected"),
    [(set(), 100 + 20 + 3 + 4), (chains("a"), 27), (chains("a", "b", "c"), 4), (chains("a", "b", "d"), 3)],
)
def test_unknown_size(known: set[str], expected: int) -> None:
    sizes = {ONE.ref: [100, 20, 3], TWO.ref: [100, 20, 4]}
    assert plan.unknown_size(sizes, [ONE, TWO], known) == expected


def test_pack_key() -> None:
    key = plan.archive_key([ONE, TWO], chains("a"))
    assert key == plan.archive_key([TWO, ONE], chains("a") | {"unrelated"})
    assert key != plan.archive_key([ONE, TWO], set())
    assert key != plan.archive_key([ONE], chains("a"))
    assert re.fullmatch("[0-9a-f]{16}", key)


# As engines store them: the layer c occurs on two parents, once as a file and once as a link.
MANIFEST = [
    {"Config": "1.json", "Layers": ["a/l", "b/l", "c/l"]},
    {"Config": "3.json", "Layers": ["x/l", "c2/l"]},
]
LAYERS = {"1.json": ONE.layers, "3.json": OTHER.layers}
LINKS = {"c2/l": "../c/l"}


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (set(), ""),
        ({"unrelated"}, ""),
        (chains("a", "b"), "ab"),
        # The link's place is known, the file's is not; and the other way round.
        (chains("x", "c"), "x"),
        (chains("a", "b", "c"), "ab"),
        (chains("a", "b", "c") | chains("x", "c"), "abcx"),
    ],
)
def test_left_out_files(known: set[str], expected: str) -> None:
    assert plan.left_out_files(MANIFEST, LAYERS, LINKS, known) == {f"{layer}/l" for layer in expected}


def test_left_out_files_of_a_strange_archive() -> None:
    with pytest.raises(
        HubError, match=r"^The archive names 1 layers for an image with 3: .*images_delivery to host"
    ):
        plan.left_out_files([{"Config": "1.json", "Layers": ["a"]}], LAYERS, {}, set())


def test_links_that_go_in_circles_end() -> None:
    assert plan.left_out_files(MANIFEST[:1], LAYERS, {"a/l": "../b/l", "b/l": "../a/l"}, set()) == set()


def test_space_problem() -> None:
    def problem(cache: tuple[str, int], lib: tuple[str, int]) -> str:
        free = {"/var/cache": cache, "/var/lib": lib}
        return plan.space_problem("h", {"/var/cache": 100, "/var/lib": 200}, free, "x")

    assert problem(("1", 100), ("2", 200)) == ""
    assert problem(("1", 99), ("2", 200)).startswith("h has 99 bytes free in /var/cache, but x needs 100")
    # On one file system they add up.
    assert problem(("1", 300), ("1", 300)) == ""
    assert problem(("1", 299), ("1", 299)).startswith("h has 299 bytes free in /var/cache, but x needs 300")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("unauthorized: authentication required", "refuses h (g/a:1 of images_registry): correct"),
        ("denied: requested access to the resource is denied", "refuses h"),
        (
            "Get https://r/v2/: x509: certificate signed by unknown authority",
            "does not trust the registry r.example.org:5000/hub: put its CA certificate there into "
            "/etc/docker/certs.d/r.example.org:5000/ca.crt",
        ),
        ("manifest unknown: manifest unknown", "has lost g/a:1, which h needs: run again"),
        ("dial tcp 192.0.2.1:5000: connect: connection refused", "does not answer h"),
        ("received unexpected HTTP status: 503 Service Unavailable", "does not answer h"),
        ("something else\nand more", "get g/a:1 from the registry r.example.org:5000/hub: and more"),
        ("", "get g/a:1 from the registry r.example.org:5000/hub: nothing"),
    ],
)
def test_registry_problem(error: str, expected: str) -> None:
    assert expected in plan.registry_problem(error, "r.example.org:5000/hub", "h", "g/a:1")


@pytest.mark.parametrize(
    ("size", "expected"),
    [(999, "999 bytes"), (1500, "1.5 kB"), (105_000_000, "105 MB"), (2_340_000_000, "2.3 GB")],
)
def test_human(size: int, expected: str) -> None:
    assert plan.human(size) == expected
