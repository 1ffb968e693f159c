# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Fills a volume from an image, verifies it and seals it. Runs inside the image, from standard input.

Standard library only, and nothing of the collection.

    seed SOURCE TARGET DIGEST CLAIMS [OLDER]
        fill a volume, which is empty or has all that is in an older version, linked by the host; CLAIMS is 1 when the
        hashes that the image brings may be believed
    repair SOURCE TARGET DIGEST
        put right what differs from the image, in place
    verify TARGET
        compare a sealed volume with its manifest; the last line is JSON
"""

from __future__ import annotations

import errno
import functools
import gc
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from concurrent.futures import Executor

# Our own files in the root of a volume. The marker is written last: a volume without it was not finished.
MARKER = ".sealed"
MANIFEST = ".manifest"
# An image may have this in its folder, made by sha256sum when all else was there.
SUMS = ".sha256sums"
OWN = frozenset([SUMS, *(name + end for name in (MARKER, MANIFEST) for end in ("", ".new"))])
FORMAT = 1
# What a file is called until it takes the place of a damaged one.
ASIDE = ".galilean-new"

KINDS = {stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFREG: "f"}
BLOCK = bytearray(1 << 20)
# A file of this size is work enough for one turn, and so are this many files together.
LARGE = 8 << 20
MANY = 256
# Seconds between two lines that say how far the work is.
PROGRESS = 5.0

ROOM = (
    "remove images or volumes that nobody uses, lower keep (images_software_keep in the role), "
    "or give the engine a larger disk"
)

Tree = dict[str, os.stat_result]


class SeedError(Exception):
    """One sentence for the operator."""


def say(text: str) -> None:
    print(text, flush=True)


def human(size: int) -> str:
    """A size as people write it."""
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.2f} MB"


def walk(root: str) -> Iterator[tuple[str, os.stat_result]]:
    """Every path below a folder with what is known of it, folders before what is in them; the folder itself is a dot."""
    yield ".", os.lstat(root)
    folders = [""]
    while folders:
        inside = folders.pop()
        # With an open folder the system need not look up the whole path for each entry.
        folder = os.open(os.path.join(root, inside), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            with os.scandir(folder) as found:
                for entry in found:
                    path = inside + entry.name
                    if path in OWN:
                        continue
                    info = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(info.st_mode):
                        folders.append(path + "/")
                    yield path, info
        finally:
            os.close(folder)


@functools.lru_cache(None)
def rights(mode: int, user: int, group: int) -> str:
    """Kind, permissions and owner. Few of them differ, and to put one together takes longer than to remember it."""
    return f"{KINDS.get(stat.S_IFMT(mode), 'other')} {stat.S_IMODE(mode):o} {user} {group}"


def outline(info: os.stat_result) -> str:
    """Kind, permissions and owner, of a file its size and time, too (compiled Python may depend on them)."""
    text = rights(info.st_mode, info.st_uid, info.st_gid)
    # Whole seconds: not every file system keeps more.
    return f"{text} {info.st_size} {info[stat.ST_MTIME]}" if text[0] == "f" else text


def hash_files(root: str, paths: Iterable[str]) -> list[str]:
    """The hashes of some files."""
    out = []
    for path in paths:
        digest = hashlib.sha256()
        source = os.open(os.path.join(root, path), os.O_RDONLY | os.O_NOFOLLOW)
        try:
            while count := os.readv(source, [BLOCK]):
                digest.update(memoryview(BLOCK)[:count])
        finally:
            os.close(source)
        out.append(digest.hexdigest())
    return out


def copy_file(source: str, target: str, read_hash: bool) -> str:
    """Copy a file with permissions, owner and times; return the hash of what was read, where it is wanted."""
    digest = hashlib.sha256()
    reader = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        # Always a new file: one that is there may be shared with another version.
        writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            while count := os.readv(reader, [BLOCK]):
                block = memoryview(BLOCK)[:count]
                if read_hash:
                    digest.update(block)
                while block:
                    block = block[os.write(writer, block) :]
            info = os.fstat(reader)
            os.fchown(writer, info.st_uid, info.st_gid)
            os.fchmod(writer, stat.S_IMODE(info.st_mode))
            os.utime(writer, ns=(info.st_atime_ns, info.st_mtime_ns))
        finally:
            os.close(writer)
    finally:
        os.close(reader)
    return digest.hexdigest()


def copy_files(source: str, target: str, read_hash: bool, paths: Iterable[str]) -> list[str]:
    """Copy some files, over damaged ones of the same name; return their hashes."""
    out = []
    for path in paths:
        origin, final = os.path.join(source, path), os.path.join(target, path)
        try:
            out.append(copy_file(origin, final, read_hash))
        except FileExistsError:
            out.append(copy_file(origin, final + ASIDE, read_hash))
            # Whoever has the old one open keeps it.
            os.replace(final + ASIDE, final)
    return out


def portions(sizes: Mapping[str, int]) -> Iterator[list[str]]:
    """Files in turns of about the same work; the large ones first, so that no core ends alone with one."""
    yield from ([path] for path in sorted(sizes, key=lambda path: -sizes[path]) if sizes[path] >= LARGE)
    turn: list[str] = []
    total = 0
    for path, size in sizes.items():
        if size >= LARGE:
            continue
        turn.append(path)
        total += size
        if len(turn) >= MANY or total >= LARGE:
            yield turn
            turn, total = [], 0
    if turn:
        yield turn


def start(work: Callable[[str, Tree], None], target: str, tree: Tree) -> int:
    """Do something in a process of its own, for time: a file system waits for its disk with each new folder."""
    process = os.fork()
    if not process:
        try:
            work(target, tree)
        finally:
            os._exit(0)
    return process


def processes(count: int) -> Executor:
    """A pool of processes that know all that this one knows."""
    # Where there is little to do, loading these would take a good part of the time.
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    return ProcessPoolExecutor(count, mp_context=get_context("fork"))


def on_all_cores(
    work: Callable[[list[str]], list[str]], sizes: Mapping[str, int], title: str
) -> dict[str, str]:
    """What a function says of each file, in several processes; a line every few seconds says how far it is."""
    turns = list(portions(sizes))
    out: dict[str, str] = {}
    whole, size, shown = sum(sizes.values()), 0, time.monotonic()
    # Processes and not threads: with tens of thousands of small files Python itself is most of the work. It
    # takes some turns until they pay.
    cores = min(os.cpu_count() or 1, 8, len(turns) // 4)
    pool = processes(cores) if cores > 1 else None
    try:
        answers = pool.map(work, turns) if pool else map(work, turns)
        for turn, answer in zip(turns, answers):
            out.update(zip(turn, answer))
            size += sum(sizes[path] for path in turn)
            if time.monotonic() - shown >= PROGRESS:
                shown = time.monotonic()
                say(f"{title}: {len(out)} of {len(sizes)} files, {human(size)} of {human(whole)}")
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)
    return out


def observe_in(tree: Tree) -> dict[str, str]:
    """The outline of each entry."""
    return {path: outline(info) for path, info in tree.items()}


def describe(root: str, looks: Mapping[str, str], known: Mapping[str, str], title: str) -> dict[str, str]:
    """Outlines with the content of files and the destination of links; what looks as it is known is not read again."""
    out = dict(looks)
    sizes = {}
    for path, text in looks.items():
        if text.startswith("f "):
            line = known.get(path, "")
            if line.rpartition(" ")[0] == text:
                out[path] = line
            else:
                sizes[path] = size_of(text)
        elif text.startswith("l "):
            out[path] = f"{text} {os.readlink(os.path.join(root, path))}"
    for path, digest in on_all_cores(functools.partial(hash_files, root), sizes, title).items():
        out[path] += f" {digest}"
    return out


def size_of(text: str) -> int:
    """The size of a file, from its outline or description."""
    return int(text.split(" ", 5)[4])


def room_problem(tree: Tree, free: os.statvfs_result) -> str:
    """A sentence when there is no room for these entries, or nothing."""
    block = free.f_frsize
    seen, need = set(), 0
    for info in tree.values():
        if info.st_nlink > 1 and not stat.S_ISDIR(info.st_mode):
            if (info.st_dev, info.st_ino) in seen:
                continue
            seen.add((info.st_dev, info.st_ino))
        if stat.S_ISDIR(info.st_mode):
            need += block
        elif stat.S_ISREG(info.st_mode):
            need += -(-info.st_size // block) * block
    if need > free.f_bavail * block:
        return f"this takes {human(need)}, and {human(free.f_bavail * block)} are free where the engine has its volumes: {ROOM}"
    # Some file systems have no fixed number of inodes, and say 0.
    if free.f_files and len(tree) > free.f_favail:
        return f"this takes {len(tree)} inodes, and {free.f_favail} are free where the engine has its volumes: {ROOM}"
    return ""


def make_folders(target: str, tree: Tree) -> None:
    """Make the folders of a tree, for ourselves only until they are filled."""
    for path, info in tree.items():
        full = os.path.join(target, path)
        if stat.S_ISDIR(info.st_mode) and (os.path.islink(full) or not os.path.isdir(full)):
            remove(full)
            os.mkdir(full, 0o700)


def finish_folders(target: str, tree: Tree) -> None:
    """Give folders their permissions, owners and times, now that nothing more comes into them."""
    for path, info in tree.items():
        if stat.S_ISDIR(info.st_mode):
            full = os.path.join(target, path)
            os.chown(full, info.st_uid, info.st_gid)
            os.chmod(full, stat.S_IMODE(info.st_mode))
            os.utime(full, ns=(info.st_atime_ns, info.st_mtime_ns))


def copy_entries(source: str, target: str, tree: Tree, known: Container[str] = ()) -> dict[str, str]:
    """Copy files and links into folders that are there; return the hashes of the files that are not known."""
    problem = room_problem(tree, os.statvfs(target))
    if problem:
        raise SeedError(problem)
    first: dict[tuple[int, int], str] = {}
    twins: dict[str, str] = {}
    sizes: dict[bool, dict[str, int]] = {True: {}, False: {}}
    for path, info in tree.items():
        full = os.path.join(target, path)
        if stat.S_ISLNK(info.st_mode):
            remove(full)
            os.symlink(os.readlink(os.path.join(source, path)), full)
            os.lchown(full, info.st_uid, info.st_gid)
            os.utime(full, ns=(info.st_atime_ns, info.st_mtime_ns), follow_symlinks=False)
        elif stat.S_ISREG(info.st_mode):
            if os.path.isdir(full):
                remove(full)
            other = first.setdefault((info.st_dev, info.st_ino), path) if info.st_nlink > 1 else path
            if other == path:
                sizes[path in known][path] = info.st_size
            else:
                twins[path] = other
    on_all_cores(functools.partial(copy_files, source, target, False), sizes[True], "Copied")
    hashes = on_all_cores(functools.partial(copy_files, source, target, True), sizes[False], "Copied")
    for path, other in twins.items():
        remove(os.path.join(target, path))
        os.link(os.path.join(target, other), os.path.join(target, path))
        if other in hashes:
            hashes[path] = hashes[other]
    return hashes


def remove(path: str) -> None:
    """Remove whatever is there; a link, never what it leads to."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def save(path: str, text: str) -> None:
    """Write one of our own files, complete or not at all."""
    with open(path + ".new", "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
        os.fchmod(stream.fileno(), 0o444)
    os.rename(path + ".new", path)


def load(path: str) -> dict[str, object]:
    """What one of our own files says; nothing where it is not there or damaged."""
    try:
        with open(path, encoding="utf-8") as stream:
            data = json.load(stream)
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def text_of(manifest: Mapping[str, str]) -> str:
    """A manifest as it is written; the same for the same content, so that its hash can be compared."""
    return json.dumps({"format": FORMAT, "entries": manifest}, sort_keys=True, indent=0) + "\n"


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def sealed_manifest(root: str) -> dict[str, str]:
    """The manifest of a sealed volume; nothing when it has none, or not the one it was sealed with."""
    try:
        with open(os.path.join(root, MANIFEST), encoding="utf-8") as stream:
            text = stream.read()
    except OSError:
        return {}
    if load(os.path.join(root, MARKER)).get("manifest") != hash_of(text):
        return {}
    return dict(json.loads(text)["entries"])


def differences(wanted: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """The paths that are missing, too many or different, in words."""
    if wanted == found:
        return {}
    out = {}
    for path in sorted({**wanted, **found}):
        if path not in found:
            out[path] = "is missing"
        elif path not in wanted:
            out[path] = "should not be there"
        elif wanted[path] != found[path]:
            out[path] = f"differs in {difference(wanted[path], found[path])}"
    return out


def difference(wanted: str, found: str) -> str:
    """What is different about an entry, in words."""
    names = ["kind", "permissions", "owner", "group"]
    names += ["size", "time", "content"] if wanted.startswith("f ") else ["destination"]
    one, other = (text.split(" ", len(names) - 1) for text in (wanted, found))
    if one[0] != other[0]:
        return "kind"
    return ", ".join(name for name, left, right in zip(names, one, other) if left != right)


def sums_of(source: str) -> dict[str, str]:
    """The hashes that the image itself has of its files, as ``find . -type f -exec sha256sum {} +`` writes them."""
    try:
        with open(os.path.join(source, SUMS), encoding="utf-8", errors="surrogateescape") as stream:
            lines = [line.rstrip("\n").split("  ./", 1) for line in stream]
    except OSError:
        return {}
    # A line for a name with a backslash or a line break starts with a backslash; such a file is just read.
    return {line[1]: line[0] for line in lines if len(line) == 2 and len(line[0]) == 64}


def shared_files(
    source: str, looks: Mapping[str, str], older: Mapping[str, str], claimed: Mapping[str, str]
) -> dict[str, str]:
    """The descriptions of the files of an image that an older version has as well, by the manifest of that.

    Size and time say little where builds give all files the same time, so the content has to be known. Where
    the image makes no claim about it, the file is read.
    """
    like = {
        path: text
        for path, text in looks.items()
        if text.startswith("f ") and older.get(path, "").rpartition(" ")[0] == text
    }
    described = describe(source, like, claimed, "Compared with the older version")
    return {path: text for path, text in described.items() if older[path] == text}


def take_out(target: str, older: Mapping[str, str], shared: Container[str], looks: Mapping[str, str]) -> None:
    """Remove what is linked from the older version and is not the same in this one."""
    for path, text in older.items():
        stays = looks.get(path, "").startswith("d ") if text.startswith("d ") else path in shared
        if not stays:
            remove(os.path.join(target, path))


def read_source(source: str) -> Tree:
    """All entries of the image's folder."""
    if not os.path.isdir(source):
        raise SeedError(
            f"the image has no folder {source}: correct source_path, or build the image so that it has it"
        )
    tree = dict(walk(source))
    odd = [path for path, info in tree.items() if stat.S_IFMT(info.st_mode) not in KINDS]
    if odd:
        raise SeedError(
            f"{source}/{odd[0]} is neither a file nor a folder nor a link: remove it from the image"
        )
    return tree


def seed(source: str, target: str, digest: str, claims: bool = True, older: str = "") -> None:
    """Fill a volume, compare it with the image, and seal it."""
    tree = read_source(source)
    manifest = sealed_manifest(older) if older else {}
    meanwhile = 0 if manifest else start(make_folders, target, tree)
    looks = observe_in(tree)
    sums = sums_of(source) if claims else {}
    claimed = {path: f"{looks[path]} {value}" for path, value in sums.items() if path in looks}
    shared = shared_files(source, looks, manifest, claimed)
    if shared:
        say(f"Shared with the older version: {len(shared)} files")
    if meanwhile:
        os.waitpid(meanwhile, 0)
    take_out(target, manifest, shared, looks)
    # Whatever could not be done until now fails here again, with a reason.
    make_folders(target, tree)
    rest = {path: info for path, info in tree.items() if path not in shared}
    hashes = copy_entries(source, target, rest, claimed)
    read = {path: f"{looks[path]} {value}" for path, value in hashes.items()}
    wanted = describe(source, looks, {**claimed, **read, **shared}, "Read")
    finish_folders(target, tree)
    complete(source, target, digest, wanted, shared)


def complete(
    source: str, target: str, digest: str, wanted: Mapping[str, str], shared: Mapping[str, str]
) -> None:
    """Compare what is in the volume with what should be, put right what differs, and seal the volume.

    What is shared was read and compared when its own version was sealed; here it must only look the same.
    """
    # The disk works while we compare.
    syncing = subprocess.Popen(["sync", "-f", target])
    known = shared
    for last in (False, True):
        found = describe(target, observe_in(dict(walk(target))), known, "Compared")
        wrong = differences(wanted, found)
        if not wrong:
            break
        if last:
            raise SeedError(f"the copy is not the same as the image: {listed(wrong)}")
        known = {path: line for path, line in found.items() if path not in wrong}
        # What has now been read counts more than what the image claims.
        wanted = {**wanted, **mend(source, target, wanted, wrong)}
    text = text_of(wanted)
    save(os.path.join(target, MANIFEST), text)
    if syncing.poll() is None:
        say("Waiting for the disk")
    if syncing.wait():
        raise SeedError("the file system could not be synchronised")
    sizes = {path: size_of(line) for path, line in wanted.items() if line.startswith("f ")}
    linked = sum(sizes[path] for path in shared if path in known)
    facts = {
        "digest": digest,
        "files": len(sizes),
        "size_bytes": sum(sizes.values()),
        # A repair shares nothing more.
        "shared_bytes": linked or load(os.path.join(target, MARKER)).get("shared_bytes", 0),
        "format": FORMAT,
        "manifest": hash_of(text),
    }
    # The content has to be on the disk before the marker says that it is complete.
    subprocess.run(["sync", "-f", target], check=True)
    save(os.path.join(target, MARKER), json.dumps(facts, sort_keys=True))
    subprocess.run(["sync", "-f", target], check=True)
    say(f"Sealed: {len(sizes)} files, {human(sum(sizes.values()))}, of which {human(linked)} shared")


def mend(source: str, target: str, wanted: Mapping[str, str], wrong: Iterable[str]) -> dict[str, str]:
    """Make some entries as they are in the image; what is right is not touched, as it may be shared."""
    missing: Tree = {}
    for path in wrong:
        if path in wanted:
            missing[path] = os.lstat(os.path.join(source, path))
        else:
            remove(os.path.join(target, path))
    make_folders(target, missing)
    hashes = copy_entries(source, target, missing)
    finish_folders(target, missing)
    return {path: f"{outline(missing[path])} {value}" for path, value in hashes.items()}


def repair(source: str, target: str, digest: str) -> None:
    """Put right what differs from the image, in place: servers may have the volume mounted."""
    wanted = describe(source, observe_in(read_source(source)), {}, "Read")
    marker = load(os.path.join(target, MARKER))
    # One that was sealed before there were manifests gets its own now.
    if "format" in marker and marker.get("manifest") != hash_of(text_of(wanted)):
        raise SeedError("the image is not the one that the volume was filled from")
    complete(source, target, digest, wanted, {})


def verify(target: str) -> dict[str, str]:
    """What differs from the manifest of a sealed volume, by path."""
    wanted = sealed_manifest(target)
    if not wanted:
        return {MANIFEST: "is missing or differs in content"}
    return differences(wanted, describe(target, observe_in(dict(walk(target))), {}, "Compared"))


def listed(wrong: Mapping[str, str]) -> str:
    """Some of the differences, in one line."""
    shown = [f"{path} {words}" for path, words in wrong.items()]
    more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    return ", ".join(shown[:5]) + more


def main(argv: list[str]) -> None:
    """Do what the arguments say."""
    # Looking for garbage among so many objects would take longer than it is worth in a short life.
    gc.disable()
    action, arguments = argv[0], argv[1:]
    if action == "seed":
        source, target, digest, claims, *older = arguments
        seed(source, target, digest, claims == "1", *older)
    elif action == "repair":
        repair(*arguments)
    else:
        wrong = verify(*arguments)
        say(json.dumps({"count": len(wrong), "paths": dict(list(wrong.items())[:100])}))


def sentence_of(exc: BaseException) -> str:
    """What went wrong, for the operator."""
    if isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk became full: " + ROOM
    if isinstance(exc, OSError) and exc.filename:
        return f"{exc.filename}: {exc.strerror}"
    return str(exc) or type(exc).__name__


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (SeedError, OSError, RuntimeError) as problem:
        raise SystemExit(f"FAILED: {sentence_of(problem)}") from None
