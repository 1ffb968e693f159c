# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
import re
import tarfile
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.images.build import unpack_context
from ansible_collections.galilean.hub.plugins.module_utils.images.build_context import (
    BuildContext,
    read_context,
)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    root = tmp_path / "context"
    for name, text in {"Dockerfile": "FROM x", "d/one": "1", "d/e/two": "2", "skip/three": "3"}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)
    (root / "link").symlink_to("d/one")
    (root / "dirlink").symlink_to("d")
    return root


@pytest.fixture
def more(tmp_path: Path) -> Path:
    root = tmp_path / "more"
    (root / "e").mkdir(parents=True, mode=0o700)
    root.chmod(0o750)
    (root / "e/two").write_text("another two")
    (root / "three.log").write_text("3")
    return root


def test_own_ignore_file_comes_first(context: Path) -> None:
    (context / ".dockerignore").write_text("d\n")
    (context / "Dockerfile.dockerignore").write_text("skip\n.dockerignore\n*.dockerignore\n")
    assert "d/one" in read_context(str(context)).hashes()
    assert "skip/three" not in read_context(str(context)).hashes()


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        (lambda root: os.utime(root / "d/one", (0, 0)), set()),
        (lambda root: (root / "d/one").write_text("one"), {"d/one"}),
        (lambda root: (root / "d/one").chmod(0o755), {"d/one"}),
        # What a umask takes away; whether it is a program stays.
        (lambda root: ((root / "d").chmod(0o700), (root / "d/one").chmod(0o600)), set()),
        (lambda root: ((root / "d").chmod(0o2775), (root / "d/one").chmod(0o664)), set()),
        (lambda root: (root / "d/one").chmod(0o700), {"d/one"}),
        (lambda root: ((root / "link").unlink(), (root / "link").symlink_to("d/e/two")), {"link"}),
        (lambda root: (root / "d/new").write_text(""), {"d/new"}),
        (lambda root: (root / "d/one").unlink(), {"d/one"}),
        (lambda root: ((root / "d/one").unlink(), (root / "d/one").symlink_to("1")), {"d/one"}),
    ],
)
def test_what_counts(context: Path, change: object, differs: set[str]) -> None:
    assert callable(change)
    before = read_context(str(context)).hashes()
    change(context)
    after = read_context(str(context)).hashes()
    assert {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} == differs


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o027, 0o077])
def test_the_umask_of_a_checkout_changes_nothing(tmp_path: Path, umask: int) -> None:
    """The same modes for whoever checked out and whoever runs it, in the archive and where it is unpacked."""
    before = os.umask(umask)
    try:
        root = tmp_path / "root"
        (root / "bin").mkdir(parents=True)
        for name in ("Dockerfile", "bin/data", "bin/tool"):
            (root / name).write_text("x")
        (root / "bin/tool").chmod(0o777 & ~umask)
        context = read_context(str(root), files=[{"src": str(root / "bin/tool"), "dest": "deep/er/tool"}])
        context.stage(str(tmp_path / "staged"))
        context.pack(str(tmp_path / "packed"))
    finally:
        os.umask(before)
    with tarfile.open(tmp_path / "packed") as tar:
        packed = {entry.name: entry.mode for entry in tar}
    staged = {name: (tmp_path / "staged" / name).stat().st_mode & 0o7777 for name in packed}
    programs = {"bin", "bin/tool", "deep/er/tool"}
    assert packed == staged == {name: 0o755 if name in programs else 0o644 for name in packed}
    assert set(packed) == {*programs, "Dockerfile", "bin/data"}
    assert (tmp_path / "staged/deep/er").stat().st_mode & 0o7777 == 0o755


def test_refuses_what_is_no_file(context: Path) -> None:
    os.mkfifo(context / "pipe")
    with pytest.raises(HubError, match=re.escape("pipe in the build context is neither a file")):
        read_context(str(context)).hashes()


def test_missing_dockerfile(context: Path) -> None:
    with pytest.raises(HubError, match=f"^{re.escape(f'Other is missing in {context}')}"):
        read_context(str(context), "Other")


def test_layers(context: Path, more: Path) -> None:
    plain = read_context(str(context)).hashes()
    files = [{"src": str(more), "dest": "d"}, {"src": str(more / "three.log"), "dest": "x/y.log"}]
    laid = read_context(str(context), files=files).hashes()
    assert {path for path in laid if laid[path] != plain.get(path)} == {"d/e/two", "d/three.log", "x/y.log"}
    assert set(plain) <= set(laid)
    again = read_context(str(context), files=[*files, {"src": str(context / "d"), "dest": "d"}]).hashes()
    assert again == {**laid, **{path: plain[path] for path in ("d", "d/e", "d/e/two")}}


def test_layers_are_ignored_as_the_engine_ignores_them(context: Path, more: Path) -> None:
    (context / ".dockerignore").write_text("**/*.log\n")
    sources = read_context(str(context), files=[{"src": str(more), "dest": "web"}]).sources
    assert "web/e/two" in sources
    assert "web/three.log" not in sources


def test_inline(context: Path, more: Path) -> None:
    alone = read_context(None, inline="FROM x")
    assert list(alone.hashes()) == ["Dockerfile"]
    # Where it stands is nothing.
    assert alone.hashes()["Dockerfile"] == read_context(str(context)).hashes()["Dockerfile"]
    over = read_context(str(context), inline="FROM y")
    assert over.hashes()["Dockerfile"] != alone.hashes()["Dockerfile"]
    assert "d/one" in over.hashes()


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"src": "relative", "dest": "x"}, "files has the source 'relative': give its full path"),
        ({"src": "{more}", "dest": "/x"}, "files has the destination '/x': name a path inside"),
        ({"src": "{more}", "dest": "a/../../x"}, "files has the destination 'a/../../x': name a path inside"),
        ({"src": "{more}/none", "dest": "x"}, "files has the source {more}/none, which does not exist"),
        ({"src": "{more}/three.log", "dest": "d"}, "files puts {more}/three.log over"),
    ],
)
def test_bad_layers(context: Path, more: Path, part: dict[str, str], message: str) -> None:
    given = {key: value.replace("{more}", str(more)) for key, value in part.items()}
    with pytest.raises(HubError, match=f"^{re.escape(message.replace('{more}', str(more)))}"):
        read_context(str(context), files=[given])


def test_context_survives_journey_and_staging(context: Path, more: Path, tmp_path: Path) -> None:
    (context / ".dockerignore").write_text("skip")
    (context / "d/one").chmod(0o775)
    whole = read_context(str(context), inline="FROM z", files=[{"src": str(more), "dest": "a/b"}])
    archive, scratch, staged = tmp_path / "packed", tmp_path / "scratch", tmp_path / "staged"
    scratch.mkdir()
    staged.mkdir()
    whole.pack(str(archive))
    target = unpack_context(str(archive), whole.hashes(), scratch)
    whole.stage(str(staged))
    for root in (target, str(staged)):
        assert BuildContext({path: f"{root}/{path}" for path in whole.hashes()}).hashes() == whole.hashes()
        assert not Path(root, "skip").exists()
        assert Path(root, "Dockerfile").read_text() == "FROM z"


def test_changed_on_the_way(context: Path, tmp_path: Path) -> None:
    before = read_context(str(context))
    hashes = before.hashes()
    (context / "d/one").write_text("changed")
    before.pack(str(tmp_path / "packed"))
    (tmp_path / "scratch").mkdir()
    with pytest.raises(HubError, match="changed while it was sent"):
        unpack_context(str(tmp_path / "packed"), hashes, tmp_path / "scratch")
