# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A run that is killed, wherever it is, and another one after it end in the state of one clean run.

E2E_KILLS says how many kills; they are spread over the tasks that change something. One place is among the
steps of test_site.py, too.
"""

from __future__ import annotations

import os

import pytest
from deployment import Deployment
from kill import kill_in

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("E2E_KILLS", "3"))


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


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_run(site: Deployment, clean: tuple[list[str], dict[str, object]], number: int) -> None:
    tasks, state = clean
    task = tasks[(2 * number + 1) * len(tasks) // (2 * KILLS)]
    kill_in(site, f"TASK [{task}]")
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
