# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Runs in the guest, as root: disks made by the collection's own code, quotas set by the hub's own agent.

usage: inside.py KIND DEVICE. Prints one line of JSON: what happened.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
import time
import typing as t
import uuid
from pathlib import Path

from galilean_hub.disk import project_quota, rules
from galilean_hub.disk.agent import Agent, Home

from ansible_collections.galilean.hub.plugins.module_utils.volumes import data_volume_host as host_io
from ansible_collections.galilean.hub.plugins.module_utils.volumes.data_volume_disk import mounts
from ansible_collections.galilean.hub.plugins.module_utils.volumes.data_volume_guard import (
    Plan,
    Wanted,
    make_plan,
)

MIB = 2**20
LIMIT = 20 * MIB


def command(argv: t.Sequence[str]) -> tuple[int, str, str]:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def make_disk(kind: str, device: str, path: str) -> dict[str, t.Any]:
    """Make and mount it with the options that the role data_volume uses, and say what it would find then."""

    def plan() -> Plan:
        here = mounts(host_io.read("/proc/self/mountinfo"))
        wanted = Wanted(path, kind, ("noatime",))
        found = host_io.observe_disk(device, device, wanted, "", here, command)
        return make_plan(wanted, found, host_io.observe_host(wanted, "/dev/null"), str(uuid.uuid4()))

    first = plan()
    Path(path).mkdir()
    subprocess.run([f"mkfs.{kind}", *first.mkfs_options.split(), device], check=True)
    subprocess.run(["mount", "-o", first.mount_options, device, path], check=True)
    then = plan()
    return {
        "uuid": then.uuid == first.uuid,
        "format": then.format,
        "mounted": then.mounted,
        "grow": then.grow,
    }


def as_user(work: t.Callable[[], t.Any]) -> t.Any:
    """What the work returns as the user of every server: number 1000, without capabilities."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgid(1000)
        os.setuid(1000)
        try:
            result = work()
        except OSError as exc:
            result = errno.errorcode.get(exc.errno or 0)
        os.write(writer, json.dumps(result).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as handle:
        text = handle.read()
    os.waitpid(child, 0)
    return json.loads(text)


def fill(path: Path, most: int) -> list[t.Any]:
    """Write up to so much, and return how much it was and what ended it."""
    size = 0
    with path.open("wb", buffering=0) as handle:
        try:
            while size < most:
                size += handle.write(b"x" * MIB)
                os.fsync(handle.fileno())
        except OSError as exc:
            return [size, errno.errorcode[exc.errno or 0]]
    return [size, ""]


def many(folder: Path, count: int) -> list[t.Any]:
    """Make so many empty files, and return how many it were and what ended it."""
    folder.mkdir()
    for number in range(count):
        try:
            (folder / str(number)).touch()
        except OSError as exc:
            return [number, errno.errorcode[exc.errno or 0]]
    return [count, ""]


def leave(path: Path) -> None:
    """Take a file out of its project, as its owner: what users' servers must not be able to do."""
    block = bytearray(28)
    with path.open("rb") as handle:
        fcntl.ioctl(handle, 0x801C581F, block)
        block[12:16] = bytes(4)
        fcntl.ioctl(handle, 0x401C5820, block)


def unnamed(folder: Path, size: int) -> int:
    """An open file that has no name any more."""
    number = os.open(folder / "gone", os.O_RDWR | os.O_CREAT)
    os.unlink(folder / "gone")
    os.write(number, b"x" * size)
    os.fsync(number)
    os.fchown(number, 1000, 1000)
    return number


def main() -> None:
    kind, device = sys.argv[1:]
    path = f"/data-{kind}"
    out: dict[str, t.Any] = {"made": make_disk(kind, device, path)}
    out["mounted"] = next(
        one.options for one in mounts(host_io.read("/proc/self/mountinfo")) if one.path == path
    )
    volumes, folder = Path(path) / "volumes", Path(path) / "disk"
    (folder / "wanted").mkdir(parents=True)
    homes = {}
    for name in ("ada", "bob"):
        homes[name] = volumes / f"hub-home-{name}" / "_data"
        (homes[name] / "old" / "deep").mkdir(parents=True)
        # It was there before there were limits; what it links to is nobody's business.
        (homes[name] / "old" / "deep" / "file").write_bytes(b"x" * MIB)
        (homes[name] / "link").symlink_to("/etc")
        subprocess.run(["chown", "-R", "1000:1000", str(homes[name])], check=True)

    lab = Path(path) / "shared" / "lab"
    lab.mkdir(parents=True)
    os.chown(lab, 1000, 1000)

    def want(limit: int) -> None:
        one = {"limit": limit, "container": "", "ceiling": rules.ceiling(limit, None)}
        homes = {"hub-home-ada": one, "shared/lab": one}
        text = json.dumps({"limit": "0", "reserve": "0", "homes": homes})
        (folder / "wanted" / "part").write_text(text, encoding="utf-8")
        (folder / "wanted" / "part").rename(folder / "wanted" / "wanted.json")

    want(LIMIT)
    agent = Agent(volumes, folder, "hub-home-", shared=lab.parent)
    out["quota"] = len(agent.quotas) == 1

    def ticks(until: t.Callable[[], t.Any]) -> None:
        end = time.monotonic() + 60
        while not until():
            assert time.monotonic() < end, json.dumps(agent._state)
            agent.tick()
            time.sleep(0.2)

    def ada() -> Home:
        return agent.homes["hub-home-ada"]

    ticks(lambda: agent.homes and ada().project and ada().usage and agent.homes["shared/lab"].project)
    top = os.open(homes["ada"], os.O_RDONLY)
    old = os.open(homes["ada"] / "old" / "deep" / "file", os.O_RDONLY)
    out["projects"] = [project_quota.project_of(top), project_quota.project_of(old)[0], ada().project]
    out["before"] = project_quota.used(top, ada().project)
    out["filled"] = as_user(lambda: fill(homes["ada"] / "big", 3 * LIMIT))
    out["below_old"] = as_user(lambda: fill(homes["ada"] / "old" / "deep" / "more", LIMIT))
    out["full"] = project_quota.used(top, ada().project)
    out["other"] = as_user(lambda: fill(homes["bob"] / "big", 2 * LIMIT))
    out["folder"] = as_user(lambda: fill(lab / "big", 3 * LIMIT))
    out["deleted"] = as_user(lambda: (homes["ada"] / "big").unlink())
    out["again"] = as_user(lambda: fill(homes["ada"] / "small", MIB))
    # Holes take nothing.
    out["sparse"] = as_user(lambda: os.truncate(homes["ada"] / "small", 2**40))
    number = unnamed(homes["ada"], 5 * MIB)
    out["unnamed"] = project_quota.used(top, ada().project)[0] - out["before"][0]
    os.close(number)
    want(3 * LIMIT)
    ticks(lambda: ada().quota_set[0] == 3 * LIMIT * rules.HARD // 100)
    out["raised"] = as_user(lambda: fill(homes["ada"] / "big", 2 * LIMIT))
    project_quota.limit(top, ada().project, 0, 100)
    out["files"] = as_user(lambda: many(homes["ada"] / "many", 500))
    out["left"] = as_user(lambda: leave(homes["ada"] / "big"))
    # A second agent knows the homes, and gives them no other number.
    number = ada().project
    agent = Agent(volumes, folder, "hub-home-")
    ticks(lambda: ada().project)
    out["kept"] = number == ada().project
    print("RESULT", kind, json.dumps(out), flush=True)


main()
