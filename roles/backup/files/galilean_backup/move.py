# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The instance from host to host: the old one shows its parts to rsync, the new one takes them, and both are compared.

The old host is reached with a key that can do nothing else than `serve`. Where a run is killed, the next one goes on: what is there is
not sent again, and a file says how far the move has come.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from . import database, engine, manifest, moved, restore, run, state, tree
from .atomic_file import replace_file
from .json_file import read_json
from .settings import Problem, Settings

# How far it has come: nothing yet, copied while users work, copied for good and compared, in service.
MARK = "move.json"
NOTHING, COPIED, WHOLE, DONE = "", "copied", "whole", "done"
# Beside the instance's own.
UNITS = ("-backup.timer", "-certbot.timer", "-check.timer", "-metrics.timer", "-metrics.service")
# On hosts without systemd.
CRON, CRON_FILES = Path("/etc/cron.d"), ("-backup", "-certbot", "-monitoring")
# What of the backups' own folder comes along: without the password nobody reads those that there are.
BACKUP = ("secrets/password", "repository.json", "last.json", "restored.json")
VANISHED = 24
SHOWN = 3


def phase(settings: Settings) -> dict[str, t.Any]:
    return {"phase": NOTHING, **read_json(settings.home / MARK)}


def note(settings: Settings, **more: t.Any) -> dict[str, t.Any]:
    """Note how far the move has come."""
    found = {**phase(settings), **more}
    replace_file(str(settings.home / MARK), json.dumps(found) + "\n")
    return found


# -- on the old host


def serve(settings: Settings) -> None:
    """Answer what the key of the new host may ask: rsync that reads the instance, or a list of all that it has."""
    asked = os.environ.get("SSH_ORIGINAL_COMMAND", "")
    root = tree.fresh(settings.home / "serve", "root/database").parent
    homes = engine.homes(settings)
    run.collect(settings, root, homes)
    found = tree.parts(settings, {one["Name"]: one["Mountpoint"] for one in homes})
    if asked == "entries":
        # With checksums of what the other side names.
        wanted = set(sys.stdin.buffer.read().decode("utf-8", "surrogateescape").split("\0"))
        for name, entry in entries(settings, found, wanted):
            sys.stdout.buffer.write(f"{json.dumps([name, entry])}\n".encode())
        sys.stdout.flush()
        return
    tree.shown(root, found)()
    # The distribution's own: it lets rsync do nothing but read below this folder.
    os.execvp("rrsync", ["rrsync", "-ro", str(root)])


def checksum(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def entries(
    settings: Settings, parts: t.Iterable[tree.Part], wanted: t.Collection[str]
) -> t.Iterator[tuple[str, list[t.Any]]]:
    """Of each entry of the instance, by its path: kind and mode, owner, group, size, time, target; and the checksum if it is wanted."""
    left_out = re.compile("|".join(map(fnmatch.translate, tree.left_out(settings))))

    def look(path: str, name: str) -> list[t.Any]:
        found = os.lstat(path)
        plain = stat.S_ISREG(found.st_mode)
        target = os.readlink(path) if stat.S_ISLNK(found.st_mode) else ""
        # The time of a folder says only that something in it has changed.
        moment = 0 if stat.S_ISDIR(found.st_mode) else found.st_mtime_ns
        digest = checksum(path) if plain and name in wanted else ""
        return [
            found.st_mode,
            found.st_uid,
            found.st_gid,
            found.st_size if plain else 0,
            moment,
            target,
            digest,
        ]

    for part in parts:
        if not os.path.isdir(part.source):
            continue
        yield part.name, look(part.source, part.name)
        for above, folders, files in os.walk(part.source):
            base = os.path.normpath(os.path.join(part.name, os.path.relpath(above, part.source)))
            folders[:] = [name for name in folders if not left_out.match(f"{base}/{name}")]
            for name in [*folders, *files]:
                path = f"{base}/{name}"
                if not left_out.match(path) and not stat.S_ISSOCK(
                    os.lstat(os.path.join(above, name)).st_mode
                ):
                    yield path, look(os.path.join(above, name), path)


# -- on the new host


class Old(t.NamedTuple):
    """How the old host is reached."""

    target: str
    port: str
    folder: Path

    def ssh(self) -> list[str]:
        options = [
            "BatchMode=yes", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "ConnectTimeout=30", "ServerAliveInterval=15",
            "GlobalKnownHostsFile=/dev/null", f"UserKnownHostsFile={self.folder}/known_hosts",
        ]  # fmt: skip
        words = ["ssh", "-F", "/dev/null", *[word for option in options for word in ("-o", option)]]
        return [*words, "-i", str(self.folder / "key"), "-p", self.port]

    def rsync(self, *words: str, mount: t.Callable[[], None] | None = None) -> str:
        """What rsync prints; raises Problem."""
        done = subprocess.run(
            ["rsync", f"--rsh={shlex.join(self.ssh())}", *words],
            stdin=subprocess.DEVNULL, capture_output=True, preexec_fn=mount, check=False,
        )  # fmt: skip
        said = done.stderr.decode(errors="replace")
        if done.returncode not in (0, VANISHED):
            raise Problem(self.told(said))
        return done.stdout.decode("utf-8", "surrogateescape")

    def entries(self, wanted: t.Iterable[str]) -> dict[str, list[t.Any]]:
        asked = "\0".join(wanted).encode("utf-8", "surrogateescape")
        done = subprocess.run(
            [*self.ssh(), self.target, "entries"], input=asked, capture_output=True, check=False
        )
        if done.returncode:
            raise Problem(self.told(done.stderr.decode(errors="replace")))
        return dict(json.loads(line) for line in done.stdout.splitlines())

    def told(self, said: str) -> str:
        where = f"{self.target.partition('@')[2]}, port {self.port}"
        if re.search(r"Connection refused|timed out|Could not resolve|No route|unreachable", said):
            return (
                f"This host cannot reach the old one ({where}) by SSH: open that port between them, or give its address with move_address. "
                f"({' '.join(said.split())[-200:]})"
            )
        lines = [
            line for line in said.splitlines() if not re.match(r"rsync( error)?:.*code 12|Warning:", line)
        ]
        return (
            f"The old host ({where}) does not hand over its data: {' '.join(' '.join(lines).split())[-500:]}"
        )


def retire(settings: Settings, new: str) -> dict[str, t.Any]:
    """End the instance on the old host, for good: it says so, and all of it stays."""
    mark = Path(settings.state_dir) / moved.MARK
    if not mark.exists():
        replace_file(str(mark), json.dumps({"to": new, "time": state.stamp(time.time())}) + "\n")
    # From an earlier move to this host.
    (settings.home / MARK).unlink(missing_ok=True)
    if os.path.isdir("/run/systemd/system"):
        for unit in ("", *UNITS):
            subprocess.run(
                ["systemctl", "disable", "--now", f"{settings.instance}{unit}"],
                capture_output=True,
                check=False,
            )
    for name in CRON_FILES:
        (CRON / f"{settings.instance}{name}").unlink(missing_ok=True)
    found = engine.containers(settings)
    # No new server comes when the others go, and none after a start of the machine.
    for some in (
        [one for one in found if one["role"] != "user"],
        [one for one in found if one["role"] == "user"],
    ):
        if some:
            engine.docker(settings, "update", "--restart=no", *[one["name"] for one in some])
            engine.docker(settings, "stop", "--time", "15", *[one["name"] for one in some])
    return {"changed": bool(found), "stopped": len(found)}


def receive(
    settings: Settings, say: run.Say, target: str, port: str, confirm: str, last: bool
) -> dict[str, t.Any]:
    """Bring all that is new in the old host; with last, when nobody works there any more, compare everything as well."""
    begin, reached = time.monotonic(), phase(settings)
    if reached["phase"] in (WHOLE, DONE):
        return {**reached, "changed": False}
    there = restore.has_data(settings) if not reached["phase"] else ""
    if there and confirm != settings.instance:
        raise Problem(
            f"The instance {settings.instance} is on this host with {there}: -e move_confirm={settings.instance} replaces it by "
            "that of the old host."
        )
    old = Old(target, port, settings.home / "move")
    root = tree.fresh(settings.work, "root/database").parent
    old.rsync(f"{target}:manifest.json", str(root))
    found = manifest.parse((root / "manifest.json").read_text(encoding="utf-8"))
    if found["instance"] != settings.instance:
        raise Problem(
            f"The instance of the old host is {found['instance']}, and this is {settings.instance}."
        )
    present = engine.labels(settings, [one["name"] for one in found["volumes"]])
    taken = manifest.conflicts(found, settings.instance, present)
    if taken:
        raise Problem(
            f"The volume {taken[0]} is on this host and no home of {settings.instance}: rename or remove it first."
        )
    held, filled = restore.mounted(settings, present, reached.get("filled", ()))
    note(settings, phase=COPIED, filled=filled)
    # What is here is replaced from now on. Before, this host was one that the instance has left.
    (Path(settings.state_dir) / moved.MARK).unlink(missing_ok=True)
    names = [one["name"] for one in engine.containers(settings)]
    if names:
        engine.docker(settings, "stop", "--time", "10", *names)
    places = restore.make_volumes(settings, found)
    parts = tree.parts(settings, places)
    users, groups = restore.numbers(found["account"], settings.account)
    maps = [f"--usermap={old_id}:{new_id}" for old_id, new_id in users.items() if old_id != new_id]
    maps += [f"--groupmap={old_id}:{new_id}" for old_id, new_id in groups.items() if old_id != new_id]
    say(f"{len(places)} homes and all else of {settings.instance} come from {target}.")
    for one in held:
        say(f"{one} is mounted and has files, so it stays as it is.")
    printed = old.rsync(
        "--archive", "--hard-links", "--acls", "--xattrs", "--sparse", "--numeric-ids", "--delete", *maps,
        *(f"--include=/state/backup/{name}" for name in ("secrets/", *BACKUP)), "--exclude=/state/backup/secrets/*",
        "--include=/state/backup/", "--exclude=/state/backup/*",
        *(f"--exclude=/{name}" for name in tree.left_out(settings) if name != "state/backup"),
        *(f"--exclude=/{tree.escaped(name)}" for name in held),
        "--8-bit-output", "--out-format=%i %l %n", f"{target}:./", f"{root}/",
        mount=tree.shown(root, parts, write=True),
    )  # fmt: skip
    came = re.findall(r"^>f\S+ (\d+) (.*)$", printed, re.MULTILINE)
    answer: dict[str, t.Any] = {
        "changed": True, "homes": len(places), "files": len(came), "bytes": sum(int(size) for size, _name in came)
    }  # fmt: skip
    if last:
        own = [name for _size, name in came if name.startswith(("state/", "homes/", "archive/"))]
        answer["entries"] = compare(settings, old, parts, own, users, groups, held)
    for path in sorted((root / "database").glob(f"*{database.END}")):
        wrong = database.fault(path)
        if wrong:
            raise Problem(f"The database {path.name} of the old host is damaged ({wrong}).")
        database.put_back(path, Path(settings.hub_dir))
    shutil.rmtree(settings.work, ignore_errors=True)
    answer["seconds"] = round(time.monotonic() - begin, 1)
    if last:
        note(settings, phase=WHOLE, entries=answer["entries"])
    return answer


def compare(
    settings: Settings,
    old: Old,
    parts: t.Sequence[tree.Part],
    wanted: t.Sequence[str],
    users: t.Mapping[int, int],
    groups: t.Mapping[int, int],
    held: t.Sequence[str] = (),
) -> int:
    """How many entries there are, the same on both hosts but in what is held; raises Problem with those that differ."""
    there = old.entries(wanted)
    for entry in there.values():
        entry[1], entry[2] = users.get(entry[1], entry[1]), groups.get(entry[2], entry[2])
    here = dict(entries(settings, parts, set(wanted)))
    differ = sorted(
        name
        for name in {*there, *here}
        if there.get(name) != here.get(name) and not any(tree.is_below(name, one) for one in held)
    )
    if differ:
        shown = ", ".join(
            f"{name} ({there.get(name)} there, {here.get(name)} here)" for name in differ[:SHOWN]
        )
        raise Problem(
            f"{len(differ)} entries are not as on the old host: {shown}. Run this again; the old host is as it was."
        )
    return len(there)
