# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Homes of users and their archives: names, and which archive is meant."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.observed import ObservedVolume
from ansible_collections.galilean.hub.plugins.module_utils.homes import plan

NAME = "hub-home-anna-20261122T031500Z.tar.gz"
ANNA = plan.Archive(NAME, "hub-home-anna", "20261122T031500Z", 7, "anna", "hub", 70, 3, "f1")
LATER = dataclasses.replace(
    ANNA, name=NAME.replace("0315", "0415"), time="20261122T041500Z", fingerprint="f2"
)


def labels(instance: str = "hub", role: str = "home", user: str = "anna") -> dict[str, str]:
    return {plan.LABEL_INSTANCE: instance, plan.LABEL_ROLE: role, plan.LABEL_USER: user}


def test_notes_tell_what_the_name_does_not() -> None:
    assert plan.parse_archive(NAME, 7, ANNA.notes()) == ANNA
    # The size is the file's own.
    assert plan.parse_archive(NAME, 8, ANNA.notes()) == dataclasses.replace(ANNA, bytes=8)


@pytest.mark.parametrize(
    "notes", [None, "", "no JSON", "[]", '{"name": "x"}', LATER.notes(), '{"name": 1, "odd": 2}']
)
def test_without_notes_an_archive_is_nobodys(notes: str | None) -> None:
    archive = plan.parse_archive(NAME, 7, notes)
    assert archive == plan.Archive(NAME, "hub-home-anna", "20261122T031500Z", 7)


@pytest.mark.parametrize(
    "name",
    [f"{NAME}.json", f".{NAME}.partial", "notes.txt", "-20261122T031500Z.tar.gz", f"../{NAME}", "x.tar.gz"],
)
def test_other_files_are_no_archives(name: str) -> None:
    assert plan.parse_archive(name, 7, None) is None


def test_volume_with_dashes_and_dots() -> None:
    name = plan.archive_name("hub-home-a-2db.c_d", "20261122T031500Z")
    archive = plan.parse_archive(name, 1, None)
    assert archive is not None
    assert archive.volume == "hub-home-a-2db.c_d"


def test_only_the_newest_counts_as_the_same() -> None:
    assert plan.same_home([ANNA, LATER], "hub-home-anna", "f2") == LATER
    # It was like this once, and then was not.
    assert plan.same_home([LATER, ANNA], "hub-home-anna", "f1") is None
    assert plan.same_home([ANNA], "hub-home-berta", "f1") is None


def test_the_newest_is_chosen() -> None:
    other = dataclasses.replace(LATER, time="20271122T041500Z", instance="proto")
    assert plan.choose([LATER, ANNA, other], "hub", "anna", "/a", {}) == LATER
    with pytest.raises(HubError, match="'berta', of whom /a has no archive"):
        plan.choose([ANNA], "hub", "berta", "/a", {})


def test_homes_by_their_labels() -> None:
    volumes = [
        ObservedVolume("z", labels()),
        ObservedVolume("a", labels(user="a=b")),
        ObservedVolume("other", labels(instance="proto")),
        ObservedVolume("software", labels(role="software")),
        ObservedVolume("none"),
    ]
    assert [volume.name for volume in plan.volumes_of(volumes, "hub", None, {})] == ["a", "z"]
    assert [volume.name for volume in plan.volumes_of(volumes, "hub", "a=b", {})] == ["a"]
    assert plan.volumes_of(volumes, "hub", "ann", {}) == []
    # After a renaming it is the other's, and no longer that of who has the old name now.
    assert [volume.name for volume in plan.volumes_of(volumes, "hub", "b", {"b": "a=b"})] == ["a"]
    assert plan.volumes_of(volumes, "hub", "a=b", {"b": "a=b"}) == []


def entry(path: str, blocks: int = 8) -> bytes:
    fields = (path, "f", "644", "1000", "1000", "9", str(blocks), "1.5", "2.5", "")
    return "".join(f"{field}\0" for field in fields).encode()


def test_a_tree_is_measured_in_any_order_and_any_pieces() -> None:
    tree = entry("a") + entry("b\nc", 0)
    whole = plan.tree_measure([tree])
    assert (whole.entries, whole.bytes) == (2, 8 * 512)
    assert plan.tree_measure(bytes([byte]) for byte in tree) == whole
    assert plan.tree_measure([entry("b\nc", 0), entry("a")]) == whole
    assert plan.tree_measure([entry("a") + entry("b", 0)]).fingerprint != whole.fingerprint
    assert plan.tree_measure([]) == plan.Measure(0, 0, "0" * 64)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (1536, "1.5 KiB"), (3 << 30, "3.0 GiB"), (5 << 40, "5.0 TiB")]
)
def test_units(count: int, text: str) -> None:
    assert plan.in_units(count) == text
