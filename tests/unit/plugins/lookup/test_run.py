# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which run of a playbook is which, and whether it has ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.lookup import run


def test_a_run_has_one_name_in_all_its_processes() -> None:
    script = """
import multiprocessing, os, sys
sys.path.insert(0, sys.argv[1])
import run
def ask():
    print(os.getpid(), run.LookupModule().run([])[0], flush=True)
ask()
child = multiprocessing.get_context("fork").Process(target=ask)
child.start()
child.join()
"""
    argv = [sys.executable, "-c", script, str(Path(run.__file__).parent)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    (first, name), (second, again) = (line.split(" ", 1) for line in done.stdout.splitlines())
    assert first != second
    assert name == again
    assert f", process {first}, since " in name
    # It is over by now.
    assert run.has_ended(name)


@pytest.mark.parametrize(
    ("name", "ended"),
    [
        (f"ada at {run.name_of(os.getpid())}", False),
        # Another process with the same number, and one of another controller.
        (f"ada at {run.name_of(os.getpid())}".replace("since ", "since Mon "), True),
        (f"ada at elsewhere 1234, process {os.getpid()}, since then", False),
        ("", False),
        ("ada at x, process $(id), since then", False),
    ],
)
def test_only_what_is_known_to_have_ended_has(name: str, ended: bool) -> None:
    assert run.has_ended(name) == ended
