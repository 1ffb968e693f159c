# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Runs that end in the middle."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from deployment import Deployment, wait_until


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


def kill_in(site: Deployment, task: str, playbook: str = "site") -> None:
    """Start a playbook and kill it, with all that it started, a moment after it has come to a task."""
    argv, env = site.command(playbook)
    log = site.folder / "killed.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(argv, env=env, cwd=site.folder, stdout=output, stderr=subprocess.STDOUT)

        def came() -> bool:
            return f"TASK [{task}]" in log.read_text(encoding="utf-8")

        wait_until(lambda: came() or process.poll() is not None, 900, task)
        time.sleep(0.3)
        assert process.poll() is None, log.read_text(encoding="utf-8")[-3000:]
        for pid in [*descendants(process.pid), process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(60)
