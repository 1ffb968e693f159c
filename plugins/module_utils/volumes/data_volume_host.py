# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Look at this host's disks, and take the steps of a plan."""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import shutil
import stat
import time
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core import fstab as fstab_file
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.volumes import data_volume_disk as disk_of
from ansible_collections.galilean.hub.plugins.module_utils.volumes.data_volume_plan import (
    DROPIN,
    Host,
    Plan,
    Wanted,
)

# Bit of the capability that growing a mounted ext4 takes; containers often lack it.
_SYS_RESOURCE = 24

ATIME = frozenset(["atime", "noatime", "relatime", "norelatime", "strictatime", "nostrictatime"])

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
        filesystem = disk_of.FileSystem(
            "xfs",
            filesystem.uuid,
            filesystem.label,
            now.f_blocks * now.f_frsize + filesystem.log,
            filesystem.log,
            projects=any(
                mount.device == key and {"prjquota", "pquota"} & set(mount.options) for mount in mounts
            ),
        )
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


def _stale(path: str, units: t.Sequence[str], run: Runner) -> bool:
    """Whether systemd must read its files again: those of the units, or the one that it makes of /etc/fstab."""
    unit = run(["systemd-escape", "--path", "--suffix=mount", path])[1].strip()
    shown = run(["systemctl", "show", "--property=Id,NeedDaemonReload,FragmentPath", "--", unit, *units])[1]
    if "NeedDaemonReload=yes" in shown:
        return True
    if "FragmentPath=/" in shown.split("\n\n")[0]:
        return False
    # It has no unit of /etc/fstab. Inside a container systemd makes none for disks.
    return run(["systemd-detect-virt", "--container", "--quiet"])[0] != 0


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


def observe_host(wanted: Wanted, fstab_path: str, run: Runner) -> Host:
    """All that a plan must know beside the disk."""
    path = wanted.path
    mounts = tuple(disk_of.mounts(read("/proc/self/mountinfo")))
    fstab = read(fstab_path)
    real = os.path.realpath(path)
    here = any(mount.path == path for mount in mounts)
    # A table of its own, as the tests have, is none that systemd reads.
    systemd = os.path.isdir("/run/systemd/system") and fstab_path == "/etc/fstab"
    effective = int(
        dict(line.split(":\t", 1) for line in read("/proc/self/status").splitlines() if ":\t" in line).get(
            "CapEff", "0"
        ),
        16,
    )
    ours = any(entry.ours and entry.path == path for entry in fstab_file.entries(fstab))
    return Host(
        exists=os.path.isdir(path),
        link=real if real != path else "",
        obstacle="" if here else _obstacle(path),
        mounts=mounts,
        fstab=fstab,
        systemd=systemd,
        dropins={DROPIN.format(unit=unit): read(DROPIN.format(unit=unit)) for unit in wanted.units}
        if systemd
        else {},
        # Before the line is there, it is clear that systemd will have to read it.
        reload=systemd and ours and _stale(path, wanted.units, run),
        grows_mounted=bool(effective >> _SYS_RESOURCE & 1),
        projects=project_quotas(os.uname().release),
    )


def _must(run: Runner, argv: t.Sequence[str], codes: t.Sequence[int] = (0,), fix: str = "") -> None:
    code, out, err = run(argv)
    if code not in codes:
        words = " ".join((err.strip() or out.strip()).split())[-300:]
        raise HubError(f"'{' '.join(argv)}' failed ({words.rstrip('.')}){': ' + fix if fix else ''}.")


def _label(disk: disk_of.Disk, kind: str, run: Runner) -> None:
    tool = ["tune2fs"] if kind == "ext4" else ["xfs_admin"]
    _must(run, [*tool, "-L", disk_of.FINISHED, disk.path])


def _format(disk: disk_of.Disk, kind: str, projects: bool, run: Runner) -> None:
    # Only what an earlier run left unfinished may be written over, and mkfs.xfs must be told so.
    again = ["-f"] if kind == "xfs" and disk.filesystem else []
    # Five in a hundred for root alone are too much of a large disk.
    few = ["-m", "1"] if kind == "ext4" else []
    # XFS needs nothing but the mount option.
    limits = ["-O", "quota,project", "-E", "quotatype=prjquota"] if projects and kind == "ext4" else []
    _must(run, [f"mkfs.{kind}", "-q", *again, *few, *limits, "-L", disk_of.NEW, disk.path])


def _settle(path: str, uuid: str, run: Runner) -> None:
    """Let udev know the file system before systemd waits for it by its UUID: it would take the mount away again."""
    link = f"/dev/disk/by-uuid/{uuid}"
    if uuid and os.path.exists("/run/udev/control") and not os.path.exists(link):
        run(["udevadm", "trigger", "--settle", "--action=change", f"--name-match={path}"])


def _unmount(wanted: Wanted, run: Runner) -> None:
    _must(
        run,
        ["umount", wanted.path],
        fix=f"its ext4 can only be grown while it is not mounted from here, so stop what uses {wanted.path} (fuser -vm {wanted.path}) and run again",
    )


def _wait_for_copies(path: str) -> None:
    """A container that starts has a copy of all mounts for an instant, also of one that is gone here."""
    end = time.monotonic() + 10
    while not _opens(path) and time.monotonic() < end:
        time.sleep(0.1)


def _grow_offline(disk: disk_of.Disk, run: Runner) -> None:
    _wait_for_copies(disk.path)
    # 1: errors were corrected.
    _must(run, ["e2fsck", "-f", "-p", disk.path], codes=(0, 1), fix="repair it by hand")
    _must(run, ["resize2fs", disk.path])


def _mount(wanted: Wanted, disk: disk_of.Disk, plan: Plan, run: Runner, again: bool = False) -> None:
    kind = plan.kind
    options = [option for option in plan.options if not option.startswith("x-")]
    # A mount that is made anew keeps this one, unless it is told.
    default = ["relatime"] if not ATIME.intersection(options) else []
    words = ["remount", *default, *options] if again else options
    _must(
        run,
        ["mount", "-t", kind, *(["-o", ",".join(words)] if words else []), disk.path, wanted.path],
        fix=f"correct data_volume_mount_options, or check the file system with 'fsck.{kind} {disk.path}'"
        if kind == "ext4"
        else f"correct data_volume_mount_options, or check the file system with 'xfs_repair -n {disk.path}'",
    )


class Applier:
    """Takes the steps of a plan, each in its own way; ``place`` puts a text in the place of a file at once."""

    def __init__(
        self, wanted: Wanted, fstab_path: str, run: Runner, place: t.Callable[[str, str], None]
    ) -> None:
        self.wanted, self.fstab_path, self.run, self.place = wanted, fstab_path, run, place

    def take(self, kind: str, disk: disk_of.Disk, plan: Plan) -> None:
        wanted, run = self.wanted, self.run
        if kind == "format":
            _format(disk, plan.kind, plan.projects, run)
        elif kind == "label":
            _label(disk, plan.kind, run)
        elif kind == "unmount":
            _unmount(wanted, run)
        elif kind == "grow_offline":
            _grow_offline(disk, run)
        elif kind == "folder":
            os.makedirs(wanted.path, mode=0o755, exist_ok=True)
        elif kind in ("mount", "remount"):
            _mount(wanted, disk, plan, run, again=kind == "remount")
        elif kind == "grow":
            _must(run, ["resize2fs", disk.path] if plan.kind == "ext4" else ["xfs_growfs", "-d", wanted.path])
        elif kind == "units":
            for path, text in plan.dropins.items():
                os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
                self.place(path, text)
        elif kind == "fstab":
            _settle(disk.path, disk.filesystem.uuid if disk.filesystem else "", run)
            self.place(self.fstab_path, plan.fstab)
        elif kind == "reload":
            _must(run, ["systemctl", "daemon-reload"])


def free(path: str) -> int | None:
    """Free bytes of what is mounted there."""
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return None
