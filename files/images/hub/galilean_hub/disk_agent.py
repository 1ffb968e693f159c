# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Looks after the disk: how much of it is free, what homes take, and who writes. Its own container, as root.

It speaks to nobody: the hub leaves in a file what it wants to know (wanted/wanted.json), and reads the
answer from another (state.json). Free space is looked at every two seconds, which costs nothing. A home is
measured when its server runs and the disk has taken up as much since the last time as the home lacks to its
next mark; so nothing is measured while nobody writes. Where the file system has project quotas, it sets them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import stat
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from . import disk, disk_quota
from .disk_walk import FOLDER, Measured, measure

EVERY = 2.0
# The state is written again after so many seconds even if nothing changed: the hub sees that somebody looks.
HEARTBEAT = 20.0
# One part in so many of a processor's time goes into measuring, and into measuring in a hurry.
CALM, HURRY = 250, 12
# Homes are not measured more often than that, whatever they cost; and hardly changed ones less often.
SOONEST, REGULAR = 2.0, 300.0
# Freed when the hub's database has no room left: enough for all that it writes until somebody comes.
BALLAST, BALLAST_NEEDED = 64 * disk.MIB, 16 * disk.MIB
# Letters of what the hub wants; each server takes some two hundred.
MOST_WANTED = 16 * disk.MIB
CONTAINER = re.compile(r"[0-9a-f]{64}")


def space_of(path: str) -> dict[str, int]:
    """A file system, as who is not root may use it."""
    found = os.statvfs(path)
    return {
        "total": found.f_blocks * found.f_frsize,
        "free": found.f_bavail * found.f_frsize,
        "files": found.f_files,
        "files_free": found.f_favail,
    }


def _unnamed(process: str, device: int, seen: set[int]) -> int:
    """Bytes of files that a process has open, and that have no name any more."""
    size = 0
    for number in os.listdir(f"{process}/fd"):
        try:
            found = os.stat(f"{process}/fd/{number}")
        except OSError:
            continue
        if found.st_nlink == 0 and found.st_dev == device and found.st_ino not in seen:
            seen.add(found.st_ino)
            size += found.st_blocks * 512
    return size


def written(wanted: set[str], device: int, proc: str = "/proc") -> dict[str, int]:
    """Bytes that the processes of these containers have written to disks, whatever became of the files.

    The kernel forgets what processes wrote that nobody waited for; what they hide in files without a name
    (on the file system `device`) is counted on top.
    """
    seen: set[int] = set()
    found: dict[str, int] = {}
    for number in os.listdir(proc):
        if not number.isdigit():
            continue
        try:
            with open(f"{proc}/{number}/cgroup", encoding="ascii", errors="replace") as handle:
                container = next((one for one in CONTAINER.findall(handle.read()) if one in wanted), None)
            if container is None:
                continue
            with open(f"{proc}/{number}/io", encoding="ascii") as handle:
                values = dict(line.split(": ") for line in handle.read().splitlines())
            hidden = _unnamed(f"{proc}/{number}", device, seen)
        except (OSError, ValueError):
            continue
        size = int(values.get("write_bytes", 0)) - int(values.get("cancelled_write_bytes", 0))
        found[container] = found.get(container, 0) + max(0, size) + hidden
    return found


class Growth:
    """What a file system has taken up in all, not counting what became free."""

    def __init__(self) -> None:
        # `rate` is of bytes in a second, of the last moments.
        self.bytes = self.files = self.rate = 0
        self._last: Mapping[str, int] | None = None
        self._when = 0.0

    def add(self, space: Mapping[str, int], now: float) -> None:
        if self._last:
            seconds = max(EVERY / 2, now - self._when)
            self.rate = int(max(0, self._last["free"] - space["free"]) / seconds)
            self.bytes += max(0, self._last["free"] - space["free"])
            self.files += max(0, self._last["files_free"] - space["files_free"])
        self._last, self._when = space, now


class Home:
    """One home, and when it was measured."""

    def __init__(self, usage: dict[str, Any] | None = None, wished: int | None = None) -> None:
        # `wished` is the limit that its last server was started with.
        self.usage, self.wished, self.limit = usage, wished, 0
        # When it was measured, how much had been written until then, and what it cost.
        self.when, self.growth, self.cost = float("-inf"), (0, 0), 0.0
        self.project = 0
        self.quota_set = (0, 0)
        # Its server has ended since.
        self.ended = False

    def room(self, ceiling: Mapping[str, int] | None) -> tuple[int, int]:
        """Bytes and files up to the next mark; the marks are those at which something happens."""
        if not self.usage or not self.limit:
            return sys.maxsize, sys.maxsize
        most = ceiling or disk.ceiling(self.limit, None)
        files = disk.files_of(self.limit)
        room = []
        for key, whole in (("bytes", self.limit), ("files", files)):
            marks = (whole * disk.NEAR // 100, whole, int(most[key]))
            # Behind the last one, any more is looked at.
            above = [mark - self.usage[key] for mark in marks if mark > self.usage[key]]
            room.append(min(above, default=disk.SLACK // 4 if key == "bytes" else disk.SLACK_FILES // 4))
        return room[0], room[1]


class Agent:
    """The loop. `volumes` holds the engine's volumes, `folder` is what it shares with the hub."""

    def __init__(
        self, volumes: Path, folder: Path, prefix: str, clock: Callable[[], float] = time.time
    ) -> None:
        self.volumes, self.folder, self.prefix, self._clock = volumes, folder, prefix, clock
        self.homes: dict[str, Home] = {}
        self.wanted: dict[str, Any] = {"limit": "auto", "reserve": "auto", "homes": {}}
        self.growth = Growth()
        self.written: dict[str, int] = {}
        self._containers: set[str] = set()
        self._seen: Any = None
        self._listed: Any = None
        self._state: dict[str, Any] = {}
        self._saved = float("-inf")
        self._scanned, self._scanned_at, self._scan_cost = float("-inf"), 0, 0.0
        self._calm_from = 0.0
        self._job: tuple[str, Future[tuple[Measured, float, int]], tuple[int, int]] | None = None
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="walk")
        self.quota = self._has_quota()
        self._remember()

    # -- what it knows

    def _has_quota(self) -> bool:
        device = os.stat(self.volumes).st_dev
        number = f"{os.major(device)}:{os.minor(device)}"
        if not disk_quota.supported(Path("/proc/self/mountinfo").read_text(encoding="utf-8"), number):
            return False
        top = os.open(self.volumes, FOLDER)
        try:
            disk_quota.used(top, disk_quota.choose("probe", ()))
        except OSError as exc:
            # ENOENT and ESRCH: nothing is known of that project, and the call itself works.
            if exc.errno not in (2, 3):
                say(f"project quotas cannot be used: {exc}")
                return False
        finally:
            os.close(top)
        return True

    def _remember(self) -> None:
        """Homes as they were before this started: none of them has to be measured again."""
        try:
            read = json.loads((self.folder / "state.json").read_text(encoding="utf-8"))
            for name, one in read["homes"].items():
                usage = {key: one[key] for key in ("bytes", "files", "excess") if key in one}
                wished = one.get("wished")
                home = Home(usage if "bytes" in usage else None, None if wished is None else int(wished))
                home.project = int(one.get("project", 0))
                self.homes[name] = home
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self.homes = {}

    def _read_wanted(self) -> None:
        path = self.folder / "wanted" / "wanted.json"
        # The folder is the hub's: no link in it leads elsewhere, and no pipe keeps this waiting.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            with open(path, encoding="utf-8", opener=lambda name, _flags: os.open(name, flags)) as handle:
                state = os.fstat(handle.fileno())
                seen = state.st_mtime_ns, state.st_ino
                if seen == self._seen or not stat.S_ISREG(state.st_mode):
                    return
                self._seen = seen
                read = json.loads(handle.read(MOST_WANTED))
            for home in read["homes"].values():
                home["limit"] = int(home["limit"])
                home["ceiling"] = {key: int(home["ceiling"][key]) for key in ("bytes", "files")}
            disk.limit_of(read["limit"], self.space())
            disk.reserve_of(read["reserve"], self.space())
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
            say(f"{path} cannot be read: {type(exc).__name__}")
            return
        for name in self.wanted["homes"].keys() - read["homes"].keys():
            if name in self.homes:
                self.homes[name].ended = True
        self.wanted = read

    def _list(self) -> None:
        """Which homes there are; looked at when the folder has changed."""
        changed = self.volumes.stat().st_mtime_ns
        if changed == self._listed:
            return
        self._listed = changed
        names = {name for name in os.listdir(self.volumes) if name.startswith(self.prefix)}
        self.homes = {name: self.homes.get(name) or Home() for name in sorted(names)}

    def space(self) -> dict[str, int]:
        return space_of(str(self.volumes))

    def path(self, name: str) -> str:
        return f"{self.volumes}/{name}/_data"

    # -- what it does

    def tick(self) -> None:
        """One look."""
        now = self._clock()
        space, own = self.space(), space_of(str(self.folder))
        self.growth.add(space, now)
        self._read_wanted()
        self._list()
        reserve = disk.reserve_of(self.wanted["reserve"], space)
        spaces = {"volumes": space, "hub": own}
        threat = disk.in_danger(spaces, reserve, self.growth.rate)
        self._ballast(own, reserve)
        default = disk.limit_of(self.wanted["limit"], space)
        for name, home in self.homes.items():
            wish = self.wanted["homes"].get(name)
            home.wished = wish["limit"] if wish else home.wished
            home.limit = default if home.wished is None else home.wished
            if home.project and home.quota_set != _hard(home.limit):
                self._set_quota(name, home)
        self._collect(now)
        self._next(now, threat)
        self._writers(now, threat)
        self._save(now, spaces, reserve, threat)

    def _ballast(self, own: Mapping[str, int], reserve: int) -> None:
        path = self.folder / "ballast"
        if path.exists():
            if own["free"] < BALLAST_NEEDED:
                path.unlink()
                say("the hub's database has no room left: the ballast was freed")
        elif own["free"] > 2 * reserve + 2 * BALLAST:
            with path.open("wb") as handle:
                os.posix_fallocate(handle.fileno(), 0, BALLAST)

    def _set_quota(self, name: str, home: Home) -> None:
        home.quota_set = _hard(home.limit)
        try:
            top = os.open(self.path(name), FOLDER)
            try:
                disk_quota.limit(top, home.project, *home.quota_set)
            finally:
                os.close(top)
        except OSError as exc:
            say(f"the quota of {name} could not be set: {exc}")

    def _assign(self, name: str, limit: int) -> int:
        """Give a home a project of its own, and return its number."""
        top = os.open(self.path(name), FOLDER)
        try:
            project, inherits = disk_quota.project_of(top)
            if project < disk_quota.FIRST or not inherits:
                project = disk_quota.choose(name, self._projects())
            disk_quota.limit(top, project, *_hard(limit))
        finally:
            os.close(top)
        disk_quota.assign_tree(self.path(name), project)
        return project

    def _projects(self) -> set[int]:
        """Numbers that some volume has; those of other instances are there as well."""
        taken = set()
        for name in os.listdir(self.volumes):
            try:
                number = os.open(self.path(name), FOLDER)
            except OSError:
                continue
            try:
                taken.add(disk_quota.project_of(number)[0])
            except OSError:
                pass
            finally:
                os.close(number)
        return taken

    def _measure(self, name: str, limit: int, project: int) -> tuple[Measured, float, int]:
        begin = time.thread_time()
        if self.quota and not project:
            project = self._assign(name, limit)
        found = measure(self.path(name), disk.files_of(limit) * 2)
        if project:
            # The kernel also knows of files that are open and have no name any more.
            top = os.open(self.path(name), FOLDER)
            try:
                size, files = disk_quota.used(top, project)
            finally:
                os.close(top)
            found = found._replace(bytes=max(size, found.bytes), files=max(files, found.files))
        return found, time.thread_time() - begin, project

    def _collect(self, now: float) -> None:
        if not self._job or not self._job[1].done():
            return
        name, job, growth = self._job
        self._job = None
        home = self.homes.get(name)
        if home is None:
            return
        home.when, home.growth, home.ended = now, growth, False
        try:
            found, home.cost, home.project = job.result()
        except OSError as exc:
            if self.homes.get(name) is home and os.path.isdir(self.path(name)):
                say(f"{name} could not be measured: {exc}")
            return
        home.usage = {"bytes": found.bytes, "files": found.files}
        if found.excess:
            home.usage["excess"] = found.excess
        self._calm_from = now + home.cost * CALM

    def _next(self, now: float, threat: bool) -> None:
        """Measure the home that it is most urgent for."""
        if self._job:
            return
        best: tuple[float, str] | None = None
        for name, home in self.homes.items():
            urgency = self._urgency(name, home, now, threat)
            if urgency > 0 and (best is None or urgency > best[0]):
                best = urgency, name
        if best:
            home = self.homes[best[1]]
            growth = self.growth.bytes, self.growth.files
            job = self._threads.submit(self._measure, best[1], home.limit, home.project)
            self._job = best[1], job, growth

    def _urgency(self, name: str, home: Home, now: float, threat: bool) -> float:
        """How urgent it is to measure a home; 0: not at all."""
        wish = self.wanted["homes"].get(name)
        age = now - home.when
        grown = self.growth.bytes - home.growth[0], self.growth.files - home.growth[1]
        calm = now >= self._calm_from
        if wish:
            soonest = max(SOONEST, home.cost * HURRY)
            if home.usage is None or (self.quota and not home.project):
                return 3.0 if age > soonest else 0.0
            room = home.room(wish.get("ceiling"))
            if threat:
                room = disk.MIB, disk.SLACK_FILES
            share = max(grown[0] / room[0], grown[1] / room[1])
            if share >= 1 and age > soonest:
                return 2.0 + min(share, 1000) / 1001
            moved = grown[0] > disk.MIB or grown[1] > disk.SLACK_FILES
            return 1.0 if calm and moved and age > REGULAR else 0.0
        if home.ended:
            return 1.5 if age > SOONEST else 0.0
        new = home.usage is None or (self.quota and not home.project)
        return 0.5 if calm and new and age > REGULAR else 0.0

    def _writers(self, now: float, threat: bool) -> None:
        """Count what servers write: when the disk has taken up something since, and for new servers."""
        containers = {str(home.get("container", "")) for home in self.wanted["homes"].values()} - {""}
        moved = self.growth.bytes - self._scanned_at >= disk.WRITER or containers != self._containers
        if not (moved or threat) or now - self._scanned < max(EVERY, self._scan_cost * 40):
            return
        begin = time.thread_time()
        device = os.stat(self.volumes).st_dev
        self.written, self._containers = written(containers, device), containers
        self._scan_cost = time.thread_time() - begin
        self._scanned, self._scanned_at = now, self.growth.bytes

    def _save(self, now: float, spaces: dict[str, Any], reserve: int, threat: bool) -> None:
        homes = {}
        for name, home in self.homes.items():
            one: dict[str, Any] = {"limit": home.limit, "wished": home.wished}
            if home.usage:
                one.update(home.usage, time=home.when if home.when > 0 else 0)
            if home.project:
                one["project"] = home.project
            homes[name] = one
        state = {"quota": self.quota, "reserve": reserve, "homes": homes, "written": self.written}
        # Small movements of the disk are not worth a write, unless it runs full.
        if state == self._state and now - self._saved < (EVERY if threat else HEARTBEAT):
            return
        self._state, self._saved = state, now
        growth = {"grown": self.growth.bytes, "rate": self.growth.rate}
        whole = {"time": now, "space": spaces, **growth, **state}
        part = self.folder / "state.part"
        try:
            part.write_text(json.dumps(whole), encoding="utf-8")
            part.chmod(0o640)
            part.replace(self.folder / "state.json")
        except OSError as exc:
            say(f"the state could not be written: {exc}")


def _hard(limit: int) -> tuple[int, int]:
    """What the kernel shall refuse beyond."""
    return limit * disk.HARD // 100, disk.files_of(limit) * disk.HARD // 100


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="disk-agent", description=__doc__)
    parser.add_argument("--volumes", type=Path, default=Path("/volumes"))
    parser.add_argument("--folder", type=Path, default=Path("/srv/disk"))
    parser.add_argument("--prefix", required=True, help="what names of homes begin with")
    options = parser.parse_args()
    # Readers of the disk at this level wait for all others, too (ioprio follows nice).
    os.nice(15)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4096), most))
    agent = Agent(options.volumes, options.folder, options.prefix)
    say(f"looking after {options.prefix}*, {'with' if agent.quota else 'without'} project quotas")
    while True:
        try:
            agent.tick()
        except Exception as exc:
            say(f"a look failed, it comes again: {exc!r}")
        time.sleep(EVERY)


if __name__ == "__main__":
    main()
