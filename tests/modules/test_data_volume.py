# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The role data_volume on real block devices: loop devices over files, with tables of mounts of their own."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import signal
import struct
import subprocess
import threading
import time
import typing as t
from pathlib import Path

import pytest
from engine import ANSIBLE, ROOT, ModuleRunner

MIB = 2**20
OURS = "nofail,x-systemd.device-timeout=300s,x-galilean-hub"
# Disks take root; as somebody else, the tests become root as a site would.
SUDO = [] if os.geteuid() == 0 else ["sudo", "-n"]
BECOME = [] if os.geteuid() == 0 else ["--become"]
PATH = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "LC_ALL": "C"}


def do(*argv: str | Path, check: bool = True) -> str:
    """The output of a command that root runs."""
    done = subprocess.run([*SUDO, *map(str, argv)], capture_output=True, text=True, check=False, env=PATH)
    assert done.returncode == 0 or not check, f"{argv}: {done.stderr}"
    return done.stdout.strip()


@dataclasses.dataclass
class Applied:
    """How a run of the role ended: the tasks that changed something, and what it said, in one line."""

    status: int
    changed: list[str]
    said: str


class Volume:
    """A disk, the folder where it shall be mounted, and a table of mounts."""

    def __init__(
        self, run_module: ModuleRunner, folder: Path, size: int = 400, readonly: bool = False
    ) -> None:
        self.runner, self.image = run_module, folder / "disk"
        self.path, self.fstab = folder / "srv", folder / "fstab"
        self.fstab.write_text("# mine\nUUID=0000 / ext4 defaults 0 1\n")
        with self.image.open("wb") as handle:
            handle.truncate(size * MIB)
        self.device = do("losetup", "--find", "--show", *(["--read-only"] if readonly else []), self.image)

    def observe(self) -> dict[str, t.Any]:
        """What the guard says, which comes before all tasks."""
        params = {"device": self.device, "path": str(self.path), "fstab": str(self.fstab), "timeout": 20}
        return self.runner.run([*self.runner.argv("data_volume_info", params), *BECOME])

    def argv(self, *more: str, **settings: t.Any) -> list[str]:
        own = {
            "data_volume_device": self.device,
            "data_volume_path": str(self.path),
            "data_volume_timeout": 20,
            "__data_volume_fstab": str(self.fstab),
        }
        playbook = ROOT / "tests/tools/data_volume.yml"
        extra = json.dumps({**own, **settings})
        return [f"{ANSIBLE}-playbook", f"--extra-vars={extra}", *more, str(playbook)]

    def apply(self, *more: str, **settings: t.Any) -> Applied:
        """Run the role on this machine."""
        done = subprocess.run(
            self.argv(*more, **settings), env=self.runner.env, capture_output=True, text=True, check=False
        )
        changed, task = [], ""
        for line in done.stdout.splitlines():
            task = found[1] if (found := re.match(r"TASK \[.* : (.*)\]", line)) else task
            changed += [task] if line.startswith("changed: ") else []
        # Ansible wraps long lines of errors.
        return Applied(done.returncode, changed, " ".join((done.stdout + done.stderr).split()))

    def start(self) -> subprocess.Popen[bytes]:
        """A run of the role that is to be killed."""
        return subprocess.Popen(
            self.argv(),
            env=self.runner.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def tag(self, name: str) -> str:
        return do("blkid", "--probe", "--output", "value", "--match-tag", name, self.device, check=False)

    def mounted(self) -> str:
        return do(
            "findmnt", "--noheadings", "--output", "SOURCE,OPTIONS", "--mountpoint", self.path, check=False
        )

    def lines(self) -> list[str]:
        return self.fstab.read_text().splitlines()

    def digest(self) -> str:
        return do("sha256sum", self.image)

    def close(self) -> None:
        for target in do(
            "findmnt", "--noheadings", "--output", "TARGET", "--source", self.device, check=False
        ).split():
            do("umount", "--lazy", target)
        do("losetup", "--detach", self.device)


@pytest.fixture
def make(run_module: ModuleRunner, tmp_path: Path) -> t.Iterator[t.Callable[..., Volume]]:
    made: list[Volume] = []

    def one(**more: t.Any) -> Volume:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Volume(run_module, folder, **more))
        return made[-1]

    yield one
    for volume in made:
        volume.close()


@pytest.fixture
def volume(make: t.Callable[..., Volume]) -> Volume:
    return make()


def test_life(volume: Volume) -> None:
    steps = ["Ensure there is a file system", "Ensure it is mounted", "Ensure it is mounted at boot"]
    check = volume.apply("--check")
    assert (check.status, check.changed) == (0, steps), check.said
    assert (volume.tag("TYPE"), volume.path.exists(), len(volume.lines())) == ("", False, 2)

    made = volume.apply("--diff")
    assert (made.status, made.changed) == (0, steps), made.said
    uuid = volume.tag("UUID")
    assert (volume.tag("TYPE"), volume.tag("LABEL")) == ("ext4", "hub-data")
    assert "noatime" in volume.mounted()
    line = f"UUID={uuid} {volume.path} ext4 noatime,{OURS} 0 2"
    assert volume.lines() == ["# mine", "UUID=0000 / ext4 defaults 0 1", line]
    assert f"+{line}" in made.said

    do("touch", volume.path / "notebook")
    for more in ([], ["--check"]):
        again = volume.apply(*more)
        assert (again.status, again.changed) == (0, []), again.said

    # As after a reboot at which it was missing.
    do("umount", volume.path)
    assert volume.apply().changed == ["Ensure it is mounted"]
    assert (volume.tag("UUID"), (volume.path / "notebook").exists()) == (uuid, True)

    changed = volume.apply(data_volume_mount_options=["nodev", "nosuid"])
    assert changed.changed == ["Ensure its options are in force", "Ensure it is mounted at boot"], (
        changed.said
    )
    assert "nosuid" in volume.mounted()
    assert "noatime" not in volume.mounted()
    table = volume.lines()
    assert " ext4 nodev,nosuid,nofail," in table[-1]
    wrong = volume.apply(data_volume_mount_options=["no-such-option"])
    assert wrong.status == 2
    assert "correct data_volume_mount_options, which are no-such-option, or check" in wrong.said
    # What does not work never gets into the table, and takes nothing away.
    assert volume.lines() == table
    assert "nosuid" in volume.mounted()


def mkfs_of(volume: Volume) -> int:
    """The process that makes the file system; 0 where there is none."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = file.read_bytes().split(b"\0")
            if words[0].endswith(b"mkfs.ext4") and volume.device.encode() in words:
                return int(file.parent.name)
    return 0


def mkfs_stopped(volume: Volume) -> int:
    """The same, when it has the disk; it does not get any further."""
    number = mkfs_of(volume)
    with contextlib.suppress(OSError):
        opened = [os.readlink(file) for file in Path(f"/proc/{number}/fd").iterdir()]
        if volume.device in opened:
            os.kill(number, signal.SIGSTOP)
            return number
    return 0


def kill_at(volume: Volume, reached: t.Callable[[], t.Any]) -> None:
    """Kill a run of the role at this point, and all that it has started."""
    process = volume.start()
    deadline = time.monotonic() + 60
    while not reached():
        assert process.poll() is None, "the run ended before"
        assert time.monotonic() < deadline, "not reached within 60 s"
        time.sleep(0.002)
    volume.runner.kill(process, late=True)


@pytest.mark.parametrize("point", ["mkfs", "made", "mounted"])
def test_a_run_that_is_killed_is_finished_by_the_next(make: t.Callable[..., Volume], point: str) -> None:
    """The disk is so large that mkfs is met at work, too."""
    assert not SUDO, "this test kills processes of root: run it as root"
    volume = make(size=64 * 1024)
    reached = {
        "mkfs": lambda: mkfs_stopped(volume),
        "made": lambda: volume.tag("TYPE"),
        "mounted": volume.mounted,
    }
    kill_at(volume, reached[point])
    uuid = volume.tag("UUID")
    assert (bool(uuid), len(volume.lines())) == (point != "mkfs", 2)
    finished = volume.apply()
    assert finished.status == 0, finished.said
    # Only where mkfs was killed is it made again.
    assert ("Ensure there is a file system" in finished.changed) is (point == "mkfs"), finished.changed
    assert volume.tag("UUID") == uuid or not uuid
    assert (volume.tag("LABEL"), bool(volume.mounted()), len(volume.lines())) == ("hub-data", True, 3)


def test_a_mkfs_that_outlives_its_run_is_let_finish(make: t.Callable[..., Volume]) -> None:
    """As of a run whose connection was lost."""
    assert not SUDO, "this test stops a process of root: run it as root"
    volume = make(size=64 * 1024)
    mkfs = subprocess.Popen(["mkfs.ext4", "-q", "-F", "-L", "hub-data", volume.device], env=PATH)
    while not mkfs_stopped(volume):
        assert mkfs.poll() is None
    goes_on = threading.Timer(5, mkfs.send_signal, [signal.SIGCONT])
    goes_on.start()
    finished = volume.apply()
    goes_on.join()
    assert mkfs.wait(30) == 0
    assert finished.status == 0, finished.said
    assert "Ensure there is a file system" not in finished.changed


def partition_table(volume: Volume) -> None:
    entry = struct.pack("<B3sB3sII", 0, b"\0\0\0", 0x83, b"\0\0\0", 2048, 200 * 2048)
    with volume.image.open("r+b") as handle:
        handle.seek(446)
        handle.write(entry + bytes(48) + b"\x55\xaa")


def swap_space(volume: Volume) -> None:
    do("mkswap", volume.device)


def old_filesystem(volume: Volume) -> None:
    do("mkfs.ext2", "-q", volume.device)


def two_signatures(volume: Volume) -> None:
    """A file system with the end of an array below it, as of a disk that was in one."""
    do("mkfs.ext4", "-q", volume.device)
    with volume.image.open("r+b") as handle:
        handle.seek(400 * MIB - 512)
        handle.write(b"EFI PART" + bytes(504))
        handle.seek(0)
        handle.write(bytes(510) + b"\x55\xaa")
        partition = struct.pack("<B3sB3sII", 0, b"\0\0\0", 0xEE, b"\0\0\0", 1, 0xFFFFFFFF)
        handle.seek(446)
        handle.write(partition)


def files_below(volume: Volume) -> None:
    (volume.path / "hub").mkdir(parents=True)
    (volume.path / "hub" / "notebook").write_text("mine")


def mounted_elsewhere(volume: Volume) -> None:
    do("mkfs.ext4", "-q", volume.device)
    other = volume.path.parent / "other"
    other.mkdir()
    # As its owner looks at it: the kernel writes nothing by itself.
    do("mount", "-o", "ro,noload", volume.device, other)


def a_link(volume: Volume) -> None:
    volume.path.symlink_to("/var")


REFUSED: list[tuple[t.Callable[[Volume], None], str]] = [
    (partition_table, r"^(DEVICE is divided into partitions|DEVICE already holds dos, which)"),
    (swap_space, r"^DEVICE already holds swap, which .* empty it with 'wipefs --all DEVICE'"),
    (old_filesystem, r"^DEVICE already holds ext2, which"),
    (two_signatures, r"^DEVICE already holds .*ext4.*, which"),
    (
        files_below,
        r"^data_volume_path is PATH, but PATH/hub/notebook is in it, .* with playbooks/move_data.yml",
    ),
    (mounted_elsewhere, r"^DEVICE is mounted at \S+/other: unmount it there"),
    (a_link, r"^data_volume_path is PATH, which leads to /var: give /var"),
]


@pytest.mark.parametrize(("prepare", "message"), REFUSED, ids=[case[0].__name__ for case in REFUSED])
def test_what_is_there_is_refused(volume: Volume, prepare: t.Callable[[Volume], None], message: str) -> None:
    prepare(volume)
    do("sync", volume.device)
    before = volume.digest(), volume.fstab.read_text()
    expected = message.replace("DEVICE", volume.device).replace("PATH", str(volume.path))
    result = volume.observe()
    assert result["failed"], result
    assert re.search(expected, result["msg"])
    assert "\n" not in result["msg"]
    do("sync", volume.device)
    assert (volume.digest(), volume.fstab.read_text()) == before


@pytest.mark.parametrize(
    ("more", "message"),
    [({"readonly": True}, "is read-only: attach it"), ({"size": 0}, "has a size of 0: attach")],
)
def test_a_disk_that_cannot_be_used(
    make: t.Callable[..., Volume], more: dict[str, t.Any], message: str
) -> None:
    volume = make(**more)
    result = volume.observe()
    assert result["failed"]
    assert result["msg"].startswith(f"{volume.device} {message}")


def test_somebody_elses_file_system_is_used_as_it_is(volume: Volume) -> None:
    do("mkfs.ext4", "-q", "-L", "theirs", volume.device)
    uuid = volume.tag("UUID")
    volume.path.mkdir()
    do("mount", volume.device, volume.path)
    do("touch", volume.path / "notebook")
    do("umount", volume.path)
    # Of a volume that is no more, as an earlier run wrote it.
    old = f"UUID=1111 {volume.path} ext4 noatime,{OURS} 0 2"
    volume.fstab.write_text(f"{old}\n# mine\n")
    result = volume.apply(data_volume_fstype="xfs")
    assert result.changed == ["Ensure it is mounted", "Ensure it is mounted at boot"], result.said
    assert (volume.tag("TYPE"), volume.tag("UUID"), volume.tag("LABEL")) == ("ext4", uuid, "theirs")
    assert (volume.path / "notebook").exists()
    assert volume.lines() == [f"UUID={uuid} {volume.path} ext4 noatime,{OURS} 0 2", "# mine"]
