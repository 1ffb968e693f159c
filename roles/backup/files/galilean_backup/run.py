# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One backup: the databases copied, everything shown in one folder, a snapshot of it, old ones forgotten."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import hmac
import json
import os
import pwd
import shutil
import time
import typing as t
from pathlib import Path

from . import complaint, database, engine, manifest, state, tree
from .atomic_file import replace_file
from .json_file import read_json
from .repository import PARTLY, Repository
from .settings import Problem, Settings

TAG = "galilean.hub"
# Removing what no snapshot needs, and looking whether the repository is whole, take long: once a week.
PRUNE_DAYS = 6.5
# A backup by hand soon after another one leaves it to the next night to forget old ones.
FORGET_HOURS = 11
# restic 0.14 can wait for ever when a file cannot be written. Seconds without progress until it is ended: on a folder
# without so many bytes of room, and anywhere.
STUCK_FULL, STUCK = 60.0, 3600.0
ROOM = 64 << 20

Say = t.Callable[[str], None]


def prepare(settings: Settings) -> bool:
    """Ensure the repository; whether it was made. Nobody is asked again until the settings change."""
    told = state.export(settings, state.metrics(settings, state.remembered(settings)))
    if told:
        raise Problem(told)
    mark = settings.home / "repository.json"
    before, digest = read_json(mark), fingerprint(settings)
    if before.get("digest") == digest:
        return False
    check_folder(settings)
    repository = Repository(settings)
    made = False
    if not repository.exists():
        if before.get("repository") == settings.repository:
            raise Problem(
                complaint.of_restic("unable to open config file: does not exist", settings.repository)
            )
        repository.run("init")
        made = True
    replace_file(str(mark), json.dumps({"repository": settings.repository, "digest": digest}) + "\n")
    remembered = state.remembered(settings)
    if before.get("repository") != settings.repository:
        # What another repository has is no backup in this one.
        remembered = {"since": state.stamp(time.time())}
    state.keep(settings, {**remembered, "hint": state.hint(settings)})
    return made


def fingerprint(settings: Settings) -> str:
    """A value that changes with what leads to the repository, and from which no secret can be found out."""
    password = settings.password_file.read_bytes() if settings.password_file.exists() else b""
    files = [Path(path) for path in (settings.ssh_key, settings.known_hosts, settings.ca_file) if path]
    parts = [
        settings.repository,
        json.dumps(settings.environment(), sort_keys=True),
        json.dumps(settings.options),
    ]
    parts += [path.read_text(encoding="utf-8", errors="replace") if path.exists() else "" for path in files]
    return hmac.new(password, "\0".join(parts).encode(), hashlib.sha256).hexdigest()


def check_folder(settings: Settings) -> None:
    """A disk that is not mounted must not be taken for an empty one."""
    place = Path(settings.repository.removeprefix("local:"))
    if place.is_absolute() and not place.parent.is_dir():
        raise Problem(
            f"backup_repository is {place}, and there is no folder {place.parent} on this host: make it, or mount the disk."
        )


def is_full(settings: Settings) -> bool:
    """Whether the repository is a folder on a disk without room."""
    place = Path(settings.repository.removeprefix("local:"))
    return place.is_absolute() and place.is_dir() and shutil.disk_usage(place).free < ROOM


class Progress:
    """Turns restic's lines into words, at most once in ten seconds, and keeps its summary. Raises Problem where there is no progress."""

    OFTEN = 10

    def __init__(self, say: Say, settings: Settings) -> None:
        self._say, self._told = say, time.monotonic()
        self._settings, self._done, self._moved = settings, (0, 0), self._told
        self.summary: dict[str, t.Any] = {}

    def __call__(self, text: str) -> None:
        try:
            found = json.loads(text)
        except ValueError:
            return
        if found.get("message_type") == "summary":
            self.summary = found
        if found.get("message_type") != "status":
            return
        now, done = time.monotonic(), (found.get("files_done", 0), found.get("bytes_done", 0))
        if done != self._done:
            self._done, self._moved = done, now
        elif now - self._moved > STUCK_FULL and is_full(self._settings):
            raise Problem(complaint.of_restic("no space left on device", self._settings.repository))
        elif now - self._moved > STUCK:
            raise Problem(complaint.of_restic("all goroutines are asleep", self._settings.repository))
        if now - self._told > self.OFTEN:
            self._told = now
            share = 100 * float(found.get("percent_done") or 0)
            self._say(
                f"{share:.0f} % of {found.get('total_files', 0)} files, {units(found.get('total_bytes', 0))}"
            )


class Unread:
    """Counts what restic could not read: what went away meanwhile, and all else, with the first of it."""

    def __init__(self, root: Path, parts: t.Sequence[tree.Part]) -> None:
        self._root, self._parts = str(root), parts
        self.gone, self.failed, self.first = 0, 0, ""

    def __call__(self, text: str) -> None:
        try:
            found = json.loads(text)
        except ValueError:
            return
        # What it counts beforehand, it reads again.
        if found.get("message_type") != "error" or found.get("during") == "scan":
            return
        path, error = self._place(str(found.get("item", ""))), found.get("error") or {}
        # A number until restic 0.16, then words.
        number = error.get("Err")
        why = os.strerror(number) if isinstance(number, int) else str(error.get("message", ""))
        if number == errno.ENOENT or why.endswith("no such file or directory") or is_gone(path):
            self.gone += 1
            return
        self.failed += 1
        self.first = self.first or path + (f" ({why})" if why else "")

    def _place(self, item: str) -> str:
        """Where this is on the host."""
        inner = os.path.relpath(item, self._root)
        for part in self._parts:
            if tree.is_below(inner, part.name):
                return os.path.normpath(os.path.join(part.source, os.path.relpath(inner, part.name)))
        return item


def is_gone(path: str) -> bool:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def units(number: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def describe(
    settings: Settings, homes: t.Sequence[dict[str, t.Any]], databases: t.Sequence[Path]
) -> dict[str, t.Any]:
    """The manifest."""
    owners = read_json(Path(settings.hub_dir) / "homes.json")
    containers = [one for one in engine.containers(settings) if one["role"] != "user"]
    ids = engine.image_ids(settings, {one["image"] for one in containers})
    account: dict[str, t.Any] = {}
    with contextlib.suppress(KeyError):
        found = pwd.getpwnam(settings.account)
        account = {"name": settings.account, "uid": found.pw_uid, "gid": found.pw_gid}
    volumes = []
    for one in homes:
        try:
            owner = os.stat(one["Mountpoint"])
        except FileNotFoundError:
            # It was removed meanwhile.
            continue
        volumes.append(manifest.volume(one, owners, (owner.st_uid, owner.st_gid)))
    return {
        "format": manifest.FORMAT,
        "version": settings.version,
        "instance": settings.instance,
        "name": settings.name,
        "made": state.stamp(time.time()),
        "account": account,
        "volumes": volumes,
        "archive": not tree.is_below(settings.archive_dir, settings.state_dir),
        "hub_dir": os.path.relpath(settings.hub_dir, settings.state_dir),
        "databases": {path.name: database.schema(path) for path in databases},
        "rows": {path.name: database.rows(path) for path in databases},
        "images": [{**one, "id": ids.get(one["image"], "")} for one in containers],
    }


def collect(settings: Settings, root: Path, homes: t.Sequence[dict[str, t.Any]]) -> dict[str, t.Any]:
    """Put consistent copies of the databases, and the manifest, where the parts come; the manifest."""
    copies = []
    for source in sorted(Path(settings.hub_dir).glob(f"*{database.END}")):
        copies.append(root / "database" / source.name)
        database.copy(source, copies[-1])
    found = describe(settings, homes, copies)
    replace_file(str(root / "manifest.json"), json.dumps(found, indent=1) + "\n")
    return found


def check_snapshot(repository: Repository, snapshot: str, root: Path, say: Say) -> None:
    """Raises Problem where a snapshot lacks what a restore cannot do without."""
    said = repository.run("ls", "--json", snapshot, "/", "/database", say=say)
    nodes = [json.loads(line) for line in said.splitlines()]
    sizes = {one["path"]: one.get("size", 0) for one in nodes if one.get("type") == "file"}
    for path in (root / "manifest.json", *sorted((root / "database").iterdir())):
        name = f"/{path.relative_to(root)}"
        if sizes.get(name) != path.stat().st_size:
            raise Problem(
                f"The snapshot {snapshot} does not have {name} as it is, so nothing can be restored from it: look at it with "
                f"bin/backup restic ls {snapshot} / /database, and take out of backup_restic_options what leaves it out."
            )


def backup(settings: Settings, say: Say, tag: str = "") -> dict[str, t.Any]:
    """Make a backup; what is remembered of it. Raises Problem, which is remembered, too."""
    began = time.time()
    remembered = {**state.remembered(settings), "began": state.stamp(began)}
    remembered.setdefault("since", state.stamp(began))
    told = state.keep(settings, remembered)
    try:
        good, hint = _backup(settings, say, tag, began, remembered)
        remembered.update(ok=True, message="", good=good, hint=" ".join(one for one in (hint, told) if one))
    except Problem as exc:
        remembered.update(ok=False, message=str(exc))
        raise
    except Exception as exc:
        # Whatever it is, there is no backup.
        why = f"{type(exc).__name__}: {exc}".rstrip(".")
        remembered.update(
            ok=False, message=f"The backup could not be made ({why}): mend that, and make another one."
        )
        raise Problem(remembered["message"]) from exc
    finally:
        remembered["ended"] = state.stamp(time.time())
        state.keep(settings, remembered)
        shutil.rmtree(settings.work, ignore_errors=True)
    return remembered


def _backup(
    settings: Settings, say: Say, tag: str, began: float, remembered: dict[str, t.Any]
) -> tuple[dict[str, t.Any], str]:
    if not Path(settings.hub_dir).is_dir():
        raise Problem(
            f"There is no {settings.hub_dir}, so the hub {settings.instance} is not on this host: run site.yml first."
        )
    check_folder(settings)
    repository, root = Repository(settings), tree.fresh(settings.work, "root/database").parent
    homes = engine.homes(settings)
    say(
        f"The instance {settings.instance} with {len(homes)} homes goes to {complaint.redacted(settings.repository)}."
    )
    described = collect(settings, root, homes)
    places = {one["Name"]: one["Mountpoint"] for one in homes}
    parts = tree.parts(settings, places)
    mount = tree.shown(root, parts)
    # What is put aside before a restore has all: the rest would be lost with what is replaced.
    left_out = tree.patterns(settings, str(root), places, whole=tag == manifest.BEFORE)
    replace_file(str(settings.work / "exclude"), "".join(left_out))
    line, unread = Progress(say, settings), Unread(root, parts)
    command = (
        "backup", "--json", "--host", settings.name, "--tag", TAG, *(["--tag", tag] if tag else []),
        "--exclude-file", str(settings.work / "exclude"), ".",
    )  # fmt: skip
    status, _said, complaints = repository.patient(
        say, *command, folder=str(root), line=line, complaint_line=unread, prepare=mount
    )
    summary = line.summary
    if status not in (0, PARTLY) or not summary.get("snapshot_id"):
        complaints += "no space left on device" if is_full(settings) else ""
        raise Problem(complaint.of_restic(complaints, settings.repository))
    if unread.failed or (status == PARTLY and not unread.gone):
        raise Problem(
            f"{unread.failed or 'Some'} files could not be read{', such as ' + unread.first if unread.first else ''}: look at the disk that "
            "they are on, let root read them, or leave them out (backup_exclude_extra). All others are in the snapshot "
            f"{summary['snapshot_id']}."
        )
    check_snapshot(repository, summary["snapshot_id"], root, say)
    good = {
        "time": state.stamp(began),
        "seconds": round(time.time() - began, 1),
        "snapshot": summary["snapshot_id"],
        "files": summary.get("total_files_processed", 0),
        "bytes": summary.get("total_bytes_processed", 0),
        "added": summary.get("data_added", 0),
        "homes": len(described["volumes"]),
        "unread": unread.gone,
    }
    say(
        f"Snapshot {good['snapshot']}: {good['files']} files, {units(good['bytes'])}, of which {units(good['added'])} are new."
    )
    hints = [state.hint(settings)]
    if unread.gone:
        hints.append(f"{unread.gone} files went away before they were copied.")
    try:
        # Before a restore nothing goes: the snapshot that is to come back may be one of the same day.
        if not tag:
            retention(settings, repository, say, remembered, began)
    except Problem as exc:
        # What was made is good all the same.
        hints.append(f"The backup is good, but old ones could not be removed: {exc}")
    hints.append((remembered.get("check") or {}).get("message", ""))
    return good, " ".join(one for one in hints if one)


def retention(
    settings: Settings, repository: Repository, say: Say, remembered: dict[str, t.Any], now: float
) -> None:
    """Forget what is older than the settings keep, once a night. Once a week, look at the repository and free its room. Notes when that was."""
    keep = {name: int(count) for name, count in sorted(settings.keep.items()) if int(count)}
    if not keep:
        return
    remembered.setdefault("pruned", state.stamp(now))
    remembered.setdefault("forgotten", state.stamp(now))
    if now - state.seconds(remembered["forgotten"]) < FORGET_HOURS * 3600:
        return
    periods = [word for name, count in keep.items() for word in (f"--keep-{name}", str(count))]
    chosen = ["--host", settings.name, "--tag", TAG, "--group-by", "host", "--keep-tag", manifest.BEFORE]
    repository.run("forget", *chosen, *periods, say=say)
    remembered["forgotten"] = state.stamp(now)
    if now - state.seconds(remembered["pruned"]) < PRUNE_DAYS * 86400:
        return
    say("Looking whether the repository is whole, and removing what no snapshot needs.")
    status, said, complaints = repository.patient(say, "check")
    message = complaint.of_check(said + complaints, settings.repository) if status else ""
    if status and not message:
        raise Problem(complaint.of_restic(complaints, settings.repository))
    remembered["check"] = {"time": state.stamp(now), "ok": not message, "message": message}
    if message:
        # Nothing is removed of what may still be of use, and the next night looks again.
        return
    repository.run("prune", say=say)
    remembered["pruned"] = state.stamp(now)
