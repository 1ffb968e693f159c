# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The folder that a backup is made of, and that a restore fills: each part of the instance under a name that is the same on every host.

The parts are mounted there in a mount namespace that only restic is in. So nothing is copied, nobody else sees the mounts, they go with
restic however that ends, and whatever this program removes in that folder is never a part itself.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shutil
import stat
import subprocess
import sys
import typing as t
from pathlib import Path

from .repository import gentle
from .settings import Problem, Settings

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
# Files in a folder of a home, which is then left out: one of its user, and one of programs, which begins with these words.
OPT_OUT = ".nobackup"
CACHE_TAG, CACHE_SIGNATURE = "CACHEDIR.TAG", b"Signature: 8a477f597d28d172789f06886806bc55"
# restic compares each file with each pattern, so nobody makes a backup slow by as many such folders as a home can have.
OPT_OUTS = 1000


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


def mounts(found: t.Iterable[Part]) -> dict[str, str]:
    """What is mounted below a part, but not the part itself: name in the backup -> folder on this host."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as stream:
        fields = [line.split(" ")[4] for line in stream]
    points = {re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), one) for one in fields}
    below: dict[str, str] = {}
    for part in found:
        source = os.path.realpath(part.source)
        inner = {os.path.relpath(point, source): point for point in points if is_below(point, source)}
        below.update({f"{part.name}/{name}": point for name, point in inner.items() if name != "."})
    return dict(sorted(below.items()))


def has_files(folder: str) -> bool:
    """Whether a disk has more than what a new one has. One that cannot be read is no empty one."""
    try:
        return bool(set(os.listdir(folder)) - {"lost+found"})
    except OSError:
        return True


def held(found: t.Iterable[Part], filled: t.Collection[str] = ()) -> list[str]:
    """Names of what is mounted below a part and has files: they are somebody else's, or the only copy, so nothing is put there.

    filled: what was empty when this began, so that what is there was brought by it. Raises Problem for what the instance itself needs.
    """
    names = []
    for name, folder in mounts(found).items():
        part, first = name.split("/")[:2]
        if name in filled or not has_files(folder) or (part == "state" and first in LEFT_OUT):
            continue
        if part == "state" and first not in ("shared", "archive"):
            raise Problem(
                f"{folder} is mounted and has files, which would be replaced: unmount it, or move its files away, and run this again."
            )
        names.append(name)
    return names


def escaped(path: str) -> str:
    """A path as a pattern of restic that means itself."""
    return "".join(f"\\{letter}" if letter in "*?[\\" else letter for letter in path)


def line_of(pattern: str) -> str:
    """A pattern as a line of restic's file of patterns, which takes a dollar for a variable and cuts blanks off."""
    return re.sub(r"\s", "?", pattern).replace("$", "$$") + "\n"


def left_out(settings: Settings) -> list[str]:
    """What of the state is in no copy, as patterns of paths in it. A copy of each database that is consistent is beside them."""
    hub = os.path.relpath(settings.hub_dir, settings.state_dir)
    files = [f"{hub}/*.sqlite{end}" for end in ("", "-wal", "-shm", "-journal")]
    return [f"state/{name}" for name in (*LEFT_OUT, *files)]


def opted_out(home: str) -> list[str]:
    """Folders in a home that are to be left out, by their paths in it; of those in one another, the outer one."""
    caches = [word for name in CACHES for word in ("-path", f"./{name}", "-o")][:-1]
    tags = ["-name", OPT_OUT, "-o", "-name", CACHE_TAG]
    command = [*gentle(), "find", ".", "(", *caches, ")", "-prune", "-o", "(", *tags, ")", "-print0"]
    try:
        done = subprocess.run(command, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except FileNotFoundError:
        # The home is gone.
        return []
    found: set[str] = set()
    # Outer folders first.
    for tag in sorted(map(os.fsdecode, done.stdout.split(b"\0")[:-1]), key=lambda one: one.count("/")):
        folder = os.path.dirname(os.path.normpath(tag))
        words = folder.split("/")
        around = {"", *("/".join(words[: end + 1]) for end in range(len(words)))}
        if len(found) < OPT_OUTS and not around & found and is_opt_out(os.path.join(home, tag)):
            found.add(folder)
    return sorted(found)


def is_opt_out(path: str) -> bool:
    """Whether this file says that its folder is left out. Its user may have put anything there."""
    if os.path.basename(path) == OPT_OUT:
        return True
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    with open(handle, "rb") as stream:
        return stat.S_ISREG(os.fstat(handle).st_mode) and stream.read(len(CACHE_SIGNATURE)) == CACHE_SIGNATURE


def anchored(pattern: str, folder: str) -> str:
    """A pattern of the settings below a folder only: what the instance itself has is never left out by one."""
    turned = "!" if pattern.startswith("!") else ""
    pattern = pattern.removeprefix("!")
    return f"{turned}{folder}{pattern}" if pattern.startswith("/") else f"{turned}{folder}/**/{pattern}"


def patterns(settings: Settings, root: str, homes: t.Mapping[str, str], whole: bool = False) -> list[str]:
    """What is left out, as lines for restic; homes: where each one is; whole: no more than what cannot be in it."""
    found = [f"{escaped(root)}/{one}" for one in left_out(settings)]
    if not whole:
        for folder in (f"{escaped(root)}/homes/*", f"{escaped(root)}/state/shared/*"):
            found += [f"{folder}/{name}" for name in (*CACHES, ".Trash-*")]
            found += [anchored(one.strip(), folder) for one in settings.exclude if one.strip(" !/")]
        for name, place in sorted(homes.items()):
            # Of a home that is left out, the folder itself stays.
            found += [
                f"{escaped(f'{root}/homes/{name}/{one}')}{'' if one else '*'}" for one in opted_out(place)
            ]
    return list(map(line_of, found))


def shown(root: Path, found: t.Sequence[Part], write: bool = False) -> t.Callable[[], None]:
    """What mounts the parts below a folder, to be called in the process that becomes restic; read-only where nothing shall change."""
    libc = ctypes.CDLL(None, use_errno=True)
    pairs: list[tuple[bytes, bytes]] = []
    for part in found:
        if not os.path.lexists(part.source):
            if not write:
                continue
            os.makedirs(part.source, mode=0o700)
        (root / part.name).mkdir(parents=True, exist_ok=True)
        pairs.append((part.source.encode(), str(root / part.name).encode()))

    def checked(result: int) -> None:
        if result:
            why = os.strerror(ctypes.get_errno())
            os.write(sys.stderr.fileno(), f"mount namespace: {why}\n".encode())
            os._exit(NOT_MOUNTED)

    def mount() -> None:
        checked(libc.unshare(CLONE_NEWNS))
        # What others unmount goes from here, too: nothing is held.
        checked(libc.mount(b"none", b"/", None, MS_REC | MS_SLAVE, None))
        for source, target in pairs:
            # With what is mounted below it: people have shared folders on other machines.
            result = libc.mount(source, target, None, MS_BIND | MS_REC, None)
            if result and ctypes.get_errno() == errno.ENOENT and not write:
                # A home that has gone.
                continue
            checked(result)
        for point in [] if write else mounts([Part("", str(root))]).values():
            checked(libc.mount(None, os.fsencode(point), None, MS_BIND | MS_REMOUNT | MS_RDONLY, None))

    return mount


def fresh(work: Path, folder: str) -> Path:
    """A folder in one that each run makes anew, and that nobody else looks into."""
    shutil.rmtree(work, ignore_errors=True)
    (work / folder).mkdir(parents=True)
    os.chmod(work, 0o700)
    return work / folder


def empty(folder: Path, keep: t.Collection[str] = ()) -> None:
    """Remove what is in a folder: links themselves and not what they lead to, and nothing of what is mounted there."""
    if not folder.is_dir():
        return
    folder = folder.resolve()
    points = set(mounts([Part("", str(folder))]).values())
    for entry in list(os.scandir(folder)):
        if entry.name in keep or entry.path in points:
            continue
        if any(is_below(point, entry.path) for point in points):
            empty(Path(entry.path))
        elif entry.is_dir(follow_symlinks=False):
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
