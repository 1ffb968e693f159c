# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the host does for a volume; the rest runs in tests/modules."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.engine.observed import ObservedImage
from ansible_collections.galilean.hub.plugins.module_utils.volumes import seed


@pytest.fixture
def older(tmp_path: Path) -> Path:
    folder = tmp_path / "older"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/tool").write_text("tool")
    (folder / "top").write_text("top")
    (folder / "link").symlink_to("/etc/passwd")
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def test_can_link(target: Path) -> None:
    """The folder of shared memory is a file system of its own on every Linux."""
    assert not seed.can_link("/dev/shm", str(target))
    assert not seed.can_link("/nowhere", str(target))
    assert seed.can_link(str(target.parent), str(target))
    (target / "something").touch()
    assert not seed.can_link(str(target.parent), str(target)), "it is no new volume"


def test_link_version(older: Path, target: Path, tmp_path: Path) -> None:
    """All but what is our own. A link is never followed, and what cannot be linked is left out."""
    (older / "bin").chmod(0o750)
    os.utime(older / "bin", (1_000_000, 1_000_000))
    (older / "away").symlink_to(tmp_path)
    for name in (".sealed", ".manifest"):
        (older / name).write_text("{}")
    (target / "top").mkdir()
    seed.link_version(str(target), str(older), tmp_path / "log", 60)
    found = sorted(str(path.relative_to(target)) for path in target.rglob("*"))
    assert found == ["away", "bin", "bin/tool", "link", "top"]
    assert (target / "bin/tool").samefile(older / "bin/tool")
    assert (target / "away").readlink() == tmp_path
    seen = (target / "bin").stat()
    assert (seen.st_mode & 0o777, seen.st_mtime) == (0o750, 1_000_000)


def test_link_version_without_one(target: Path, tmp_path: Path) -> None:
    """As after a run that was killed before it had copied anything."""
    (tmp_path / "empty").mkdir()
    seed.link_version(str(target), str(tmp_path / "empty"), tmp_path / "log", 60)
    assert os.listdir(target) == []


@pytest.mark.parametrize(
    ("paths", "believed"),
    [
        (["one/opt/software/.sha256sums"], True),
        (["two/opt/software/.sha256sums", "one/etc/x"], True),
        (["two/opt/software/.sha256sums", "one/opt/software/bin/x"], False),
        (["two/opt/software/.sha256sums", "one/opt/software/.sha256sums"], True),
        (["one/opt/software/bin/x"], False),
        ([], False),
    ],
)
def test_brings_hashes(tmp_path: Path, paths: list[str], believed: bool) -> None:
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    layers = [str(tmp_path / name) for name in ("one", "two", "gone")]
    assert seed.brings_hashes(layers, "/opt/software") is believed


class Engine:
    """The images of a host."""

    def __init__(self, *refs: str) -> None:
        self.refs = list(refs)

    def image(self, ref: str) -> ObservedImage | None:
        return ObservedImage("sha256:" + "f" * 64) if ref in self.refs else None

    def image_refs(self, repository: str) -> list[str]:
        return [ref for ref in self.refs if ref.startswith(f"{repository}:")]


NEW, OLD = "site/soft:" + "a" * 12, "site/soft:" + "b" * 12


@pytest.mark.parametrize(
    ("image", "digest", "refs", "version", "filled_from"),
    [
        (NEW, "", [NEW], "a" * 12, NEW),
        (NEW, "a" * 12, [NEW], "a" * 12, NEW),
        (NEW, "b" * 12, [NEW, OLD], "b" * 12, OLD),
        (NEW, "b" * 12, [NEW], "b" * 12, ""),
        ("", "b" * 12, [NEW, OLD], "b" * 12, ""),
        ("site/soft:latest", "b" * 12, [OLD], "b" * 12, ""),
        ("site/soft:latest", "", ["site/soft:latest"], "f" * 12, "site/soft:latest"),
    ],
)
def test_desired_volume(image: str, digest: str, refs: list[str], version: str, filled_from: str) -> None:
    spec = seed.desired_volume(Engine(*refs), "site-soft", image, digest, False)  # type: ignore[arg-type]
    assert (spec.name, spec.image) == (f"site-soft-{version}", filled_from)
    if digest == "b" * 12 and image == NEW:
        assert spec.others == tuple(ref[-12:] for ref in refs)
