# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.volumes import data_volume_guard as guard
from ansible_collections.galilean.hub.plugins.module_utils.volumes.data_volume_disk import (
    LABEL,
    Disk,
    FileSystem,
    Mount,
)
from ansible_collections.galilean.hub.plugins.module_utils.volumes.data_volume_guard import Host, Plan, Wanted

GIB = 2**30
WANTED = Wanted("/srv", "ext4", ("noatime",))
EMPTY = Disk("/dev/vdb", "254:16", 100 * GIB, frozenset(["/dev/vdb"]))
NAMES = frozenset(["/dev/vdb", "UUID=1111", "LABEL=hub-data"])
LINE = "UUID=1111 /srv ext4 noatime,nofail,x-systemd.device-timeout=300s,x-galilean-hub 0 2"
ROOT = Mount("254:0", "/", "/", "/dev/vda")
HERE = Mount("254:16", "/", "/srv", "/dev/vdb")


def holding(kind: str = "ext4", label: str = LABEL, size: int = 100, **more: Any) -> Disk:
    interrupted = more.pop("interrupted", False)
    projects = more.pop("projects", False)
    found = FileSystem(kind, "1111", label, size * GIB, interrupted=interrupted, projects=projects)
    return replace(EMPTY, names=NAMES, signatures=(kind,), filesystem=found, **more)


def host(*mounts: Mount, **more: Any) -> Host:
    return Host(mounts=(ROOT, *mounts), **more)


def make_plan(disk: Disk, seen: Host, wanted: Wanted = WANTED) -> Plan:
    return guard.make_plan(wanted, disk, seen, "2222")


def steps(plan: Plan) -> list[str]:
    """What the tasks of the role would do, in their order."""
    found = {
        "force": plan.unfinished,
        "format": plan.format,
        "unmounted": plan.grow == "unmounted",
        "mount": not plan.mounted,
        "remount": plan.remount,
        "grow": plan.grow == "mounted",
        "fstab": plan.fstab_line,
    }
    return [name for name, needed in found.items() if needed]


FINISHED_HOST = host(HERE, fstab=LINE)
FIRST = ["format", "mount", "fstab"]

LARGER = holding(size=80)
CONTAINER = {"fstab": LINE, "grows_mounted": False}
XFS_LINE = LINE.replace("ext4", "xfs").replace("0 2", "0 0")

STEPS: list[tuple[str, Disk, Host, list[str]]] = [
    ("an empty disk", EMPTY, host(), FIRST),
    ("finished", holding(), FINISHED_HOST, []),
    ("of a server that is no more", holding(), host(), ["mount", "fstab"]),
    ("made by somebody else", holding(label="theirs"), host(), ["mount", "fstab"]),
    ("of the other kind", holding("xfs"), host(), ["mount", "fstab"]),
    # Where a run was stopped.
    ("stopped while XFS was made", holding("xfs", interrupted=True), host(), ["force", *FIRST]),
    ("stopped before the table", holding(), host(HERE), ["remount", "fstab"]),
    # Growth.
    ("a larger disk", LARGER, FINISHED_HOST, ["grow"]),
    ("a larger disk, not mounted yet", LARGER, host(fstab=LINE), ["mount", "grow"]),
    ("a larger disk in a container", LARGER, host(HERE, **CONTAINER), ["unmounted"]),
    ("stopped after the unmount", LARGER, host(**CONTAINER), ["unmounted", "mount"]),
    ("XFS in a container", holding("xfs", size=80), host(HERE, **{**CONTAINER, "fstab": XFS_LINE}), ["grow"]),
    ("what mkfs left", replace(holding(), size=100 * GIB + 60 * 2**20), FINISHED_HOST, []),
    # The table.
    ("a line of ours of another volume", holding(), host(fstab=LINE.replace("11", "22")), ["mount", "fstab"]),
    (
        "their line for this volume",
        holding(),
        host(HERE, fstab="UUID=1111 /srv ext4 x 0 2"),
        ["remount", "fstab"],
    ),
    ("other options", holding(), host(HERE, fstab=LINE.replace("noatime", "nodev")), ["remount", "fstab"]),
    ("an older line of ours", holding(), host(HERE, fstab=LINE.replace("300s", "5s")), ["fstab"]),
    ("two things, but ours is mounted", replace(holding(), signatures=("ext4", "gpt")), FINISHED_HOST, []),
]


@pytest.mark.parametrize(("name", "disk", "seen", "expected"), STEPS, ids=[case[0] for case in STEPS])
def test_steps(name: str, disk: Disk, seen: Host, expected: list[str]) -> None:
    assert steps(make_plan(disk, seen)) == expected


def found(*signatures: str, **more: Any) -> Disk:
    return replace(EMPTY, signatures=signatures, **more)


OTHER = Mount("254:32", "/", "/srv", "/dev/vdc")
NAS = Mount("0:50", "/", "/srv/nfs", "nas:/x")

# What the sentence begins with, and what it gives as the way out.
REFUSED: list[tuple[Disk, Host, str, str]] = [
    (
        found("gpt", parts=("vdb1", "vdb2")),
        host(),
        "/dev/vdb is divided into partitions (vdb1, vdb2)",
        "give the",
    ),
    (
        found("PMBR", "gpt"),
        host(),
        "/dev/vdb already holds PMBR, gpt, which",
        "empty it with 'wipefs --all /dev/vdb'",
    ),
    (found("LVM2_member"), host(), "/dev/vdb already holds LVM2_member, which", "name another disk"),
    (found(holders=("dm-0",)), host(), "/dev/vdb is part of dm-0", "give /dev/dm-0 as data_volume_device"),
    (
        replace(holding(), signatures=("ext4", "xfs")),
        host(),
        "/dev/vdb already holds ext4, xfs, which",
        "name",
    ),
    (found("ext4"), host(), "/dev/vdb seems to hold ext4, but its first block is not one", "look at it with"),
    (
        holding("xfs", "theirs", interrupted=True),
        host(),
        "/dev/vdb holds an XFS that was never finished, and was not begun by this role",
        "empty it with 'wipefs --all /dev/vdb' and run again",
    ),
    (
        holding(size=120),
        host(),
        "/dev/vdb has 100.0 GiB, but the file system on it 120.0 GiB: it was cut off",
        "make the disk as large again",
    ),
    (replace(EMPTY, size=0), host(), "/dev/vdb has a size of 0", "attach the volume"),
    (
        replace(EMPTY, readonly=True),
        host(),
        "/dev/vdb is read-only",
        "attach it so that it can be written to",
    ),
    (replace(EMPTY, busy=True), host(), "/dev/vdb is empty, but another program", "name another disk"),
    (holding(), host(replace(HERE, path="/mnt")), "/dev/vdb is mounted at /mnt", "data_volume_path to /mnt"),
    (found("btrfs"), host(HERE), "/dev/vdb is mounted at /srv, but holds btrfs, which", "name another disk"),
    (
        holding(),
        host(replace(HERE, root="/sub")),
        "data_volume_path is /srv, where /dev/vdb/sub is mounted",
        "umount",
    ),
    (EMPTY, host(OTHER), "data_volume_path is /srv, where /dev/vdc is mounted", "(umount /srv)"),
    (holding(), host(HERE, OTHER), "data_volume_path is /srv, where /dev/vdc is mounted", "(umount /srv)"),
    (
        EMPTY,
        host(NAS),
        "data_volume_path is /srv, but /srv/nfs is a mount of its own, which",
        "give another folder",
    ),
    (
        EMPTY,
        host(obstacle="/srv/x"),
        "data_volume_path is /srv, but /srv/x is in it",
        "playbooks/move_data.yml, or give",
    ),
    (EMPTY, host(link="/data"), "data_volume_path is /srv, which leads to /data", "give /data"),
    # The table.
    (
        holding(),
        host(fstab="LABEL=other /srv/ ext4 defaults 0 2"),
        "/etc/fstab mounts LABEL=other at /srv/, in a line that is not this role's",
        "remove the line, or set data_volume_path",
    ),
    (
        holding(),
        host(fstab="LABEL=hub-data /data ext4 defaults 0 2"),
        "/etc/fstab mounts LABEL=hub-data, which is this volume, at /data",
        "set data_volume_path to /data",
    ),
    (
        holding(),
        host(fstab=LINE.replace("/srv", "/old") + "\nUUID=3333 /x xfs x-galilean-hub 0 0\n"),
        "/etc/fstab mounts UUID=1111, which is this volume, at /old",
        "set data_volume_path to /old",
    ),
]


@pytest.mark.parametrize(("disk", "seen", "message", "fix"), REFUSED, ids=[case[2] for case in REFUSED])
def test_what_is_not_ours_to_decide_is_refused(disk: Disk, seen: Host, message: str, fix: str) -> None:
    with pytest.raises(HubError, match=f"^{re.escape(message)}") as caught:
        make_plan(disk, seen)
    # One sentence.
    assert re.fullmatch(r"[^\n]+: [^\n]+[^.]\.", caught.value.message)
    assert fix in caught.value.message.partition(": ")[2]


@pytest.mark.parametrize("seen", [host(), host(HERE, fstab=LINE)])
def test_a_file_system_that_the_kernel_would_mount_is_never_made_anew(seen: Host) -> None:
    """Whatever its label: only one that its own first block calls unfinished may be written over."""
    for kind in ("ext4", "xfs"):
        for label in (LABEL, "", "theirs"):
            for size in (1, 80, 100):
                plan = make_plan(holding(kind, label, size), seen)
                assert (plan.format, plan.unfinished) == (False, False)


def test_the_line_is_of_the_file_system_that_is_made() -> None:
    """It lets the host boot without the volume, and XFS is not checked at boot."""
    plan = make_plan(EMPTY, host())
    assert (plan.uuid, plan.fstab_line) == ("2222", LINE.replace("1111", "2222"))
    assert plan.mkfs_options == "-q -m 1 -L hub-data -U 2222"
    plan = make_plan(EMPTY, host(), replace(WANTED, fstype="xfs", options=()))
    assert plan.fstab_line == "UUID=2222 /srv xfs nofail,x-systemd.device-timeout=300s,x-galilean-hub 0 0"
    assert plan.mkfs_options == "-q -L hub-data -m uuid=2222"


@pytest.mark.parametrize(
    ("options", "expected"),
    [((), "relatime"), (("nodev",), "nodev,relatime"), (("noatime", "x-y", "nofail"), "noatime")],
)
def test_the_kernel_gets_its_options(options: tuple[str, ...], expected: str) -> None:
    """A mount that is made anew would keep noatime where it is given no other."""
    assert make_plan(EMPTY, host(), replace(WANTED, options=options)).mount_options == expected


BOTH = frozenset(["ext4", "xfs"])


@pytest.mark.parametrize(
    ("disk", "kernel", "projects"),
    [
        (EMPTY, BOTH, True),
        # The kernel would not mount it.
        (EMPTY, frozenset(), False),
        (EMPTY, frozenset(["xfs"]), False),
        (holding("xfs", interrupted=True), BOTH, True),
        (holding("xfs", projects=True), BOTH, True),
        (holding(projects=True), BOTH, True),
        (holding(projects=True), frozenset(), False),
        # As an older version made it: it stays as it is.
        (holding(), BOTH, False),
        (holding("xfs"), BOTH, False),
    ],
)
def test_limits_of_projects(disk: Disk, kernel: frozenset[str], projects: bool) -> None:
    plan = make_plan(disk, host(projects=kernel))
    assert ("prjquota" in plan.mount_options) is projects
    assert ("noatime,prjquota,nofail" in plan.fstab_line) is projects
    assert ("quotatype=prjquota" in plan.mkfs_options) is (projects and plan.fstype == "ext4")


def test_a_volume_with_limits_of_projects_is_finished() -> None:
    line = LINE.replace("noatime,", "noatime,prjquota,")
    seen = replace(FINISHED_HOST, fstab=line, projects=BOTH)
    assert not steps(make_plan(holding(projects=True), seen))
    # One from before as well.
    assert not steps(make_plan(holding(), replace(FINISHED_HOST, projects=BOTH)))
