# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Who holds a lock, with real locks of real processes; and the program that the Makefile starts."""

from __future__ import annotations

import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core import apt_locks as apt

HOLD = """
import fcntl, sys, time
held = open(sys.argv[1], "w")
fcntl.lockf(held, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def hold(tmp_path: Path) -> t.Iterator[t.Callable[[Path, float], int]]:
    """Hold a lock as dpkg does, from a script of a telling name."""
    script = tmp_path / "unattended-upgrade"
    script.write_text(HOLD)
    started = []

    def start(lock: Path, seconds: float = 60) -> int:
        argv = [sys.executable, str(script), str(lock), str(seconds)]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        return process.pid

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_holder_is_named(tmp_path: Path, hold: t.Callable[..., int]) -> None:
    lock = tmp_path / "lock-frontend"
    assert apt.busy([str(lock)]) == ""
    lock.touch()
    assert apt.busy([str(lock)]) == ""
    pid = hold(lock)
    assert (
        apt.busy([str(tmp_path / "other"), str(lock)]) == f"unattended-upgrade (process {pid}) holds {lock}"
    )


def test_the_program_waits_and_tells(
    tmp_path: Path, hold: t.Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "lock"
    pid = hold(lock, 1)
    assert apt.main(["60", "PACKAGES_WAIT"], [str(lock)]) == 0
    said = capsys.readouterr().out
    who = f"unattended-upgrade (process {pid}) holds {lock}"
    assert f"on this machine yet, as {who}: waiting, for up to 60 s" in said


def test_the_program_ends_with_one_sentence(
    tmp_path: Path, hold: t.Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "lock"
    pid = hold(lock)
    assert apt.main(["0", "PACKAGES_WAIT"], [str(lock)]) == 1
    who = f"unattended-upgrade (process {pid}) holds {lock}"
    fix = "run again when it is done, or allow more seconds with PACKAGES_WAIT."
    first = f"Packages cannot be installed on this machine: after 0 s of waiting, {who}."
    assert capsys.readouterr().err == f"{first} See there what it does (ps -ef), and {fix}\n"


def test_it_runs_by_itself(tmp_path: Path) -> None:
    """Without the collection in reach, as the Makefile starts it."""
    argv = [sys.executable, "-I", apt.__file__, "0", "PACKAGES_WAIT"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("names", "is_so"), [([], False), (["tmp.i"], False), (["0003"], True)])
def test_an_interrupted_run_is_seen(tmp_path: Path, names: list[str], is_so: bool) -> None:
    for name in names:
        (tmp_path / name).touch()
    assert apt.interrupted(str(tmp_path)) is is_so
    assert apt.interrupted(str(tmp_path / "none")) is False


def test_a_first_boot_that_is_over_or_never_was_is_no_reason(tmp_path: Path) -> None:
    assert apt.cloud_init_runs(str(tmp_path)) is False
    for name in ("enabled", "result.json"):
        (tmp_path / name).touch()
    assert apt.cloud_init_runs(str(tmp_path)) is False
