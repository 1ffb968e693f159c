# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A backup is brought back into a scratch instance beside the real one, and compared with what the repository says of it.

playbooks/drill.yml starts its hub and removes it. Of the real instance, only the folder of the backups is written.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import random
import shutil
import stat
import subprocess
import time
import typing as t
from pathlib import Path

from . import complaint, database, engine, manifest, restore, run, state, tree
from .atomic_file import replace_file
from .repository import Repository
from .settings import Problem, Settings

SHOWN = 5
# Room that a disk keeps: what the hub itself wants to be free is less.
SPARE_BYTES, SPARE_SHARE = 8 << 30, 0.1
KINDS = {"dir": stat.S_IFDIR, "file": stat.S_IFREG, "symlink": stat.S_IFLNK, "fifo": stat.S_IFIFO}
# How restic, a program in Go, writes these bits.
SPECIAL = {1 << 23: stat.S_ISUID, 1 << 22: stat.S_ISGID, 1 << 20: stat.S_ISVTX}
# In the scratch hub: people come in with the cookies that their browsers have. The users who were there last.
LOGIN = """
import binascii, json, sqlite3, urllib.request
from tornado.web import create_signed_value
key = binascii.a2b_hex(open("/run/secrets/cookie-secret").read().strip())
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *words):
        return None
def comes_in(name, cookie):
    value = create_signed_value(key, "jupyterhub-hub-login", cookie).decode()
    asked = urllib.request.Request("http://127.0.0.1:8081/hub/home", headers={"Cookie": f'jupyterhub-hub-login="{value}"'})
    try:
        with urllib.request.build_opener(Stay).open(asked, timeout=30) as answer:
            return answer.status == 200 and name in answer.read().decode()
    except OSError:
        return False
with sqlite3.connect("file:/srv/jupyterhub/jupyterhub.sqlite?mode=ro", uri=True) as hub:
    rows = hub.execute("SELECT name, cookie_id FROM users WHERE last_activity IS NOT NULL ORDER BY last_activity DESC LIMIT 20").fetchall()
print(json.dumps({"asked": len(rows), "in": sum(comes_in(*row) for row in rows)}))
"""


def scratch_of(settings: Settings, name: str) -> Settings:
    """The scratch instance; repository, password and lock are the real one's."""
    place = os.path.join(os.path.dirname(settings.state_dir), name)
    return dataclasses.replace(
        settings,
        instance=name,
        state_dir=place,
        hub_dir=os.path.join(place, os.path.relpath(settings.hub_dir, settings.state_dir)),
        archive_dir=os.path.join(place, "archive"),
        hub_container=f"{name}-hub",
    )


def keep(settings: Settings, found: dict[str, t.Any]) -> None:
    replace_file(str(settings.home / state.DRILL), json.dumps(found, indent=2) + "\n", mode=0o644)


def moved(found: t.Mapping[str, t.Any], volume: t.Mapping[str, t.Any], name: str) -> dict[str, t.Any]:
    """A home as the scratch instance has it."""
    own = f"{name}{str(volume['name']).removeprefix(found['instance'])}"
    return {
        **volume,
        "name": own,
        "source": volume["name"],
        "labels": {**volume["labels"], engine.LABEL: name},
        "options": {},
    }


class Listing:
    """What the repository says that a snapshot has, of what the drill brings back, in a file: it may be millions of lines."""

    def __init__(self, path: Path, homes: t.Collection[str], whole: bool) -> None:
        self._path, self._homes, self._whole = path, set(homes), whole
        self._file = path.open("w", encoding="utf-8")
        self.bytes: dict[str, int] = {"state": 0, "homes": 0}
        self.top: list[str] = []

    def __call__(self, line: str) -> None:
        one = json.loads(line)
        if one.get("struct_type") != "node":
            return
        part, *rest = one["path"].strip("/").split("/")
        if part == "homes" and (self._whole or (rest and rest[0] in self._homes)):
            self._add("homes", one)
        elif part in ("state", "database") and (self._whole or rest[:1] not in (["shared"], ["archive"])):
            if part == "state" and len(rest) == 1:
                self.top.append(one["path"])
            self._add("state", one)

    def _add(self, part: str, one: t.Mapping[str, t.Any]) -> None:
        self.bytes[part] += int(one.get("size", 0)) if one["type"] == "file" else 0
        print(json.dumps(one), file=self._file)

    def entries(self) -> t.Iterator[dict[str, t.Any]]:
        self._file.close()
        with self._path.open(encoding="utf-8") as stream:
            yield from map(json.loads, stream)

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


def nanoseconds(text: str) -> int:
    """A time as restic writes it, which is finer than what Python reads."""
    fraction = text[19:].lstrip(".").rstrip("Z").split("+")[0].split("-")[0] if text[19:20] == "." else ""
    zone = text[19 + (len(fraction) + 1 if fraction else 0) :].replace("Z", "+00:00")
    whole = datetime.datetime.fromisoformat(text[:19] + zone) - datetime.datetime(
        1970, 1, 1, tzinfo=datetime.timezone.utc
    )
    return (whole.days * 86400 + whole.seconds) * 10**9 + int(fraction.ljust(9, "0") or 0)


def difference(one: t.Mapping[str, t.Any], path: Path) -> str:
    """How a file differs from what the snapshot has; empty for not at all. restic itself has compared the content."""
    kind = KINDS.get(one["type"])
    if kind is None:
        # Sockets and devices: restic brings back what it can.
        return ""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return "is missing"
    mode = (one["mode"] & 0o777) | sum(bit for go, bit in SPECIAL.items() if one["mode"] & go)
    pairs = {
        "kind": (kind, stat.S_IFMT(found.st_mode)),
        "owner": ((one["uid"], one["gid"]), (found.st_uid, found.st_gid)),
        "time": (nanoseconds(one["mtime"]), found.st_mtime_ns),
    }
    if one["type"] == "file":
        pairs["size"] = (one.get("size", 0), found.st_size)
    if one["type"] != "symlink":
        pairs["mode"] = (mode, stat.S_IMODE(found.st_mode))
    return ", ".join(
        f"{name} is {is_now} and not {was}" for name, (was, is_now) in pairs.items() if was != is_now
    )


def compare(listing: Listing, folders: t.Mapping[str, Path]) -> int:
    """How many entries are as the snapshot has them; raises Problem with those that are not. folders: by the path in the snapshot."""
    wrong, count, many = [], 0, 0
    for one in listing.entries():
        words = one["path"].strip("/").split("/")
        length = 2 if words[0] == "homes" else 1
        folder = folders.get("/".join(words[:length]))
        if folder is None:
            continue
        count += 1
        told = difference(one, folder.joinpath(*words[length:]))
        if told:
            many += 1
            wrong += [f"{one['path']}: {told}"] if many <= SHOWN else []
    if many:
        raise Problem(f"{many} of {count} files are not as the snapshot has them: {'; '.join(wrong)}.")
    return count


def check_room(settings: Settings, needed: t.Mapping[str, int]) -> None:
    """Both copies are on the disk at once. Raises Problem before anything is made."""
    root = engine.docker(settings, "info", "--format", "{{.DockerRootDir}}").strip()
    places = {"state": os.path.dirname(settings.state_dir), "homes": root}
    by_disk: dict[int, int] = {}
    for part, place in places.items():
        device = os.stat(place).st_dev
        by_disk[device] = by_disk.get(device, 0) + needed[part]
        disk = shutil.disk_usage(place)
        spare = min(SPARE_BYTES, int(disk.total * SPARE_SHARE))
        if by_disk[device] + spare > disk.free:
            raise Problem(
                f"The drill brings {run.units(by_disk[device])} back, {place} has {run.units(disk.free)} free, and {run.units(spare)} shall "
                "stay: make room, or take a few homes with -e backup_drill_homes=3."
            )


def check_secrets(real: Path, scratch: Path, made: float) -> int:
    """How many secrets came back; raises Problem where one is missing that the hub had by then."""
    found = 0
    for path in sorted(real.iterdir()) if real.is_dir() else []:
        if not path.is_file() or path.stat().st_mtime > made:
            continue
        copy = scratch / path.name
        if not copy.is_file() or (path.stat().st_size and not copy.stat().st_size):
            raise Problem(f"The secret {path.name} is not in the backup: look with backup restic ls.")
        found += 1
    return found


def check_rows(folder: Path, found: t.Mapping[str, t.Any]) -> dict[str, int]:
    """How many rows each table has; raises Problem where they are not those of the moment of the backup."""
    counts: dict[str, int] = {}
    for name, before in sorted(found.get("rows", {}).items()):
        today = database.rows(folder / name)
        for table, (count, digest) in before.items():
            there = today.get(table, (0, ""))
            if list(there) != [count, digest]:
                raise Problem(
                    f"The table {table} of {name} has {there[0]} rows that are not the {count} of the backup."
                )
            counts[table] = counts.get(table, 0) + count
    return counts


def begin(
    settings: Settings, say: run.Say, name: str, wanted: str, named: str, homes: int, check: bool
) -> dict[str, t.Any]:
    """Bring a snapshot back into the scratch instance, and compare; homes: how many, 0 for all."""
    began = time.time()
    scratch, repository = scratch_of(settings, name), Repository(settings)
    before = state.drill(settings)
    there = engine.containers(scratch) or engine.homes(scratch) or os.path.lexists(scratch.state_dir)
    # In check mode, what a killed one has left was not removed.
    if there and not (check and before.get("scratch") == name):
        raise Problem(
            f"An instance {name} is on this host, which no drill has made: remove it first, or rename it."
        )
    snapshot = restore.find(settings, repository, wanted, named)
    found = restore.read_manifest(repository, snapshot)
    total = len(found["volumes"])
    chosen = random.sample(found["volumes"], min(homes or total, total))
    whole = len(chosen) == total
    found = {**found, "volumes": [moved(found, one, name) for one in chosen]}
    taken = manifest.conflicts(
        found, name, engine.labels(settings, [one["name"] for one in found["volumes"]])
    )
    if taken:
        raise Problem(
            f"The volume {taken[0]} is on this host, which no drill has made: rename or remove it first."
        )
    if not check:
        keep(settings, {**before, "began": state.stamp(began)})
        repository.unlock()
    listing = Listing(settings.home / "tmp" / "listing", {one["source"] for one in found["volumes"]}, whole)
    status, _said, complaints = repository.call("ls", "--json", str(snapshot["id"]), line=listing)
    if status:
        raise Problem(complaint.of_restic(complaints, settings.repository))
    check_room(scratch, listing.bytes)
    answer = {
        "snapshot": manifest.in_words(snapshot),
        "homes": len(chosen),
        "of": total,
        "bytes": sum(listing.bytes.values()),
    }
    if check:
        return answer
    # From here on, there is something to remove.
    keep(settings, {**before, "began": state.stamp(began), "scratch": name})
    say(f"{len(chosen)} homes and the rest of the backup {answer['snapshot']} come back as {name}.")
    os.mkdir(scratch.state_dir, mode=0o755)
    folders = ["/homes"] if whole else [f"/homes/{one['source']}" for one in found["volumes"]]
    include = ["/database", *(["/state"] if whole else listing.top), *folders]
    words = [word for one in include for word in ("--include", tree.escaped(one))]

    def look(folder: Path) -> None:
        places = engine.places(settings, [one["name"] for one in found["volumes"]])
        by_path = {f"homes/{one['source']}": Path(places[one["name"]]) for one in found["volumes"]}
        answer["entries"] = compare(listing, {**by_path, "state": Path(scratch.state_dir)})
        answer["rows"] = check_rows(folder, found)
        made = manifest.moment(str(snapshot["time"]))
        answer["secrets"] = check_secrets(
            Path(settings.state_dir, "secrets"),
            Path(scratch.state_dir, "secrets"),
            made.timestamp() if made else began,
        )

    restore.bring_back(scratch, repository, snapshot, found, "--verify", *words, before_use=look)
    shutil.rmtree(settings.work, ignore_errors=True)
    listing.remove()
    for path in Path(scratch.hub_dir).glob(f"*{database.END}"):
        # The hub would look after servers that are the real one's.
        database.forget_servers(path)
    # One that was drained starts no servers.
    Path(scratch.state_dir, "config", "operations.json").unlink(missing_ok=True)
    return {**answer, "seconds": round(time.time() - began, 1)}


def log_in(settings: Settings, name: str) -> dict[str, t.Any]:
    """Come in with the sessions of users, in the hub of the scratch instance."""
    argv = [*settings.docker, "exec", "--interactive", f"{name}-hub", "python3", "-"]
    done = subprocess.run(argv, input=LOGIN, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        told = " ".join(done.stderr.split())[-500:].rstrip(".")
        raise Problem(f"Nobody can try to log in to the hub of the drill: {told}.")
    found: dict[str, t.Any] = json.loads(done.stdout)
    if found["asked"] and not found["in"]:
        raise Problem(
            f"None of the {found['asked']} users who were there last comes in with the session of the browser."
        )
    return found


def end(settings: Settings, problem: str, answer: str) -> dict[str, t.Any]:
    """Remember what the drill came to, when it is removed."""
    before, now = state.drill(settings), time.time()
    # One that could not begin has no beginning of its own.
    began = before.get("began", "")
    began = began if began > before.get("ended", "") else state.stamp(now)
    seconds = round(now - state.seconds(began))
    found = {"began": began, "ended": state.stamp(now), "ok": not problem, "message": problem}
    good = {**json.loads(answer), "time": found["ended"], "seconds": seconds}
    found["good"] = before.get("good") if problem else good
    keep(settings, found)
    state.keep(settings, state.remembered(settings))
    return {**found, "seconds": seconds}
