# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import base64
import json
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.fstab import decoded
from ansible_collections.galilean.hub.plugins.module_utils.volumes import data_volume_disk as disk

UUID = "11111111-2222-3333-4444-555555555555"
# What mkfs.xfs wrote to the beginning of 400 MiB, with the label hub-data.
XFS = zlib.decompress(
    base64.b64decode(
        "eNqLcAt2YmAQYAADxgkM6EAQCJSUjI1dXELBAKKOgQ0q3QClG6F0E1iWIQXEZoEIOTBsWcrEwMTAwJFRmqSbkliSCBLl4eRk5mdgkGSAKYIAW4j5"
        "/g8Y8AMOND7QTsYuCAYDXiDmBjGS+TtqEW4ZBegAAJ1fEI8="
    )
).ljust(disk.SUPERBLOCK, b"\0")


@pytest.fixture(scope="module")
def ext4(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The beginning of a file system as mkfs makes it: into a file, which needs no disk and no rights."""
    image = tmp_path_factory.mktemp("disk") / "image"
    with image.open("wb") as handle:
        handle.truncate(200 * 2**20)
    tool = shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin")
    assert tool, "mkfs.ext4 is missing: install e2fsprogs"
    subprocess.run(
        [tool, "-q", "-F", "-L", disk.LABEL, "-U", UUID, str(image)], check=True, capture_output=True
    )
    return image.read_bytes()[: disk.SUPERBLOCK]


def test_ext4_is_read(ext4: bytes) -> None:
    assert disk.filesystem_of("ext4", ext4) == disk.FileSystem("ext4", UUID, disk.LABEL, 200 * 2**20)
    assert disk.filesystem_of("xfs", ext4) is None


def test_an_ext4_made_for_limits_of_projects_is_known(tmp_path: Path) -> None:
    image = tmp_path / "image"
    with image.open("wb") as handle:
        handle.truncate(200 * 2**20)
    tool = shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin") or ""
    words = ["-q", "-F", "-O", "quota,project", "-E", "quotatype=prjquota"]
    subprocess.run([tool, *words, str(image)], check=True, capture_output=True)
    found = disk.filesystem_of("ext4", image.read_bytes()[: disk.SUPERBLOCK])
    assert found
    assert found.projects


@pytest.mark.parametrize(
    ("changed", "flags", "projects"), [(0, 0, True), (5, 0, False), (5, 0x3, False), (5, 0x8, True)]
)
def test_an_xfs_counts_for_projects_from_its_first_mount_on(changed: int, flags: int, projects: bool) -> None:
    raw = bytearray(XFS)
    raw[247], raw[177] = changed, flags
    found = disk.filesystem_of("xfs", bytes(raw))
    assert found
    assert found.projects is projects


def test_xfs_is_read() -> None:
    found = disk.filesystem_of("xfs", XFS)
    assert found == disk.FileSystem("xfs", UUID, disk.LABEL, 400 * 2**20, log=64 * 2**20, projects=True)
    assert disk.filesystem_of("ext4", XFS) is None


@pytest.mark.parametrize(("mark", "changed", "interrupted"), [(1, 0, True), (0, 0, False), (1, 5, False)])
def test_an_xfs_is_unfinished_only_where_it_was_never_mounted(
    mark: int, changed: int, interrupted: bool
) -> None:
    raw = bytearray(XFS)
    raw[126] = mark
    raw[247] = changed
    found = disk.filesystem_of("xfs", bytes(raw))
    assert found
    assert found.interrupted is interrupted


@pytest.mark.parametrize("start", [b"", b"\0" * disk.SUPERBLOCK, b"XFSB"])
def test_nothing_is_nothing(start: bytes) -> None:
    assert disk.filesystem_of("ext4", start) is None
    assert disk.filesystem_of("xfs", start) is None


# As util-linux prints them.
GPT: dict[str, str | None] = {"type": "gpt", "offset": "0x200", "uuid": None, "label": None}
EXT: dict[str, str | None] = {"type": "ext4", "offset": "0x438", "uuid": UUID, "label": "x"}
SIGNATURES: list[tuple[str, list[dict[str, str | None]], str, tuple[str, ...]]] = [
    ("an empty disk", [], "", ()),
    ("a file system", [EXT], "DEVNAME=/dev/x\nTYPE=ext4\nUSAGE=filesystem", ("ext4",)),
    ("a partition table", [GPT, GPT, {"type": "PMBR"}], "PTTYPE=gpt", ("PMBR", "gpt")),
    ("a table that only blkid knows", [], "PTTYPE=atari", ("atari",)),
    ("two things at once", [EXT, {"type": "LVM2_member"}], "", ("LVM2_member", "ext4")),
]


@pytest.mark.parametrize(
    ("name", "wipefs", "blkid", "expected"), SIGNATURES, ids=[case[0] for case in SIGNATURES]
)
def test_signatures(
    name: str, wipefs: list[dict[str, str | None]], blkid: str, expected: tuple[str, ...]
) -> None:
    assert disk.signatures(json.dumps({"signatures": wipefs}), blkid) == expected


def test_no_words_are_no_signatures() -> None:
    assert disk.signatures("", "") == ()


def test_mounts_are_those_of_the_kernel() -> None:
    found = disk.mounts(Path("/proc/self/mountinfo").read_text())
    root = [mount for mount in found if mount.path == "/"]
    assert root
    device = Path("/").stat().st_dev
    assert root[-1].device == f"{device >> 8 & 0xFFF}:{device & 0xFF | device >> 12 & 0xFFF00}"


def test_a_line_of_mountinfo() -> None:
    line = r"44 27 7:0 /sub /srv/my\040data rw,noatime shared:1 - ext4 /dev/loop0 rw,discard" + "\n"
    assert disk.mounts(line) == [
        disk.Mount("7:0", "/sub", "/srv/my data", "/dev/loop0", ("rw", "noatime", "discard"))
    ]
    assert disk.mounts("garbage\n") == []
    assert decoded(r"\134") == "\\"


VOLUME = "7a1f5d8e-2f7c-4f0e-9d7d-0d5a9a8f2b11"
SERIALS = {"vda": "system", "vdb": VOLUME[:20], "sda": VOLUME[:-1] + "2", "sdb": "WD-1", "sdc": "WD-12"}
CHOICES: list[tuple[str, list[str]]] = [
    (VOLUME, ["vdb"]),
    # The same beginning: nobody could tell them apart.
    (VOLUME[:20], ["vdb"]),
    (VOLUME[:10], ["sda", "vdb"]),
    # Of short ones, only the whole counts.
    ("WD-1", ["sdb"]),
    ("WD-", []),
    ("system", ["vda"]),
    ("system-disk-of-mine", []),
    ("00000000-0000-0000-0000-000000000000", []),
]


@pytest.mark.parametrize(("wanted", "expected"), CHOICES)
def test_a_disk_is_chosen_by_its_serial_number(wanted: str, expected: list[str]) -> None:
    assert disk.chosen(wanted, SERIALS) == expected
