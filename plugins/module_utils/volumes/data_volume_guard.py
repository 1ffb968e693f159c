# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the role data_volume may do with a disk, or why nothing is done. Pure: no disk, no files, no clock."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from ansible_collections.galilean.hub.plugins.module_utils.core import fstab as fstab_file
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.volumes.data_volume_disk import (
    LABEL,
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
# The mount option of ext4 and XFS.
PROJECTS = "prjquota"
ATIME = frozenset(["atime", "noatime", "relatime", "norelatime", "strictatime", "nostrictatime"])


@dataclass(frozen=True)
class Wanted:
    """The settings."""

    path: str
    fstype: str = "ext4"
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Host:
    """What is known of the host beside the disk.

    link: where the folder leads when it is a link; obstacle: the first thing in it that a mount would hide; mounts: all of
    them; grows_mounted: ext4 can be grown while it is mounted; projects: kinds of file systems for which the kernel keeps
    limits for projects.
    """

    link: str = ""
    obstacle: str = ""
    mounts: tuple[Mount, ...] = ()
    fstab: str = ""
    grows_mounted: bool = True
    projects: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Plan:
    """What the tasks of the role do; RETURN of the module data_volume_info says what each of them means."""

    device: str
    fstype: str
    uuid: str
    format: bool
    unfinished: bool
    mkfs_options: str
    mounted: bool
    mount_options: str
    remount: bool
    grow: str
    fstab_line: str


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
    if filesystem and filesystem.interrupted and filesystem.label != LABEL:
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
            f"data_volume_path is {wanted.path}, where {top.source}{'' if top.root == '/' else top.root} is mounted: move what is on "
            f"it with playbooks/move_data.yml, unmount it (umount {wanted.path}), or give another folder."
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
            f"data_volume_path is {wanted.path}, but {host.obstacle} is in it, and the volume would hide that: move all of it onto "
            "the volume with playbooks/move_data.yml, or give another folder."
        )


def _refuse_table(wanted: Wanted, disk: Disk, table: t.Sequence[fstab_file.Entry]) -> None:
    for one in table:
        here, same = os.path.normpath(one.path) == wanted.path, one.source in disk.names
        if (here and one.ours) or (same and one.path == wanted.path):
            continue
        if here:
            raise HubError(
                f"/etc/fstab mounts {one.source} at {one.path}, in a line that is not this role's: remove the line, or set "
                "data_volume_path to another folder."
            )
        if same:
            raise HubError(
                f"/etc/fstab mounts {one.source}, which is this volume, at {one.path}: remove the line, or set data_volume_path to {one.path}."
            )


def _mkfs_options(kind: str, uuid: str, projects: bool) -> str:
    """The UUID is known before, so that the next tasks need no other look at the disk."""
    if kind == "xfs":
        # XFS needs nothing but the mount option for limits.
        return f"-q -L {LABEL} -m uuid={uuid}"
    limits = "-O quota,project -E quotatype=prjquota " if projects else ""
    # Five in a hundred for root alone are too much of a large disk.
    return f"-q -m 1 {limits}-L {LABEL} -U {uuid}"


def _fstab_line(wanted: Wanted, options: t.Iterable[str], uuid: str, kind: str) -> str:
    """A host without its volume still boots, so that somebody can log in and look."""
    words = (*options, "nofail", f"x-systemd.device-timeout={BOOT_WAIT}s", fstab_file.MARK)
    # XFS looks after itself when it is mounted.
    turn = 0 if kind == "xfs" else 2
    return f"UUID={uuid} {wanted.path} {kind} {','.join(dict.fromkeys(words))} 0 {turn}"


def _kernels(options: t.Iterable[str]) -> list[str]:
    """Those that a mount is made with; the others are for the table."""
    return [option for option in options if option != "nofail" and not option.startswith("x-")]


def make_plan(wanted: Wanted, disk: Disk, host: Host, new_uuid: str) -> Plan:
    """Compare what is with what shall be; HubError with one sentence where it is not ours to decide."""
    filesystem = disk.filesystem
    at = [mount for mount in host.mounts if mount.path == wanted.path]
    top = at[-1] if at else None
    mounted = top is not None and top.device == disk.number and top.root == "/"
    table = fstab_file.entries(host.fstab)
    kept = None if filesystem is None or filesystem.interrupted else filesystem
    if mounted and not kept:
        raise HubError(
            f"{disk.path} is mounted at {wanted.path}, but holds {_list(disk.signatures) or 'nothing that is known'}, which this "
            "role does not use: name another disk, or set data_volume_path to another folder."
        )
    if not mounted:
        _refuse_contents(disk)
        _refuse_state(disk, filesystem)
        _refuse_folder(wanted, disk, host, top)
    _refuse_table(wanted, disk, table)

    kind = filesystem.kind if filesystem else wanted.fstype
    uuid = kept.uuid if kept else new_uuid
    projects = kind in host.projects and (kept is None or kept.projects)
    options = list(dict.fromkeys((*wanted.options, *([PROJECTS] if projects else []))))
    line = _fstab_line(wanted, options, uuid, kind)
    before = [one for one in table if one.ours and one.path == wanted.path and one.source in disk.names]
    grows = kept is not None and disk.size - kept.size >= SLACK
    offline = kind == "ext4" and not host.grows_mounted
    return Plan(
        device=disk.path,
        fstype=kind,
        uuid=uuid,
        format=kept is None,
        unfinished=filesystem is not None and kept is None,
        mkfs_options=_mkfs_options(kind, uuid, projects),
        mounted=mounted,
        # A mount that is made anew would keep the former one of these.
        mount_options=",".join([*_kernels(options), *([] if ATIME.intersection(options) else ["relatime"])]),
        # Before the table is changed: options that do not work never get there, and no run that is stopped skips this.
        remount=mounted and (not before or {*_kernels(before[-1].options)} != {*_kernels(options)}),
        grow="" if not grows else "unmounted" if offline else "mounted",
        fstab_line="" if line in host.fstab.splitlines() else line,
    )
