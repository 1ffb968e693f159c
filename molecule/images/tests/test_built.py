# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""After the first run: every image holds what it should, and users see the software and cannot change it."""

from __future__ import annotations

import hashlib
import json

import pytest
from conftest import EPHEMERAL, Images


@pytest.mark.parametrize(
    ("name", "path", "content"),
    [
        ("one", "/opt/greeting", "Good morning\n"),
        ("two", "/opt/later", "Good evening\n"),
        ("other", "/opt/colour", "blue\n"),
    ],
)
def test_an_image_holds_what_its_context_and_its_parent_say(
    images: Images, name: str, path: str, content: str
) -> None:
    assert images.in_image(name, "cat", path) == content


def test_an_image_is_named_after_its_content(images: Images) -> None:
    assert set(images.refs) == {"base", "one", "two", "other", "tools"}
    for name, ref in images.refs.items():
        digest = images.inspect(name, '{{index .Config.Labels "galilean.hub.digest"}}')
        assert ref == f"{images.prefix}/{name}:{digest[:12]}"


def test_a_build_reads_a_secret_and_keeps_nothing_of_it(images: Images) -> None:
    word = (EPHEMERAL / "word").read_bytes()
    assert hashlib.sha256(word).hexdigest() in images.in_image("one", "cat", "/opt/word.sha256")
    kept = images.docker("history", "--no-trunc", images.refs["one"]) + images.inspect("one", "{{json .}}")
    assert word.decode().strip() not in kept
    assert images.in_image("one", "sh", "-c", "cat /run/word 2>/dev/null || true") == ""


def test_only_the_chosen_stack_is_made(images: Images) -> None:
    assert images.volumes == {images.software["volume"]}
    assert images.docker("image", "ls", "--quiet", f"{images.prefix}/spare") == ""


def test_users_work_with_the_software(images: Images) -> None:
    run = images.in_volume("/opt/software/start")
    assert run.stdout == "the tool works\n", run.stderr


def test_the_volume_is_what_the_image_has(images: Images) -> None:
    compare = ["diff", "--recursive", "--exclude=.sealed", "--exclude=.manifest", "/opt/software", "/volume"]
    volume = f"--volume={images.software['volume']}:/volume:ro,nocopy"
    assert images.docker("run", "--rm", "--network=none", volume, images.refs["tools"], *compare) == ""


def test_the_volume_is_sealed(images: Images) -> None:
    seal = json.loads(images.in_volume("cat", "/opt/software/.sealed").stdout)
    assert seal["digest"] == images.software["digest"] == images.software["volume"].rsplit("-", 1)[1]
    assert seal["files"] == 201
