# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Versions of the software: new ones come beside those in use, old ones go when nobody needs them."""

from __future__ import annotations

from conftest import CONTEXTS, Images


def new_version(images: Images, word: str, keep: int) -> str:
    """Provide a version that says another word; returns the name of its volume."""
    tool = CONTEXTS / "tools/tool"
    tool.write_text(f"#!/bin/sh\necho '{word}'\n")
    tool.chmod(0o755)
    said = images.apply(images_software_keep=keep)
    assert "rc=0" in said, said
    assert images.in_volume("/opt/software/start").stdout == f"{word}\n"
    return images.software["volume"]


def test_versions_come_and_go(images: Images) -> None:
    first = images.software["volume"]
    server = (f"--name={images.container}", f"--volume={images.volume_mount()}", images.refs["one"])
    images.docker("run", "--detach", *server, "sleep", "infinity")

    # A server of a user still has the first one.
    second = new_version(images, "second", keep=1)
    assert images.volumes == {first, second}
    assert images.docker("exec", images.container, "/opt/software/start") == "the tool works\n"

    # Whether it runs or not.
    images.docker("stop", "--time=0", images.container)
    third = new_version(images, "third", keep=2)
    assert images.volumes == {first, second, third}

    # Nobody needs the first one any more, and users get the second one back.
    images.docker("rm", "--force", images.container)
    said = images.apply(images_software_digest=second.rsplit("-", 1)[1])
    assert said.endswith("rc=0 changed=1"), said
    assert images.volumes == {second, third}
    assert images.software["volume"] == second
    assert images.software["image"].rsplit(":", 1)[1] == images.software["digest"]
    assert images.in_volume("/opt/software/start").stdout == "second\n"
