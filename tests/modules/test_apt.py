# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Packages are installed on a host where something else installs some, too: real locks, real packages."""

from __future__ import annotations

import time
import typing as t

import pytest
from engine import ModuleRunner, docker

FRONTEND, LISTS = "/var/lib/dpkg/lock-frontend", "/var/lib/apt/lists/lock"
# For some seconds; for 0, until it was in the way of a second module, so that somebody has waited for it.
HOLD = """
import fcntl, glob, re, sys, time
held = open(sys.argv[1], 'w')
fcntl.lockf(held, fcntl.LOCK_EX)
time.sleep(float(sys.argv[2]))
seen = set()
while sys.argv[2] == '0' and len(seen) < 2:
    for path in glob.glob('/proc/[0-9]*/cmdline'):
        try:
            seen.update(re.findall('ansible-tmp-[0-9.-]+/AnsiballZ_apt', open(path).read()))
        except OSError:
            pass
    time.sleep(0.05)
time.sleep(4 if sys.argv[2] == '0' else 0)
"""
RUNNING = "pgrep -f '[b]in/unattended-upgrade'"


class Host:
    """A container that a playbook would reach like a server."""

    def __init__(self, name: str, run_module: ModuleRunner) -> None:
        self.name, self._run = name, run_module

    def sh(self, command: str, *flags: str) -> str:
        return docker("exec", *flags, self.name, "sh", "-c", command)

    def hold(self, lock: str, seconds: float) -> None:
        self.sh(f"python3 /usr/local/bin/unattended-upgrade {lock} {seconds}", "--detach")
        deadline = time.monotonic() + 10
        while not self.sh(f"{RUNNING} || true") and time.monotonic() < deadline:
            time.sleep(0.1)

    def apt(self, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
        argv = self._run.argv("apt", params, check, host=self.name)
        how = ["--inventory", f"{self.name},", "--connection", "community.docker.docker"]
        return self._run.run([*argv, *how, "--extra-vars", "ansible_python_interpreter=/usr/bin/python3"])

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
    host.hold(lock, 0)
    done = host.apt(name=["less"], wait=120)
    assert done["failed"] is False, done
    assert done["changed"] is True
    assert len(done["waited"]) == 1
    assert done["waited"][0].startswith("unattended-upgrade (process ")
    assert done["waited"][0].endswith(f") holds {lock}")
    assert "yet, as unattended-upgrade (process " in done["printed"]
    assert "waiting, for up to 1" in done["printed"]


def test_after_the_limit_one_sentence_says_who_and_what_to_do(host: Host) -> None:
    host.lacks("less")
    host.hold(FRONTEND, 600)
    try:
        # Check mode takes no lock, and waits for none.
        assert host.apt(check=True, name=["less"], wait=600)["changed"] is True
        asked = host.apt(check=True, wait=600)
        assert asked["changed"] is False
        assert "a run without --check waits" in asked["printed"]
        refused = host.apt(name=["less"], wait=1)
    finally:
        host.sh(f"kill $({RUNNING}) || true")
    assert refused["failed"] is True
    assert refused["msg"].startswith(
        f"Packages cannot be installed on {host.name}: after 1 s of waiting, unattended-upgrade (process "
    )
    assert "run again when it is done, or allow more seconds with bootstrap_packages_wait." in refused["msg"]
    assert "Traceback" not in str(refused)


@pytest.mark.slow
def test_what_an_interrupted_run_left_is_finished(host: Host) -> None:
    """dpkg's journal with an entry: apt refuses, as after a run that was killed."""
    host.lacks("less")
    host.sh("touch /var/lib/dpkg/updates/0001")
    assert "dpkg was interrupted" in host.sh("apt-get install -qq -y less 2>&1 || true")
    done = host.apt(name=["less"])
    assert done["failed"] is False, done
    assert host.sh("dpkg-query --show --showformat='${db:Status-Status}' less") == "installed"


@pytest.mark.slow
def test_what_no_waiting_helps_is_told_at_once(host: Host) -> None:
    began = time.monotonic()
    refused = host.apt(name=["flock-of-no-birds"], wait=600)
    assert "No package matching 'flock-of-no-birds'" in refused["msg"]
    assert time.monotonic() - began < 60
