# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Tables of the kernel that all servers share: one user takes as much as fits, another one still gets some.

Found before: one user's 120 inotify instances, 3,071 terminals, 64 MiB of pipes or 65,536 requests of
asynchronous I/O were all there were, for all users of all instances and the host. The last of these are
refused by now (test_containers.py).
"""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest
from deployment import Deployment, as_root, docker
from user_client import UserClient

# What one of each is taken with, and how many are taken.
KINDS = {
    "inotify": ("libc.inotify_init()", 2000),
    "terminals": ("os.openpty()[0]", 4000),
    # A mebibyte each.
    "pipes": ("fcntl.fcntl(os.pipe()[1], 1031, 2**20)", 400),
}
TAKE = """
import ctypes, fcntl, os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
libc = ctypes.CDLL(None)
taken = 0
for _ in range(COUNT):
    try:
        taken += (CALL) >= 0
    except OSError:
        break
print(taken, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("kind", KINDS)
def test_what_one_user_takes_is_not_missed_by_another(
    site: Deployment, people: t.Callable[[str], UserClient], kind: str
) -> None:
    call, count = KINDS[kind]
    greedy, other = (people(name).container(site.instance) for name in ("otto", "nadia"))
    code = TAKE.replace("CALL", call)
    process = subprocess.Popen(
        as_root(["docker", "exec", "-i", greedy, "python3", "-c", code.replace("COUNT", str(count))]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        # The server has no more than its memory.
        assert int(process.stdout.readline()) > count / 20
        assert docker("exec", other, "python3", "-c", code.replace("COUNT", "10")) == "10"
    finally:
        process.communicate()


def test_tables_are_enlarged_for_good(site: Deployment) -> None:
    """What the kernel has now is in the file that it reads at its start, or more."""
    lines = Path("/etc/sysctl.d/10-galilean-hub-tables.conf").read_text(encoding="utf-8").splitlines()
    wanted = dict(line.split(" = ") for line in lines if not line.startswith("#"))
    assert "fs.inotify.max_user_instances" in wanted
    for name, value in wanted.items():
        path = Path("/proc/sys", *name.split("."))
        # A test host in a container lacks some, and may not set others.
        if path.exists() and path.stat().st_mode & 0o200:
            assert int(path.read_text(encoding="utf-8")) >= int(value), name
