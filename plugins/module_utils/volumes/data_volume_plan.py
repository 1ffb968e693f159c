# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What is to be done so that a disk holds a host's data, or why nothing is. Pure: no disk, no files, no clock."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.galilean.hub.plugins.module_utils.core import fstab as fstab_file
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.volumes.data_volume_disk import (
    NEW,
    SUPPORTED,
    Disk,
    FileSystem,
    Mount,
    gib,
)

# What a file system may leave of a disk's end: less than this is no growth.
SLACK = 64 * 2**20
# Seconds to wait for the disk at boot. That holds up nothing but the units that need it, and a server under load may
# see its disks only after a minute; one that it gives up is not mounted when it appears later.
BOOT_WAIT = 300
PACKAGES = {"ext4": "e2fsprogs", "xfs": "xfsprogs"}
DROPIN = "/etc/systemd/system/{unit}.d/galilean-data-volume.conf"
# The mount option of ext4 and XFS.
PROJECTS = "prjquota"
# Where the UUID stands while there is none yet.
UNKNOWN = "(made by mkfs)"

_OPTION = re.compile(r"^[^\s,#\"'\\]+\Z")
_PATH = re.compile(r"^(/[^\s/\\\"'#]+)+\Z")


@dataclass(frozen=True)
class Wanted:
    """The settings."""

    path: str
    fstype: str = "ext4"
    options: tuple[str, ...] = ()
    units: tuple[str, ...] = ()


@dataclass(frozen=True)
class Host:
    """What is known of the host beside the disk.

    exists, link: the folder, and where it leads when it is a link; obstacle: the first thing in it that a mount would
    hide; mounts: all of them; dropins: text of each unit's file; reload: systemd has not read what lies on the disk;
    grows_mounted: ext4 can be grown while it is mounted; projects: kinds of file systems for which the kernel keeps limits
    for projects.
    """

    exists: bool = True
    link: str = ""
    obstacle: str = ""
    mounts: tuple[Mount, ...] = ()
    fstab: str = ""
    systemd: bool = False
    dropins: t.Mapping[str, str] = field(default_factory=dict)
    reload: bool = False
    grows_mounted: bool = True
    projects: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Action:
    """One step, with the reason for it."""

    kind: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """The steps in their order; after each of them, a new plan comes to what is left.

    options: those of the mount; projects: whether they keep limits for projects, with which homes have theirs.
    """

    actions: tuple[Action, ...]
    kind: str
    fstab: str
    dropins: t.Mapping[str, str]
    before: t.Mapping[str, t.Any]
    after: t.Mapping[str, t.Any]
    options: tuple[str, ...] = ()
    projects: bool = False

    def has(self, *kinds: str) -> bool:
        return any(action.kind in kinds for action in self.actions)


def check_wanted(wanted: Wanted) -> None:
    """Refuse settings that cannot stand in /etc/fstab."""
    if not _PATH.match(wanted.path) or os.path.normpath(wanted.path) != wanted.path:
        raise HubError(
            f"data_volume_path is '{wanted.path}': give the absolute path of a folder, without blanks, such as /srv."
        )
    for option in wanted.options:
        if not _OPTION.match(option):
            raise HubError(
                f"data_volume_mount_options has '{option}': give one mount option for each item, such as noatime."
            )


def dropin(path: str) -> str:
    """What keeps a unit from starting where the volume is missing, and would write to the disk below."""
    return f"# Written by galilean.hub. What it keeps is on the volume that is mounted there.\n[Unit]\nRequiresMountsFor={path}\n"


def entry(wanted: Wanted, uuid: str, kind: str) -> str:
    """The line of /etc/fstab. A host without its volume still boots, so that somebody can log in and look."""
    options = (*wanted.options, "nofail", f"x-systemd.device-timeout={BOOT_WAIT}s", fstab_file.MARK)
    return fstab_file.line_of(
        fstab_file.Entry(f"UUID={uuid}", wanted.path, kind, tuple(dict.fromkeys(options))),
        # XFS looks after itself when it is mounted.
        check=0 if kind == "xfs" else 2,
    )


def _list(words: t.Iterable[str]) -> str:
    return ", ".join(sorted(words))


def _refuse_contents(disk: Disk) -> None:
    """Nothing of a disk is touched that holds something else than a file system of ours to use."""
    if disk.parts:
        raise HubError(
            f"{disk.path} is divided into partitions ({_list(disk.parts)}): give the partition that holds the data as "
            f"data_volume_device, or, if nothing on the disk is needed, empty it with 'wipefs --all --force {disk.path}' and run again."
        )
    if disk.holders:
        raise HubError(
            f"{disk.path} is part of {_list(disk.holders)}: give /dev/{disk.holders[0]} as data_volume_device if that holds "
            "the data, or another disk."
        )
    others = set(disk.signatures) - set(SUPPORTED)
    if others or len(disk.signatures) > 1:
        raise HubError(
            f"{disk.path} already holds {_list(disk.signatures)}, which this role neither uses nor overwrites: name "
            f"another disk, or, if nothing on it is needed, empty it with 'wipefs --all {disk.path}' and run again."
        )
    if disk.signatures and disk.filesystem is None:
        raise HubError(
            f"{disk.path} seems to hold {disk.signatures[0]}, but its first block is not one: look at it with "
            f"'blkid --probe {disk.path}', repair it, or name another disk."
        )


def _refuse_state(disk: Disk, filesystem: FileSystem | None) -> None:
    if filesystem and filesystem.interrupted and filesystem.label != NEW:
        raise HubError(
            f"{disk.path} holds an XFS that was never finished, and was not begun by this role: if nothing on it is needed, "
            f"empty it with 'wipefs --all {disk.path}' and run again."
        )
    if filesystem and filesystem.size > disk.size:
        raise HubError(
            f"{disk.path} has {gib(disk.size)} GiB, but the file system on it {gib(filesystem.size)} GiB: it was cut off, so "
            "make the disk as large again before anything is mounted."
        )
    if disk.size == 0:
        raise HubError(f"{disk.path} has a size of 0: attach the volume, or name another disk.")
    if disk.readonly:
        raise HubError(
            f"{disk.path} is read-only: attach it so that it can be written to, or name another disk."
        )
    if disk.busy and disk.blank:
        raise HubError(
            f"{disk.path} is empty, but another program of the host has it open (lsof {disk.path}): end that, or name another disk."
        )


def _refuse_folder(wanted: Wanted, disk: Disk, host: Host, top: Mount | None) -> None:
    if host.link:
        raise HubError(f"data_volume_path is {wanted.path}, which leads to {host.link}: give {host.link}.")
    if top:
        raise HubError(
            f"data_volume_path is {wanted.path}, where {top.source}{'' if top.root == '/' else top.root} is mounted: unmount that "
            f"(umount {wanted.path}), or give another folder."
        )
    elsewhere = [mount.path for mount in host.mounts if mount.device == disk.number]
    if elsewhere:
        raise HubError(
            f"{disk.path} is mounted at {elsewhere[0]}: unmount it there (umount {elsewhere[0]}), or set data_volume_path to "
            f"{elsewhere[0]}."
        )
    below = [mount.path for mount in host.mounts if mount.path.startswith(f"{wanted.path}/")]
    if below:
        raise HubError(
            f"data_volume_path is {wanted.path}, but {below[0]} is a mount of its own, which the volume would hide: unmount "
            "it, or give another folder."
        )
    if host.obstacle:
        raise HubError(
            f"data_volume_path is {wanted.path}, but {host.obstacle} is in it, and the volume would hide that: stop what uses "
            f"it, move all of it away (mv {wanted.path} {wanted.path}.before), run again, and move it onto the volume."
        )


def _table(wanted: Wanted, disk: Disk, fstab: str, line: str) -> str:
    """The new /etc/fstab: one line for the volume, in the place of older ones of ours."""

    def same(one: fstab_file.Entry) -> bool:
        return one.source in disk.names

    def here(one: fstab_file.Entry) -> bool:
        return os.path.normpath(one.path) == wanted.path

    for one in fstab_file.entries(fstab):
        if one.ours or (same(one) and here(one)):
            continue
        if here(one):
            raise HubError(
                f"/etc/fstab mounts {one.source} at {one.path}, in a line that is not this role's: remove the line, or set "
                "data_volume_path to another folder."
            )
        if same(one):
            raise HubError(
                f"/etc/fstab mounts {one.source}, which is this volume, at {one.path}: remove the line, or set data_volume_path to {one.path}."
            )
    return fstab_file.replaced(fstab, lambda one: here(one) or (one.ours and same(one)), line)


def _options_of(wanted: Wanted, disk: Disk, fstab: str) -> set[str] | None:
    """The options of our line that is there, as far as they are the operator's; nothing where there is no such line."""
    for one in fstab_file.entries(fstab):
        if one.ours and one.path == wanted.path and one.source in disk.names:
            return {option for option in one.options if not option.startswith("x-") and option != "nofail"}
    return None


def _steps_on_disk(disk: Disk, kind: str, mounted: bool) -> t.Iterator[Action]:
    """What makes the file system."""
    filesystem = disk.filesystem
    if filesystem is None:
        yield Action("format", f"{disk.path} is empty")
    elif filesystem.interrupted:
        yield Action("format", f"an earlier run was stopped while it made {kind} on {disk.path}")
    if filesystem is None or (filesystem.label == NEW and not mounted):
        yield Action("label", f"{kind} on {disk.path} is complete")


def _steps_of_mount(
    wanted: Wanted, disk: Disk, host: Host, mounted: bool, grow: str, offline: bool
) -> t.Iterator[Action]:
    """What brings it to its folder, and to the size of the disk."""
    if offline and mounted:
        yield Action("unmount", "it cannot be grown while it is mounted from here")
    if offline:
        yield Action("grow_offline", grow)
    if not host.exists:
        yield Action("folder", f"{wanted.path} is missing")
    if not mounted or offline:
        yield Action("mount", f"{disk.path} is not mounted at {wanted.path}")
    elif _options_of(wanted, disk, host.fstab) != {
        option for option in wanted.options if not option.startswith("x-")
    }:
        # Before the table is changed: options that do not work never get there, and no run that is stopped skips this.
        yield Action("remount", "its mount options may be others")
    if grow and not offline:
        yield Action("grow", grow)


def _steps_of_boot(wanted: Wanted, host: Host, fstab: str, late: t.Mapping[str, str]) -> t.Iterator[Action]:
    """What makes it last."""
    if late:
        yield Action("units", f"{_list(wanted.units)} would start without {wanted.path}")
    if fstab != host.fstab:
        yield Action("fstab", f"/etc/fstab does not mount it at {wanted.path}, or not like this")
    if host.systemd and (late or fstab != host.fstab or host.reload):
        yield Action("reload", "systemd has not read this yet")


def make_plan(wanted: Wanted, disk: Disk, host: Host) -> Plan:
    """Compare what is with what shall be; HubError with one sentence where it is not ours to decide."""
    check_wanted(wanted)
    filesystem = disk.filesystem
    at = [mount for mount in host.mounts if mount.path == wanted.path]
    top = at[-1] if at else None
    mounted = top is not None and top.device == disk.number and top.root == "/"
    if not mounted:
        _refuse_contents(disk)
        _refuse_state(disk, filesystem)
        _refuse_folder(wanted, disk, host, top)
    kind = filesystem.kind if filesystem else wanted.fstype
    fresh = filesystem is None or filesystem.interrupted
    projects = kind in host.projects and (filesystem is None or fresh or filesystem.projects)
    if projects:
        wanted = replace(wanted, options=tuple(dict.fromkeys((*wanted.options, PROJECTS))))
    uuid = UNKNOWN if filesystem is None or fresh else filesystem.uuid
    fstab = _table(wanted, disk, host.fstab, entry(wanted, uuid, kind))

    grow = ""
    if filesystem and not fresh and disk.size - filesystem.size >= SLACK:
        grow = f"the disk has {gib(disk.size)} GiB, its file system {gib(filesystem.size)} GiB"
    offline = bool(grow) and kind == "ext4" and not host.grows_mounted
    dropins = {DROPIN.format(unit=unit): dropin(wanted.path) for unit in wanted.units} if host.systemd else {}
    late = {path: text for path, text in dropins.items() if host.dropins.get(path) != text}
    steps = [
        *_steps_on_disk(disk, kind, mounted),
        *_steps_of_mount(wanted, disk, host, mounted, grow, offline),
        *_steps_of_boot(wanted, host, fstab, late),
    ]
    there = filesystem if filesystem and not fresh else None
    before = {
        "filesystem": there.kind if there else "",
        "mounted": wanted.path if mounted else "",
        "size_gib": gib(there.size) if there else 0,
    }
    size = disk.size if grow or not there else there.size
    after = {"filesystem": kind, "mounted": wanted.path, "size_gib": gib(size)}
    return Plan(tuple(steps), kind, fstab, late, before, after, wanted.options, projects)
