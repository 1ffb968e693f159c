# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils import _seed_script as script


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/tool").write_text("tool")
    (folder / "bin/tool").chmod(0o755)
    (folder / "link").symlink_to("bin/tool")
    (folder / "broken").symlink_to("nowhere")
    (folder / "dirlink").symlink_to("bin")
    return folder


def test_seed(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o700)
    os.utime(source / "bin/tool", (1_000_000, 1_000_000))
    facts = script.seed(str(source), str(target), "0123456789ab")
    assert facts["digest"] == "0123456789ab"
    assert (facts["files"], facts["size_bytes"]) == (1, 4)
    assert json.loads((target / ".sealed").read_text()) == facts
    assert (target / "bin/tool").stat().st_mtime == 1_000_000
    assert target.stat().st_mode == source.stat().st_mode
    assert script.manifest(str(source)) == script.manifest(str(target)), "the marker does not count"


@pytest.mark.parametrize(
    ("name", "words"),
    [("bin/tool", "bin/tool differs"), ("new", "new should not be there"), ("link", "link differs")],
)
def test_differences(source: Path, name: str, words: str) -> None:
    before = script.manifest(str(source))
    path = source / name
    if path.is_symlink():
        path.unlink()
        path.symlink_to("bin")
    else:
        path.write_text("toom")
    assert words in script.differences(before, script.manifest(str(source)))


def test_missing_entry(source: Path) -> None:
    before = script.manifest(str(source))
    (source / "broken").unlink()
    assert "broken is missing" in script.differences(before, script.manifest(str(source)))


def test_no_source(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="correct source_path"):
        script.seed(str(tmp_path / "nothing"), str(tmp_path), "x")
    assert not (tmp_path / ".sealed").exists()
