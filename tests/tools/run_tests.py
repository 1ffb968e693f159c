# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Run the test steps, several at a time, also after a failure, and end with `N passed, N failed`.

Steps are targets of the Makefile, so that each can be repeated alone. A pytest run counts test by test, any
other step counts as one; a skipped test counts as failed, because it has proved nothing. What steps print
goes into .cache/test-results; a step that fails shows its failed tests, or its last lines. One step alone
prints as it goes.

There are two tiers. `make test` is what CI runs. `make test-all` (--all) is for releases: it adds the steps
that are marked slow below, and the tests with pytest's marker `slow`, which are deselected otherwise.
"""

from __future__ import annotations

import argparse
import ast
import collections
import contextlib
import dataclasses
import os
import re
import signal
import subprocess
import sys
import threading
import time
import typing as t
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
RESULTS = REPO / ".cache/test-results"


@dataclasses.dataclass(frozen=True)
class Step:
    """One target of the Makefile. A slow one needs --all.

    limit is in minutes, twice as many with --all: for a step that hangs, not for a slow machine.
    """

    name: str
    target: str
    variables: tuple[str, ...] = ()
    limit: int = 15
    slow: bool = False


def molecule(scenario: str, limit: int = 40, slow: bool = False) -> Step:
    return Step(f"molecule-{scenario}", "molecule", (f"SCENARIO={scenario}",), limit, slow)


# The first lane is done before the others start: it provides what they need. The others run side by side;
# steps that need the same names on the machine share one.
LANES = [
    [Step("engine", "engine")],
    # Its first test builds the images of a hub; a run that needs one of them meanwhile waits for that build.
    [Step("modules", "modules", limit=60)],
    [
        molecule("bootstrap", slow=True),
        molecule("images"),
        molecule("delivery", slow=True),
        molecule("edge"),
        molecule("sni_routing", slow=True),
        molecule("edge_ipv6", slow=True),
    ],
    # These need no image of a hub.
    [Step("lint", "lint"), Step("unit", "unit"), molecule("docker")],
]
# These share no names with any other: a lane that is done takes the next one. The longest come first, so that
# all lanes end at about the same time.
FREE = [
    Step("login", "login", limit=50),
    Step("e2e", "e2e", limit=50),
    Step("attacks", "attacks", limit=50),
    molecule("certbot", slow=True),
    Step("chaos", "chaos", limit=20, slow=True),
    Step("guest", "guest", limit=20, slow=True),
    molecule("jupyterhub"),
    molecule("monitoring", slow=True),
    molecule("data_volume", slow=True),
    molecule("users", slow=True),
    Step("inputs", "inputs"),
    Step("docs-check", "docs-check"),
]
STEPS = [step for lane in [*LANES, FREE] for step in lane]
# How much of a failed step is shown.
SHOWN_TESTS, SHOWN_LINES, SHOWN_WIDTH = 12, 30, 400


@dataclasses.dataclass
class Outcome:
    step: Step
    passed: int
    failed: int
    seconds: float
    remark: str = ""


def marked_slow() -> t.Iterator[str]:
    """The tests that are marked slow, by file; one with some slow cases is named as a whole."""
    for path in sorted([*REPO.glob("tests/*/test_*.py"), *REPO.glob("molecule/*/tests*/test_*.py")]):
        tree, file = ast.parse(path.read_text(encoding="utf-8")), path.relative_to(REPO)
        for node in tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node) == "pytestmark = pytest.mark.slow":
                yield f"{file}"
            if isinstance(node, ast.FunctionDef):
                marks = [ast.unparse(mark) for mark in node.decorator_list]
                if any(re.search(r"\bpytest\.mark\.slow\b", mark) for mark in marks):
                    whole = "pytest.mark.slow" in marks
                    yield f"{file}::{node.name}{'' if whole else ' (some cases)'}"


def count(report: Path) -> tuple[int, int]:
    """Passed and not passed tests of a JUnit report."""
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    totals = [
        {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
        for suite in suites
    ]
    failed = sum(total["failures"] + total["errors"] + total["skipped"] for total in totals)
    return sum(total["tests"] for total in totals) - failed, failed


def failed_tests(report: Path) -> list[str]:
    """The tests of a JUnit report that did not pass, each with the first line of its reason."""
    out = []
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        for kind in ("failure", "error", "skipped"):
            found = case.find(kind)
            if found is not None:
                reason = (found.get("message") or found.text or "").strip().splitlines()
                out.append(f"{case.get('classname')}::{case.get('name')}: {reason[0] if reason else kind}")
    return out


def show(name: str, remark: str) -> None:
    """Say why a step failed: its failed tests, or the end of what it printed."""
    report, log = RESULTS / f"{name}.xml", RESULTS / f"{name}.log"
    lines = failed_tests(report)[:SHOWN_TESTS] if report.exists() else []
    if not lines and log.exists():
        lines = log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
    for line in lines:
        print(f"  {name}: {line[:SHOWN_WIDTH]}")
    print(f"  {name}: {remark + '; ' if remark else ''}all that it printed: {log}", flush=True)


class Runner:
    """Runs steps, each in a process group of its own, and ends them all when it has to."""

    def __init__(self, stream: bool, stop: bool, free: list[Step], slow: bool = False) -> None:
        self.stream, self.stop, self.slow = stream, stop, slow
        self._free = collections.deque(free)
        self.stopped = threading.Event()
        self._processes: set[subprocess.Popen[bytes]] = set()

    def end(self) -> None:
        """End what runs, and start nothing more."""
        self.stopped.set()
        for process in list(self._processes):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)

    def _next(self, steps: list[Step]) -> t.Iterator[Step]:
        """The steps, and then what is left of those that any lane may take."""
        yield from steps
        with contextlib.suppress(IndexError):
            while True:
                yield self._free.popleft()

    def lane(self, steps: list[Step], alone: bool = False) -> list[Outcome]:
        """Run steps one after the other; alone: only these."""
        outcomes: list[Outcome] = []
        for step in steps if alone else self._next(steps):
            if self.stopped.is_set():
                break
            outcomes.append(self.run(step))
            if self.stop and outcomes[-1].failed:
                self.end()
        return outcomes

    def options(self, step: Step, report: Path) -> str:
        """What every pytest of a step is told, in its environment."""
        tier = "" if self.slow else " -m 'not slow'"
        more = os.environ.get("PYTEST_ADDOPTS", "")
        return f"{more} --junitxml={report} -o junit_suite_name={step.name}{tier}".strip()

    def run(self, step: Step) -> Outcome:
        print(f"==== {step.name}", flush=True)
        report, log = RESULTS / f"{step.name}.xml", RESULTS / f"{step.name}.log"
        report.unlink(missing_ok=True)
        started = time.monotonic()
        with open(log, "wb") as stream:
            process = subprocess.Popen(
                # Make hands the arguments of `make test ARGS=...`, which are ours, to every make below it.
                ["make", step.target, "ARGS=", *step.variables],
                cwd=REPO,
                # The first lane has provided it; asking again costs seconds for each step.
                env={**os.environ, "PYTEST_ADDOPTS": self.options(step, report), "ENGINE_READY": "1"}
                if step.target != "engine"
                else dict(os.environ),
                stdout=None if self.stream else stream,
                stderr=None if self.stream else subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
            self._processes.add(process)
            remark, limit = "", step.limit * (2 if self.slow else 1)
            try:
                status = process.wait(timeout=limit * 60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGTERM)
                status, remark = process.wait(timeout=60), f"took longer than {limit} minutes"
        outcome = self._outcome(step, status, remark, report, time.monotonic() - started)
        state = "FAILED" if outcome.failed else "passed"
        print(f"==== {step.name} {state} after {outcome.seconds:.0f} s", flush=True)
        if outcome.failed and not self.stream:
            show(step.name, outcome.remark)
        return outcome

    @staticmethod
    def _outcome(step: Step, status: int, remark: str, report: Path, seconds: float) -> Outcome:
        passed, failed = count(report) if report.exists() else (0, 0)
        if status != 0 and failed == 0:
            failed, remark = 1, remark or "failed outside its tests"
        if status == 0 and step.target == "molecule" and passed + failed == 0:
            # Molecule calls a scenario without tests successful.
            failed, remark = 1, "has no tests"
        if status == 0 and passed + failed == 0:
            passed = 1
        return Outcome(step, passed, failed, seconds, remark)


def choose(lane: list[Step], named: t.Collection[str], slow: bool) -> list[Step]:
    """Those of a lane that are named; where none is, those of the tier."""
    return [step for step in lane if (step.name in named if named else slow or not step.slow)]


def side_by_side(lanes: list[list[Step]], jobs: int) -> list[list[Step]]:
    """The lanes, and for jobs beyond them empty ones, which take what is free."""
    return [*lanes, *([] for _ in range(jobs - len(lanes)))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--all", action="store_true", help="slow steps and slow tests as well")
    parser.add_argument("--stop", action="store_true", help="stop at the first step that fails")
    parser.add_argument("--jobs", type=int, default=3, help="steps at a time (default: 3)")
    parser.add_argument(
        "steps", nargs="*", metavar="STEP", help=f"of {', '.join(step.name for step in STEPS)}"
    )
    arguments = parser.parse_args()
    unknown = set(arguments.steps) - {step.name for step in STEPS}
    if unknown:
        parser.error(f"no such step: {', '.join(sorted(unknown))}")

    RESULTS.mkdir(parents=True, exist_ok=True)
    *chosen, free = [choose(lane, arguments.steps, arguments.all) for lane in [*LANES, FREE]]
    if arguments.all:
        print("Beyond `make test`:")
        for what in [*(f"step {step.name}" for step in STEPS if step.slow), *marked_slow()]:
            print(f"  {what}")
    alone = sum(map(len, [*chosen, free])) == 1
    runner = Runner(stream=alone, stop=arguments.stop, free=free, slow=arguments.all)
    started = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        outcomes = runner.lane(chosen[0], alone=True)
        with ThreadPoolExecutor(max_workers=arguments.jobs) as pool:
            lanes = side_by_side(chosen[1:], arguments.jobs)
            for done in [pool.submit(runner.lane, lane) for lane in lanes]:
                outcomes += done.result()
    finally:
        runner.end()

    print("\n==== summary ====")
    for one in outcomes:
        state = "FAILED" if one.failed else "passed"
        print(
            f"{state}  {one.step.name:<22} {one.passed:4d} passed {one.failed:4d} failed "
            f"{one.seconds:6.0f} s  {one.remark}".rstrip()
        )
    failed = sum(one.failed for one in outcomes)
    for one in outcomes:
        if one.failed and not runner.stream:
            show(one.step.name, one.remark)
    print(f"{(time.monotonic() - started) / 60:.1f} minutes")
    line = f"{sum(one.passed for one in outcomes)} passed, {failed} failed"
    (RESULTS / "summary.txt").write_text(f"{line}\n")
    print(line, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
