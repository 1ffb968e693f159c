# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Limits of homes and the reserve: what is measured, who is told, who is stopped, and who may start."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from galilean_hub.disk import agent as disk_agent
from galilean_hub.disk import measure, memory, project_quota, rules
from galilean_hub.disk.agent import Agent, Growth, Home
from galilean_hub.disk.watch import Watch

MIB, GIB = rules.MIB, rules.GIB
DISK = {"total": 100 * GIB, "free": 60 * GIB, "files": 6_000_000, "files_free": 5_000_000}


def used(size: int, files: int = 1, **more: t.Any) -> dict[str, t.Any]:
    return {"bytes": size, "files": files, **more}


@pytest.mark.parametrize(
    ("setting", "limit"),
    [("0", 0), ("", 0), ("auto", 50 * GIB), ("20G", 20 * GIB), ("512m", 512 * MIB), ("1048576", MIB)],
)
def test_limit(setting: str, limit: int) -> None:
    assert rules.limit_of(setting, DISK) == limit


@pytest.mark.parametrize(
    ("setting", "total", "reserve"),
    [("0", 100, 0), ("auto", 100, 4 * GIB), ("auto", 20, GIB), ("2G", 20, 2 * GIB)],
)
def test_reserve(setting: str, total: int, reserve: int) -> None:
    assert rules.reserve_of(setting, {**DISK, "total": total * GIB}) == reserve


@pytest.mark.parametrize(
    ("usage", "limit", "state"),
    [
        (None, GIB, rules.OK),
        (used(900 * GIB), 0, rules.OK),
        (used(899 * MIB), 1000 * MIB, rules.OK),
        (used(900 * MIB), 1000 * MIB, rules.NEARLY),
        (used(1000 * MIB), 1000 * MIB, rules.OVER),
        (used(1100 * MIB), 1000 * MIB, rules.FULL),
        # Files count as well: 50,000 at least, and one for 16 KiB of the limit.
        (used(0, 50_000), MIB, rules.OVER),
        (used(0, 65_536 * 11 // 10 + 1), GIB, rules.FULL),
        (used(0, 1, excess="folders nested too deeply"), GIB, rules.FULL),
        (used(0, 1, excess="folders nested too deeply"), 0, rules.OK),
    ],
)
def test_how_a_home_stands(usage: dict[str, t.Any] | None, limit: int, state: str) -> None:
    assert rules.verdict(usage, limit) == state
    for quota in (False, True):
        notice = rules.notice(usage, limit, quota)
        assert bool(notice) == (state != rules.OK)
        assert len(notice) <= 140


@pytest.mark.parametrize(
    ("free", "files_free", "reserve", "reached", "threatened"),
    [
        (60 * GIB, 5_000_000, 4 * GIB, "", ""),
        (5 * GIB, 5_000_000, 4 * GIB, "", "bytes"),
        (3 * GIB, 5_000_000, 4 * GIB, "bytes", "bytes"),
        # Empty files of one user leave the others no room either.
        (60 * GIB, 120_000, 4 * GIB, "", "files"),
        (60 * GIB, 90_000, 4 * GIB, "files", "files"),
        (0, 0, 0, "", ""),
    ],
)
def test_the_reserve(free: int, files_free: int, reserve: int, reached: str, threatened: str) -> None:
    space = {**DISK, "free": free, "files_free": files_free}
    assert (rules.reached(space, reserve), rules.threatened(space, reserve)) == (reached, threatened)
    # A disk that fills fast is stopped earlier.
    if not reached and reserve:
        rate = {"bytes": (free - reserve) // 10 + MIB, "files": 0}
        assert rules.threatened(space, reserve, rate) == "bytes"
        rate = {"bytes": 0, "files": files_free // 10}
        assert rules.threatened(space, reserve, rate) in ("files", threatened)
    # Not every file system has a table of inodes.
    assert rules.reached({**space, "free": 60 * GIB, "files": 0, "files_free": 0}, reserve) == ""


@pytest.mark.parametrize(
    ("usage", "base", "beyond"),
    [
        (used(109 * MIB), used(0), False),
        (used(111 * MIB), used(0), True),
        # It was over its limit when its server was started: deleting is fine, writing on is not.
        (used(500 * MIB), used(500 * MIB), False),
        (used(508 * MIB), used(500 * MIB), False),
        (used(509 * MIB), used(500 * MIB), True),
        # Who came with less than the limit has no more than that.
        (used(111 * MIB), used(99 * MIB), True),
        (used(0, 56_000), used(0), True),
        (used(0, excess="folders nested too deeply"), used(0), True),
        (used(0, excess="folders nested too deeply"), used(0, excess="folders nested too deeply"), False),
        (None, None, False),
    ],
)
def test_whose_server_is_stopped_for_the_home(
    usage: dict[str, t.Any] | None, base: dict[str, t.Any] | None, beyond: bool
) -> None:
    assert rules.beyond(rules.Running("home", 100 * MIB, usage, base)) is beyond
    assert not rules.beyond(rules.Running("home", 0, usage, base))


SERVERS = {
    "quiet": rules.Running("quiet", 100 * MIB, used(500 * MIB), used(500 * MIB)),
    "small": rules.Running("small", GIB, used(60 * MIB), used(0), written=60 * MIB),
    "large": rules.Running("large", 100 * GIB, used(9 * GIB), used(GIB), written=8 * GIB),
    # What was written went somewhere else: a shared folder, or an open file without a name.
    "hidden": rules.Running("hidden", 100 * GIB, used(0), used(0), written=9 * GIB),
    "over": rules.Running("over", 100 * MIB, used(105 * MIB), used(0), written=20 * MIB),
    "files": rules.Running("files", 0, used(0, 300_000), used(0, 1)),
}


@pytest.mark.parametrize(
    ("names", "stopped"),
    [
        ([], None),
        (["quiet"], None),
        (["quiet", "small"], "small"),
        (["small", "large", "quiet"], "large"),
        (["small", "large", "hidden"], "hidden"),
        (["large", "hidden", "over"], "over"),
        (["small", "files"], "files"),
    ],
)
def test_whose_server_is_stopped_for_the_disk(names: list[str], stopped: str | None) -> None:
    one = rules.writer([SERVERS[name] for name in names])
    assert (one.home if one else None) == stopped


@pytest.mark.parametrize(
    ("suspects", "stopped"),
    [
        ([], ""),
        ([("quiet", 0, False), ("reader", 0, True), ("starts", 60_000, False)], ""),
        ([("reserves", 4096, True)], "reserves"),
        ([("small", MIB, False), ("large", GIB, False)], "large"),
        # Who writes much elsewhere is left alone.
        ([("writer", MIB, True), ("elsewhere", GIB, False)], "writer"),
    ],
)
def test_whose_server_is_stopped_for_a_shared_folder(
    suspects: list[tuple[str, int, bool]], stopped: str
) -> None:
    assert rules.culprit(rules.Suspect(*one) for one in suspects) == stopped


def test_what_is_said_of_a_shared_folder() -> None:
    for size, quota in itertools.product((95, 105, 200), (False, True)):
        notice = rules.notice(used(size * MIB), 100 * MIB, quota, "shared/of-the-whole-institute")
        assert "shared/of-the-whole-institute takes" in notice
        assert len(notice) <= 140


def test_pauses_grow_and_end() -> None:
    assert [rules.pause(times) for times in (1, 2, 3)] == [15, 60, 240]
    assert rules.pause(1000) == 24 * 3600


# -- what is measured


def blocks(path: Path) -> int:
    return int(subprocess.run(["du", "-sB1", str(path)], capture_output=True, check=True).stdout.split()[0])


def test_a_tree_as_du_has_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "a" / "b").mkdir(parents=True)
    (home / "a" / "file").write_bytes(b"x" * 3 * MIB)
    os.link(home / "a" / "file", home / "a" / "b" / "again")
    # A hole takes nothing, whatever its length.
    with (home / "sparse").open("wb") as handle:
        handle.truncate(8 * 2**40)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "large").write_bytes(b"x" * 20 * MIB)
    (home / "link").symlink_to(outside)
    os.mkfifo(home / "pipe")
    found = measure.measure(str(home))
    assert found.bytes == blocks(home)
    assert found.files == 8
    assert not found.excess


def nest(home: Path, depth: int, name: str) -> None:
    number = os.open(home, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=number)
        below = os.open(name, os.O_RDONLY, dir_fd=number)
        os.close(number)
        number = below
    os.close(number)


def test_folders_longer_than_any_path(tmp_path: Path) -> None:
    nest(tmp_path, 60, "x" * 200)
    found = measure.measure(str(tmp_path))
    assert (found.files, found.excess) == (61, "")


def test_what_takes_too_much_to_measure_counts_as_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "DEEPEST", 50)
    nest(tmp_path, 60, "d")
    assert measure.measure(str(tmp_path)).excess
    for number in range(30):
        (tmp_path / str(number)).mkdir()
    monkeypatch.setattr(measure, "MOST_WAITING", 20)
    assert measure.measure(str(tmp_path)).excess
    assert measure.measure(str(tmp_path), most_files=10).excess


def test_a_tree_that_changes_meanwhile(tmp_path: Path) -> None:
    """Folders that become links to elsewhere, over and over."""
    home, outside = tmp_path / "home", tmp_path / "outside"
    outside.mkdir()
    (outside / "large").write_bytes(b"x" * 30 * MIB)
    home.mkdir()
    code = (
        "import os, sys\n"
        "os.chdir(sys.argv[1])\n"
        "while True:\n"
        "    os.mkdir('d'); os.rmdir('d'); os.symlink(sys.argv[2], 'd'); os.unlink('d')\n"
    )
    changing = subprocess.Popen([sys.executable, "-c", code, str(home), str(outside)])
    try:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            assert measure.measure(str(home)).bytes < MIB
    finally:
        changing.kill()
        changing.wait()


# -- the agent


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A disk that the test fills."""
    space = {**DISK, "free": 60 * GIB}
    monkeypatch.setattr(disk_agent, "space_of", lambda _path: dict(space))
    monkeypatch.setattr(os, "posix_fallocate", lambda *_args: None)
    return space


@pytest.fixture
def agent(tmp_path: Path, space: dict[str, int]) -> Agent:
    """One with two homes."""
    for name in ("hub-home-ada", "hub-home-bob", "other-home-eve"):
        (tmp_path / "volumes" / name / "_data").mkdir(parents=True)
    (tmp_path / "disk" / "wanted").mkdir(parents=True)
    return Agent(tmp_path / "volumes", tmp_path / "disk", "hub-home-", Clock())


def wanted(agent: Agent, limit: int, *homes: str, **more: t.Any) -> None:
    entries = {
        home: {"limit": limit, "containers": [], "ceiling": rules.ceiling(limit, None)} for home in homes
    }
    text = json.dumps({"limit": "1G", "reserve": "4G", "homes": entries, **more})
    part = agent.folder / "wanted" / "part"
    part.write_text(text, encoding="utf-8")
    part.replace(agent.folder / "wanted" / "wanted.json")


def tick(agent: Agent, seconds: float = 2.0) -> dict[str, t.Any]:
    """One look some seconds later, and what it began."""
    clock: t.Any = agent._clock
    clock.now += seconds
    agent.tick()
    if agent._job:
        agent._job[1].exception()
    found: dict[str, t.Any] = json.loads((agent.folder / "state.json").read_text(encoding="utf-8"))
    return found


def test_a_home_is_measured_when_its_server_runs(agent: Agent) -> None:
    (agent.volumes / "hub-home-ada" / "_data" / "file").write_bytes(b"x" * MIB)
    wanted(agent, 100 * MIB, "hub-home-ada")
    tick(agent)
    state = tick(agent)
    assert state["homes"]["hub-home-ada"]["bytes"] >= MIB
    assert set(state["homes"]) == {"hub-home-ada", "hub-home-bob"}


def test_a_shared_folder_is_measured_like_a_home(agent: Agent, tmp_path: Path) -> None:
    agent.shared = tmp_path / "shared"
    (agent.shared / "lab").mkdir(parents=True)
    (agent.shared / "lab" / "file").write_bytes(b"x" * MIB)
    wanted(agent, 100 * MIB, "shared/lab", folders={"shared/lab": 50 * MIB})
    tick(agent)
    state = tick(agent)
    assert state["homes"]["shared/lab"]["bytes"] >= MIB
    assert state["homes"]["shared/lab"]["limit"] == 100 * MIB


def test_what_was_deleted_is_seen(agent: Agent, space: dict[str, int]) -> None:
    """On a disk where nothing else happens; only of who was told to delete."""
    file = agent.volumes / "hub-home-ada" / "_data" / "file"
    file.write_bytes(b"x" * 95 * MIB)
    wanted(agent, 100 * MIB, "hub-home-ada")
    for _ in range(4):
        tick(agent)
    file.unlink()
    space["free"] += 95 * MIB
    tick(agent)
    assert rules.verdict(tick(agent)["homes"]["hub-home-ada"], 100 * MIB) == rules.OK


def test_nothing_is_measured_while_nobody_writes(agent: Agent) -> None:
    wanted(agent, 100 * MIB, "hub-home-ada", "hub-home-bob")
    for _ in range(6):
        tick(agent)
    assert all(home.usage for home in agent.homes.values())
    for _ in range(50):
        tick(agent, 60)
        assert agent._job is None


def test_a_home_is_measured_again_when_the_disk_takes_up_what_it_lacks(
    agent: Agent, space: dict[str, int]
) -> None:
    wanted(agent, 100 * MIB, "hub-home-ada")
    for _ in range(4):
        tick(agent, 3)
    (agent.volumes / "hub-home-ada" / "_data" / "file").write_bytes(b"x" * 95 * MIB)
    space["free"] -= 80 * MIB
    tick(agent)
    assert agent._job is None
    space["free"] -= 15 * MIB
    tick(agent)
    assert rules.verdict(tick(agent)["homes"]["hub-home-ada"], 100 * MIB) == rules.NEARLY


def test_a_home_is_measured_once_more_after_its_server(agent: Agent) -> None:
    wanted(agent, 100 * MIB, "hub-home-ada")
    tick(agent)
    tick(agent)
    (agent.volumes / "hub-home-ada" / "_data" / "file").write_bytes(b"x" * MIB)
    wanted(agent, 100 * MIB)
    for _ in range(4):
        state = tick(agent, 3)
    assert state["homes"]["hub-home-ada"]["bytes"] >= MIB
    # The limit that it had stays known.
    assert state["homes"]["hub-home-ada"]["limit"] == 100 * MIB


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "{}", '{"limit": "1X", "reserve": "0", "homes": {}}',
        '{"limit": "0", "reserve": "0", "homes": {"hub-home-ada": {"limit": "much"}}}',
        '{"limit": "0", "reserve": "0", "homes": {"../../etc": {"limit": 1}}}',
    ],
)  # fmt: skip
def test_a_hub_that_asks_for_nonsense_is_told_nothing(agent: Agent, text: str) -> None:
    (agent.folder / "wanted" / "wanted.json").write_text(text, encoding="utf-8")
    assert set(tick(agent)["homes"]) == {"hub-home-ada", "hub-home-bob"}


def test_a_hub_that_was_broken_into_leads_nowhere(agent: Agent, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text('{"limit": "1M", "reserve": "0", "homes": {}}', encoding="utf-8")
    path = agent.folder / "wanted" / "wanted.json"
    path.symlink_to(elsewhere)
    tick(agent)
    path.unlink()
    os.mkfifo(path)
    tick(agent)
    assert agent.wanted["limit"] == "auto"


def test_the_ballast_goes_before_the_database_has_no_room(agent: Agent, space: dict[str, int]) -> None:
    ballast = agent.folder / "ballast"
    wanted(agent, 0)
    tick(agent)
    assert ballast.exists()
    space["free"] = 20 * MIB
    tick(agent)
    assert ballast.exists()
    space["free"] = MIB
    tick(agent)
    assert not ballast.exists()
    space["free"] = 2 * GIB
    tick(agent)
    assert not ballast.exists()


def test_what_is_known_stays_known(agent: Agent) -> None:
    wanted(agent, 100 * MIB, "hub-home-ada")
    tick(agent)
    tick(agent)
    later = Agent(agent.volumes, agent.folder, agent.prefix)
    assert later.homes["hub-home-ada"].usage
    assert later.homes["hub-home-ada"].wished == 100 * MIB


def test_what_became_free_does_not_hide_what_was_written() -> None:
    growth = Growth()
    for when, free in enumerate((100, 90, 95, 80)):
        growth.add({**DISK, "free": free}, 2.0 * when)
    assert (growth.bytes, growth.freed) == (25, 5)
    assert growth.rate == {"bytes": 7, "files": 0}


def test_room_up_to_the_next_mark() -> None:
    home = Home(used(50 * MIB))
    home.limit = 100 * MIB
    assert home.room(None)[0] == 40 * MIB
    home.usage = used(95 * MIB)
    assert home.room(None)[0] == 5 * MIB
    home.usage = used(105 * MIB)
    assert home.room(rules.ceiling(home.limit, used(105 * MIB)))[0] == 8 * MIB
    home.usage = used(500 * MIB)
    assert home.room(None)[0] == 16 * MIB


def process(folder: Path, number: int, container: str, written: int = 0) -> Path:
    """What /proc tells of a process in a container."""
    place = folder / str(number)
    place.mkdir()
    (place / "cgroup").write_text(f"0::/docker/{container}\n", encoding="ascii")
    lines = f"wchar: 1\nwrite_bytes: {written}\ncancelled_write_bytes: {5 if written else 0}\n"
    (place / "io").write_text(lines, encoding="ascii")
    return place


def test_who_writes(tmp_path: Path) -> None:
    one, two = "a" * 64, "b" * 64
    for number, container, size in ((1, one, 100), (2, one, 50), (3, two, 7), (4, "c" * 64, 9)):
        (process(tmp_path, number, container, size) / "fd").mkdir()
    (tmp_path / "5").mkdir()
    found = disk_agent.writers({one, two}, {0}, proc=str(tmp_path))
    assert {key: value.bytes for key, value in found.items()} == {one: 140, two: 2}


def test_files_without_a_name_are_found_with_who_has_them_open(tmp_path: Path) -> None:
    """Written by a process that nobody waited for, the kernel would count them to nobody."""
    container = "a" * 64
    (process(tmp_path, 1, container) / "fd").symlink_to("/proc/self/fd")
    with (tmp_path / "hidden").open("wb") as handle:
        handle.write(b"x" * MIB)
        handle.flush()
        (tmp_path / "hidden").unlink()
        device = os.fstat(handle.fileno()).st_dev
        for devices, least in (({device}, MIB), ({device + 1}, 0)):
            found = disk_agent.writers({container}, devices, proc=str(tmp_path))[container]
            assert found.hidden >= least
            assert found.hidden == 0 or least


@pytest.mark.parametrize(("mode", "found"), [("wb", {"shared/lab"}), ("rb", set())])
def test_who_has_files_of_a_folder_open(tmp_path: Path, mode: str, found: set[str]) -> None:
    container = "a" * 64
    place = process(tmp_path, 1, container)
    for name in ("fd", "fdinfo"):
        (place / name).symlink_to(f"/proc/self/{name}")
    for name in ("lab", "lab2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    targets = {"shared/lab": str(tmp_path / "lab"), "shared/lab2": str(tmp_path / "lab2")}
    with (tmp_path / "lab" / "file").open(mode) as handle:
        devices = {os.fstat(handle.fileno()).st_dev}
        seen = disk_agent.writers({container}, devices, targets, str(tmp_path))
    assert seen[container].folders == found


@pytest.mark.parametrize(
    ("line", "device", "supported"),
    [
        ("29 1 8:1 / /data rw,noatime - xfs /dev/sda1 rw,attr2,prjquota", "8:1", True),
        ("29 1 8:1 / /data rw - ext4 /dev/sda1 rw,prjquota", "8:1", True),
        ("29 1 8:1 / /data rw - ext4 /dev/sda1 rw,prjquota", "8:2", False),
        ("29 1 8:1 / /data rw - ext4 /dev/sda1 rw", "8:1", False),
        ("29 1 0:9 / /data rw - overlay overlay rw,prjquota", "0:9", False),
        ("", "8:1", False),
    ],
)
def test_where_there_are_project_quotas(line: str, device: str, supported: bool) -> None:
    assert project_quota.supported(f"1 0 8:9 / / rw - ext4 /dev/vda rw\n{line}\n", device) is supported


def test_no_two_homes_have_one_project() -> None:
    first = project_quota.choose("hub-home-ada", ())
    assert first >= project_quota.FIRST
    assert project_quota.choose("hub-home-ada", {first, first + 1}) == first + 2


# -- the hub's part


class Spawner:
    """As far as the watch knows one."""

    def __init__(self, home: str, limit: str = "100M") -> None:
        self.home_limit, self.object_id, self.pending, self.active = limit, home[-1] * 64, False, True
        self.name, self._log_name, self._home = "", home, home
        self.user = self
        self.shared: list[str] = []
        self.stops = 0

    def home_volume(self) -> str:
        return self._home

    async def kill(self) -> None:
        pass

    async def stop(self, _name: str) -> None:
        self.stops += 1
        self.object_id = ""


class App:
    """A hub with a proxy."""

    class Config:
        GalileanSpawner: t.ClassVar[dict[str, t.Any]] = {
            "disk_limit": "1G",
            "disk_reserve": "4G",
            "folders": [{"name": "lab", "target": "/home/jovyan/shared/lab", "disk_limit": "100M"}],
        }

    config = Config()

    def __init__(self) -> None:
        self.proxy = self

    async def delete_user(self, _user: t.Any, _name: str) -> None:
        pass


class Site:
    """A watch, and an agent that the test plays."""

    def __init__(self, folder: Path) -> None:
        (folder / "wanted").mkdir()
        self.watch = Watch(folder)
        self.watch._app = App()
        self.folder = folder
        self.number = 0
        self.state: dict[str, t.Any] = {
            "time": time.time(),
            "space": {"volumes": dict(DISK), "hub": dict(DISK)},
            "grown": 0,
            "rates": {},
            "quota": False,
            "reserve": 4 * GIB,
            "homes": {},
            "written": {},
            "touched": {},
        }

    def tell(self, **homes: t.Any) -> None:
        """The agent's next answer."""
        self.state["homes"].update(homes)
        self.state["time"] += 2
        self.number += 1
        part = self.folder / f"part{self.number}"
        part.write_text(json.dumps(self.state), encoding="utf-8")
        part.replace(self.folder / "state.json")

    def observe(self) -> None:
        asyncio.run(self.watch.once())

    def look(self, **homes: t.Any) -> None:
        """The next answer, and what the hub makes of it."""
        self.tell(**homes)
        self.observe()

    def wanted(self) -> dict[str, t.Any]:
        found: dict[str, t.Any] = json.loads((self.folder / "wanted" / "wanted.json").read_text("utf-8"))
        return found

    def server(self, home: str, limit: str = "100M", name: str = "") -> Spawner:
        spawner = Spawner(home, limit)
        if name:
            spawner.name, spawner.object_id = name, name[-1] * 64
        self.watch.started(spawner)
        return spawner


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_the_agent_is_told_who_runs(site: Site) -> None:
    site.tell()
    ada = site.server("ada", "20G")
    assert site.wanted()["homes"]["ada"]["limit"] == 20 * GIB
    assert site.wanted()["homes"]["ada"]["containers"] == ["a" * 64]
    assert (site.wanted()["limit"], site.wanted()["reserve"]) == ("1G", "4G")
    ada.object_id = ""
    site.observe()
    assert site.wanted()["homes"] == {}


def test_a_server_whose_home_grows_too_large_is_stopped(site: Site) -> None:
    site.tell(ada=used(0))
    ada, bob = site.server("ada"), site.server("bob")
    site.look(ada=used(105 * MIB))
    assert (ada.stops, bob.stops) == (0, 0)
    assert site.watch.model("ada")["state"] == rules.OVER
    assert site.watch.notice("bob") == ""
    site.look(ada=used(120 * MIB))
    assert (ada.stops, bob.stops) == (1, 0)
    assert "was stopped" in site.watch.notice("ada")
    assert "15 seconds" in site.watch.notice("ada")
    assert "wrote to the disk" in site.watch.refusal("ada")
    assert site.watch.refusal("bob") == ""


def test_servers_of_one_user_have_one_home(site: Site) -> None:
    """Any of them may be what fills it: all end. A second one neither hides the first, nor gives it room."""
    site.tell(ada=used(99 * MIB))
    first = site.server("ada")
    site.tell(ada=used(105 * MIB))
    second, bob = site.server("ada", "50M", name="gpu"), site.server("bob")
    home = site.wanted()["homes"]["ada"]
    assert home["containers"] == ["a" * 64, "u" * 64]
    # The more generous limit, and what the home may grow to since the first began.
    assert (home["limit"], home["ceiling"]["bytes"]) == (100 * MIB, 110 * MIB)
    second.object_id = ""
    site.look()
    assert site.wanted()["homes"]["ada"]["containers"] == ["a" * 64]
    second = site.server("ada", name="gpu")
    site.look(ada=used(112 * MIB))
    assert (first.stops, second.stops, bob.stops) == (1, 1, 0)


def test_who_comes_with_a_full_home_may_clean_up(site: Site) -> None:
    site.tell(ada=used(500 * MIB))
    ada = site.server("ada")
    site.look()
    assert ada.stops == 0
    assert "clean up" in site.watch.notice("ada")
    site.look(ada=used(600 * MIB))
    assert ada.stops == 1


def test_who_was_never_measured_is_taken_as_measured_first(site: Site) -> None:
    """After an upgrade homes are there that nobody knows the size of."""
    site.tell()
    ada = site.server("ada")
    site.look(ada=used(500 * MIB))
    assert ada.stops == 0
    assert site.wanted()["homes"]["ada"]["ceiling"]["bytes"] == 508 * MIB


def test_each_stop_in_a_row_makes_the_next_pause_longer(site: Site) -> None:
    for seconds in (15, 60, 240):
        site.tell(ada=used(500 * MIB))
        site.server("ada")
        site.look(ada=used(600 * MIB))
        assert f"{seconds} seconds" in site.watch.notice("ada")


def shared_by(site: Site, *homes: str) -> list[Spawner]:
    found = [site.server(home) for home in homes]
    for spawner in found:
        spawner.shared = ["shared/lab"]
    return found


def test_who_writes_to_a_full_folder_is_stopped(site: Site) -> None:
    lab = "shared/lab"
    ada, bob = shared_by(site, "ada", "bob")
    eve = site.server("eve")
    site.state["written"] = dict.fromkeys(("a" * 64, "b" * 64, "e" * 64), 5 * MIB)
    site.look(**{lab: used(50 * MIB)})
    assert site.wanted()["homes"][lab]["target"] == "/home/jovyan/shared/lab"
    assert site.wanted()["folders"] == {lab: 100 * MIB}
    site.look(**{lab: used(105 * MIB)})
    assert site.watch.notices("ada") == site.watch.notices("bob")
    assert "shared/lab takes 105.0 MiB" in site.watch.notices("ada")[0]
    assert site.watch.notices("eve") == []
    assert site.watch.model("ada")["folders"][0]["state"] == rules.OVER
    # Of those who have it, bob; eve writes more, and cannot write there.
    site.state["written"] = {"a" * 64: 5 * MIB, "b" * 64: 90 * MIB, "e" * 64: GIB}
    site.look(**{lab: used(120 * MIB)})
    assert (ada.stops, bob.stops, eve.stops) == (0, 1, 0)
    assert "shared/lab takes 120.0 MiB, its limit is 100.0 MiB. Your server wrote" in site.watch.notice("bob")
    # What bob wrote until the end is not ada's, who writes elsewhere; then ada deletes, and writes on.
    for seconds, size in ((1, 180), (60, 180), (70, 110)):
        site.state["written"]["a" * 64] += 10 * MIB
        site.look(**{lab: used(size * MIB, time=time.time() + seconds)})
    assert ada.stops == 0
    site.state["written"]["a" * 64] += 10 * MIB
    site.look(**{lab: used(119 * MIB, time=time.time() + 80)})
    assert ada.stops == 1


@pytest.mark.parametrize("part", ["volumes", "hub"])
@pytest.mark.parametrize("what", ["free", "files_free"])
def test_below_the_reserve_nobody_starts(site: Site, part: str, what: str) -> None:
    site.state["space"][part][what] = 1000
    site.tell()
    assert "no server can start" in site.watch.refusal("ada")
    # What nobody has looked at for long says nothing.
    site.state["time"] -= 3600
    site.tell()
    assert site.watch.refusal("ada") == ""


def test_who_fills_the_disk_is_stopped_and_nobody_else(site: Site) -> None:
    ada, bob, eve = site.server("ada", "0"), site.server("bob", "0"), site.server("eve", "0")
    site.state["written"] = {"a" * 64: 900 * GIB, "b" * 64: GIB, "e" * 64: 0}
    site.look()
    # Both write; what ada wrote long ago counts no more.
    site.state["space"]["volumes"]["free"] = 5 * GIB
    site.state["grown"] = 9 * GIB
    site.state["written"] = {"a" * 64: 901 * GIB, "b" * 64: 9 * GIB, "e" * 64: 0}
    site.look()
    assert (ada.stops, bob.stops, eve.stops) == (0, 1, 0)
    for _ in range(20):
        site.state["time"] += 10
        site.look()
    assert (ada.stops, eve.stops) == (0, 0)
    assert "wrote more than" in site.watch.notice("bob")


@pytest.mark.parametrize("text", ["", "{"])
def test_an_answer_that_cannot_be_read_is_none(site: Site, text: str) -> None:
    (site.folder / "state.json").write_text(text, encoding="utf-8")
    site.observe()
    assert site.watch.refusal("ada") == ""
    assert site.watch.model("ada")["state"] == rules.OK
    assert site.watch.words(None) == ""


# -- the memory of servers


@pytest.mark.parametrize(
    ("place", "size", "cached"),
    [
        ("memory/docker/{}", "memory.usage_in_bytes", "inactive_file 9\ntotal_inactive_file"),
        ("memory/docker/{outer}/docker/{}", "memory.usage_in_bytes", "total_inactive_file"),
        ("system.slice/docker-{}.scope", "memory.current", "inactive_file"),
    ],
)
def test_memory_is_that_of_the_control_group(tmp_path: Path, place: str, size: str, cached: str) -> None:
    """Wherever the engine has put it: by its driver, in the first or second version, in another container."""
    one = "a" * 64
    group = tmp_path / place.format(one, outer="c" * 64)
    (group / "system.slice").mkdir(parents=True)
    (group / size).write_text(f"{700 * MIB}\n", encoding="ascii")
    (group / "memory.stat").write_text(f"anon 1\n{cached} {200 * MIB}\n", encoding="ascii")
    looked = memory.Memory(tmp_path)
    assert looked.of({one, "b" * 64}) == {one: 500 * MIB}
    looked.tick(tmp_path, {one}, time.time())
    assert memory.read(tmp_path) == {one: 500 * MIB}
    (group / "memory.stat").unlink()
    assert looked.of({one}) == {}
    old = {"time": time.time() - memory.STALE - 1, "memory": {one: 1}}
    (tmp_path / memory.FILE).write_text(json.dumps(old), encoding="utf-8")
    assert memory.read(tmp_path) == {}
