# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Packages are installed on a host where something else installs some, too: real locks, real packages."""

from __future__ import annotations

import re
import subprocess
import time
import typing as t

import pytest
from engine import ModuleRunner, docker

pytestmark = pytest.mark.slow

FRONTEND, LISTS = "/var/lib/dpkg/lock-frontend", "/var/lib/apt/lists/lock"
HOLD = """
import fcntl, sys, time
held = open(sys.argv[1], 'w')
fcntl.lockf(held, fcntl.LOCK_EX)
time.sleep(600)
"""
RUNNING = "pgrep -f '[b]in/unattended-upgrade'"


class Host:
    """A container that a playbook would reach like a server."""

    def __init__(self, name: str, run_module: ModuleRunner) -> None:
        self.name, self._run = name, run_module

    def sh(self, command: str, *flags: str) -> str:
        return docker("exec", *flags, self.name, "sh", "-c", command)

    def hold(self, lock: str) -> None:
        self.sh(f"python3 /usr/local/bin/unattended-upgrade {lock}", "--detach")
        deadline = time.monotonic() + 10
        while not self.sh(f"{RUNNING} || true") and time.monotonic() < deadline:
            time.sleep(0.1)

    def let_go(self) -> None:
        self.sh(f"kill $({RUNNING}) || true")

    def _argv(self, params: dict[str, t.Any], check: bool) -> list[str]:
        argv = self._run.argv("apt", params, check, host=self.name)
        how = ["--inventory", f"{self.name},", "--connection", "community.docker.docker"]
        return [*argv, *how, "--extra-vars", "ansible_python_interpreter=/usr/bin/python3"]

    def apt(self, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
        return self._run.run(self._argv(params, check))

    def apt_in_the_way(self, **params: t.Any) -> str:
        """What a run says, from which the lock is taken away when it has told that it waits."""
        argv, said = self._argv(params, False), ""
        with subprocess.Popen(argv, env=self._run.env, stdout=subprocess.PIPE, text=True) as run:
            assert run.stdout
            for line in run.stdout:
                said += line
                if "waiting, for up to" in line:
                    self.let_go()
        return said

    def lacks(self, package: str) -> None:
        self.sh(f"dpkg --purge {package}")


@pytest.fixture(scope="module")
def host(run_module: ModuleRunner, prefix: str, base: str) -> t.Iterator[Host]:
    name = f"{prefix}-apt"
    docker("run", "--detach", "--init", f"--name={name}", base, "sleep", "3600")
    found = Host(name, run_module)
    found.sh(f'echo "{HOLD}" >/usr/local/bin/unattended-upgrade')
    install = "apt-get install -qq -y --no-install-recommends python3-apt procps less >/dev/null 2>&1"
    found.sh(f"apt-get update -qq && {install}")
    yield found
    docker("rm", "--force", name)


@pytest.mark.parametrize("lock", [FRONTEND, pytest.param(LISTS, marks=pytest.mark.slow)])
def test_whoever_holds_a_lock_is_waited_for_and_named(host: Host, lock: str) -> None:
    host.lacks("less")
    # Lists that are to be fetched again.
    host.sh("find /var/lib/apt -exec touch --date='3 days ago' {} +")
    host.hold(lock)
    said = host.apt_in_the_way(name=["less"], wait=600)
    assert re.search(
        rf"yet, as unattended-upgrade \(process \d+\) holds {lock}: waiting, for up to \d+ s", said
    ), said
    assert " | CHANGED => {" in said, said
    assert re.search(rf'"waited": \[\s*"unattended-upgrade \(process \d+\) holds {lock}"\s*\]', said), said


def test_after_the_limit_one_sentence_says_who_and_what_to_do(host: Host) -> None:
    host.lacks("less")
    host.hold(FRONTEND)
    try:
        # Check mode takes no lock, and waits for none.
        assert host.apt(check=True, name=["less"], wait=600)["changed"] is True
        asked = host.apt(check=True, wait=600)
        assert asked["changed"] is False
        assert "a run without --check waits" in asked["printed"]
        refused = host.apt(name=["less"], wait=1)
    finally:
        host.let_go()
    assert refused["failed"] is True
    assert refused["msg"].startswith(
        f"Packages cannot be installed on {host.name}: after 1 s of waiting, unattended-upgrade (process "
    )
    assert "run again when it is done, or allow more seconds with bootstrap_packages_wait." in refused["msg"]
    assert "Traceback" not in str(refused)


def test_what_an_interrupted_run_left_is_finished(host: Host) -> None:
    """dpkg's journal with an entry: apt refuses, as after a run that was killed."""
    host.lacks("less")
    host.sh("touch /var/lib/dpkg/updates/0001")
    assert "dpkg was interrupted" in host.sh("apt-get install -qq -y less 2>&1 || true")
    done = host.apt(name=["less"])
    assert done["failed"] is False, done
    assert host.sh("dpkg-query --show --showformat='${db:Status-Status}' less") == "installed"


def test_what_no_waiting_helps_is_told_at_once(host: Host) -> None:
    began = time.monotonic()
    refused = host.apt(name=["flock-of-no-birds"], wait=600)
    assert "No package matching 'flock-of-no-birds'" in refused["msg"]
    assert time.monotonic() - began < 60


def test_lists_of_packages_that_are_missing_are_fetched(host: Host) -> None:
    """As in an image of a cloud: their folder is new, and empty."""
    host.lacks("less")
    host.sh("find /var/lib/apt/lists -type f -delete; rm -f /var/cache/apt/*.bin; touch /var/lib/apt/lists")
    done = host.apt(name=["less"])
    assert done["failed"] is False, done
    assert host.sh("dpkg-query --show --showformat='${db:Status-Status}' less") == "installed"
