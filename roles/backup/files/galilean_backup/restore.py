# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Brings an instance back from a snapshot, before its hub is started; or some files of one user."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

from . import complaint, database, engine, manifest, run, state, tree
from .atomic_file import replace_file
from .json_file import read_json
from .repository import Repository
from .settings import Problem, Settings

MARK, DONE = "restoring.json", "restored.json"
INSIDE = "/.home"
# What tar needs to give files their owners and modes.
CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "MKNOD")
# In the home, with a folder, the path in it, its owner, and what tar is told.
BESIDE = """
place=$1 number=2
while [ -e "$place/$2" ] || [ -L "$place/$2" ]; do place=$1-$number number=$((number + 1)); done
mkdir -p "$place" && chown "$3" "$place" && shift 3 && tar "$@" --directory="$place" && echo "$place"
"""
OVER = 'shift 3 && exec tar "$@"'


def find(settings: Settings, repository: Repository, wanted: str, name: str) -> dict[str, t.Any]:
    """The snapshot that is meant; raises Problem with what there is."""
    name = name or settings.name
    if not repository.exists():
        raise Problem(complaint.of_restic("unable to open config file: does not exist", settings.repository))
    snapshots = repository.snapshots(name)
    if not snapshots:
        names = sorted({str(one["hostname"]) for one in repository.snapshots()})
        shown = (
            f"it has those of {', '.join(names)}, choose one with -e restore_name=<name>"
            if names
            else "it is empty"
        )
        raise Problem(
            f"{complaint.redacted(settings.repository)} has no backup with the name {name}: {shown}."
        )
    return manifest.choose(snapshots, wanted)


def read_manifest(repository: Repository, snapshot: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return manifest.parse(repository.run("dump", str(snapshot["id"]), "/manifest.json"))


def has_data(settings: Settings) -> str:
    """What of an instance is on this host already; empty for nothing."""
    databases = [path.name for path in Path(settings.hub_dir).glob(f"*{database.END}")]
    homes = engine.homes(settings)
    found = [f"the database {', '.join(databases)}"] if databases else []
    found += [f"{len(homes)} homes"] if homes else []
    return " and ".join(found)


def chosen(
    settings: Settings,
    repository: Repository,
    wanted: str,
    name: str,
    confirm: str,
    begun: t.Mapping[str, t.Any],
) -> dict[str, t.Any]:
    """The snapshot of the restore that was broken off, where one was, or else the one that is meant; raises Problem where both are not one."""
    of_begun = [
        one for one in (repository.snapshots() if begun else ()) if one["id"] == begun.get("snapshot")
    ]
    if of_begun and wanted.strip() in ("", "latest"):
        return of_begun[0]
    found = find(settings, repository, wanted, name)
    # The one that was begun may be damaged: who names another one by its id, and confirms, gets it.
    meant = confirm == settings.instance and str(found["id"]).startswith(wanted.strip())
    if of_begun and found["id"] != of_begun[0]["id"] and not meant:
        raise Problem(
            f"restore_snapshot is '{wanted}', and a restore of the backup {manifest.in_words(of_begun[0])} was broken off: leave it out to finish "
            f"that one, or give -e restore_snapshot={str(found['id'])[:8]} -e restore_confirm={settings.instance} for the other one."
        )
    return found


def mounted(
    settings: Settings, present: t.Iterable[str], filled: t.Collection[str]
) -> tuple[list[str], list[str]]:
    """Of what is mounted in the instance, what stays as it is, and what is empty, or was when this began (`filled`); present: its volumes."""
    parts = tree.parts(settings, engine.places(settings, sorted(present)))
    held = tree.held(parts, filled)
    return held, sorted({*filled, *tree.mounts(parts)} - set(held))


def plan(
    settings: Settings, wanted: str, name: str, confirm: str
) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """What a restore would do, and the manifest. Raises Problem where it must not. Changes nothing."""
    repository = Repository(settings)
    begun, done = read_json(settings.home / MARK), read_json(settings.home / DONE)
    snapshot = chosen(settings, repository, wanted, name, confirm, begun)
    found = read_manifest(repository, snapshot)
    running = [one["name"] for one in engine.containers(settings)]
    if done.get("snapshot") == snapshot["id"] and not running and not confirm and not begun:
        return {"snapshot": snapshot, "todo": False, "replaces": ""}, found
    # Where one was broken off, nobody has worked since: a hub has containers.
    there = "" if begun and not running else has_data(settings)
    if found["instance"] != settings.instance:
        raise Problem(
            f"The backup is of the instance {found['instance']}, and this is {settings.instance}: names of networks and volumes follow "
            f"from it, so set jupyterhub_instance to {found['instance']}."
        )
    if there and confirm != settings.instance:
        raise Problem(
            f"The instance {settings.instance} is on this host with {there}: -e restore_confirm={settings.instance} replaces it by the "
            f"backup {manifest.in_words(snapshot)}, after a backup of what is there now."
        )
    present = engine.labels(settings, [one["name"] for one in found["volumes"]])
    taken = manifest.conflicts(found, settings.instance, present)
    if taken:
        raise Problem(
            f"The volume {taken[0]} is on this host and no home of {settings.instance}: rename or remove it first."
        )
    held, filled = mounted(settings, present, begun.get("filled", ()))
    size = int(json.loads(repository.run("stats", "--json", str(snapshot["id"])))["total_size"])
    free = shutil.disk_usage(settings.state_dir).free
    with contextlib.suppress(OSError):
        free = max(
            free,
            shutil.disk_usage(engine.docker(settings, "info", "--format", "{{.DockerRootDir}}").strip()).free,
        )
    if size > free and not there:
        raise Problem(
            f"The backup has {run.units(size)}, and this host has {run.units(free)} free: give it a larger disk."
        )
    return {
        "snapshot": snapshot, "todo": True, "replaces": there, "bytes": size, "held": held, "filled": filled
    }, found  # fmt: skip


def restore(
    settings: Settings, say: run.Say, wanted: str, name: str, confirm: str, check: bool
) -> dict[str, t.Any]:
    """Bring everything back; what was done. A run that was killed is done again from its beginning by the next one."""
    decided, found = plan(settings, wanted, name, confirm)
    snapshot = decided["snapshot"]
    words = manifest.in_words(snapshot)
    answer = {
        "changed": decided["todo"],
        "snapshot": words,
        "homes": len(found["volumes"]),
        "version": found["version"],
        "mounted": decided.get("held", []),
    }
    if check or not decided["todo"]:
        return answer
    Repository(settings).unlock()
    if decided["replaces"]:
        answer["before"] = put_aside(settings, say)
    replace_file(
        str(settings.home / MARK),
        json.dumps(
            {"snapshot": snapshot["id"], "began": state.stamp(time.time()), "filled": decided["filled"]}
        )
        + "\n",
    )
    (settings.home / DONE).unlink(missing_ok=True)
    names = [one["name"] for one in engine.containers(settings)]
    if names:
        engine.docker(settings, "rm", "--force", *names)
    say(f"The backup {words} with {len(found['volumes'])} homes is brought back.")
    for one in decided["held"]:
        say(f"{one} is mounted and has files, so it stays as it is.")
    words_of_held = [word for one in decided["held"] for word in ("--exclude", tree.escaped(f"/{one}"))]
    bring_back(settings, Repository(settings), snapshot, found, *words_of_held)
    replace_file(
        str(settings.home / DONE),
        json.dumps({"snapshot": snapshot["id"], "ended": state.stamp(time.time())}) + "\n",
    )
    (settings.home / MARK).unlink()
    shutil.rmtree(settings.work, ignore_errors=True)
    return answer


def bring_back(
    settings: Settings,
    repository: Repository,
    snapshot: t.Mapping[str, t.Any],
    found: t.Mapping[str, t.Any],
    *words: str,
    before_use: t.Callable[[Path], None] = lambda root: None,
) -> None:
    """Make the volumes and fill them and the instance's folder; words: options of restic; before_use looks at it before numbers change.

    A volume of the manifest that says where it came from (`source`) is filled from there.
    """
    root = tree.fresh(settings.work, "root/database").parent
    places = make_volumes(settings, found)
    tree.empty(Path(settings.state_dir), keep=tree.LEFT_OUT)
    for place in places.values():
        tree.empty(Path(place))
    sources = {one.get("source", one["name"]): places[one["name"]] for one in found["volumes"]}
    mount = tree.shown(root, tree.parts(settings, sources), write=True)
    fill(repository, snapshot, root, *words, prepare=mount)
    before_use(root / "database")
    for path in sorted((root / "database").glob(f"*{database.END}")):
        wrong = database.fault(path)
        if wrong:
            raise Problem(
                f"The database {path.name} of the backup {manifest.in_words(snapshot)} is damaged ({wrong}): choose an older one with "
                "restore_snapshot."
            )
        database.put_back(path, Path(settings.hub_dir))
    users, groups = numbers(found["account"], settings.account)
    tree.renumber(settings.state_dir, users, groups, skip=("backup", "shared", "archive"))
    # Whose it is from now on, the next run of site.yml notes.
    (Path(settings.state_dir) / "inventory").unlink(missing_ok=True)


def make_volumes(settings: Settings, found: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Ensure the volumes of a manifest; where they are."""
    for one in found["volumes"]:
        labels = [f"--label={key}={value}" for key, value in one["labels"].items()]
        options = [word for key, value in one["options"].items() for word in ("--opt", f"{key}={value}")]
        engine.docker(settings, "volume", "create", *labels, *options, one["name"])
    return engine.places(settings, [one["name"] for one in found["volumes"]])


def put_aside(settings: Settings, say: run.Say) -> str:
    """Back up what is there, when nobody works on it any more; the snapshot. Where that fails, the hub runs on."""
    found = engine.containers(settings)
    if found:
        say(f"The instance {settings.instance} and the servers of its users are stopped.")
        engine.docker(settings, "stop", "--time", "15", *[one["name"] for one in found])
    say("A backup of what is there now comes first.")
    try:
        return str(run.backup(settings, say, manifest.BEFORE)["good"]["snapshot"])
    except Problem:
        parts = [one["name"] for one in found if one["role"] != "user"]
        if parts:
            engine.docker(settings, "start", *parts)
        raise


def fill(
    repository: Repository,
    snapshot: t.Mapping[str, t.Any],
    target: Path,
    *words: str,
    prepare: t.Callable[[], None] | None = None,
) -> None:
    """Restore what a snapshot has, below a folder of this host."""
    holes = ["--sparse"] if repository.version() >= (0, 15) else []
    status, _said, complaints = repository.call(
        "restore", str(snapshot["id"]), "--target", str(target), *holes, *words, prepare=prepare
    )
    if "no space left on device" in complaints:
        raise Problem("The disk of this host is full: make room and run this again, it goes on.")
    if status:
        raise Problem(
            f"{complaint.of_restic(complaints, repository.settings.repository)} Run this again to go on."
        )


def numbers(before: t.Mapping[str, t.Any], account: str) -> tuple[dict[int, int], dict[int, int]]:
    """By the numbers that the service account had, those that it has on this host."""
    try:
        today = pwd.getpwnam(account)
    except KeyError:
        return {}, {}
    if not before:
        return {}, {}
    return {int(before["uid"]): today.pw_uid}, {int(before["gid"]): today.pw_gid}


def restore_files(
    settings: Settings, say: run.Say, user: str, path: str, wanted: str, name: str, beside: bool, check: bool
) -> dict[str, t.Any]:
    """Bring back the home of one user, or one path in it, into a folder of its own in the home, or over what is there."""
    repository = Repository(settings)
    snapshot = find(settings, repository, wanted, name)
    found = read_manifest(repository, snapshot)
    inner = os.path.normpath(f"/{path}").strip("/")
    volumes = manifest.volumes_of(found, user)
    words = manifest.in_words(snapshot)
    when = manifest.moment(str(snapshot["time"]))
    folder = f"restored-{when:%Y%m%dT%H%M%SZ}" if beside and when else ""
    image = engine.docker(
        settings, "inspect", "--type", "container", "--format", "{{.Image}}", settings.hub_container
    ).strip()
    if not beside and not inner:
        busy = [one for volume in volumes for one in users_of(settings, volume["name"])]
        if busy:
            raise Problem(
                f"The home of {user} is in use by {busy[0]}: stop the server first, or restore beside what is there."
            )
    answer = {"changed": True, "snapshot": words, "user": user, "path": inner, "folder": folder}
    if check:
        return answer
    for volume in volumes:
        stage = tree.fresh(settings.work, "stage")
        inside = f"/homes/{volume['name']}" + (f"/{inner}" if inner else "")
        try:
            fill(repository, snapshot, stage, "--include", tree.escaped(inside))
            home = stage / "homes" / volume["name"]
            if not os.path.lexists(f"{stage}{inside}"):
                raise Problem(
                    f"The backup {words} has no '{path}' in the home of {user}: look with {settings.state_dir}/bin/backup restic ls."
                )
            labels = [f"--label={key}={value}" for key, value in volume["labels"].items()]
            engine.docker(settings, "volume", "create", *labels, volume["name"])
            place = engine.places(settings, [volume["name"]])[volume["name"]]
            (old_user, old_group), today = volume["owner"], os.stat(place)
            to_user, to_group = today.st_uid or old_user, today.st_gid or old_group
            if not today.st_uid:
                # It was just made.
                os.chown(place, to_user, to_group)
            for part in ["", *parents(inner)] if inner else []:
                # restic says nothing of the folders around a path.
                os.chown(home / part, old_user, old_group)
                os.chmod(home / part, 0o755)
            tree.renumber(str(home), {old_user: to_user}, {old_group: to_group})
            answer["folder"] = pour(settings, image, volume["name"], home, inner, folder, (to_user, to_group))
        finally:
            shutil.rmtree(settings.work, ignore_errors=True)
    where = f", in the folder {answer['folder']}" if answer["folder"] else ""
    say(f"{inner or 'The home'} of {user} is back from {words}{where}.")
    return answer


def users_of(settings: Settings, volume: str) -> list[str]:
    return engine.docker(settings, "ps", f"--filter=volume={volume}", "--format", "{{.Names}}").split()


def pour(
    settings: Settings, image: str, volume: str, home: Path, inner: str, folder: str, owner: tuple[int, int]
) -> str:
    """Unpack files in a container that sees nothing but the volume: no link that a user has put there leads out of it.

    The folder that they are in now: another one where this one has them already, as the user may have worked on them.
    """
    flags = ["--numeric-owner", "--acls", "--xattrs", "--xattrs-include=user.*", "--sparse"]
    above = [f"./{part}" for part in parents(inner)]
    pack = [
        "tar",
        "--create",
        "--format=posix",
        f"--directory={home}",
        *flags,
        "--no-recursion",
        *above,
        "--recursion",
        f"./{inner}" if inner else ".",
    ]
    unpack = ["--extract", "--preserve-permissions", "--same-owner", *flags]
    unpack += [] if folder else ["--no-overwrite-dir"]
    box = [
        *settings.docker, "run", "--rm", "--interactive", "--network=none", "--user=0:0", "--read-only", "--cap-drop=ALL",
        *(f"--cap-add={name}" for name in CAPABILITIES), "--security-opt=no-new-privileges", "--log-driver=none", "--pull=never",
        f"--mount=type=volume,src={volume},dst={INSIDE},volume-nocopy", f"--workdir={INSIDE}", "--entrypoint=sh", image,
        "-c", BESIDE if folder else OVER, "sh", folder, inner, f"{owner[0]}:{owner[1]}", *unpack,
    ]  # fmt: skip
    with (
        tempfile.TemporaryFile(dir=settings.home / "tmp") as said,
        subprocess.Popen(pack, stdout=subprocess.PIPE, stderr=said) as packing,
    ):
        done = subprocess.run(box, stdin=packing.stdout, capture_output=True, text=True, check=False)
        if packing.stdout is not None:
            # With nobody at the other end, it ends.
            packing.stdout.close()
        packing.wait()
        said.seek(0)
        complaints = said.read(10_000).decode(errors="replace")
    if done.returncode or packing.returncode:
        told = " ".join((done.stderr or complaints).split())[-500:].rstrip(".")
        raise Problem(
            f"The files cannot be put into the volume {volume}: {told}. Make room if it is full, and run this again."
        )
    return done.stdout.strip()


def parents(inner: str) -> list[str]:
    """The folders around a path, the outermost first."""
    words = inner.split("/")[:-1]
    return ["/".join(words[: end + 1]) for end in range(len(words))]
