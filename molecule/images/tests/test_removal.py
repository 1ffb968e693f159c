# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The end of it all: everything of the list goes, unless an instance on the host may still need it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from conftest import Images

# This machine's instances are none of the test's business: it sees only its own.
CLIENT = """#!/bin/sh
for word; do
  shift
  if [ "$word" = --filter=label=galilean.hub.instance ]; then word="$word={name}"; fi
  set -- "$@" "$word"
done
exec docker "$@"
"""


@pytest.fixture(scope="module")
def client(images: Images, tmp_path_factory: pytest.TempPathFactory) -> str:
    script: Path = tmp_path_factory.mktemp("client") / "docker"
    script.write_text(CLIENT.format(name=images.prefix))
    script.chmod(0o755)
    return str(script)


def left(images: Images) -> set[str]:
    return set(images.docker("image", "ls", "--quiet", f"--filter=reference={images.prefix}/*").split())


@pytest.fixture
def instance(images: Images) -> t.Iterator[None]:
    """Something that belongs to an instance on this host."""
    label = f"--label=galilean.hub.instance={images.prefix}"
    images.docker("create", f"--name={images.container}", label, images.refs["base"], "true")
    yield
    images.docker("rm", images.container)


@pytest.mark.usefixtures("instance")
def test_an_instance_keeps_images_and_software(images: Images, client: str) -> None:
    before = left(images), images.volumes
    said = images.apply(playbook="remove.yml", docker_cli=client)
    assert "rc=0" in said, said
    assert "another instance uses them" in said
    assert (left(images), images.volumes) == before


def test_nothing_is_left(images: Images, client: str) -> None:
    base = images.refs["base"].rsplit(":", 1)[1]
    said = images.apply(playbook="remove.yml", docker_cli=client)
    assert "rc=0" in said, said
    assert (left(images), images.volumes) == (set(), set())
    # The same base under another prefix is another list's.
    assert images.docker("image", "ls", "--quiet", f"galilean/base:{base}") != ""
