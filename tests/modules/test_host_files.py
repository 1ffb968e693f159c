# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Folders and small files in one call."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from engine import ModuleRunner

Entries = list[dict[str, t.Any]]


@pytest.fixture
def entries(tmp_path: Path) -> Entries:
    owner = {"owner": str(os.getuid()), "group": str(os.getgid())}
    return [
        {"path": str(tmp_path / "a/b"), **owner},
        {"path": str(tmp_path / "a/b/script"), "content": "#!/bin/sh\n", "mode": "0755", **owner},
        {"path": str(tmp_path / "a/text"), "content": "häi\n", **owner},
    ]


def test_life(run_module: ModuleRunner, entries: Entries, tmp_path: Path) -> None:
    check = run_module("host_files", check=True, entries=entries)
    assert check["changed"] is True
    assert not list(tmp_path.glob("a*"))
    assert "+#!/bin/sh" in check["printed"]
    made = run_module("host_files", entries=entries)
    assert made["changed"] is True, made
    assert made["paths"][entries[0]["path"]] == {"changed": True, "uid": os.getuid(), "gid": os.getgid()}
    assert (tmp_path / "a/b/script").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "a/text").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "a/text").read_text(encoding="utf-8") == "häi\n"
    assert run_module("host_files", entries=entries)["changed"] is False

    entries[2]["content"] = "new\n"
    (tmp_path / "a/b/script").chmod(0o700)
    check = run_module("host_files", check=True, entries=entries)
    assert "-häi" in check["printed"]
    assert '"mode": "0755"' in check["printed"]
    assert [item["changed"] for item in check["paths"].values()] == [False, True, True]
    assert (tmp_path / "a/text").read_text(encoding="utf-8") == "häi\n"
    changed = run_module("host_files", entries=entries)
    assert changed["paths"] == {
        path: {**item, "changed": check["paths"][path]["changed"]} for path, item in changed["paths"].items()
    }
    assert (tmp_path / "a/text").read_text(encoding="utf-8") == "new\n"


def test_only(run_module: ModuleRunner, entries: Entries, tmp_path: Path) -> None:
    folder = tmp_path / "a/b"
    (folder / "old/deep").mkdir(parents=True)
    (folder / "older").symlink_to("/etc")
    entries[0]["only"] = ["script"]
    check = run_module("host_files", check=True, entries=entries)
    assert "-old\n-older" in check["printed"]
    assert {path.name for path in folder.iterdir()} == {"old", "older"}
    assert run_module("host_files", entries=entries)["changed"] is True
    assert {path.name for path in folder.iterdir()} == {"script"}
    assert run_module("host_files", entries=entries)["changed"] is False


@pytest.mark.parametrize(
    ("kind", "path", "content", "message"),
    [
        ("file", "x", None, "which is a file on this host where a folder is needed: move it away."),
        ("folder", "x", "text", "which is a folder on this host where a file is needed: move it away."),
        ("link", "x", "text", "which is a link on this host where a file is needed: move it away."),
        ("none", "x/y", "text", "whose folder does not exist: put that before it."),
    ],
)
def test_what_is_in_the_way(
    run_module: ModuleRunner, tmp_path: Path, kind: str, path: str, content: str | None, message: str
) -> None:
    there = tmp_path / "x"
    if kind == "file":
        there.touch()
    elif kind == "folder":
        there.mkdir()
    elif kind == "link":
        there.symlink_to("/etc/passwd")
    result = run_module("host_files", entries=[{"path": str(tmp_path / path), "content": content}])
    assert result["failed"]
    assert result["msg"] == f"entries has {tmp_path / path}, {message}"
