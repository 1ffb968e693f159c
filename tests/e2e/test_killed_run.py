# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A run that is killed, wherever it is, and another one after it end in the state of one clean run.

E2E_KILLS says how many kills; they are spread over the tasks that change something. `make test` does with the
one in the middle.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from deployment import Deployment, wait_until

KILLS = int(os.environ.get("E2E_KILLS", "3"))


def descendants(pid: int) -> list[int]:
    """Return the processes below one, whatever session they made for themselves."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(stat.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(int(stat.parent.name))
    found, queue = [], [pid]
    while queue:
        children = parents.get(queue.pop(), [])
        found += children
        queue += children
    return found


def kill_in(site: Deployment, task: str) -> None:
    """Start site.yml and kill it, with all that it started, a moment after it has come to a task."""
    argv, env = site.command("site")
    log = site.folder / "killed.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(argv, env=env, cwd=site.folder, stdout=output, stderr=subprocess.STDOUT)
        wait_until(lambda: f"TASK [{task}]" in log.read_text(encoding="utf-8"), 900, task)
        time.sleep(0.3)
        assert process.poll() is None, log.read_text(encoding="utf-8")[-3000:]
        for pid in [*descendants(process.pid), process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(30)


@pytest.fixture(scope="module")
def clean(site: Deployment) -> tuple[list[str], dict[str, object]]:
    """The tasks of a clean run that change something, and what it leaves."""
    outcome = site.run("site", name="clean").assert_done()
    state = site.state()
    site.teardown(data=True).assert_done()
    # Images and packages stay when an instance is removed: only what is done again can be interrupted again.
    again = [
        task
        for task in outcome.changed_tasks()
        if ".users :" in task or ".edge :" in task or ".jupyterhub :" in task
    ]
    return again, state


@pytest.mark.parametrize(
    "number",
    [pytest.param(n, marks=[] if n == KILLS // 2 else pytest.mark.slow) for n in range(KILLS)],
)
def test_killed_run(site: Deployment, clean: tuple[list[str], dict[str, object]], number: int) -> None:
    tasks, state = clean
    task = tasks[(2 * number + 1) * len(tasks) // (2 * KILLS)]
    kill_in(site, task)
    site.run("site", name=f"after-kill-{number}").assert_done()
    assert comparable(site.state()) == comparable(state), f"killed in {task}"
    site.teardown(data=True).assert_done()


def comparable(state: dict[str, object]) -> dict[str, object]:
    """Drop what carries a digest of secrets: each installation has its own."""
    containers = state["containers"]
    assert isinstance(containers, dict)
    for container in containers.values():
        container["labels"].pop("galilean.hub.state", None)
    return state
