# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a change of the sources costs: exactly what depends on it, and never what is there already."""

from __future__ import annotations

import os
import typing as t

import pytest
from conftest import CONTEXTS, EPHEMERAL, Images


def everything(images: Images) -> set[str]:
    layout = "--format={{.Repository}}:{{.Tag}} {{.ID}}"
    return set(images.docker("image", "ls", layout, f"--filter=reference={images.prefix}/*").splitlines())


@pytest.fixture(scope="module")
def first(images: Images) -> tuple[dict[str, str], set[str]]:
    """Names and images of the first run."""
    return dict(images.refs), everything(images)


@pytest.fixture
def sources() -> t.Iterator[None]:
    """Puts the changed files back."""
    before = {path: path.read_text() for path in CONTEXTS.glob("*/*")}
    yield
    for path, content in before.items():
        path.write_text(content)


@pytest.mark.usefixtures("sources")
def test_a_change_of_a_file(images: Images, first: tuple[dict[str, str], set[str]]) -> None:
    _refs, before = first
    (CONTEXTS / "one/greeting.md").write_text("Fine morning\n")

    said = images.apply("--check", "--diff")
    assert said.endswith("rc=0 changed=1"), said
    assert set(images.missing) == {"one", "two"}
    assert images.missing["one"] == ["file greeting.md changed"]
    assert "parent" in images.missing["two"][0]
    announced = images.refs
    assert everything(images) == before

    # Meanwhile another image is broken.
    (CONTEXTS / "other/Dockerfile").write_text(
        "ARG BASE\nFROM ${BASE}\nRUN echo a-telling-line && sleep 0.1 && false\nRUN echo never\n"
    )
    said = images.apply()
    assert "rc=2" in said, said
    assert "The build of " + images.prefix + "/other failed at step" in said
    assert "echo a-telling-line" in said
    assert f"{EPHEMERAL}/log/{images.prefix}-other.log" in said
    # What stands on nothing broken was built, under the names that were announced, beside the old ones.
    made = {line.split()[0] for line in everything(images) - before}
    assert made == {announced["one"], announced["two"]}
    assert before <= everything(images)
    images.refs["two"] = announced["two"]
    assert images.in_image("two", "cat", "/opt/later") == "Fine evening\n"


def test_what_is_no_change(images: Images, first: tuple[dict[str, str], set[str]]) -> None:
    """Back to old content with other times, and another secret: names from before, which are there."""
    os.utime(CONTEXTS / "one/greeting.md", (0, 0))
    (EPHEMERAL / "word").write_text("another-word\n")
    said = images.apply("--check")
    assert said.endswith("rc=0 changed=0"), said
    assert (images.missing, images.refs) == ({}, first[0])


@pytest.mark.usefixtures("sources")
def test_too_little_space_stops_the_run_before_a_build(images: Images) -> None:
    before = everything(images)
    (CONTEXTS / "other/Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nRUN echo anything\n")
    said = images.apply(images_disk_free_min_gib=1000000)
    assert "images_disk_free_min_gib is 1000000: free some space there" in said
    assert "To be built: other" in said
    assert everything(images) == before
