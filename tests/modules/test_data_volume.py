# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A disk for data, on real block devices: loop devices over files, with a table of mounts of their own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import struct
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from engine import ModuleRunner

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

    def params(self, **more: t.Any) -> dict[str, t.Any]:
        own = {"device": self.device, "path": str(self.path), "fstab": str(self.fstab), "timeout": 20}
        return {**own, **more}

    def apply(self, check: bool = False, **more: t.Any) -> dict[str, t.Any]:
        return self.runner.run([*self.runner.argv("data_volume", self.params(**more), check), *BECOME])

    def kinds(self, result: dict[str, t.Any]) -> list[str]:
        assert not result["failed"], result["msg"]
        return [action.split(":")[0] for action in result["actions"]]

    def grow(self, size: int) -> None:
        with self.image.open("r+b") as handle:
            handle.truncate(size * MIB)
        do("losetup", "--set-capacity", self.device)

    def signature(self) -> str:
        return do("blkid", "--probe", "--output", "value", "--match-tag", "TYPE", self.device, check=False)

    def label(self) -> str:
        return do("blkid", "--probe", "--output", "value", "--match-tag", "LABEL", self.device)

    def uuid(self) -> str:
        return do("blkid", "--probe", "--output", "value", "--match-tag", "UUID", self.device)

    def mounted(self) -> str:
        return do(
            "findmnt", "--noheadings", "--output", "SOURCE,OPTIONS", "--mountpoint", self.path, check=False
        )

    def lines(self) -> list[str]:
        return self.fstab.read_text().splitlines()

    def start(self) -> str:
        """What would be lost first."""
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
    steps = ["format", "label", "folder", "mount", "fstab"]
    check = volume.apply(check=True)
    assert volume.kinds(check) == steps
    assert (check["changed"], check["formatted"], check["uuid"], check["free_gib"]) == (
        True,
        True,
        None,
        None,
    )
    assert (volume.signature(), volume.path.exists(), len(volume.lines())) == ("", False, 2)

    made = volume.apply()
    assert volume.kinds(made) == steps
    assert (made["changed"], made["formatted"], made["grown"]) == (True, True, False)
    assert (made["device"], made["path"], made["fstype"]) == (volume.device, str(volume.path), "ext4")
    assert made["uuid"] == volume.uuid()
    assert made["size_gib"] == check["size_gib"] == 0.39
    assert 0.3 < made["free_gib"] < 0.39
    assert volume.label() == "hub-data"
    assert "noatime" in volume.mounted()
    line = f"UUID={made['uuid']} {volume.path} ext4 noatime,{OURS} 0 2"
    assert volume.lines() == ["# mine", "UUID=0000 / ext4 defaults 0 1", line]
    assert f"+{line}" in made["printed"]
    assert volume.fstab.stat().st_mode & 0o777 == 0o644

    do("touch", volume.path / "notebook")
    again = volume.apply()
    assert (again["changed"], again["actions"], again["formatted"]) == (False, [], False)
    assert (again["uuid"], again["size_gib"]) == (made["uuid"], made["size_gib"])
    assert volume.apply(check=True)["changed"] is False

    # As after a reboot at which it was missing.
    do("umount", volume.path)
    assert volume.kinds(volume.apply()) == ["mount"]
    assert (volume.path / "notebook").exists()


def test_it_grows_and_keeps_what_is_on_it(volume: Volume) -> None:
    volume.apply()
    do("touch", volume.path / "notebook")
    volume.grow(700)
    check = volume.apply(check=True)
    assert (check["changed"], check["grown"]) == (True, True)
    assert (check["size_before_gib"], check["size_gib"]) == (0.39, 0.68)
    assert os.statvfs(volume.path).f_blocks * os.statvfs(volume.path).f_frsize < 400 * MIB
    grown = volume.apply()
    assert (grown["changed"], grown["grown"], grown["formatted"]) == (True, True, False)
    assert (grown["size_before_gib"], grown["size_gib"]) == (0.39, 0.68)
    assert grown["actions"] == check["actions"]
    assert os.statvfs(volume.path).f_blocks * os.statvfs(volume.path).f_frsize > 600 * MIB
    assert (volume.path / "notebook").exists()
    assert volume.apply()["changed"] is False
    # Also while it is not mounted, as of a server that is built anew.
    do("umount", volume.path)
    volume.grow(1000)
    grown = volume.apply()
    assert (grown["grown"], grown["size_gib"]) == (True, 0.98)
    assert (volume.path / "notebook").exists()
    assert volume.apply()["changed"] is False


def test_options_that_change_are_in_force(volume: Volume) -> None:
    volume.apply()
    changed = volume.apply(mount_options=["nodev", "nosuid"])
    assert volume.kinds(changed) == ["remount", "fstab"]
    assert "nosuid" in volume.mounted()
    assert "noatime" not in volume.mounted()
    assert " ext4 nodev,nosuid,nofail," in volume.lines()[-1]
    table = volume.fstab.read_text()
    wrong = volume.apply(mount_options=["no-such-option"])
    assert wrong["failed"]
    assert "correct data_volume_mount_options" in wrong["msg"]
    # What does not work never gets into the table.
    assert volume.fstab.read_text() == table


def stop_after(volume: Volume, steps: int) -> str:
    """The state in which a run would leave everything that is stopped after so many of its steps."""
    table = volume.fstab.read_text()
    made = volume.apply()
    written = volume.fstab.read_text()
    do("umount", volume.path)
    volume.fstab.write_text(table)
    if steps < 2:
        do("tune2fs", "-L", "hub-new", volume.device)
    if steps < 3:
        volume.path.rmdir()
    if steps > 3:
        do("mount", "-o", "noatime", volume.device, volume.path)
    assert written != table
    return str(made["uuid"])


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_a_run_that_is_stopped_is_finished_by_the_next(volume: Volume, steps: int) -> None:
    uuid = stop_after(volume, steps)
    check = volume.apply(check=True)
    finished = volume.apply()
    rest = ["format", "label", "folder", "mount", "fstab"][steps:]
    assert volume.kinds(finished) == volume.kinds(check) == ([] if steps < 4 else ["remount"]) + rest
    assert (finished["formatted"], finished["uuid"], volume.uuid()) == (False, uuid, uuid)
    assert volume.label() == "hub-data"
    assert volume.mounted()
    assert uuid in volume.lines()[-1]
    assert volume.apply()["changed"] is False


def mkfs_of(volume: Volume) -> int:
    """The process that makes the file system; 0 where there is none."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = file.read_bytes().split(b"\0")
            if words[0].endswith(b"mkfs.ext4") and volume.device.encode() in words:
                return int(file.parent.name)
    return 0


def start(volume: Volume) -> tuple[subprocess.Popen[bytes], int]:
    """A run that has just begun to make the file system, and the process that makes it: it is stopped."""
    process = volume.runner.start("data_volume", **volume.params())
    deadline = time.monotonic() + 30
    while not (mkfs := mkfs_of(volume)):
        assert process.poll() is None, "the run ended without mkfs"
        assert time.monotonic() < deadline, "no mkfs within 30 s"
        time.sleep(0.002)
    os.kill(mkfs, signal.SIGSTOP)
    return process, mkfs


def wait_until_free(device: str) -> None:
    """A container that starts elsewhere has a copy of each mount for an instant, also of a former one."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            os.close(os.open(device, os.O_RDONLY | os.O_EXCL))
        except OSError:
            time.sleep(0.1)
        else:
            return


def test_a_run_that_is_killed_anywhere_is_finished_by_the_next(make: t.Callable[..., Volume]) -> None:
    """The disk is so large that mkfs is met at work, too."""
    assert not SUDO, "this test kills processes of root: run it as root"
    volume = make(size=64 * 1024)
    states: list[tuple[str, bool, int]] = []

    def cut(part: float, whole: float) -> float:
        """Kill a run at this part of the time from mkfs to its end, 0 while mkfs works; returns that time."""
        process, mkfs = start(volume)
        began = time.monotonic()
        if part:
            os.kill(mkfs, signal.SIGCONT)
        while not whole and not volume.fstab.read_text().endswith(" 0 2\n"):
            time.sleep(0.002)
        whole = whole or time.monotonic() - began
        time.sleep(max(0.0, began + part * whole - time.monotonic()))
        if process.poll() is None:
            volume.runner.kill(process, late=True)
        states.append((volume.signature(), bool(volume.mounted()), len(volume.lines())))
        if not part:
            # It outlives the run that has started it, and the next one meets it.
            os.kill(mkfs, signal.SIGCONT)
        finished = volume.apply()
        assert not finished["failed"], (states, finished["msg"])
        assert (volume.label(), bool(volume.mounted())) == ("hub-data", True)
        assert volume.apply()["changed"] is False
        do("umount", volume.path)
        wait_until_free(volume.device)
        do("wipefs", "--all", volume.device)
        volume.fstab.write_text("# mine\n")
        return whole

    whole = cut(1.0, 0.0)
    for part in (0.0, 0.3, 0.5, 0.7, 0.9):
        cut(part, whole)
    print(f"killed within {whole:.2f} s of mkfs: {states}")
    # While it made the file system, and later.
    assert {kind for kind, _mounted, _lines in states} == {"", "ext4"}, states


def partition_table(volume: Volume) -> None:
    entry = struct.pack("<B3sB3sII", 0, b"\0\0\0", 0x83, b"\0\0\0", 2048, 200 * 2048)
    with volume.image.open("r+b") as handle:
        handle.seek(446)
        handle.write(entry + bytes(48) + b"\x55\xaa")


def swap_space(volume: Volume) -> None:
    do("mkswap", volume.device)


def logical_volumes(volume: Volume) -> None:
    """The label of LVM in the second sector, as pvcreate writes it, with its checksum."""
    body = struct.pack("<I", 32) + b"LVM2 001" + b"0123456789abcdefghijklmnopqrstuv"
    body += struct.pack("<QQQ", 400 * MIB, 0, 0)
    body = body.ljust(512 - 20, b"\0")
    table = [0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C]
    table += [0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C]
    crc = 0xF597A6CF
    for byte in body:
        crc ^= byte
        crc = (crc >> 4) ^ table[crc & 0xF]
        crc = (crc >> 4) ^ table[crc & 0xF]
    with volume.image.open("r+b") as handle:
        handle.seek(512)
        handle.write(b"LABELONE" + struct.pack("<QI", 1, crc) + body)


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


def something_else_mounted(volume: Volume) -> None:
    volume.path.mkdir()
    do("mount", "-t", "tmpfs", "somebody", volume.path)


def a_mount_below(volume: Volume) -> None:
    (volume.path / "deep").mkdir(parents=True)
    do("mount", "-t", "tmpfs", "somebody", volume.path / "deep")


def their_line(volume: Volume) -> None:
    volume.fstab.write_text(f"LABEL=theirs {volume.path} ext4 defaults 0 2\n")


def a_link(volume: Volume) -> None:
    volume.path.symlink_to("/var")


REFUSED: list[tuple[t.Callable[[Volume], None], str]] = [
    (partition_table, r"^(DEVICE is divided into partitions|DEVICE already holds dos, which)"),
    (swap_space, r"^DEVICE already holds swap, which .* empty it with 'wipefs --all DEVICE'"),
    (logical_volumes, r"^DEVICE already holds LVM2_member, which"),
    (old_filesystem, r"^DEVICE already holds ext2, which"),
    (two_signatures, r"^DEVICE already holds .*ext4.*, which"),
    (
        files_below,
        r"^data_volume_path is PATH, but PATH/hub/notebook is in it, .*\(mv PATH PATH.before\)",
    ),
    (mounted_elsewhere, r"^DEVICE is mounted at \S+/other: unmount it there"),
    (something_else_mounted, r"^data_volume_path is PATH, where somebody is mounted: unmount that"),
    (a_mount_below, r"^data_volume_path is PATH, but PATH/deep is a mount of its own"),
    (their_line, r"^/etc/fstab mounts LABEL=theirs at PATH, in a line that is not this role's"),
    (a_link, r"^data_volume_path is PATH, which leads to /var: give /var"),
]


@pytest.mark.parametrize(("prepare", "message"), REFUSED, ids=[case[0].__name__ for case in REFUSED])
def test_what_is_there_is_not_touched(
    volume: Volume, prepare: t.Callable[[Volume], None], message: str
) -> None:
    prepare(volume)
    do("sync")
    before = volume.start(), volume.fstab.read_text()
    expected = message.replace("DEVICE", volume.device).replace("PATH", str(volume.path))
    try:
        result = volume.apply()
        assert result["failed"], result
        assert re.search(expected, result["msg"])
        assert "\n" not in result["msg"]
        do("sync")
        assert (volume.start(), volume.fstab.read_text()) == before
    finally:
        for name in ("srv/deep", "srv"):
            do("umount", volume.path.parent / name, check=False)


def test_a_read_only_disk_is_refused(make: t.Callable[..., Volume]) -> None:
    volume = make(readonly=True)
    result = volume.apply()
    assert result["failed"]
    assert result["msg"].startswith(f"{volume.device} is read-only: attach it")


def test_a_disk_that_is_too_small_is_named(make: t.Callable[..., Volume]) -> None:
    volume = make(size=0)
    result = volume.apply()
    assert result["failed"]
    assert result["msg"].startswith(f"{volume.device} has a size of 0: attach the volume")


def test_somebody_elses_file_system_is_used_as_it_is(volume: Volume) -> None:
    do("mkfs.ext4", "-q", "-L", "theirs", volume.device)
    uuid = volume.uuid()
    volume.path.mkdir()
    do("mount", volume.device, volume.path)
    do("touch", volume.path / "notebook")
    do("umount", volume.path)
    # Of a volume that is no more, as an earlier run wrote it.
    old = f"UUID=1111 {volume.path} ext4 noatime,nofail,x-galilean-hub 0 2"
    volume.fstab.write_text(f"{old}\n# mine\n")
    result = volume.apply(fstype="xfs")
    assert volume.kinds(result) == ["mount", "fstab"]
    assert (result["fstype"], result["uuid"], result["formatted"], volume.label()) == (
        "ext4",
        uuid,
        False,
        "theirs",
    )
    assert (volume.path / "notebook").exists()
    assert volume.lines() == [
        f"UUID={uuid} {volume.path} ext4 noatime,{OURS} 0 2",
        "# mine",
    ]


def test_the_line_comes_back(volume: Volume) -> None:
    volume.apply()
    table = volume.fstab.read_text()
    volume.fstab.write_text("# mine\n")
    assert volume.kinds(volume.apply()) == ["remount", "fstab"]
    assert volume.fstab.read_text() == f"# mine\n{table.splitlines()[-1]}\n"


def test_a_disk_that_does_not_come_is_one_sentence(volume: Volume) -> None:
    result = volume.apply(device="/dev/disk/by-id/no-such-disk", timeout=1)
    assert result["failed"]
    assert result["msg"].startswith(
        "data_volume_device is /dev/disk/by-id/no-such-disk, but no such disk appeared within 1 s"
    )
