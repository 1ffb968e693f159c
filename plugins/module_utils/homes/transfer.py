# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Copies a home of another system into a volume by rsync, without ever replacing what its user has changed there.

What was copied is remembered by size and time: what differs from that in the new home, its user has changed. rsync runs where all of the host but the volume is read-only: no link that a user puts
into a home meanwhile leads its writing elsewhere.
"""

from __future__ import annotations

import calendar
import os
import re
import shutil
import stat
import subprocess
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

# Where rsync builds files, in the volume: what a killed run leaves goes with it.
STAGE = ".galilean-migrating"
# Of users' own attributes alone: no capability of a file comes along. Devices and sockets lead nowhere.
OPTIONS = (
    "--recursive", "--links", "--perms", "--times", "--omit-dir-times", "--hard-links", "--xattrs", "--filter=-x! user.*",
    "--sparse", "--one-file-system", "--numeric-ids", "--exclude=/.local/share/jupyter/runtime/", f"--exclude=/{STAGE}",
    "--out-format=%i %l %M %n",
)  # fmt: skip
# Files that went away while rsync read; all others are there.
VANISHED = 24


# Size, and time in seconds: what rsync tells files from each other by.
Sign = tuple[int, int]


@dataclass
class Changes:
    """What a copy brings: files, bytes and what is in them; and what stays, as its user has changed it in the new home."""

    files: int = 0
    bytes: int = 0
    brought: dict[str, Sign] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)


def name_of(shown: bytes) -> bytes:
    """A name as rsync shows it: bytes that cannot be printed are octal numbers."""
    return re.sub(rb"\\#([0-7]{3})", lambda found: bytes([int(found[1], 8)]), shown).rstrip(b"/")


def pattern(path: str) -> bytes:
    """A path as a pattern of rsync that means itself. Only beside a wildcard is a backslash an escape."""
    if re.search(r"[*?\[]", path):
        path = re.sub(r"([\\*?\[])", r"\\\1", path)
    return os.fsencode(f"/{path}")


LINE = re.compile(rb"([<>ch.][fdL]\S{9}) (\d+) (\d{4,}/\d\d/\d\d-\d\d:\d\d:\d\d) (.*)")


def parsed(lines: t.Iterable[bytes]) -> t.Iterator[tuple[str, str, Sign]]:
    """What rsync does, the path, and its sign, by the lines that it prints of each entry."""
    for line in lines:
        found = LINE.fullmatch(line.rstrip(b"\n"))
        if found:
            seconds = calendar.timegm(time.strptime(found[3].decode(), "%Y/%m/%d-%H:%M:%S"))
            yield found[1].decode(), os.fsdecode(name_of(found[4])), (int(found[2]), seconds)


def changes(lines: t.Iterable[bytes], target: str, ours: t.Callable[[str, Sign], bool]) -> Changes:
    """Judge what rsync would do, by the lines of a dry run; ours: whether a path in the home is as it was copied."""
    found = Changes()
    for what, path, sign in parsed(lines):
        is_folder = what[1] == "d"
        if (is_folder and what[0] == ".") or any(path.startswith(f"{kept}/") for kept in found.kept):
            continue
        try:
            there = os.lstat(os.path.join(target, path))
        except OSError:
            there = None
        if there is not None:
            if is_folder and stat.S_ISDIR(there.st_mode):
                continue
            # A point stands for attributes alone.
            if what[0] != "." and not ours(path, (there.st_size, there.st_mtime_ns // 10**9)):
                found.kept.append(path)
                continue
        found.brought[path] = sign
        found.files += not is_folder
        found.bytes += sign[0] if what[0] == ">" else 0
    return found


class Transfer:
    """rsync from one folder, here or on another host, into a volume or a folder of it."""

    def __init__(self, source: t.Sequence[str], uid: int) -> None:
        self.source = list(source)
        self.options = [*OPTIONS, f"--chown={uid}:{uid}"]

    def _run(self, words: t.Sequence[str], stdin: bytes) -> list[bytes]:
        """The lines that rsync prints."""
        done = subprocess.run(
            words,
            input=stdin,
            capture_output=True,
            env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
            check=False,
        )
        if done.returncode not in (0, VANISHED):
            told = " ".join(done.stderr.decode(errors="replace").split())[-600:].rstrip(".")
            raise HubError(f"rsync failed: {told or done.returncode}.")
        return done.stdout.splitlines()

    def plan(self, target: str, ours: t.Callable[[str, Sign], bool]) -> Changes:
        """What a copy would bring now."""
        lines = self._run(["rsync", "--dry-run", *self.options, *self.source, f"{target}/"], b"")
        return changes(lines, target, ours)

    def copy(self, volume: str, target: str, kept: t.Sequence[str]) -> dict[str, Sign]:
        """Copy all but what is kept; the signs of what came."""
        stage = Path(volume, STAGE)
        forget(stage)
        stage.mkdir(mode=0o700)
        box = ["bwrap", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--bind", volume, volume]
        more = [f"--temp-dir={stage}", "--from0", "--exclude-from=-"]
        excluded = b"".join(pattern(path) + b"\0" for path in kept)
        try:
            lines = self._run([*box, "rsync", *more, *self.options, *self.source, f"{target}/"], excluded)
        finally:
            forget(stage)
        return {path: sign for _what, path, sign in parsed(lines)}


def forget(stage: Path) -> None:
    """Remove what a run has left, or what a user has put there."""
    if stage.is_symlink() or stage.is_file():
        stage.unlink()
    elif stage.exists():
        shutil.rmtree(stage)


def usage(run: t.Callable[..., str], path: str) -> int:
    """Bytes that a folder takes on its disk."""
    return int(run("du", "--summarize", "--block-size=1", "--one-file-system", path).split()[0])
