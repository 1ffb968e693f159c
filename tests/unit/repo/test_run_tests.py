# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The runner behind `make test` counts what pytest reports."""

from __future__ import annotations

import importlib.util
import os
import subprocess
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


def test_a_tier_is_without_slow_steps_and_tests(
    runner: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:cacheprovider")
    lane = [runner.Step("quick", "quick"), runner.Step("slow", "slow", slow=True)]
    assert [step.name for step in runner.choose(lane, [], slow=False)] == ["quick"]
    assert [step.name for step in runner.choose(lane, [], slow=True)] == ["quick", "slow"]
    # What is asked for by its name is run.
    assert [step.name for step in runner.choose(lane, ["slow"], slow=False)] == ["slow"]

    (tmp_path / "pyproject.toml").write_bytes((tree.REPO / "pyproject.toml").read_bytes())
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\ndef test_quick(): pass\n\n@pytest.mark.slow\ndef test_slow(): pass\n"
    )
    for slow, expected in ((False, (1, 0)), (True, (2, 0))):
        options = runner.Runner(False, False, [], slow).options(lane[0], tmp_path / "report.xml")
        argv = [sys.executable, "-m", "pytest", "-q", "test_it.py"]
        environment = {**os.environ, "PYTEST_ADDOPTS": options}
        subprocess.run(argv, cwd=tmp_path, env=environment, check=True, capture_output=True)
        assert runner.count(tmp_path / "report.xml") == expected


def test_what_is_slow_is_told(runner: t.Any) -> None:
    """The marks are found in the source: by whole files, tests, and cases."""
    found = list(runner.marked_slow())
    assert "tests/modules/test_stacks.py" in found
    assert "tests/modules/test_software_volume.py::test_killed (some cases)" in found
    marked = [
        path
        for folder in ("tests", "molecule")
        for path in tree.files(".py", under=folder)
        if path.name not in ("test_run_tests.py", "run_tests.py") and "mark.slow" in path.read_text()
    ]
    assert {tree.name(path) for path in marked} == {name.partition("::")[0] for name in found}


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


def test_more_jobs_than_lanes_take_what_is_free(runner: t.Any) -> None:
    one, other = runner.Step("one", "one"), runner.Step("other", "other")
    assert runner.side_by_side([[one], [other]], 3) == [[one], [other], []]
    # Fewer work one lane after the other.
    assert runner.side_by_side([[one], [other]], 1) == [[one], [other]]
