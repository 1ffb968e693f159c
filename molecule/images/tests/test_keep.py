# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Older versions go when a new one was made, and only then; what is wanted or in use stays."""

from __future__ import annotations

from conftest import CONTEXTS, Images


def versions(images: Images, name: str) -> set[str]:
    layout = "--format={{.Repository}}:{{.Tag}}"
    return set(images.docker("image", "ls", layout, f"--filter=reference={images.prefix}/{name}").split())


def test_older_versions_go(images: Images) -> None:
    colour = CONTEXTS / "other/Dockerfile"
    before, first = colour.read_text(), images.refs["other"]
    # Of one image, the tests before have left an older version; this one's is a container's.
    older = versions(images, "one") - {images.refs["one"]}
    assert older
    images.docker("create", f"--name={images.container}", first, "true")
    colour.write_text(before + "RUN echo more > /opt/more\n")
    try:
        said = images.apply(images_keep=1)
        assert "rc=0" in said, said
        assert all(f"image {ref} " in said for ref in older), said
        assert versions(images, "other") == {first, images.refs["other"]}
        # Of all others the wanted one is left, with what it is built on.
        for name in ("base", "one", "two", "tools"):
            assert versions(images, name) == {images.refs[name]}
    finally:
        images.docker("rm", images.container)
        colour.write_text(before)
    # Nobody uses the newer one now, but there was nothing to make: all stays.
    newest = images.refs["other"]
    said = images.apply(images_keep=1)
    assert said.endswith("rc=0 changed=0"), said
    assert versions(images, "other") == {first, newest}
