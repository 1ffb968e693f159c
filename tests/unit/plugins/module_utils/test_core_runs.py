# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Names of runs, and whether they go on."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core import runs


def test_a_run_that_goes_on() -> None:
    token = runs.run_token(os.getpid())
    assert token.startswith(f"{os.getpid()}-")
    assert runs.is_alive(token)


def test_a_run_that_is_over() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        token = runs.run_token(process.pid)
        assert runs.is_alive(token)
        process.kill()
    assert not runs.is_alive(token)


def test_a_number_that_was_used_again() -> None:
    number, started = runs.run_token(os.getpid()).split("-")
    assert not runs.is_alive(f"{number}-{int(started) + 1}")


@pytest.mark.parametrize("token", ["", "x", "12", "12-", "-1-2", "12-34-56", "../1-2"])
def test_what_is_no_run(token: str) -> None:
    assert not runs.is_alive(token)


def test_ended_runs(tmp_path: Path) -> None:
    mine = runs.run_token(os.getpid())
    for name in (f"{mine}.run", "999999999-1.run", "notes.run", "999999999-1"):
        (tmp_path / name).touch()
    assert [path.name for path in runs.ended_runs(tmp_path)] == ["999999999-1.run"]
    assert list(runs.ended_runs(tmp_path / "nowhere")) == []
