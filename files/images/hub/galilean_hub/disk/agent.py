# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Looks after the disk: what is free, what homes and shared folders take, and who writes.

Root in a container of its own. It speaks to nobody: the hub leaves in a file what it wants to know
(wanted/wanted.json), and reads the answer from another (state.json). Free space is looked at every two
seconds, which costs nothing. A home is measured when its server runs and the disk has taken up as much
since the last time as the home lacks to its next mark; so nothing is measured while nobody writes. A shared
folder is a home of all who have it. Where the file system has project quotas, it sets them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import stat
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..audit.keeper import keep
from . import memory, project_quota, rules
from .measure import FOLDER, Measured, measure

EVERY = 2.0
# The state is written again after so many seconds even if nothing changed: the hub sees that somebody looks.
HEARTBEAT = 20.0
# One part in so many of a processor's time goes into measuring; for somebody who waits; and in a hurry.
CALM, UNHURRIED, HURRY = 250, 50, 12
# Homes are not measured more often than that, whatever they cost; and hardly changed ones less often.
SOONEST, REGULAR = 2.0, 300.0
# Freed when the hub's database has no room left: enough for all that it writes until somebody comes.
BALLAST, BALLAST_NEEDED = 64 * rules.MIB, 16 * rules.MIB
# Letters of what the hub wants; each server takes some two hundred.
MOST_WANTED = 16 * rules.MIB
# What names of shared folders begin with here.
SHARED = "shared/"
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


class Writer:
    """What a container's processes have written to disks, and the files that they have open."""

    def __init__(self) -> None:
        # `hidden`: bytes of files without a name. `folders`: shared ones in which a file is open for writing.
        self.bytes = self.hidden = 0
        self.folders: set[str] = set()

    def observe(
        self, process: str, devices: set[int], targets: Mapping[str, str], seen: set[tuple[int, int]]
    ) -> None:
        """Add the open files of a process; `targets` says where which folder is in a server."""
        for number in os.listdir(f"{process}/fd"):
            try:
                found = os.stat(f"{process}/fd/{number}")
                if found.st_dev not in devices or not stat.S_ISREG(found.st_mode):
                    continue
                if found.st_nlink == 0:
                    if (found.st_dev, found.st_ino) not in seen:
                        seen.add((found.st_dev, found.st_ino))
                        self.hidden += found.st_blocks * 512
                    continue
                path = os.readlink(f"{process}/fd/{number}") if targets else ""
                name = next((one for one in targets if path.startswith(f"{targets[one]}/")), "")
                if name and _for_writing(f"{process}/fdinfo/{number}"):
                    self.folders.add(name)
            except (OSError, ValueError):
                # Closed meanwhile.
                continue


def _for_writing(path: str) -> bool:
    """Whether a file was opened for writing, by what the kernel says of it (flags in octal)."""
    with open(path, encoding="ascii") as handle:
        values = dict(line.split(":", 1) for line in handle.read().splitlines() if ":" in line)
    return int(values["flags"], 8) & os.O_ACCMODE != os.O_RDONLY


def writers(
    wanted: set[str],
    devices: set[int],
    targets: Mapping[str, str] = MappingProxyType({}),
    proc: str = "/proc",
) -> dict[str, Writer]:
    """What the processes of these containers have written to disks, whatever became of the files.

    The kernel forgets what processes wrote that nobody waited for; what they hide in files without a name
    (on the file systems `devices`) is counted beside it. New files and folders count a little each as well.
    """
    seen: set[tuple[int, int]] = set()
    found: dict[str, Writer] = {}
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
            size = int(values.get("write_bytes", 0)) - int(values.get("cancelled_write_bytes", 0))
            one = found.setdefault(container, Writer())
            one.bytes += max(0, size)
            one.observe(f"{proc}/{number}", devices, targets, seen)
        except (OSError, ValueError):
            continue
    return found


class Growth:
    """What a file system has taken up in all, not counting what became free."""

    def __init__(self) -> None:
        self.bytes = self.files = 0
        # What became free, whatever was written meanwhile.
        self.freed = 0
        # In a second, of the last moments.
        self.rate: Mapping[str, int] = rules.NO_RATE
        self._last: Mapping[str, int] | None = None
        self._when = 0.0

    def add(self, space: Mapping[str, int], now: float) -> None:
        if self._last:
            seconds = max(EVERY / 2, now - self._when)
            size = self._last["free"] - space["free"]
            files = self._last["files_free"] - space["files_free"]
            self.rate = {"bytes": int(max(0, size) / seconds), "files": int(max(0, files) / seconds)}
            self.bytes += max(0, size)
            self.files += max(0, files)
            self.freed += max(0, -size, -files * rules.BYTES_PER_FILE)
        self._last, self._when = space, now


class Home:
    """One home or shared folder, and when it was measured."""

    def __init__(self, usage: dict[str, Any] | None = None, wished: int | None = None) -> None:
        # `wished` is the limit that its last server was started with.
        self.usage, self.wished, self.limit = usage, wished, 0
        # When it was measured, how much had been written until then, and what it cost.
        self.when, self.growth, self.cost = float("-inf"), (0, 0, 0), 0.0
        # Number of its file system.
        self.device = 0
        self.project = 0
        self.quota_set = (0, 0)
        # Its server has ended since.
        self.ended = False

    def room(self, ceiling: Mapping[str, int] | None) -> tuple[int, int]:
        """Bytes and files up to the next mark; the marks are those at which something happens."""
        if not self.usage or not self.limit:
            return sys.maxsize, sys.maxsize
        most = ceiling or rules.ceiling(self.limit, None)
        files = rules.files_of(self.limit)
        room = []
        for key, whole in (("bytes", self.limit), ("files", files)):
            marks = (whole * rules.NEAR // 100, whole, int(most[key]))
            # Behind the last one, any more is looked at.
            above = [mark - self.usage[key] for mark in marks if mark > self.usage[key]]
            room.append(min(above, default=rules.SLACK // 4 if key == "bytes" else rules.SLACK_FILES // 4))
        return room[0], room[1]


class Agent:
    """The loop. `volumes` holds the engine's volumes, `folder` is what it shares with the hub.

    `shared` holds the folders that users share.
    """

    def __init__(
        self,
        volumes: Path,
        folder: Path,
        prefix: str,
        clock: Callable[[], float] = time.time,
        shared: Path = Path("/nonexistent"),
    ) -> None:
        self.volumes, self.folder, self.prefix, self._clock = volumes, folder, prefix, clock
        self.shared = shared
        self.homes: dict[str, Home] = {}
        self.wanted: dict[str, Any] = {"limit": "auto", "reserve": "auto", "homes": {}, "folders": {}}
        # By the number of the file system.
        self.growths: dict[int, Growth] = {}
        self.writers: dict[str, Writer] = {}
        self._containers: set[str] = set()
        self._seen: Any = None
        self._listed: Any = None
        self._state: dict[str, Any] = {}
        self._saved = float("-inf")
        self._scanned, self._scanned_at, self._scan_cost = float("-inf"), 0, 0.0
        self._calm_from = 0.0
        self._memory = memory.Memory()
        self._job: tuple[str, Future[tuple[Measured, float, int]], tuple[int, int, int]] | None = None
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="walk")
        # Numbers of the file systems that have them.
        self.quotas = {device_of(path) for path in (volumes, shared) if self._has_quota(path)}
        self._remember()

    # -- what it knows

    def _has_quota(self, path: Path) -> bool:
        if not path.is_dir():
            return False
        device = device_of(path)
        number = f"{os.major(device)}:{os.minor(device)}"
        if not project_quota.supported(Path("/proc/self/mountinfo").read_text(encoding="utf-8"), number):
            return False
        top = os.open(path, FOLDER)
        try:
            project_quota.used(top, project_quota.choose("probe", ()))
        except OSError as exc:
            # ENOENT and ESRCH: nothing is known of that project, and the call itself works.
            if exc.errno not in (2, 3):
                say(f"project quotas cannot be used in {path}: {exc}")
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
                home["limit"], home["target"] = int(home["limit"]), str(home.get("target") or "")
                home["containers"] = {str(one) for one in home.get("containers") or ()}
                home["ceiling"] = {key: int(home["ceiling"][key]) for key in ("bytes", "files")}
            read["folders"] = {str(name): int(size) for name, size in (read.get("folders") or {}).items()}
            rules.limit_of(read["limit"], self.space())
            rules.reserve_of(read["reserve"], self.space())
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
        """Which homes and folders there are; looked at when what they are in has changed."""
        shared = self.shared.stat().st_mtime_ns if self.shared.is_dir() else 0
        changed = self.volumes.stat().st_mtime_ns, shared
        if changed == self._listed:
            return
        self._listed = changed
        names = {name for name in os.listdir(self.volumes) if name.startswith(self.prefix)}
        if shared:
            # No volume has a slash in its name.
            names |= {f"{SHARED}{name}" for name in os.listdir(self.shared)}
        self.homes = {name: self.homes.get(name) or Home() for name in sorted(names)}
        for name, home in self.homes.items():
            try:
                home.device = device_of(self.path(name))
            except OSError:
                # Being made.
                home.device = device_of(self.volumes)

    def space(self) -> dict[str, int]:
        return space_of(str(self.volumes))

    def path(self, name: str) -> str:
        if name.startswith(SHARED):
            return f"{self.shared}/{name.removeprefix(SHARED)}"
        return f"{self.volumes}/{name}/_data"

    def growth(self, home: Home) -> tuple[int, int, int]:
        """What the file system of a home has taken up until now, in bytes and files, and what became free."""
        one = self.growths.get(home.device) or Growth()
        return one.bytes, one.files, one.freed

    def _grow(self, now: float) -> None:
        """Look at all file systems."""
        places: dict[int, str] = {home.device: self.path(name) for name, home in self.homes.items()}
        for path in (str(self.folder), str(self.volumes)):
            places[device_of(path)] = path
        for device, path in places.items():
            try:
                self.growths.setdefault(device, Growth()).add(space_of(path), now)
            except OSError:
                continue

    # -- what it does

    def tick(self) -> None:
        """One look."""
        now = self._clock()
        space, own = self.space(), space_of(str(self.folder))
        self._read_wanted()
        self._list()
        self._grow(now)
        reserve = rules.reserve_of(self.wanted["reserve"], space)
        spaces = {"volumes": space, "hub": own}
        paths = {"volumes": self.volumes, "hub": self.folder}
        rates = {key: dict(self.growths[device_of(path)].rate) for key, path in paths.items()}
        threat = rules.in_danger(spaces, reserve, rates)
        self._ballast(own, reserve)
        default = rules.limit_of(self.wanted["limit"], space)
        for name, home in self.homes.items():
            wish = self.wanted["homes"].get(name)
            home.wished = wish["limit"] if wish else home.wished
            home.limit = home.wished if home.wished is not None else self.wanted["folders"].get(name, default)
            if home.project and home.quota_set != _hard(home.limit):
                self._set_quota(name, home)
        self._collect(now)
        self._next(now, threat)
        self._writers(now, threat)
        self._memory.tick(self.folder, self._running(), now)
        self._save(now, spaces, reserve, rates, threat)

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
                project_quota.limit(top, home.project, *home.quota_set)
            finally:
                os.close(top)
        except OSError as exc:
            say(f"the quota of {name} could not be set: {exc}")

    def _assign(self, name: str, limit: int) -> int:
        """Give a home a project of its own, and return its number."""
        top = os.open(self.path(name), FOLDER)
        try:
            project, inherits = project_quota.project_of(top)
            if project < project_quota.FIRST or not inherits:
                # Other instances have folders of the same name.
                own = f"{self.prefix}{name}" if name.startswith(SHARED) else name
                project = project_quota.choose(own, self._projects())
            project_quota.limit(top, project, *_hard(limit))
        finally:
            os.close(top)
        project_quota.assign_tree(self.path(name), project)
        return project

    def _projects(self) -> set[int]:
        """Numbers that some volume has; those of other instances are there as well."""
        taken = set()
        for name in {*os.listdir(self.volumes), *self.homes}:
            try:
                number = os.open(self.path(name), FOLDER)
            except OSError:
                continue
            try:
                taken.add(project_quota.project_of(number)[0])
            except OSError:
                pass
            finally:
                os.close(number)
        return taken

    def _lacks_project(self, home: Home) -> bool:
        return home.device in self.quotas and not home.project

    def _measure(self, name: str, home: Home, containers: set[str]) -> tuple[Measured, float, int]:
        begin = time.thread_time()
        limit, project = home.limit, home.project
        if self._lacks_project(home):
            project = self._assign(name, limit)
        found = measure(self.path(name), rules.files_of(limit) * 2)
        if containers:
            # What its servers hold without a name is in no folder.
            hidden = sum(one.hidden for one in writers(containers, {home.device}).values())
            found = found._replace(bytes=found.bytes + hidden)
        if project:
            # The kernel also knows of files that are open and have no name any more.
            top = os.open(self.path(name), FOLDER)
            try:
                size, files = project_quota.used(top, project)
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
            containers = (self.wanted["homes"].get(best[1]) or {}).get("containers", set())
            growth = self.growth(home)
            self._job = best[1], self._threads.submit(self._measure, best[1], home, containers), growth

    def _urgency(self, name: str, home: Home, now: float, threat: bool) -> float:
        """How urgent it is to measure a home; 0: not at all."""
        wish = self.wanted["homes"].get(name)
        age = now - home.when
        grown = [new - old for new, old in zip(self.growth(home), home.growth)]
        calm = now >= self._calm_from
        if wish:
            soonest = max(SOONEST, home.cost * HURRY)
            if home.usage is None or self._lacks_project(home):
                return 3.0 if age > soonest else 0.0
            room = home.room(wish.get("ceiling"))
            if threat:
                room = rules.MIB, rules.SLACK_FILES
            share = max(grown[0] / room[0], grown[1] / room[1])
            if share >= 1 and age > soonest:
                return 2.0 + min(share, 1000) / 1001
            # Who was told to delete sees that it helped.
            told = rules.verdict(home.usage, home.limit) != rules.OK
            if told and grown[2] > rules.MIB and age > max(SOONEST, home.cost * UNHURRIED):
                return 1.2
            moved = grown[0] > rules.MIB or grown[1] > rules.SLACK_FILES
            return 1.0 if calm and moved and age > REGULAR else 0.0
        if home.ended:
            return 1.5 if age > SOONEST else 0.0
        new = home.usage is None or self._lacks_project(home)
        return 0.5 if calm and new and age > REGULAR else 0.0

    def _running(self) -> set[str]:
        """Containers of the servers that run."""
        return set().union(*(home["containers"] for home in self.wanted["homes"].values()))

    def _writers(self, now: float, threat: bool) -> None:
        """Count what servers write: when the disk has taken up something since, and for new servers."""
        wanted = self.wanted["homes"]
        containers = self._running()
        moved = self._grown() - self._scanned_at >= rules.WRITER or containers != self._containers
        # Folders that are too large: who has files in them open?
        targets = {
            name: wanted[name]["target"]
            for name, home in self.homes.items()
            if name.startswith(SHARED)
            and wanted.get(name, {}).get("target")
            and rules.hundredths(home.usage or {"bytes": 0, "files": 0}, home.limit) >= rules.NEAR
        }
        if not (moved or threat or targets) or now - self._scanned < max(EVERY, self._scan_cost * 40):
            return
        begin = time.thread_time()
        self.writers, self._containers = writers(containers, set(self.growths), targets), containers
        self._scan_cost = time.thread_time() - begin
        self._scanned, self._scanned_at = now, self._grown()

    def _grown(self) -> int:
        """What all file systems have taken up; many empty files count as well, as 1.6 KB each."""
        return sum(one.bytes + one.files * rules.BYTES_PER_FILE // 10 for one in self.growths.values())

    def _save(
        self, now: float, spaces: dict[str, Any], reserve: int, rates: dict[str, Any], threat: bool
    ) -> None:
        homes = {}
        for name, home in self.homes.items():
            one: dict[str, Any] = {"limit": home.limit, "wished": home.wished}
            if home.usage:
                one.update(home.usage, time=home.when if home.when > 0 else 0)
            if home.project:
                one["project"] = home.project
            homes[name] = one
            if home.device in self.quotas:
                one["quota"] = True
        written = {key: one.bytes + one.hidden for key, one in self.writers.items()}
        touched = {key: sorted(one.folders) for key, one in self.writers.items() if one.folders}
        quota = device_of(self.volumes) in self.quotas
        state = {"quota": quota, "reserve": reserve, "homes": homes, "written": written, "touched": touched}
        # Small movements of the disk are not worth a write, unless it runs full.
        if state == self._state and now - self._saved < (EVERY if threat else HEARTBEAT):
            return
        self._state, self._saved = state, now
        growth = {"grown": self._grown(), "rates": rates}
        whole = {"time": now, "space": spaces, **growth, **state}
        part = self.folder / "state.part"
        try:
            part.write_text(json.dumps(whole), encoding="utf-8")
            part.chmod(0o640)
            part.replace(self.folder / "state.json")
        except OSError as exc:
            say(f"the state could not be written: {exc}")


def device_of(path: str | Path) -> int:
    """Number of a file system."""
    return os.stat(path).st_dev


def _hard(limit: int) -> tuple[int, int]:
    """What the kernel shall refuse beyond."""
    return limit * rules.HARD // 100, rules.files_of(limit) * rules.HARD // 100


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="disk-agent", description=__doc__)
    parser.add_argument("--volumes", type=Path, default=Path("/volumes"))
    parser.add_argument("--folder", type=Path, default=Path("/srv/disk"))
    parser.add_argument("--shared", type=Path, default=Path("/shared"))
    parser.add_argument("--prefix", required=True, help="what names of homes begin with")
    parser.add_argument("--audit", type=Path, default=Path("/srv/audit"))
    parser.add_argument(
        "--audit-days", type=int, default=0, help="how long events are kept; 0: there are none"
    )
    options = parser.parse_args()
    if options.audit_days:
        threading.Thread(target=keep, args=(options.audit, options.audit_days), daemon=True).start()
    # Readers of the disk at this level wait for all others, too (ioprio follows nice).
    os.nice(15)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4096), most))
    agent = Agent(options.volumes, options.folder, options.prefix, shared=options.shared)
    for path in (options.volumes, options.shared):
        if path.is_dir():
            kept = "with" if device_of(path) in agent.quotas else "without"
            say(f"looking after {path}, {kept} project quotas")
    while True:
        try:
            agent.tick()
        except Exception as exc:
            say(f"a look failed, it comes again: {exc!r}")
        time.sleep(EVERY)


if __name__ == "__main__":
    main()
