# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Look at this host's disks. Nothing is changed."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import gzip
import os
import stat
import time
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core import fstab as fstab_file
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.volumes import data_volume_disk as disk_of
from ansible_collections.galilean.hub.plugins.module_utils.volumes.data_volume_guard import Host, Wanted

# Bit of the capability that growing a mounted ext4 takes; containers often lack it.
_SYS_RESOURCE = 24

# Runs a command, and returns its exit code, output and errors.
Runner = t.Callable[[t.Sequence[str]], tuple[int, str, str]]


def read(path: str) -> str:
    """A file's text, empty when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as handle:
            return handle.read()
    except OSError:
        return ""


def _serial(sys: str, run: str, name: str) -> str:
    """The serial number of a disk: each bus has its own place for it, and udev knows more of them."""
    folder = f"{sys}/block/{name}"
    for place in ("serial", "device/serial"):
        text = read(f"{folder}/{place}").strip()
        if text:
            return text
    try:
        with open(f"{folder}/device/vpd_pg80", "rb") as handle:
            # SCSI: four bytes before it.
            text = handle.read()[4:].decode("ascii", "replace").strip(" \0\n")
    except OSError:
        text = ""
    if text:
        return text
    known = dict(line[2:].split("=", 1) for line in read(f"{run}/udev/data/b{read(f'{folder}/dev').strip()}").splitlines()
                 if line.startswith("E:") and "=" in line)  # fmt: skip
    return known.get("ID_SCSI_SERIAL") or known.get("ID_SERIAL_SHORT") or ""


def serials(sys: str = "/sys", run: str = "/run") -> dict[str, str]:
    """Serial numbers of the host's disks, by the kernel's name; disks without one are not in it."""
    try:
        names = sorted(os.listdir(f"{sys}/block"))
    except OSError:
        return {}
    found = {name: _serial(sys, run, name) for name in names}
    return {name: serial for name, serial in found.items() if serial}


def _shown(sys: str = "/sys") -> str:
    """The host's disks as a sentence ends with them."""
    known = serials(sys)
    words = []
    for name in sorted(os.listdir(f"{sys}/block")):
        size = int(read(f"{sys}/block/{name}/size") or 0) * 512
        if size and os.path.isdir(f"{sys}/block/{name}/device"):
            words.append(
                f"{name} ({disk_of.gib(size)} GiB{', serial ' + known[name] if name in known else ''})"
            )
    return ", ".join(words) or "none"


def _named(device: str, serial: str) -> str:
    """The path of the disk that is meant, empty when it is not there."""
    if device:
        try:
            mode = os.stat(device).st_mode
        except OSError:
            return ""
        if not stat.S_ISBLK(mode):
            raise HubError(
                f"data_volume_device is {device}, which is no disk: give a path such as /dev/disk/by-id/..."
            )
        return os.path.realpath(device)
    found = disk_of.chosen(serial, serials())
    if len(found) > 1:
        raise HubError(
            f"data_volume_serial is {serial}, which {' and '.join(found)} have: give more of it, or set data_volume_device."
        )
    return f"/dev/{found[0].replace('!', '/')}" if found else ""


def find(device: str, serial: str, timeout: float) -> str:
    """The path of the disk, waited for: a cloud attaches it while the server is running already."""
    end = time.monotonic() + timeout
    while True:
        path = _named(device, serial)
        if path and os.path.exists(path):
            return path
        if time.monotonic() >= end:
            break
        time.sleep(min(1.0, max(0.05, end - time.monotonic())))
    name, value = ("data_volume_device", device) if device else ("data_volume_serial", serial)
    raise HubError(
        f"{name} is {value}, but no such disk appeared within {timeout:.0f} s (the host has {_shown()}): attach the volume "
        f"to the server, or correct {name}."
    )


def _opens(path: str) -> bool:
    """Whether nobody else holds the disk as his own."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_EXCL))
    except OSError as exc:
        return exc.errno != errno.EBUSY
    return True


def _start(path: str) -> bytes:
    try:
        with open(path, "rb") as handle:
            return handle.read(disk_of.SUPERBLOCK)
    except OSError as exc:
        raise HubError(
            f"{path} cannot be read ({exc.strerror}): look at the kernel's messages (dmesg), or name another disk."
        ) from exc


def observe_disk(
    path: str, given: str, wanted: Wanted, fstab: str, mounts: t.Sequence[disk_of.Mount], run: Runner
) -> disk_of.Disk:
    """All that a plan must know of the disk."""
    number = os.stat(path).st_rdev
    key = f"{os.major(number)}:{os.minor(number)}"
    sysfs = f"/sys/dev/block/{key}"
    with contextlib.suppress(OSError), open(f"{sysfs}/device/rescan", "w", encoding="ascii") as handle:
        # SCSI learns only like this that a disk has grown. It changes nothing.
        handle.write("1")
    mounted = any(mount.device == key and mount.path == wanted.path and mount.root == "/" for mount in mounts)
    probed = run(["blkid", "--probe", "--output", "export", path])
    wiped = run(["wipefs", "--no-act", "--json", path])
    if wiped[0] != 0 or probed[0] not in (0, 2, 8):
        raise HubError(
            f"What {path} holds cannot be told ({(wiped[2] or probed[2]).strip()[:200]}): look at it with 'wipefs {path}'."
        )
    signatures = disk_of.signatures(wiped[1], probed[1])
    if probed[0] == 8 and len(signatures) < 2:
        signatures = (*signatures, "something that is not clear")
    filesystem = None
    if mounted or len(signatures) == 1:
        start = _start(path)
        kinds = [kind for kind in disk_of.SUPPORTED if mounted or kind in signatures]
        filesystem = next(
            (found for found in (disk_of.filesystem_of(kind, start) for kind in kinds) if found), None
        )
    if filesystem and mounted and filesystem.kind == "xfs":
        # What is on the disk may be older than what is mounted.
        now = os.statvfs(wanted.path)
        quotas = [{"prjquota", "pquota"} & {*mount.options} for mount in mounts if mount.device == key]
        size = now.f_blocks * now.f_frsize + filesystem.log
        filesystem = dataclasses.replace(filesystem, size=size, projects=any(quotas))
    names = {path, given}
    if filesystem:
        names |= {f"UUID={filesystem.uuid}", f"/dev/disk/by-uuid/{filesystem.uuid}"}
        names |= {f"LABEL={filesystem.label}"} if filesystem.label else set()
    sources = {entry.source for entry in fstab_file.entries(fstab) if entry.source.startswith("/dev/")}
    names |= {source for source in sources if os.path.realpath(source) == path}
    folder = os.listdir(sysfs) if os.path.isdir(sysfs) else []
    holders = f"{sysfs}/holders"
    return disk_of.Disk(
        path=path,
        number=key,
        size=int(read(f"{sysfs}/size") or 0) * 512,
        names=frozenset(names - {""}),
        signatures=signatures,
        filesystem=filesystem,
        parts=tuple(sorted(name for name in folder if os.path.exists(f"{sysfs}/{name}/partition"))),
        holders=tuple(sorted(os.listdir(holders))) if os.path.isdir(holders) else (),
        readonly=read(f"{sysfs}/ro").strip() == "1",
        busy=not mounted and not _opens(path),
    )


def _obstacle(path: str) -> str:
    """The first file below the folder; folders alone hold nothing that could be hidden."""
    if os.path.lexists(path) and not os.path.isdir(path):
        return path
    for folder, _folders, names in os.walk(path):
        if names:
            return os.path.join(folder, sorted(names)[0])
    return ""


def project_quotas(release: str, boot: str = "/boot", proc: str = "/proc") -> frozenset[str]:
    """Kinds of file systems for which this kernel keeps limits for projects, as far as its configuration is known.

    A kernel that lacks it mounts no ext4 that was made for it.
    """
    text = read(f"{boot}/config-{release}")
    if not text:
        with contextlib.suppress(OSError), gzip.open(f"{proc}/config.gz", "rt", encoding="ascii") as handle:
            text = handle.read()
    lines = set(text.splitlines())
    found = set()
    if "CONFIG_QUOTA=y" in lines and lines & {"CONFIG_QFMT_V2=y", "CONFIG_QFMT_V2=m"}:
        found.add("ext4")
    if "CONFIG_XFS_QUOTA=y" in lines:
        found.add("xfs")
    return frozenset(found)


def observe_host(wanted: Wanted, fstab_path: str) -> Host:
    """All that a plan must know beside the disk."""
    path = wanted.path
    mounts = tuple(disk_of.mounts(read("/proc/self/mountinfo")))
    real = os.path.realpath(path)
    here = any(mount.path == path for mount in mounts)
    effective = next(
        line.split()[1] for line in read("/proc/self/status").splitlines() if line.startswith("CapEff:")
    )
    return Host(
        link=real if real != path else "",
        obstacle="" if here else _obstacle(path),
        mounts=mounts,
        fstab=read(fstab_path),
        grows_mounted=bool(int(effective, 16) >> _SYS_RESOURCE & 1),
        projects=project_quotas(os.uname().release),
    )
