# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the host does for a volume; the rest runs in tests/modules."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.engine.observed import ObservedImage
from ansible_collections.galilean.hub.plugins.module_utils.volumes import seed

Links = dict[str, tuple[int, str]]


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
    (folder / "bin").mkdir(parents=True)
    return folder


def ask(target: Path, links: Links) -> None:
    # In one step, as the script does it: somebody may be looking for the file already.
    (target / ".links.new").write_text(json.dumps({"token": "token", "links": links}))
    (target / ".links.new").replace(target / ".links")


def test_link_files(older: Path, target: Path) -> None:
    ask(target, {"bin/tool": (0, "bin/tool"), "bin/top": (0, "top"), "copy": (0, "bin/tool")})
    assert seed.link_files(str(target), [str(older)], "token") == 3
    for path, old in (("bin/tool", "bin/tool"), ("bin/top", "top"), ("copy", "bin/tool")):
        assert (target / path).samefile(older / old)


def test_what_cannot_be_linked_is_left_out(older: Path, target: Path) -> None:
    (target / "there").write_text("there")
    ask(target, {"there": (0, "top"), "gone": (0, "gone"), "nowhere/x": (0, "top"), "fine": (0, "top")})
    assert seed.link_files(str(target), [str(older)], "token") == 1
    assert (target / "there").read_text() == "there"
    assert not (target / "nowhere").exists()


def test_another_file_system(target: Path) -> None:
    """The folder of shared memory is one of its own on every Linux."""
    memory = Path("/dev/shm")
    assert not seed.can_link(str(memory), str(target))
    assert not seed.can_link("/nowhere", str(target))
    assert seed.can_link(str(target.parent), str(target))
    ask(target, {"x": (0, "anything")})
    assert seed.link_files(str(target), [str(memory)], "token") == 0


def test_link_version(older: Path, tmp_path: Path) -> None:
    """All files but those of our own; in folders of whoever the engine gives its containers as root."""
    (older / "bin/deep").mkdir()
    (older / "bin/deep/file").write_text("deep")
    (older / "away").symlink_to(tmp_path)
    for name in (".sealed", ".manifest"):
        (older / name).write_text("{}")
    target = tmp_path / "new"
    target.mkdir()
    if os.geteuid() == 0:
        os.chown(target, 4321, 1234)
    # What is in the way stays as it is.
    (target / "top").write_text("mine")
    seed.link_version(str(target), str(older))
    found = sorted(str(path.relative_to(target)) for path in target.rglob("*"))
    assert found == ["bin", "bin/deep", "bin/deep/file", "bin/tool", "top"]
    assert (target / "bin/deep/file").samefile(older / "bin/deep/file")
    assert (target / "top").read_text() == "mine"
    for folder in ("bin", "bin/deep"):
        seen, root = (target / folder).stat(), target.stat()
        assert (seen.st_uid, seen.st_gid, seen.st_mode & 0o777) == (root.st_uid, root.st_gid, 0o700)


def test_link_version_without_one(older: Path, target: Path, tmp_path: Path) -> None:
    """One that is not there, and a new volume with something that leads out of it."""
    seed.link_version(str(target), str(tmp_path / "nothing"))
    assert os.listdir(target) == ["bin"]
    (target / "bin").rmdir()
    (tmp_path / "outside").mkdir()
    (target / "bin").symlink_to(tmp_path / "outside")
    seed.link_version(str(target), str(older))
    assert os.listdir(tmp_path / "outside") == []
    assert (target / "top").samefile(older / "top")


@pytest.mark.parametrize("links", [None, "not JSON", '{"token": "other", "links": {"top": [0, "top"]}}'])
def test_not_our_folder(older: Path, target: Path, links: str | None) -> None:
    if links is not None:
        (target / ".links").write_text(links)
    assert seed.link_files(str(target), [str(older)], "token") == 0
    assert not (target / "top").exists()


@pytest.mark.parametrize("path", ["out/stolen", "../stolen", "bin/../../stolen", "loop/stolen"])
def test_no_way_out_of_the_volume(older: Path, target: Path, tmp_path: Path, path: str) -> None:
    """An image could ask for anything: nothing is linked to or from places outside of the volumes."""
    (target / "out").symlink_to(tmp_path)
    (target / "loop").symlink_to("loop")
    (tmp_path / "secret").write_text("secret")
    ask(target, {path: (0, "top"), "mine": (0, "../secret"), "via": (0, "bin/../../secret")})
    assert seed.link_files(str(target), [str(older)], "token") == 0
    assert not (tmp_path / "stolen").exists()
    (target / ".links").unlink()
    (target / ".links").symlink_to(tmp_path / "links")
    (tmp_path / "links").write_text(json.dumps({"token": "token", "links": {"top": (0, "top")}}))
    assert seed.link_files(str(target), [str(older)], "token") == 0


def test_answer(older: Path, target: Path, tmp_path: Path) -> None:
    """The script goes on when there is an answer, so there always is; and it is written to no other file."""
    with seed.linking(str(target), [str(older)], "token"):
        wait_for(target / ".linked")
        assert (target / "top").samefile(older / "top")
        (target / ".linked").unlink()
        ask(target, {"bin/tool": (0, "bin/tool"), "broken": (7, "bin/tool")})
        wait_for(target / ".linked")
    assert (target / "bin/tool").samefile(older / "bin/tool")
    (target / ".linked").unlink()
    with seed.linking(str(target), [str(older / "nothing")], "token"):
        wait_for(target / ".linked")
    (target / ".linked").unlink()
    (target / ".linked").symlink_to(tmp_path / "elsewhere")
    with seed.linking(str(target), [str(older)], "token"):
        time.sleep(0.1)
    assert not (tmp_path / "elsewhere").exists()


def wait_for(path: Path) -> None:
    give_up = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < give_up
        time.sleep(0.01)


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
