# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Run all test steps one after the other, also after a failure, and end with `N passed, N failed`.

Steps are targets of the Makefile, so that each can be repeated alone. A pytest run counts test by test, any
other step counts as one; a skipped test counts as failed, because it has proved nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
RESULTS = REPO / ".cache/test-results"


@dataclasses.dataclass(frozen=True)
class Step:
    """One target of the Makefile; limit is in minutes, against a step that hangs."""

    name: str
    target: str
    variables: tuple[str, ...] = ()
    limit: int = 15


def molecule(scenario: str, limit: int = 20) -> Step:
    return Step(f"molecule-{scenario}", "molecule", (f"SCENARIO={scenario}",), limit)


STEPS = [
    Step("lint", "lint"),
    Step("docs-check", "docs-check"),
    Step("unit", "unit"),
    Step("engine", "engine"),
    Step("modules", "modules", limit=25),
    molecule("users"),
    molecule("docker"),
    molecule("images"),
    molecule("edge"),
    molecule("jupyterhub"),
    Step("e2e", "e2e", limit=30),
]


@dataclasses.dataclass
class Outcome:
    step: Step
    passed: int
    failed: int
    seconds: float
    remark: str = ""


def count(report: Path) -> tuple[int, int]:
    """Passed and not passed tests of a JUnit report."""
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    totals = [
        {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
        for suite in suites
    ]
    failed = sum(total["failures"] + total["errors"] + total["skipped"] for total in totals)
    return sum(total["tests"] for total in totals) - failed, failed


def run(step: Step) -> Outcome:
    print(f"\n==== {step.name} ====", flush=True)
    report = RESULTS / f"{step.name}.xml"
    report.unlink(missing_ok=True)
    options = f"{os.environ.get('PYTEST_ADDOPTS', '')} --junitxml={report} -o junit_suite_name={step.name}"
    started = time.monotonic()
    # A group of its own: a step that hangs is ended with all that it started.
    process = subprocess.Popen(
        ["make", step.target, *step.variables],
        cwd=REPO,
        env={**os.environ, "PYTEST_ADDOPTS": options.strip()},
        start_new_session=True,
    )
    remark = ""
    try:
        status = process.wait(timeout=step.limit * 60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGTERM)
        status, remark = process.wait(timeout=60), f"took longer than {step.limit} minutes"
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGTERM)
        raise
    passed, failed = count(report) if report.exists() else (0, 0)
    if status != 0 and failed == 0:
        failed, remark = 1, remark or "failed outside its tests"
    if status == 0 and step.target == "molecule" and passed + failed == 0:
        # Molecule calls a scenario without tests successful.
        failed, remark = 1, "has no tests"
    if status == 0 and passed + failed == 0:
        passed = 1
    return Outcome(step, passed, failed, time.monotonic() - started, remark)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--stop", action="store_true", help="stop at the first step that fails")
    parser.add_argument(
        "steps", nargs="*", metavar="STEP", help=f"of {', '.join(step.name for step in STEPS)}"
    )
    arguments = parser.parse_args()
    unknown = set(arguments.steps) - {step.name for step in STEPS}
    if unknown:
        parser.error(f"no such step: {', '.join(sorted(unknown))}")

    RESULTS.mkdir(parents=True, exist_ok=True)
    outcomes = []
    for step in STEPS:
        if arguments.steps and step.name not in arguments.steps:
            continue
        outcomes.append(run(step))
        if arguments.stop and outcomes[-1].failed:
            break

    print("\n==== summary ====")
    for one in outcomes:
        state = "FAILED" if one.failed else "passed"
        print(
            f"{state}  {one.step.name:<22} {one.passed:4d} passed {one.failed:4d} failed "
            f"{one.seconds:6.0f} s  {one.remark}".rstrip()
        )
    failed = sum(one.failed for one in outcomes)
    line = f"{sum(one.passed for one in outcomes)} passed, {failed} failed"
    (RESULTS / "summary.txt").write_text(f"{line}\n")
    print(line, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
