# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Reads, writes and restores archives of homes.

tar runs in a container that sees nothing but the volume and has no network, so whatever lies in a home leads nowhere: no link
out of it is followed on the host. Archives are streams between that container and a file of this process.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import shutil
import subprocess
import tempfile
import threading
import typing as t
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli
from ansible_collections.galilean.hub.plugins.module_utils.engine.observed import ObservedVolume
from ansible_collections.galilean.hub.plugins.module_utils.homes import plan, script

INSIDE = "/.home"
READ = ("DAC_OVERRIDE",)
WRITE = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "MKNOD")
TAR = (
    "--numeric-owner",
    "--sparse",
    "--acls",
    "--xattrs",
    "--xattrs-include=user.*",
    "--gzip",
    f"--directory={INSIDE}",
)
# What is written beside an archive and checked before anything else is done with it.
NOTES = ".json"


class Box:
    """Runs one command at a time in a container that sees one volume."""

    def __init__(self, engine: DockerCli, image: str, timeout: float) -> None:
        self._engine = engine
        self._image = image
        self._timeout = timeout

    def _argv(self, volume: str, write: bool, command: t.Sequence[str]) -> list[str]:
        # A folder of the host is one that users share.
        what = (
            f"type=bind,src={volume},dst={INSIDE}"
            if volume.startswith("/")
            else f"type=volume,src={volume},dst={INSIDE},volume-nocopy"
        )
        mount = f"--mount={what}{'' if write else ',readonly'}"
        return [
            *self._engine.client,
            *("run", "--rm", "--interactive", f"--name={helper(volume)}", "--network=none", "--user=0:0"),
            *("--read-only", "--cap-drop=ALL", *(f"--cap-add={name}" for name in (WRITE if write else READ))),
            # Otherwise the engine would keep the whole stream as the container's log.
            *("--security-opt=no-new-privileges", "--log-driver=none", "--pull=never", mount),
            *(f"--entrypoint={command[0]}", self._image, *command[1:]),
        ]

    def run(
        self,
        volume: str,
        command: t.Sequence[str],
        write: bool = False,
        stdin: t.BinaryIO | None = None,
        stdout: t.BinaryIO | None = None,
        take: t.Callable[[t.Iterable[bytes]], t.Any] | None = None,
    ) -> tuple[int, str, t.Any]:
        """The command's status, the end of what it complained, and what became of its output."""
        # One that a killed run left still holds the volume, and the name.
        self._engine.remove_container(helper(volume))
        with tempfile.TemporaryFile() as complaints:
            process = subprocess.Popen(
                self._argv(volume, write, command),
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=subprocess.PIPE if stdout is None else stdout,
                stderr=complaints,
            )
            timer = threading.Timer(self._timeout, lambda: self._engine.remove_container(helper(volume)))
            timer.daemon = True
            timer.start()
            try:
                taken = None
                if process.stdout is not None:
                    said = process.stdout.fileno()
                    chunks = iter(lambda: os.read(said, 1 << 16), b"")
                    taken = take(chunks) if take else b"".join(chunks).decode(errors="replace")
                status = process.wait()
            finally:
                late = not timer.is_alive()
                timer.cancel()
                if process.poll() is None:
                    self._engine.remove_container(helper(volume))
                    process.kill()
                    process.wait()
            if late:
                raise HubError(
                    f"{command[0]} on the volume {volume} was stopped after {self._timeout:.0f} s: raise timeout."
                )
            complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - 2000))
            return status, " ".join(complaints.read().decode(errors="replace").split()), taken

    def measure(self, volume: str) -> plan.Measure:
        """What a volume holds."""
        command = ("find", INSIDE, "-xdev", "-printf", plan.FIND_FORMAT)
        try:
            status, why, measure = self.run(volume, command, take=plan.tree_measure)
        except HubError as exc:
            raise HubError(f"The volume {volume} cannot be read. {exc.message}") from exc
        if status:
            raise HubError(f"The volume {volume} cannot be read: {why}.")
        return t.cast(plan.Measure, measure)

    def is_empty(self, volume: str) -> bool:
        """Whether a volume holds nothing."""
        status, why, found = self.run(
            volume, ("find", INSIDE, "-mindepth", "1", "-maxdepth", "1", "-print", "-quit")
        )
        if status:
            raise HubError(f"The volume {volume} cannot be read: {why}.")
        return not found

    def is_unfinished(self, volume: str) -> bool:
        """Whether a restoring into it has not come to its end. A user could only make such a file of their own."""
        mark = f"{INSIDE}/{plan.UNFINISHED}"
        return bool(self.run(volume, ("find", mark, "-maxdepth", "0", "-type", "f", "-user", "0"))[2])

    def pack(self, volume: str, stream: t.BinaryIO) -> None:
        """Write a volume's content as a compressed archive."""
        command = (
            "tar",
            "--create",
            "--format=posix",
            "--one-file-system",
            f"--exclude=./{plan.UNFINISHED}",
            *TAR,
            ".",
        )
        status, why, _ = self.run(volume, command, stdout=stream)
        if status:
            raise HubError(f"The volume {volume} cannot be archived: {why or f'tar ended with {status}'}.")

    def script(
        self, volume: str, stream: t.BinaryIO, *words: str, write: bool = False
    ) -> tuple[int, str, t.Any]:
        """Run script, which reads the archive."""
        os.lseek(stream.fileno(), 0, os.SEEK_SET)
        command = ("python3", "-c", inspect.getsource(script), *words)
        return self.run(volume, command, write=write, stdin=stream)

    def compare(self, volume: str, stream: t.BinaryIO) -> None:
        """Raise HubError where the volume differs from the archive. tar would read all of a hole, and enter no path that is too long."""
        status, why, said = self.script(volume, stream, "compare", INSIDE, plan.UNFINISHED)
        if status:
            differs = " ".join(str(said).split())[:500] or why or f"its comparison ended with {status}"
            raise HubError(f"The archive of the volume {volume} differs from it: {differs}.")

    def own(self, volume: str, old: int, new: int, tell: t.Callable[[int], None]) -> int:
        """Give what belongs to one number to another one; tell how many entries that are so far, and return how many they were."""
        command = ("python3", "-c", inspect.getsource(script), "own", INSIDE, str(old), str(new))
        status, why, given = self.run(
            volume, command, write=True, take=lambda chunks: numbers_of(chunks, tell)
        )
        if status:
            raise HubError(f"{volume} cannot be given to {new}: {why}. Run again to continue.")
        return int(given)

    def owner(self, volume: str) -> int:
        """Whose a volume's topmost folder is."""
        status, why, found = self.run(volume, ("stat", "--format=%u", INSIDE))
        if status:
            raise HubError(f"The volume {volume} cannot be read: {why}.")
        return int(found)

    def unpack(self, volume: str, stream: t.BinaryIO) -> None:
        """Fill an empty volume from an archive. Until all is there, a mark says that it is not."""
        mark = f"{INSIDE}/{plan.UNFINISHED}"
        command = (
            "sh",
            "-c",
            f': > {mark} && exec tar "$@"',
            "sh",
            "--extract",
            "--preserve-permissions",
            "--same-owner",
            *TAR,
        )
        status, why, _ = self.run(volume, command, write=True, stdin=stream)
        if status and "File name too long" in why:
            for task in ("deep", "times"):
                status, why, _ = self.script(volume, stream, task, INSIDE, write=True)
                if status:
                    break
        if not status:
            # The mark goes without a trace: the folder's time is part of what was archived.
            script = f'changed=$(stat --format=%y {INSIDE}) && rm {mark} && touch --no-create --date="$changed" {INSIDE}'
            status, why, _ = self.run(volume, ("sh", "-c", script), write=True)
        if status:
            raise HubError(f"The archive cannot be restored into the volume {volume}: {why}.")


def numbers_of(chunks: t.Iterable[bytes], tell: t.Callable[[int], None]) -> int:
    """Pass on each number that a script says, as soon as it does; return the last one."""
    last, rest = 0, b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            last = int(line)
            tell(last)
    return last


def helper(volume: str) -> str:
    """The name of the container that reads or writes a volume, or a folder."""
    return f"{volume.strip('/').replace('/', '-')}-archive"


def homes(
    engine: DockerCli, instance: str, owners: t.Mapping[str, str], user: str | None = None
) -> list[ObservedVolume]:
    """The homes of an instance, all or those of one user; owners as in _home_owners."""
    names = engine.volume_names(f"{plan.LABEL_INSTANCE}={instance}")
    return plan.volumes_of(engine.volumes(names).values(), instance, user, owners)


def used_by(engine: DockerCli, volume: str) -> list[str]:
    """Containers, running or not, that mount a volume; our own helper does not count."""
    return [name for name in engine.volume_users(volume) if name != helper(volume)]


def check_image(engine: DockerCli, image: str) -> None:
    """Raise HubError where the image is not there."""
    if engine.image(image) is None:
        raise HubError(f"image is {image!r}, which is not on this host: build or load it first.")


def read_archives(folder: Path) -> list[plan.Archive]:
    """The archives in a folder; none where the folder does not exist."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for file in sorted(folder.iterdir()):
            if not file.is_file() or file.is_symlink():
                continue
            notes = None
            with contextlib.suppress(OSError, UnicodeDecodeError):
                notes = (folder / f"{file.name}{NOTES}").read_text(encoding="utf-8")
            archive = plan.parse_archive(file.name, file.stat().st_size, notes)
            if archive is not None:
                found.append(archive)
    return found


def room_problem(folder: Path, needed: int) -> str:
    """Why the folder's disk has no room for so many bytes; empty where it has."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free > needed:
        return ""
    return f"needs up to {plan.in_units(needed)}, but the disk of {folder} has {plan.in_units(free)} free"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_archive(box: Box, folder: Path, archive: plan.Archive) -> plan.Archive:
    """Write an archive and its notes. They get their names only when complete and verified; HubError if writing fails."""
    target, partial = folder / archive.name, folder / f".{archive.name}.partial"
    notes, notes_partial = folder / f"{archive.name}{NOTES}", folder / f".{archive.name}{NOTES}.partial"
    try:
        with open(
            os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w+b"
        ) as stream:
            box.pack(archive.volume, stream)
            os.fsync(stream.fileno())
            box.compare(archive.volume, stream)
        archive = plan.Archive(**{**vars(archive), "bytes": partial.stat().st_size})
        with open(
            os.open(notes_partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w"
        ) as stream_2:
            stream_2.write(archive.notes())
        _sync(notes_partial)
        notes_partial.rename(notes)
        partial.rename(target)
        _sync(folder)
    except OSError as exc:
        raise HubError(f"The archive {target} cannot be written: {exc.strerror}.") from exc
    finally:
        for path in (partial, notes_partial):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
    return archive


def forget_partial(folder: Path, volume: str) -> None:
    """Remove what killed runs left of a volume's archives. Only under the lock."""
    for file in folder.glob(".*.partial"):
        archive = plan.parse_archive(file.name[1 : -len(".partial")].replace(NOTES, ""), 0, None)
        if archive is not None and archive.volume == volume:
            file.unlink()
