# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A rotation of the keys in a file: begun once, finished once, and never shown."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from engine import ModuleRunner

OLD = "0f" * 32


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "crypt-key"
    file.write_text(f"{OLD}\n", encoding="utf-8")
    file.chmod(0o600)
    return file


def test_a_rotation(run_module: ModuleRunner, file: Path) -> None:
    def call(state: str, check: bool = False) -> dict[str, t.Any]:
        return run_module("key_rotation", check, path=str(file), state=state)

    checked = call("begun", check=True)
    assert (checked["changed"], checked["keys"]) == (True, 2)
    assert file.read_text() == f"{OLD}\n"
    assert call("begun")["changed"] is True
    new, old = file.read_text().split()
    assert (old, len(new), file.stat().st_mode & 0o777) == (OLD, 64, 0o600)
    # One that was not finished goes on.
    assert call("begun")["changed"] is False
    assert call("finished", check=True)["keys"] == 1
    finished = call("finished")
    assert (finished["changed"], finished["keys"]) == (True, 1)
    assert new not in str(finished)
    assert file.read_text() == f"{new}\n"
    assert call("finished")["changed"] is False
    assert [path.name for path in file.parent.iterdir()] == ["crypt-key"]


def test_no_file(run_module: ModuleRunner, tmp_path: Path) -> None:
    path = str(tmp_path / "none")
    failed = run_module("key_rotation", False, path=path, state="begun")
    assert failed["msg"].startswith(f"path is {path}, which cannot be read")
