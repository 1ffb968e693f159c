# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The folder that a backup is made of, and that a restore fills: each part of the instance under a name that is the same on every host.

The parts are mounted there in a mount namespace that only restic is in. So nothing is copied, nobody else sees the mounts, they go with
restic however that ends, and whatever this program removes in that folder is never a part itself.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import typing as t
from pathlib import Path

from .settings import Settings

# Exit status of a process that could not mount the parts.
NOT_MOUNTED = 97
CLONE_NEWNS = 0x00020000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_SLAVE = 1, 32, 4096, 16384, 1 << 19

# Of the instance's folder, what each run of site.yml makes again, what is of no use on another host, and the backup's own.
LEFT_OUT = (
    "backup", "bin", "broker", "disk", "hubctl", "log", "move.log", "moved", "releases/.*", "releases/failed", "welcome",
)  # fmt: skip
# Of a home, what its programs make again, and what its user has thrown away.
CACHES = (
    ".cache",
    ".local/share/Trash",
    ".Trash",
    ".npm/_cacache",
    ".conda/pkgs",
    ".local/share/jupyter/runtime",
)
# A file that a user puts into a folder, which is then left out.
OPT_OUT = ".nobackup"


class Part(t.NamedTuple):
    """One folder of the instance: its name in the backup, and where it is on this host."""

    name: str
    source: str


def parts(settings: Settings, homes: t.Mapping[str, str]) -> list[Part]:
    """All folders of the instance; homes: where each volume is."""
    found = [Part("state", settings.state_dir)]
    if not is_below(settings.archive_dir, settings.state_dir):
        found.append(Part("archive", settings.archive_dir))
    return [*found, *[Part(f"homes/{name}", place) for name, place in sorted(homes.items())]]


def is_below(path: str, folder: str) -> bool:
    return os.path.normpath(path) == os.path.normpath(folder) or os.path.normpath(path).startswith(
        os.path.normpath(folder) + os.sep
    )


def escaped(path: str) -> str:
    """A path as a pattern of restic that means itself."""
    return "".join(f"\\{letter}" if letter in "*?[\\" else letter for letter in path)


def left_out(settings: Settings) -> list[str]:
    """What of the state is in no copy, as patterns of paths in it. A copy of each database that is consistent is beside them."""
    hub = os.path.relpath(settings.hub_dir, settings.state_dir)
    files = [f"{hub}/*.sqlite{end}" for end in ("", "-wal", "-shm", "-journal")]
    return [f"state/{name}" for name in (*LEFT_OUT, *files)]


def patterns(settings: Settings, root: str) -> list[str]:
    """What is left out, as patterns of restic."""
    left_out_here = [f"{root}/{one}" for one in left_out(settings)]
    for folder in ("homes/*", "state/shared/*"):
        left_out_here += [f"{root}/{folder}/{name}" for name in CACHES]
        left_out_here.append(f"{root}/{folder}/.Trash-*")
    # In a file of patterns, restic takes a dollar for a variable.
    return [*left_out_here, *[one.replace("$", "$$") for one in settings.exclude]]


def shown(root: Path, found: t.Sequence[Part], write: bool = False) -> t.Callable[[], None]:
    """What mounts the parts below a folder, to be called in the process that becomes restic; read-only where nothing shall change."""
    libc = ctypes.CDLL(None, use_errno=True)
    mounts: list[tuple[bytes, bytes]] = []
    for part in found:
        if not os.path.isdir(part.source):
            if not write:
                continue
            os.makedirs(part.source, mode=0o700)
        (root / part.name).mkdir(parents=True, exist_ok=True)
        mounts.append((part.source.encode(), str(root / part.name).encode()))

    def checked(result: int) -> None:
        if result:
            why = os.strerror(ctypes.get_errno())
            os.write(sys.stderr.fileno(), f"mount namespace: {why}\n".encode())
            os._exit(NOT_MOUNTED)

    def mount() -> None:
        checked(libc.unshare(CLONE_NEWNS))
        # What others unmount goes from here, too: nothing is held.
        checked(libc.mount(b"none", b"/", None, MS_REC | MS_SLAVE, None))
        for source, target in mounts:
            checked(libc.mount(source, target, None, MS_BIND, None))
            if not write:
                checked(libc.mount(None, target, None, MS_BIND | MS_REMOUNT | MS_RDONLY, None))

    return mount


def fresh(work: Path, folder: str) -> Path:
    """A folder in one that each run makes anew, and that nobody else looks into."""
    shutil.rmtree(work, ignore_errors=True)
    (work / folder).mkdir(parents=True)
    os.chmod(work, 0o700)
    return work / folder


def empty(folder: Path, keep: t.Collection[str] = ()) -> None:
    """Remove what is in a folder, links themselves and not what they lead to."""
    if not folder.is_dir():
        return
    for entry in list(os.scandir(folder)):
        if entry.name in keep:
            continue
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def renumber(
    folder: str, users: t.Mapping[int, int], groups: t.Mapping[int, int], skip: t.Collection[str] = ()
) -> None:
    """Give what belongs to one number to another one. Links are not followed."""
    if all(old == new for old, new in [*users.items(), *groups.items()]):
        return

    def give(path: str) -> None:
        found = os.lstat(path)
        owner, group = users.get(found.st_uid, found.st_uid), groups.get(found.st_gid, found.st_gid)
        if (owner, group) != (found.st_uid, found.st_gid):
            os.lchown(path, owner, group)
            if not os.path.islink(path):
                # A change of the owner takes these bits away.
                os.chmod(path, found.st_mode & 0o7777)

    give(folder)
    for above, folders, files in os.walk(folder):
        if above == folder:
            folders[:] = [name for name in folders if name not in skip]
        for name in [*folders, *files]:
            give(os.path.join(above, name))
