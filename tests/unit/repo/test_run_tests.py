# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The runner behind `make test` counts what pytest reports."""

from __future__ import annotations

import importlib.util
import sys
import threading
import typing as t
from pathlib import Path

import pytest

from . import tree


@pytest.fixture(scope="module")
def runner() -> t.Any:
    spec = importlib.util.spec_from_file_location("run_tests", tree.REPO / "tests/tools/run_tests.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by its name.
    sys.modules["run_tests"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ('tests="3" failures="0" errors="0" skipped="0"', (3, 0)),
        ('tests="3" failures="1" errors="1" skipped="0"', (1, 2)),
        # A skipped test has proved nothing.
        ('tests="3" failures="0" errors="0" skipped="2"', (1, 2)),
    ],
)
def test_count(runner: t.Any, tmp_path: Path, counts: str, expected: tuple[int, int]) -> None:
    report = tmp_path / "report.xml"
    report.write_text(f'<testsuites><testsuite name="x" {counts}></testsuite></testsuites>')
    assert runner.count(report) == expected


def test_every_step_is_a_target(runner: t.Any) -> None:
    makefile = (tree.REPO / "Makefile").read_text()
    assert [step.target for step in runner.STEPS if f"\n{step.target}:" not in makefile] == []


def test_every_scenario_is_a_step(runner: t.Any) -> None:
    scenarios = {file.parent.name for file in (tree.REPO / "molecule").glob("*/molecule.yml")}
    steps = {step.name.removeprefix("molecule-") for step in runner.STEPS if step.target == "molecule"}
    assert scenarios == steps


def test_a_lane_that_is_done_takes_what_is_free(runner: t.Any) -> None:
    ran: dict[str, list[str]] = {"a": [], "b": []}
    slow = threading.Event()

    class Recorded(runner.Runner):  # type: ignore[misc]
        def run(self, step: t.Any) -> t.Any:
            lane = threading.current_thread().name
            ran[lane].append(step.name)
            if step.name == "slow":
                assert slow.wait(10)
            if step.name == "last":
                slow.set()
            return runner.Outcome(step, 1, 0, 0.0)

    steps = {name: runner.Step(name, name) for name in ("slow", "quick", "first", "last")}
    one = Recorded(stream=False, stop=False, free=[steps["first"], steps["last"]])
    threads = [
        threading.Thread(target=one.lane, args=([steps[name]],), name=lane)
        for lane, name in (("a", "slow"), ("b", "quick"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert ran == {"a": ["slow"], "b": ["quick", "first", "last"]}
