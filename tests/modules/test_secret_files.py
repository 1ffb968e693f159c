# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Secrets as files: made once, kept, replaced when given, never shown."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from engine import ModuleRunner

Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def write(run_module: ModuleRunner, tmp_path: Path) -> Run:
    def call(check: bool = False, token: str = "", password: str = "") -> dict[str, t.Any]:
        secrets = [{"name": "token", "value": token}, {"name": "password", "value": password, "bytes": 0}]
        path = str(tmp_path / "secrets")
        owner = str(os.getuid())
        return run_module("secret_files", check, path=path, owner=owner, group=owner, secrets=secrets)

    return call


def test_made_once_then_kept(write: Run, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert write(check=True)["changed"] is True
    assert not folder.exists()
    first = write()
    assert first["sources"] == {"token": "generated", "password": "absent"}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "token").stat().st_mode & 0o777 == 0o600
    assert not (folder / "password").exists()
    token = (folder / "token").read_text()
    assert len(token.strip()) == 64
    again = write()
    assert again["changed"] is False
    assert again["fingerprints"] == first["fingerprints"]
    assert (folder / "token").read_text() == token


def test_a_given_one_wins_and_is_never_shown(write: Run, tmp_path: Path) -> None:
    before = write()
    given = write(token="g" * 64, password="hunter2-hunter2")
    assert given["changed"] is True
    assert given["fingerprints"] != before["fingerprints"]
    assert "hunter2" not in str(given)
    assert "gggg" not in str(given)
    assert (tmp_path / "secrets" / "password").read_text() == "hunter2-hunter2\n"
    assert write(token="g" * 64, password="hunter2-hunter2")["changed"] is False


def test_rights_are_mended(write: Run, tmp_path: Path) -> None:
    write()
    (tmp_path / "secrets" / "token").chmod(0o644)
    assert write(check=True)["changed"] is True
    assert write()["changed"] is True
    assert (tmp_path / "secrets" / "token").stat().st_mode & 0o777 == 0o600


def test_a_missing_parent_is_named(run_module: ModuleRunner, tmp_path: Path) -> None:
    path = str(tmp_path / "not" / "there")
    result = run_module("secret_files", path=path, owner="0", group="0", secrets=[{"name": "x"}])
    assert result["failed"] is True
    assert result["msg"] == f"path is {path}: its parent folder does not exist, create it first"
