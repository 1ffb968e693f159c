# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Compares an archive of a home with its volume, restores what tar cannot, and gives files to another number. Runs inside a container,
as python3 -c.

Standard library only, and nothing of the collection.

    compare FOLDER SKIP     read an archive from standard input, and say where the folder differs; SKIP is a name in it to leave out
    deep FOLDER             make the entries whose paths are too long for the system's calls, which tar leaves out
    times FOLDER            put right modes and times of the folders around those
    own FOLDER OLD NEW      give what belongs to the number OLD to NEW, as user and as group, the folder itself last; say how many so far

A path can be longer than the kernel takes, and a file larger than any disk. So folders are entered one by one, and of files only what
is no hole is read.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import sys
import tarfile
import typing as t
from collections.abc import Iterator

BLOCK = 1 << 16
ZEROS = bytes(BLOCK)
# Shorter than PATH_MAX by a bit: what is longer, tar may or may not have made.
LONG = 4000
# The folder that holds such an entry.
AROUND = LONG - 256
SHOWN = 5
# Entries between two words about how far it is.
OFTEN = 100_000
DATA_ENDS = (errno.ENXIO,)


class Place:
    """The process's own folder, moved step by step; no link is followed."""

    def __init__(self, root: str) -> None:
        self.parts: list[bytes] = []
        os.chdir(root)

    @staticmethod
    def enter(name: bytes) -> None:
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.fchdir(folder)
        finally:
            os.close(folder)

    def go(self, parts: list[bytes]) -> None:
        same = 0
        for one, other in zip(self.parts, parts):
            if one != other:
                break
            same += 1
        while len(self.parts) > same:
            self.enter(b"..")
            self.parts.pop()
        for name in parts[same:]:
            self.enter(name)
            self.parts.append(name)


def path_digest(above: bytes, name: bytes) -> bytes:
    """What stands for a path, however long it is."""
    return hashlib.sha256(above + name).digest()[:16]


def record(kind: str, mode: int, owner: tuple[int, int], time: int, more: object) -> bytes:
    return hashlib.sha256(repr((kind, mode, owner, time, more)).encode()).digest()[:16]


class Content:
    """The digest of a file's content: of all blocks that are not empty, with their places."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._block = bytearray()
        self._at = 0

    def add(self, at: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            if self._block and at != self._at + len(self._block):
                gap = at - self._at - len(self._block)
                if at // BLOCK == self._at // BLOCK:
                    self._block += bytes(gap)
                else:
                    self.flush()
            if not self._block:
                self._at = at - at % BLOCK
                self._block += bytes(at % BLOCK)
            some = view[: BLOCK - len(self._block)]
            self._block += some
            at += len(some)
            view = view[len(some) :]
            if len(self._block) == BLOCK:
                self.flush()

    def flush(self) -> None:
        block = bytes(self._block).rstrip(b"\0")
        if block:
            self._hash.update(b"%d:%d:" % (self._at, len(block)) + block)
        self._block.clear()

    def digest(self) -> str:
        self.flush()
        return self._hash.hexdigest()


def of_file(name: bytes, size: int) -> str:
    content = Content()
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        at = 0
        while at < size:
            try:
                at = os.lseek(file, at, os.SEEK_DATA)
            except OSError as exc:
                if exc.errno in DATA_ENDS:
                    break
                raise
            end = min(os.lseek(file, at, os.SEEK_HOLE), size)
            while at < end:
                data = os.pread(file, min(BLOCK, end - at), at)
                if not data:
                    break
                content.add(at, data)
                at += len(data)
    finally:
        os.close(file)
    return content.digest()


def pieces(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> Iterator[tuple[int, bytes]]:
    """What an archive holds of a file, without the holes."""
    buffered: t.Any = archive.extractfile(entry)
    # A stream is read forwards only, and the buffer would ask whether it can do more.
    file = buffered.raw
    extents: t.Any = entry.sparse
    for start, length in extents if extents is not None else [(0, entry.size)]:
        file.seek(start)
        at = start
        while at < start + length:
            data = file.read(min(BLOCK, start + length - at))
            if not data:
                raise EOFError(f"the archive ends within {entry.name[-200:]!r}")
            yield at, data
            at += len(data)


def parts_of(name: str) -> list[bytes]:
    return [part for part in os.fsencode(name).split(b"/") if part not in (b"", b".")]


def digest_of(parts: list[bytes]) -> bytes:
    found = b""
    for part in parts:
        found = path_digest(found, part)
    return found


def time_of(entry: tarfile.TarInfo) -> int:
    """Nanoseconds, which a float does not hold."""
    text = entry.pax_headers.get("mtime", "")
    if not text:
        return int(entry.mtime) * 10**9
    whole, _point, rest = text.partition(".")
    nanoseconds = int((rest + "0" * 9)[:9])
    return int(whole) * 10**9 + (-nanoseconds if whole.startswith("-") else nanoseconds)


def attributes_of(entry: tarfile.TarInfo) -> dict[str, bytes]:
    start = "SCHILY.xattr."
    return {
        key[len(start) :]: value.encode("utf-8", "surrogateescape")
        for key, value in entry.pax_headers.items()
        if key.startswith(f"{start}user.")
    }


def entries() -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    with tarfile.open(
        fileobj=sys.stdin.buffer, mode="r|gz", encoding="utf-8", errors="surrogateescape"
    ) as archive:
        while True:
            entry = archive.next()
            if entry is None:
                return
            yield archive, entry
            # Otherwise all of them are kept.
            listed: t.Any = archive
            listed.members = []


def archived() -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for archive, entry in entries():
        where = digest_of(parts_of(entry.name))
        if entry.islnk():
            # The entry that has the content comes before.
            found[where] = found.get(digest_of(parts_of(entry.linkname)), b"")
            continue
        more: object = sorted(attributes_of(entry).items())
        if entry.isreg():
            content = Content()
            for at, data in pieces(archive, entry):
                content.add(at, data)
            more = (entry.size, content.digest(), more)
        elif entry.issym():
            more = os.fsencode(entry.linkname)
        elif entry.ischr() or entry.isblk():
            more = (entry.devmajor, entry.devminor)
        kind = {b"\0": "0", b"7": "0", b"S": "0"}.get(entry.type, entry.type.decode())
        mode = 0 if entry.issym() else entry.mode & 0o7777
        found[where] = record(kind, mode, (entry.uid, entry.gid), time_of(entry), more)
    return found


KINDS = {
    stat.S_IFREG: "0",
    stat.S_IFLNK: "2",
    stat.S_IFCHR: "3",
    stat.S_IFBLK: "4",
    stat.S_IFDIR: "5",
    stat.S_IFIFO: "6",
}


def attributes(name: bytes) -> list[tuple[str, bytes]]:
    try:
        names = os.listxattr(name, follow_symlinks=False)
        return sorted(
            (key, os.getxattr(name, key, follow_symlinks=False)) for key in names if key.startswith("user.")
        )
    except OSError as exc:
        if exc.errno in (errno.ENOTSUP, errno.EPERM):
            return []
        raise


def observed(name: bytes, found: os.stat_result, kind: str) -> bytes:
    more: object = [] if kind == "2" else attributes(name)
    if kind == "0":
        more = (found.st_size, of_file(name, found.st_size), more)
    elif kind == "2":
        more = os.readlink(name)
    elif kind in "34":
        more = (os.major(found.st_rdev), os.minor(found.st_rdev))
    mode = 0 if kind == "2" else stat.S_IMODE(found.st_mode)
    return record(kind, mode, (found.st_uid, found.st_gid), found.st_mtime_ns, more)


def walk(root: str, skip: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Of each entry: what stands for its path, its name, its record."""
    os.chdir(root)
    device = os.lstat(".").st_dev
    linked: dict[int, bytes] = {}
    yield b"", b".", observed(b".", os.lstat("."), "5")
    # For each folder that is open: what stands for it, and the names that are left.
    stack = [(b"", [name for name in os.listdir(b".") if name != skip])]
    while stack:
        above, names = stack[-1]
        if not names:
            stack.pop()
            if stack:
                Place.enter(b"..")
            continue
        name = names.pop()
        where = path_digest(above, name)
        found = os.lstat(name)
        kind = KINDS.get(stat.S_IFMT(found.st_mode))
        # tar leaves sockets out: they lead nowhere without their program.
        if kind is None:
            continue
        if kind != "5" and found.st_nlink > 1:
            if found.st_ino not in linked:
                linked[found.st_ino] = observed(name, found, kind)
            yield where, name, linked[found.st_ino]
            continue
        yield where, name, observed(name, found, kind)
        if kind == "5" and found.st_dev == device:
            Place.enter(name)
            stack.append((where, os.listdir(b".")))


def compare(root: str, skip: str) -> int:
    wanted = archived()
    differs = []
    for where, name, seen in walk(root, os.fsencode(skip)):
        if wanted.pop(where, None) != seen:
            differs.append(ascii(name)[1:])
            if len(differs) == SHOWN:
                break
    if differs:
        print(", ".join(differs), "in the volume is not as in the archive")
    elif wanted:
        print(len(wanted), "entries of the archive are not in the volume")
    return 1 if differs or wanted else 0


def deep(root: str) -> int:
    place = Place(root)
    for archive, entry in entries():
        parts = parts_of(entry.name)
        if len(entry.name) < LONG and len(os.fsencode(entry.name)) < LONG:
            continue
        place.go(parts[:-1])
        name = parts[-1]
        if entry.isdir():
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700)
            continue
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        if entry.islnk():
            target = parts_of(entry.linkname)
            folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
            try:
                place.go(target[:-1])
                os.link(target[-1], name, dst_dir_fd=folder, follow_symlinks=False)
            finally:
                os.close(folder)
            continue
        if entry.issym():
            os.symlink(os.fsencode(entry.linkname), name)
        elif entry.isreg():
            file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with open(file, "wb") as stream:
                stream.truncate(entry.size)
                for at, data in pieces(archive, entry):
                    stream.seek(at)
                    stream.write(data)
        else:
            kind = stat.S_IFIFO if entry.isfifo() else stat.S_IFCHR if entry.ischr() else stat.S_IFBLK
            os.mknod(name, kind | 0o600, os.makedev(entry.devmajor, entry.devminor))
        put_right(name, entry)
    return 0


def times(root: str) -> int:
    place = Place(root)
    for _archive, entry in entries():
        if entry.isdir() and len(os.fsencode(entry.name)) >= AROUND:
            place.go(parts_of(entry.name)[:-1])
            put_right(parts_of(entry.name)[-1], entry)
    return 0


def put_right(name: bytes, entry: tarfile.TarInfo) -> None:
    os.chown(name, entry.uid, entry.gid, follow_symlinks=False)
    if not entry.issym():
        for key, value in attributes_of(entry).items():
            os.setxattr(name, key, value, follow_symlinks=False)
        os.chmod(name, entry.mode & 0o7777)
    os.utime(name, ns=(time_of(entry), time_of(entry)), follow_symlinks=False)


def give(name: bytes, old: int, new: int) -> int:
    """Give one entry, not what a link leads to; how many changed hands."""
    found = os.lstat(name)
    uid, gid = (new if number == old else -1 for number in (found.st_uid, found.st_gid))
    if uid == gid == -1:
        return 0
    os.chown(name, uid, gid, follow_symlinks=False)
    # Which the kernel takes away.
    if stat.S_ISREG(found.st_mode) and found.st_mode & 0o6000:
        os.chmod(name, stat.S_IMODE(found.st_mode))
    return 1


def own(root: str, old: int, new: int) -> int:
    os.chdir(root)
    device = os.lstat(".").st_dev
    seen = given = 0
    # For each folder that is open: its name, and the names that are left.
    stack = [(b".", os.listdir(b"."))]
    while stack:
        folder, names = stack[-1]
        if names:
            name = names.pop()
            found = os.lstat(name)
            if stat.S_ISDIR(found.st_mode) and found.st_dev == device:
                Place.enter(name)
                stack.append((name, os.listdir(b".")))
                continue
        else:
            stack.pop()
            name = folder
            if stack:
                Place.enter(b"..")
        given += give(name, old, new)
        seen += 1
        if seen % OFTEN == 0:
            print(given, flush=True)
    print(given, flush=True)
    return 0


def main() -> int:
    task, *words = sys.argv[1:]
    if task == "compare":
        return compare(words[0], words[1])
    if task == "own":
        return own(words[0], int(words[1]), int(words[2]))
    return deep(words[0]) if task == "deep" else times(words[0])


if __name__ == "__main__":
    sys.exit(main())
