# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from pathlib import Path

from ansible_collections.galilean.hub.plugins.action.image import pack_context
from ansible_collections.galilean.hub.plugins.module_utils._context_digest import describe_context
from ansible_collections.galilean.hub.plugins.module_utils._image_build import unpack_context


def test_context_survives_the_journey(tmp_path: Path) -> None:
    source, scratch = tmp_path / "source", tmp_path / "scratch"
    (source / "private").mkdir(parents=True, mode=0o700)
    scratch.mkdir()
    (source / "Dockerfile").write_text("FROM x")
    (source / ".dockerignore").write_text("*.log")
    (source / "noise.log").write_text("noise")
    (source / "private/tool").write_text("tool")
    (source / "private/tool").chmod(0o775)
    (source / "link").symlink_to("private/tool")
    files = describe_context(str(source))
    archive = tmp_path / "context.tar.gz"
    pack_context(str(source), files, str(archive))
    target = unpack_context(str(archive), files, scratch, "Dockerfile")
    assert describe_context(target) == files
    assert not Path(target, "noise.log").exists()
