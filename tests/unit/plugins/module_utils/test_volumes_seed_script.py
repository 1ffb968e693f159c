# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import errno
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.volumes import seed_script as script
from ansible_collections.galilean.hub.plugins.module_utils.volumes.seed import link_version

DIGEST = "0123456789ab"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/tool").write_text("tool")
    (folder / "bin/tool").chmod(0o755)
    os.utime(folder / "bin/tool", (1_000_000, 1_000_000))
    (folder / "bin/other").hardlink_to(folder / "bin/tool")
    (folder / "link").symlink_to("bin/tool")
    (folder / "broken").symlink_to("nowhere")
    (folder / "dirlink").symlink_to("bin")
    (folder / "private").mkdir(mode=0o700)
    (folder / "private/empty").touch(mode=0o600)
    # A name that is no text.
    Path(os.fsdecode(os.fsencode(folder) + b"/na\xffme")).write_text("x")
    os.utime(folder / "bin", (2_000_000, 2_000_000))
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return volume(tmp_path, "target")


def volume(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir(mode=0o700)
    return folder


def manifest(root: Path) -> dict[str, str]:
    return script.describe(str(root), script.observe_in(dict(script.walk(str(root)))), {}, "")


def link(target: Path, older: Path) -> None:
    """What the host does before the script runs."""
    link_version(str(target), str(older), target.parent / "log", 60)


def seeded(source: Path, target: Path, older: Path | None = None, claims: bool = True) -> dict[str, object]:
    """Fill a volume as the module does; what the marker says."""
    if older is not None:
        link(target, older)
    script.seed(str(source), str(target), DIGEST, claims, str(older or ""))
    assert script.verify(str(target)) == {}
    assert manifest(source) == manifest(target)
    assert sorted(set(os.listdir(target)) & script.OWN) == [".manifest", ".sealed"]
    facts: dict[str, object] = json.loads((target / ".sealed").read_text())
    return facts


def test_seed(source: Path, target: Path) -> None:
    facts = seeded(source, target)
    assert (facts["digest"], facts["files"], facts["size_bytes"], facts["shared_bytes"]) == (DIGEST, 4, 9, 0)
    assert script.sealed_manifest(str(target)) == manifest(source)
    assert (target / "bin/tool").stat().st_mtime == 1_000_000
    assert (target / "bin/tool").samefile(target / "bin/other")
    assert (target / "bin").stat().st_mtime == 2_000_000
    assert target.stat().st_mode == source.stat().st_mode
    assert stat.S_IMODE((target / ".manifest").stat().st_mode) == 0o444


@pytest.mark.parametrize(
    ("command", "path", "words"),
    [
        ("rm bin/tool", "bin/tool", "is missing"),
        ("touch bin/new", "bin/new", "should not be there"),
        ("chmod 600 bin/tool", "bin/tool", "differs in permissions"),
        ("printf toom > bin/tool && touch -d @1000000 bin/tool", "bin/tool", "differs in content"),
        ("touch -d @5 bin/tool", "bin/tool", "differs in time"),
        ("printf longer > bin/tool", "bin/tool", "differs in size, time, content"),
        ("ln -sfn bin link", "link", "differs in destination"),
        ("rm link && mkdir link", "link", "differs in kind"),
        ("rmdir private || rm -r private && touch private", "private", "differs in kind"),
        ("chmod 755 private", "private", "differs in permissions"),
        ("echo >> .manifest", ".manifest", "is missing or differs in content"),
    ],
)
def test_verify_and_repair(source: Path, target: Path, command: str, path: str, words: str) -> None:
    seeded(source, target)
    (target / ".manifest").chmod(0o644)
    marker = (target / ".sealed").read_text()
    # A damaged file may be one that another version shares, and must not be written to.
    (target.parent / "older").hardlink_to(target / "bin/tool")
    subprocess.run(["sh", "-c", command], cwd=target, check=True)
    before = (target.parent / "older").read_bytes()
    assert script.verify(str(target))[path] == words
    script.repair(str(source), str(target), DIGEST)
    assert script.verify(str(target)) == {}
    assert manifest(source) == manifest(target)
    assert (target / ".sealed").read_text() == marker
    assert (target.parent / "older").read_bytes() == before


def test_repair_from_another_image(source: Path, target: Path) -> None:
    seeded(source, target)
    (source / "bin/tool").write_text("changed")
    with pytest.raises(script.SeedError, match="is not the one that the volume was filled from"):
        script.repair(str(source), str(target), DIGEST)
    assert (target / "bin/tool").read_text() == "tool", "nothing was touched"


def test_next_version_shares(source: Path, target: Path, tmp_path: Path) -> None:
    seeded(source, target)
    (source / "bin/new").write_text("new")
    (source / "private/empty").chmod(0o644)
    os.utime(source / "bin", (2_000_000, 2_000_000))
    following = volume(tmp_path, "following")
    # A name that is no text, and two that are one file.
    assert seeded(source, following, target)["shared_bytes"] == 9
    assert (following / "bin/tool").samefile(target / "bin/tool")
    assert not (following / "private/empty").samefile(target / "private/empty")
    assert (following / "bin").stat().st_mtime == 2_000_000
    assert script.verify(str(target)) == {}
    assert seeded(source, volume(tmp_path, "again"), following)["shared_bytes"] == 12
    assert (following / "bin/new").stat().st_nlink == 2


def test_next_version_has_less(
    source: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host links all of the newest version; files, folders and kinds that are no more must not stay."""
    (source / "old/deep").mkdir(parents=True)
    (source / "old/deep/file").write_text("old")
    (source / "now a file").mkdir()
    (source / "now a file/file").write_text("inside")
    (source / "now a folder").write_text("file")
    (source / "now a link").write_text("file")
    seeded(source, target)
    before = manifest(target)
    shutil.rmtree(source / "old")
    shutil.rmtree(source / "now a file")
    (source / "now a file").write_text("file")
    (source / "now a folder").unlink()
    (source / "now a folder").mkdir()
    (source / "now a folder/file").write_text("inside")
    (source / "now a link").unlink()
    (source / "now a link").symlink_to("bin")
    monkeypatch.setattr(script, "mend", lambda *args: pytest.fail("it was right at once"))
    following = volume(tmp_path, "following")
    seeded(source, following, target)
    assert (following / "bin/tool").samefile(target / "bin/tool")
    assert manifest(target) == before


def test_what_the_host_has_not_linked_is_copied(source: Path, target: Path, tmp_path: Path) -> None:
    """A file has only so many links, and the version may just have been removed."""
    seeded(source, target)
    following = volume(tmp_path, "following")
    script.seed(str(source), str(following), DIGEST, True, str(target))
    assert script.verify(str(following)) == {}
    assert json.loads((following / ".sealed").read_text())["shared_bytes"] == 0
    assert not (following / "bin/tool").samefile(target / "bin/tool")
    assert (following / "bin/tool").samefile(following / "bin/other")


@pytest.mark.parametrize("lost", [".sealed", ".manifest"])
def test_something_else_than_the_older_version(source: Path, target: Path, tmp_path: Path, lost: str) -> None:
    """Its disk is faulty, or it was never sealed: it is not believed, nor written to."""
    seeded(source, target)
    other = tmp_path / "other"
    shutil.copytree(target, other, symlinks=True)
    (other / "bin/tool").write_text("of another size")
    (other / "more").write_text("more")
    following = volume(tmp_path, "following")
    link(following, other)
    script.seed(str(source), str(following), DIGEST, True, str(target))
    assert script.verify(str(following)) == {}
    (other / lost).unlink()
    assert script.sealed_manifest(str(other)) == {}
    assert seeded(source, volume(tmp_path, "again"), other)["shared_bytes"] == 0
    assert (other / "bin/tool").read_text() == "of another size", "it was replaced, not written to"


@pytest.mark.parametrize("time", ["1000000", "7"])
def test_same_size_and_time_are_not_enough(source: Path, target: Path, tmp_path: Path, time: str) -> None:
    seeded(source, target)
    changed = f"printf toom > bin/tool; touch -d @{time} bin/tool"
    subprocess.run(["sh", "-c", changed], cwd=source, check=True)
    following = volume(tmp_path, "following")
    seeded(source, following, target)
    assert (following / "bin/tool").read_text() == "toom"
    assert (target / "bin/tool").read_text() == "tool"


def test_hashes_that_the_image_brings(
    source: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they say of unchanged files is believed; a file that is copied is read anyway."""
    # Of this one sha256sum writes no plain line.
    odd = source / "back\\slash"
    odd.write_text("x")
    os.utime(odd, (1_000_000, 1_000_000))
    seeded(source, target)
    odd.write_text("y")
    os.utime(odd, (1_000_000, 1_000_000))
    (source / "link").unlink()
    (source / "link").write_text("a file now")
    command = "find . -type f ! -name .sha256sums -exec sha256sum {} + > .sha256sums"
    subprocess.run(["sh", "-c", command], cwd=source, check=True)
    read: list[str] = []
    hash_files = script.hash_files

    def watched(root: str, paths: list[str]) -> list[str]:
        read.extend(paths)
        return hash_files(root, paths)

    monkeypatch.setattr(script, "hash_files", watched)
    monkeypatch.setattr(script, "complete", lambda *args: None)
    following = volume(tmp_path, "following")
    link(following, target)
    script.seed(str(source), str(following), DIGEST, True, str(target))
    assert read == ["back\\slash"]
    assert (following / "bin/tool").samefile(target / "bin/tool")
    assert not (following / ".sha256sums").exists()


def test_hashes_of_another_image(source: Path, target: Path, tmp_path: Path) -> None:
    """They are of the image below: one file has changed since, and nobody can see that without reading it."""
    command = "find . -type f ! -name .sha256sums -exec sha256sum {} + > .sha256sums"
    subprocess.run(["sh", "-c", command], cwd=source, check=True)
    seeded(source, target)
    subprocess.run(["sh", "-c", "printf toom > bin/tool; touch -d @1000000 bin/tool"], cwd=source, check=True)
    following = volume(tmp_path, "following")
    seeded(source, following, target, claims=False)
    assert (following / "bin/tool").read_text() == "toom"
    assert manifest(source) == manifest(following)


def test_wrong_hashes_in_the_image_harm_nothing(source: Path, target: Path) -> None:
    wrong = "".join(f"{'0' * 64}  ./{path}\n" for path in ("bin/tool", "bin/other", "nothing"))
    (source / ".sha256sums").write_text(wrong + "no line of ours\n")
    seeded(source, target)


def test_repair_of_a_volume_without_manifest(source: Path, target: Path) -> None:
    """As volumes were sealed once."""
    seeded(source, target)
    (target / ".manifest").unlink()
    (target / ".sealed").chmod(0o644)
    (target / ".sealed").write_text(json.dumps({"digest": DIGEST, "manifest": "of another kind"}))
    assert script.verify(str(target)) == {".manifest": "is missing or differs in content"}
    script.repair(str(source), str(target), DIGEST)
    assert script.verify(str(target)) == {}


def test_large_trees_use_all_cores(tmp_path: Path, target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(script.MANY * 3):
        (many / f"{number}").write_text(str(number))
    (many / "large").write_bytes(bytes(script.LARGE + 1))
    seeded(many, target)
    assert "Sealed: 769 files, 8.39 MB, " in capsys.readouterr().out


def test_portions() -> None:
    large = script.LARGE
    sizes = {"a": 1, "b": large, "c": large - 1, "d": 2 * large, "e": 1}
    assert list(script.portions(sizes)) == [["d"], ["b"], ["a", "c"], ["e"]]
    assert list(script.portions({})) == []


def test_progress(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(script, "PROGRESS", 0.0)
    seeded(source, target)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Copied: 3 of 3 files, 0.00 MB of 0.00 MB"
    assert lines[1].startswith("Compared: 4 of 4 files")


class Free:
    """What a file system says of its room."""

    f_frsize = 4096

    def __init__(self, blocks: int, files: int, free_files: int) -> None:
        self.f_bavail, self.f_files, self.f_favail = blocks, files, free_files


@pytest.mark.parametrize(
    ("free", "words"),
    [
        # Two folders below the root and the root itself, two files with a block, one with none.
        (Free(5, 1000, 1000), ""),
        (Free(4, 1000, 1000), "this takes 0.02 MB, and 0.02 MB are free"),
        (Free(5, 1000, 5), "this takes 10 inodes, and 5 are free"),
        (Free(5, 0, 0), ""),
    ],
)
def test_room(source: Path, free: os.statvfs_result, words: str) -> None:
    problem = script.room_problem(dict(script.walk(str(source))), free)
    assert problem.startswith(words)
    assert bool(problem) is bool(words)


@pytest.mark.parametrize(
    ("exc", "words"),
    [
        (script.SeedError("so it is"), "so it is"),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), "the disk became full: remove images"),
        (OSError(errno.EACCES, "Permission denied", "/x"), "/x: Permission denied"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_sentences(exc: Exception, words: str) -> None:
    assert script.sentence_of(exc).startswith(words)


def test_as_a_program(source: Path, target: Path, tmp_path: Path) -> None:
    def run(*argv: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-", *map(str, argv)]
        return subprocess.run(
            command, input=Path(script.__file__).read_text(), capture_output=True, text=True, check=False
        )

    missing = run("seed", tmp_path / "nothing", target, DIGEST, 1)
    assert missing.returncode == 1
    assert re.fullmatch(r"FAILED: the image has no folder .*: correct source_path.*\n", missing.stderr)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(source / "socket"))
        odd = run("seed", source, target, DIGEST, 1)
    assert "source/socket is neither a file nor a folder nor a link" in odd.stderr
    (source / "socket").unlink()
    assert not (target / ".sealed").exists()
    assert run("seed", source, target, DIGEST, 1).returncode == 0
    (target / "broken").unlink()
    found = run("verify", target)
    assert json.loads(found.stdout.splitlines()[-1]) == {"count": 1, "paths": {"broken": "is missing"}}
    assert run("repair", source, target, DIGEST).returncode == 0
    assert json.loads(run("verify", target).stdout.splitlines()[-1])["count"] == 0
