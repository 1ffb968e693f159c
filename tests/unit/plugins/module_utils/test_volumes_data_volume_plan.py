# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.volumes import data_volume_plan as planning
from ansible_collections.galilean.hub.plugins.module_utils.volumes.data_volume_disk import (
    FINISHED,
    NEW,
    Disk,
    FileSystem,
    Mount,
)
from ansible_collections.galilean.hub.plugins.module_utils.volumes.data_volume_plan import (
    Host,
    Wanted,
    make_plan,
)

GIB = 2**30
UNITS = ("docker.service",)
WANTED = Wanted("/srv", "ext4", ("noatime",), UNITS)
EMPTY = Disk("/dev/vdb", "254:16", 100 * GIB, frozenset(["/dev/vdb"]))
NAMES = frozenset(["/dev/vdb", "UUID=1111", "LABEL=hub-data"])
LINE = "UUID=1111 /srv ext4 noatime,nofail,x-systemd.device-timeout=300s,x-galilean-hub 0 2\n"
ROOT = Mount("254:0", "/", "/", "/dev/vda")
HERE = Mount("254:16", "/", "/srv", "/dev/vdb")
DROPINS = {planning.DROPIN.format(unit=unit): planning.dropin("/srv") for unit in UNITS}


def holding(kind: str = "ext4", label: str = FINISHED, size: int = 100, **more: Any) -> Disk:
    interrupted = more.pop("interrupted", False)
    projects = more.pop("projects", False)
    found = FileSystem(kind, "1111", label, size * GIB, interrupted=interrupted, projects=projects)
    return replace(EMPTY, names=NAMES, signatures=(kind,), filesystem=found, **more)


def host(*mounts: Mount, **more: Any) -> Host:
    return Host(mounts=(ROOT, *mounts), **more)


FINISHED_HOST = host(HERE, fstab=LINE, systemd=True, dropins=DROPINS)
FIRST = ["format", "label", "mount", "fstab"]

STEPS: list[tuple[str, Disk, Host, list[str]]] = [
    ("an empty disk", EMPTY, host(), FIRST),
    (
        "an empty disk, and no folder",
        EMPTY,
        host(exists=False),
        ["format", "label", "folder", "mount", "fstab"],
    ),
    (
        "an empty disk of a host with systemd",
        EMPTY,
        host(systemd=True),
        [*FIRST[:-1], "units", "fstab", "reload"],
    ),
    ("finished", holding(), FINISHED_HOST, []),
    ("finished, without systemd", holding(), host(HERE, fstab=LINE), []),
    ("of a server that is no more", holding(), host(), ["mount", "fstab"]),
    ("made by somebody else", holding(label="theirs"), host(), ["mount", "fstab"]),
    ("of the other kind", holding("xfs"), host(), ["mount", "fstab"]),
    # Where a run was stopped.
    ("stopped before the label", holding(label=NEW), host(), ["label", "mount", "fstab"]),
    ("stopped while XFS was made", holding("xfs", NEW, interrupted=True), host(), FIRST),
    (
        "stopped before the mount",
        holding(),
        host(systemd=True, dropins=DROPINS),
        ["mount", "fstab", "reload"],
    ),
    ("stopped before the table", holding(), host(HERE), ["remount", "fstab"]),
    ("stopped before the drop-ins", holding(), replace(FINISHED_HOST, dropins={}), ["units", "reload"]),
    ("stopped before systemd was told", holding(), replace(FINISHED_HOST, reload=True), ["reload"]),
    ("mounted by hand while it still had the first label", holding(label=NEW), host(HERE, fstab=LINE), []),
    # Growth.
    ("a larger disk", holding(size=80), FINISHED_HOST, ["grow"]),
    ("a larger disk, not mounted yet", holding(size=80), host(fstab=LINE), ["mount", "grow"]),
    ("a larger disk with XFS", holding("xfs", size=80), host(), ["mount", "grow", "fstab"]),
    (
        "a larger disk, where it cannot be grown while mounted",
        holding(size=80),
        replace(FINISHED_HOST, grows_mounted=False),
        ["unmount", "grow_offline", "mount"],
    ),
    (
        "stopped after the unmount",
        holding(size=80),
        host(fstab=LINE, grows_mounted=False),
        ["grow_offline", "mount"],
    ),
    (
        "XFS always grows while it is mounted",
        holding("xfs", size=80),
        host(HERE, fstab=LINE.replace("ext4", "xfs").replace("0 2", "0 0"), grows_mounted=False),
        ["grow"],
    ),
    (
        "what mkfs left at the end is no growth",
        replace(holding(), size=100 * GIB + 60 * 2**20),
        FINISHED_HOST,
        [],
    ),
    # The table.
    ("the line is gone", holding(), replace(FINISHED_HOST, fstab=""), ["remount", "fstab", "reload"]),
    (
        "a line of ours of another volume",
        holding(),
        host(fstab=LINE.replace("1111", "2222")),
        ["mount", "fstab"],
    ),
    ("a line of ours, elsewhere", holding(), host(fstab=LINE.replace("/srv", "/old")), ["mount", "fstab"]),
    (
        "a line of ours for something else",
        holding(),
        host(fstab=LINE + "UUID=3333 /x xfs x-galilean-hub 0 0\n"),
        ["mount"],
    ),
    (
        "their line for this volume",
        holding(),
        host(HERE, fstab="UUID=1111 /srv ext4 defaults 0 2\n"),
        ["remount", "fstab"],
    ),
    ("other options", holding(), host(HERE, fstab=LINE.replace("noatime", "nodev")), ["remount", "fstab"]),
    ("an older line of ours", holding(), host(HERE, fstab=LINE.replace("300s", "5s")), ["fstab"]),
    # Empty folders below hide nothing: the host says so by no obstacle.
    (
        "something else's signature, but ours is mounted",
        replace(holding(), signatures=("ext4", "gpt")),
        FINISHED_HOST,
        [],
    ),
]


@pytest.mark.parametrize(("name", "disk", "seen", "expected"), STEPS, ids=[case[0] for case in STEPS])
def test_steps(name: str, disk: Disk, seen: Host, expected: list[str]) -> None:
    plan = make_plan(WANTED, disk, seen)
    assert [action.kind for action in plan.actions] == expected
    assert all(action.reason for action in plan.actions)


REFUSED: list[tuple[str, Disk, Host, str]] = [
    (
        "partitions",
        replace(EMPTY, signatures=("gpt",), parts=("vdb1", "vdb2")),
        host(),
        "/dev/vdb is divided into partitions (vdb1, vdb2): give the partition",
    ),
    (
        "an empty partition table",
        replace(EMPTY, signatures=("PMBR", "gpt")),
        host(),
        "/dev/vdb already holds PMBR, gpt, which",
    ),
    ("LVM", replace(EMPTY, signatures=("LVM2_member",)), host(), "/dev/vdb already holds LVM2_member, which"),
    ("LVM in use", replace(EMPTY, holders=("dm-0",)), host(), "/dev/vdb is part of dm-0: give /dev/dm-0"),
    ("swap", replace(EMPTY, signatures=("swap",)), host(), "/dev/vdb already holds swap, which"),
    ("ext3", replace(EMPTY, signatures=("ext3",)), host(), "/dev/vdb already holds ext3, which"),
    (
        "two file systems",
        replace(holding(), signatures=("ext4", "xfs")),
        host(),
        "/dev/vdb already holds ext4, xfs, which",
    ),
    (
        "what is not clear",
        replace(EMPTY, signatures=("ext4",)),
        host(),
        "/dev/vdb seems to hold ext4, but its first block is",
    ),
    (
        "somebody else's unfinished XFS",
        holding("xfs", "theirs", interrupted=True),
        host(),
        "/dev/vdb holds an XFS that was never finished, and was not begun by this role",
    ),
    (
        "a smaller disk",
        holding(size=120),
        host(),
        "/dev/vdb has 100.0 GiB, but the file system on it 120.0 GiB: it was cut",
    ),
    ("nothing at all", replace(EMPTY, size=0), host(), "/dev/vdb has a size of 0: attach the volume"),
    ("read-only", replace(EMPTY, readonly=True), host(), "/dev/vdb is read-only: attach it"),
    (
        "in use",
        replace(EMPTY, busy=True),
        host(),
        "/dev/vdb is empty, but another program of the host has it open",
    ),
    (
        "mounted elsewhere",
        holding(),
        host(replace(HERE, path="/mnt")),
        "/dev/vdb is mounted at /mnt: unmount it there",
    ),
    (
        "a part of it here",
        holding(),
        host(replace(HERE, root="/sub")),
        "data_volume_path is /srv, where /dev/vdb/sub is mounted: unmount that (umount /srv)",
    ),
    (
        "something else here",
        EMPTY,
        host(Mount("254:32", "/", "/srv", "/dev/vdc")),
        "data_volume_path is /srv, where /dev/vdc is mounted: unmount that",
    ),
    (
        "something else over it",
        holding(),
        host(HERE, Mount("254:32", "/", "/srv", "/dev/vdc")),
        "data_volume_path is /srv, where /dev/vdc is mounted: unmount that (umount /srv)",
    ),
    (
        "a mount below",
        EMPTY,
        host(Mount("0:50", "/", "/srv/nfs", "nas:/x")),
        "data_volume_path is /srv, but /srv/nfs is a mount of its own, which the volume would hide",
    ),
    (
        "files",
        EMPTY,
        host(obstacle="/srv/hub/secret"),
        "data_volume_path is /srv, but /srv/hub/secret is in it, and the volume would hide that: stop what "
        "uses it, move all of it away (mv /srv /srv.before), run again, and move it onto the volume.",
    ),
    ("a link", EMPTY, host(link="/data"), "data_volume_path is /srv, which leads to /data: give /data."),
    (
        "their line for the folder",
        holding(),
        host(fstab="LABEL=other /srv/ ext4 defaults 0 2\n"),
        "/etc/fstab mounts LABEL=other at /srv/, in a line that is not this role's: remove the line",
    ),
    (
        "their line for the volume",
        holding(),
        host(fstab="LABEL=hub-data /data ext4 defaults 0 2\n"),
        "/etc/fstab mounts LABEL=hub-data, which is this volume, at /data: remove the line",
    ),
]


@pytest.mark.parametrize(("name", "disk", "seen", "message"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_is_not_ours_to_decide_is_refused(name: str, disk: Disk, seen: Host, message: str) -> None:
    with pytest.raises(HubError, match=f"^{re.escape(message)}") as caught:
        make_plan(WANTED, disk, seen)
    # One sentence.
    assert re.fullmatch(r"[^\n]+[^.]\.", caught.value.message)


@pytest.mark.parametrize("seen", [host(), host(HERE, fstab=LINE)])
def test_a_file_system_that_the_kernel_would_mount_is_never_made_anew(seen: Host) -> None:
    """Whatever its label: only one that its own first block calls unfinished may be written over."""
    for kind in ("ext4", "xfs"):
        for label in (NEW, FINISHED, "", "theirs"):
            for size in (1, 80, 100):
                assert not make_plan(WANTED, holding(kind, label, size), seen).has("format")


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (replace(WANTED, path="srv"), "data_volume_path is 'srv': give the absolute path"),
        (replace(WANTED, path="/"), "data_volume_path is '/': give the absolute path"),
        (replace(WANTED, path="/my data"), "data_volume_path is '/my data': give the absolute path"),
        (replace(WANTED, path="/srv/../etc"), "data_volume_path is '/srv/../etc': give the absolute path"),
        (
            replace(WANTED, options=("noatime,nodev",)),
            "data_volume_mount_options has 'noatime,nodev': give one",
        ),
        (replace(WANTED, options=("no atime",)), "data_volume_mount_options has 'no atime': give one"),
        (replace(WANTED, options=("",)), "data_volume_mount_options has '': give one"),
    ],
)
def test_settings_that_cannot_stand_in_the_table_are_refused(wanted: Wanted, message: str) -> None:
    with pytest.raises(HubError, match=f"^{re.escape(message)}"):
        make_plan(wanted, EMPTY, host())


def test_the_line_lets_the_host_boot_without_the_volume() -> None:
    plan = make_plan(WANTED, holding(), host(fstab="# mine\n/swapfile none swap sw 0 0\n"))
    assert plan.fstab == f"# mine\n/swapfile none swap sw 0 0\n{LINE}"


def test_xfs_is_not_checked_at_boot() -> None:
    plan = make_plan(replace(WANTED, options=()), holding("xfs"), host())
    assert plan.fstab == "UUID=1111 /srv xfs nofail,x-systemd.device-timeout=300s,x-galilean-hub 0 0\n"


def test_an_old_line_gives_way_to_the_new_one() -> None:
    old = LINE.replace("1111", "2222")
    assert (
        make_plan(WANTED, holding(), host(fstab=f"a / ext4\n{old}b /b xfs\n")).fstab
        == f"a / ext4\n{LINE}b /b xfs\n"
    )


def test_units_wait_for_the_mount() -> None:
    plan = make_plan(WANTED, EMPTY, host(systemd=True))
    assert list(plan.dropins) == ["/etc/systemd/system/docker.service.d/galilean-data-volume.conf"]
    assert (
        "RequiresMountsFor=/srv\n"
        in plan.dropins["/etc/systemd/system/docker.service.d/galilean-data-volume.conf"]
    )


def test_sizes_before_and_after() -> None:
    plan = make_plan(WANTED, holding(size=80), FINISHED_HOST)
    assert plan.before == {"filesystem": "ext4", "mounted": "/srv", "size_gib": 80.0}
    assert plan.after == {"filesystem": "ext4", "mounted": "/srv", "size_gib": 100.0}
    plan = make_plan(WANTED, EMPTY, host())
    assert plan.before == {"filesystem": "", "mounted": "", "size_gib": 0}
    assert plan.after == {"filesystem": "ext4", "mounted": "/srv", "size_gib": 100.0}


BOTH = frozenset(["ext4", "xfs"])


@pytest.mark.parametrize(
    ("disk", "kernel", "projects"),
    [
        (EMPTY, BOTH, True),
        # The kernel would not mount it.
        (EMPTY, frozenset(), False),
        (EMPTY, frozenset(["xfs"]), False),
        (holding("xfs", NEW, interrupted=True), BOTH, True),
        (holding("xfs", NEW, projects=True), BOTH, True),
        (holding(projects=True), BOTH, True),
        (holding(projects=True), frozenset(), False),
        # As an older version made it: it stays as it is.
        (holding(), BOTH, False),
        (holding("xfs"), BOTH, False),
    ],
)
def test_limits_of_projects(disk: Disk, kernel: frozenset[str], projects: bool) -> None:
    plan = make_plan(WANTED, disk, host(projects=kernel))
    assert plan.projects is projects
    assert ("prjquota" in plan.options) is projects
    assert ("noatime,prjquota,nofail" in plan.fstab) is projects


def test_a_volume_with_limits_of_projects_is_finished() -> None:
    line = LINE.replace("noatime,", "noatime,prjquota,")
    seen = replace(FINISHED_HOST, fstab=line, projects=BOTH)
    assert not make_plan(WANTED, holding(projects=True), seen).actions
    # One from before as well.
    assert not make_plan(WANTED, holding(), replace(FINISHED_HOST, projects=BOTH)).actions
