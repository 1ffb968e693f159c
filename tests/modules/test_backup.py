# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The program of the role backup with restic, the engine's volumes, and real targets.

The hub itself is in tests/e2e.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

import backup_targets
import pytest
from backup_instance import Instance, as_root, python
from engine import ModuleRunner, docker

NUMBERS = itertools.count()
# What no snapshot has of the home that backup_instance makes.
LEFT_OUT = (".cache", ".local/share/Trash", "big/")


@pytest.fixture
def place(tmp_path: Path) -> t.Iterator[Path]:
    yield tmp_path
    # What root has made there.
    subprocess.run(as_root(["rm", "-rf", str(tmp_path)]), check=True)


@pytest.fixture
def instance(place: Path, prefix: str) -> Instance:
    """An instance with two homes, a database in use and all else, and a repository that is a folder."""
    (place / "disk").mkdir()
    made = Instance(place, f"{prefix}b{next(NUMBERS)}", str(place / "disk" / "hub"))
    for name in ("hub", "secrets", "certbot", "config", "shared/lab", "bin", "log", "archive"):
        (made.state / name).mkdir(parents=True)
    (made.state / "secrets" / "cookie-secret").write_text("cookie")
    (made.state / "secrets" / "cookie-secret").chmod(0o600)
    (made.state / "shared" / "lab" / "data.csv").write_text("1,2\n")
    (made.state / "log" / "hub.log").write_text("left out")
    (made.state / "inventory").write_text("tests\n")
    with contextlib.closing(sqlite3.connect(made.state / "hub" / "jupyterhub.sqlite")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE lines (number INTEGER)")
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('abc')")
        database.commit()
    for user in ("ada", "bob"):
        made.add_home(user)
    return made


@contextlib.contextmanager
def writing(path: Path) -> t.Iterator[None]:
    """A hub that writes all the time, two lines in each transaction."""
    done = threading.Event()

    def write() -> None:
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as database:
            for number in itertools.count():
                with database:
                    database.executemany("INSERT INTO lines VALUES (?)", [(number,), (number,)])
                if done.is_set():
                    return

    thread = threading.Thread(target=write)
    thread.start()
    time.sleep(0.2)
    try:
        yield
    finally:
        done.set()
        thread.join()


def kept(manifest: dict[str, t.Any]) -> dict[str, t.Any]:
    """What a backup has of a home."""
    return {
        name: one
        for name, one in manifest.items()
        if not any(f"{name}/".startswith(f"{folder.rstrip('/')}/") for folder in LEFT_OUT)
    }


def test_everything_comes_back(instance: Instance) -> None:
    assert instance.done("prepare") == {"changed": True}
    assert instance.done("prepare") == {"changed": False}
    with writing(instance.state / "hub" / "jupyterhub.sqlite"):
        first = instance.done("run")
    before = {user: instance.manifest(user) for user in ("ada", "bob")}
    assert first["ok"]
    assert first["good"]["homes"] == 2
    labels = instance.labels("ada")
    instance.wipe()
    # The new machine is one of another inventory.
    old = instance.settings["name"]
    instance.set(instance.settings["repository"], name=f"other/new/{instance.name}")
    assert f"it has those of {old}, choose one with -e restore_name" in instance.refused("restore")
    answer = instance.done("restore", "--name", old, "--check")
    assert answer["changed"]
    assert not (instance.state / "hub").exists()
    assert instance.done("restore", "--name", old)["homes"] == 2
    assert not (instance.state / "inventory").exists()
    for user, home in before.items():
        assert kept(instance.manifest(user)) == kept(home)
        assert any(name.startswith(".cache/") for name in home)
        assert not any(name.startswith((".cache", "big/left-out")) for name in instance.manifest(user))
    assert instance.labels("ada") == labels
    with contextlib.closing(sqlite3.connect(instance.state / "hub" / "jupyterhub.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (lines,) = database.execute("SELECT count(*) FROM lines").fetchone()
        assert lines > 0
        assert lines % 2 == 0
    secret = instance.state / "secrets" / "cookie-secret"
    assert (secret.read_text(), secret.stat().st_mode & 0o777) == ("cookie", 0o600)
    assert (instance.state / "shared" / "lab" / "data.csv").read_text() == "1,2\n"
    assert not (instance.state / "log").exists()
    # Nothing of it is mounted or left over, and another run leaves it alone.
    assert str(instance.home) not in Path("/proc/self/mounts").read_text()
    assert not (instance.home / "work").exists()
    assert not instance.done("restore", "--name", old)["changed"]


def test_the_second_backup_sends_what_is_new(instance: Instance) -> None:
    instance.done("prepare")
    first = instance.done("run")["good"]
    python("import pathlib, sys; pathlib.Path(sys.argv[1], 'new').write_text('new')", instance.place("ada"))
    second = instance.done("run")
    assert second["good"]["added"] < first["added"] / 2
    state = instance.done("status")
    assert state["good"]["snapshot"] == second["good"]["snapshot"]
    assert state["problem"] == ""
    metrics = (instance.home / "backup.prom").read_text()
    assert f'galilean_hub_backup_ok{{instance_name="{instance.name}"}} 1' in metrics
    # Of one day, the newest one stays, and after a week the room of the others is freed.
    assert len(instance.done("list")["snapshots"]) == 2
    remembered = json.loads((instance.home / "last.json").read_text())
    remembered.update(forgotten="2026-01-01T00:00:00Z", pruned="2026-01-01T00:00:00Z")
    (instance.home / "last.json").write_text(json.dumps(remembered))
    third = instance.done("run")
    assert third["pruned"] > "2026-01-01T00:00:00Z"
    (only,) = instance.done("list")["snapshots"]
    assert only.startswith(third["good"]["snapshot"])


@pytest.fixture(scope="module")
def targets(
    run_module: ModuleRunner, prefix: str, base: str, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[backup_targets.Targets]:
    with backup_targets.serving(run_module, prefix, base, tmp_path_factory.mktemp("targets")) as found:
        yield found


# Building the image with all targets takes minutes.
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sftp", "rest", "s3", "swift"])
def test_targets(instance: Instance, targets: backup_targets.Targets, kind: str) -> None:
    instance.set(**targets.settings(kind))
    assert instance.done("prepare") == {"changed": True}
    instance.done("run")
    before = instance.manifest("ada")
    instance.wipe()
    instance.done("restore")
    assert kept(instance.manifest("ada")) == kept(before)


@pytest.mark.slow
def test_a_target_that_cannot_be_used_is_told_in_a_sentence(
    instance: Instance, targets: backup_targets.Targets, place: Path
) -> None:
    """Before anything is made there."""
    sftp, s3 = targets.settings("sftp"), targets.settings("s3")
    other_key = place / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other_key)], check=True)
    other_host = f"{targets.ip} {' '.join(other_key.with_suffix('.pub').read_text().split()[:2])}"
    cases: list[tuple[dict[str, t.Any], str]] = [
        ({**sftp, "ssh_key": other_key.read_text()}, "does not let the key in: add the public half"),
        ({**sftp, "known_hosts": other_host}, "is not the one in backup_ssh_known_hosts"),
        ({**sftp, "known_hosts": ""}, "is not the one in backup_ssh_known_hosts"),
        ({**sftp, "repository": "sftp:nobody@127.0.0.2:/x"}, "cannot be reached from this host"),
        (
            {**s3, "environment": {**s3["environment"], "AWS_SECRET_ACCESS_KEY": "wrong"}},
            "refuses the access",
        ),
        ({"repository": "rest:http://127.0.0.1:9/x"}, "cannot be reached from this host"),
        (
            {"repository": "s3:http://no.such.host.invalid/bucket/x", "environment": s3["environment"]},
            "cannot be reached",
        ),
        ({"repository": str(place / "not-mounted" / "hub")}, "there is no folder"),
    ]
    for settings, said in cases:
        instance.set(**settings)
        assert said in instance.refused("prepare"), settings
    assert not (place / "not-mounted").exists()
    # Not made again when it went away, and a failed run leaves the last good one in sight.
    instance.set(str(place / "disk" / "hub"))
    instance.done("prepare")
    good = instance.done("run")["good"]
    instance.set(str(place / "disk" / "hub"), "another password")
    assert "backup_password to the one that it was made with" in instance.refused("prepare")
    assert "backup_password to the one that it was made with" in instance.refused("run")
    state = instance.done("status")
    assert state["good"] == good
    assert "backup_password" in state["notice"]
    instance.set(str(place / "disk" / "hub"))
    (place / "disk" / "hub").rename(place / "disk" / "away")
    assert "holds no repository: mount it if it is a disk" in instance.refused("run")
    assert not (place / "disk" / "hub").exists()


def test_a_full_target_is_told(instance: Instance, place: Path) -> None:
    small = place / "small"
    small.mkdir()
    subprocess.run(as_root(["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(small)]), check=True)
    try:
        instance.set(str(small / "hub"))
        instance.done("prepare")
        python(
            "import os, sys; open(sys.argv[1] + '/large', 'wb').write(os.urandom(20 << 20))",
            instance.place("ada"),
        )
        assert "has no room left" in instance.refused("run")
        assert instance.done("status")["ok"] is False
    finally:
        subprocess.run(as_root(["umount", str(small)]), check=True)


@pytest.mark.slow
def test_a_killed_backup_and_two_at_once(instance: Instance) -> None:
    instance.done("prepare")
    python(
        "import os, sys; open(sys.argv[1] + '/large', 'wb').write(os.urandom(300 << 20))",
        instance.place("ada"),
    )
    with subprocess.Popen(
        instance.argv("run"), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as running:
        data = Path(instance.settings["repository"]) / "data"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not any(path.is_file() for path in data.rglob("*")):
            time.sleep(0.05)
        other = instance("run")
        assert other.status == 75
        assert "runs already" in other.answer["problem"]
        assert instance.done("status")["running"]
        subprocess.run(
            as_root(["pkill", "-KILL", "-f", f"galilean_backup --folder {instance.home} run"]), check=True
        )
        running.wait()
    assert "was killed" in instance.done("status")["notice"]
    locks = Path(instance.settings["repository"]) / "locks"
    deadline = time.monotonic() + 30
    while (
        time.monotonic() < deadline
        and subprocess.run(["pgrep", "-f", str(locks.parent)], check=False, capture_output=True).returncode
        == 0
    ):
        time.sleep(0.1)
    # What it has locked is nobody's any more.
    assert instance.done("run")["ok"]
    assert instance.done("list")["snapshots"]


@pytest.mark.slow
def test_a_killed_restore_is_finished_by_the_next_one(instance: Instance) -> None:
    instance.done("prepare")
    python(
        "import os, sys; open(sys.argv[1] + '/large', 'wb').write(os.urandom(300 << 20))",
        instance.place("ada"),
    )
    instance.done("run")
    before = instance.manifest("ada")
    instance.wipe()
    with subprocess.Popen(
        instance.argv("restore"), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
    ) as running:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with contextlib.suppress(AssertionError, subprocess.CalledProcessError):
                if (
                    python(
                        "import os, sys; print(os.path.exists(sys.argv[1] + '/large'))", instance.place("ada")
                    )
                    == "True\n"
                ):
                    break
            time.sleep(0.02)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    assert (instance.home / "restoring.json").exists()
    instance.done("restore")
    assert kept(instance.manifest("ada")) == kept(before)
    assert not (instance.home / "restoring.json").exists()


def test_what_is_there_is_replaced_only_when_that_is_meant(instance: Instance) -> None:
    instance.done("prepare")
    instance.done("run")
    before = instance.manifest("ada")
    python(
        "import pathlib, sys; pathlib.Path(sys.argv[1], 'newer').write_text('newer')", instance.place("ada")
    )
    said = instance.refused("restore")
    assert f"-e restore_confirm={instance.name} replaces it" in said
    assert "jupyterhub.sqlite and 2 homes" in said
    assert "newer" in instance.manifest("ada")
    answer = instance.done("restore", "--confirm", instance.name)
    assert kept(instance.manifest("ada")) == kept(before)
    # What was there came into a backup first, and a backup of the same day does not push it out.
    instance.done("run")
    assert any(answer["before"] in one for one in instance.done("list")["snapshots"])
    said = instance.refused("restore", "--snapshot", "2020-01-01")
    assert "restore_snapshot is '2020-01-01', and no snapshot has this id or is so old" in said
    assert "it has those of" in instance.refused("restore", "--name", "other/host/hub")


@contextlib.contextmanager
def mounted(*words: str) -> t.Iterator[Path]:
    """Something is mounted on the last of these words."""
    subprocess.run(as_root(["mount", *words]), check=True)
    try:
        yield Path(words[-1])
    finally:
        subprocess.run(as_root(["umount", words[-1]]), check=True)


def files_of(instance: Instance, snapshot: str) -> list[str]:
    """All that a snapshot has."""
    return subprocess.run(
        instance.argv("restic", "ls", snapshot), capture_output=True, text=True, check=True
    ).stdout.splitlines()


@pytest.mark.slow
def test_a_killed_restore_over_an_instance_brings_back_what_was_meant(instance: Instance) -> None:
    """Not what was there, which came into a backup first; and no other one, until it is done."""
    instance.done("prepare")
    first = instance.done("run")["good"]["snapshot"]
    python(
        "import os, sys; os.rename(sys.argv[1] + '/secret', sys.argv[1] + '/newer')",
        instance.place("ada"),
    )
    confirmed = ("restore", "--confirm", instance.name)
    with subprocess.Popen(
        instance.argv(*confirmed),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as running:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not (instance.home / "restoring.json").exists():
            time.sleep(0.01)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    (before,) = [one for one in instance.done("list")["snapshots"] if not one.startswith(first)]
    said = instance.refused("restore", "--snapshot", before[:8])
    assert f"a restore of the backup {first}" in said
    assert (instance.home / "restoring.json").exists()
    answer = instance.done(*confirmed)
    assert answer["snapshot"].startswith(first)
    assert "secret" in instance.manifest("ada")
    assert "newer" not in instance.manifest("ada")
    assert not (instance.home / "restoring.json").exists()
    # What was there is brought back by its id.
    instance.done(*confirmed, "--snapshot", before[:8])
    assert "newer" in instance.manifest("ada")


def test_what_is_replaced_is_put_aside_with_all_that_it_has(instance: Instance) -> None:
    instance.set(instance.settings["repository"], exclude=["*.ipynb"])
    instance.done("prepare")
    usual = files_of(instance, instance.done("run")["good"]["snapshot"])
    before = files_of(instance, instance.done("restore", "--confirm", instance.name)["before"])
    home = f"/homes/{instance.volume('ada')}"
    for name in ("big/left-out", ".cache/pip/left-out", ".local/share/Trash/files/left-out", "notes/x.ipynb"):
        assert f"{home}/{name}" not in usual
        assert f"{home}/{name}" in before
    assert f"{home}/secret" in usual
    assert not [name for name in before if name.startswith(("/state/log", "/state/backup"))]


@pytest.mark.slow
def test_what_is_mounted_is_in_the_backup_and_nothing_goes_through_a_mount(instance: Instance) -> None:
    """Shared folders on other machines."""
    inside = Path(instance.place("ada"), "notes", "disk")
    python("import os, sys; os.mkdir(sys.argv[1])", str(inside))
    shared = instance.state / "shared" / "lab" / "a disk"
    shared.mkdir()
    tmpfs = ("-t", "tmpfs", "-o", "size=1m", "none")
    with mounted(*tmpfs, str(shared)), mounted(*tmpfs, str(inside)):
        (shared / "data").write_text("first")
        python("import sys; open(sys.argv[1] + '/data', 'w').write('first')", str(inside))
        instance.done("prepare")
        found = files_of(instance, instance.done("run")["good"]["snapshot"])
        assert "/state/shared/lab/a disk/data" in found
        assert f"/homes/{instance.volume('ada')}/notes/disk/data" in found
        # It may be the only copy: there are files in it, so it stays.
        (shared / "data").write_text("second")
        (shared / "newer").write_text("newer")
        (shared.parent / "data.csv").write_text("2,1\n")
        answer = instance.done("restore", "--confirm", instance.name)
        assert answer["mounted"] == [
            f"homes/{instance.volume('ada')}/notes/disk",
            "state/shared/lab/a disk",
        ]
        assert ((shared / "data").read_text(), (shared / "newer").read_text()) == ("second", "newer")
        assert (shared.parent / "data.csv").read_text() == "1,2\n"
    with mounted(*tmpfs, str(shared)):
        # A new disk is filled.
        assert (
            instance.done("restore", "--confirm", instance.name, "--snapshot", answer["before"])["mounted"]
            == []
        )
        assert sorted(os.listdir(shared)) == ["data", "newer"]
    with mounted(*tmpfs, str(instance.state / "secrets")):
        (instance.state / "secrets" / "key").write_text("x")
        said = instance.refused("restore", "--confirm", instance.name)
        assert f"{instance.state}/secrets is mounted and has files" in said


def test_a_move_takes_and_leaves_what_is_mounted(
    instance: Instance, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both hosts are this one, so the homes are the same."""
    new = Instance(place / "new", instance.name, instance.settings["repository"])
    program = place / "program"
    program.mkdir()
    (program / "ssh").write_text(
        # rsync gives the account as an option.
        '#!/bin/sh\nuntil [ "$1" = there@old ] || [ "$1" = -l ]; do shift; done\n'
        '[ "$1" = there@old ] || shift 2\nshift\n'
        f'SSH_ORIGINAL_COMMAND="$*" exec {shlex.join(instance.argv("serve"))}\n'
    )
    (program / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{program}:{os.environ['PATH']}")
    receive = ("receive", "--from", "there@old", "--confirm", instance.name)
    there, here = (one.state / "shared" / "lab" / "disk" for one in (instance, new))
    kept, filled = (new.state / "shared" / name for name in ("own", "lab/disk"))
    tmpfs = ("-t", "tmpfs", "-o", "size=1m", "none")
    for folder in (there, here, kept):
        folder.mkdir(parents=True)
    with mounted(*tmpfs, str(there)), mounted(*tmpfs, str(filled)), mounted(*tmpfs, str(kept)):
        (there / "data").write_text("first")
        (kept / "data").write_text("own")
        new.done(*receive)
        assert (here / "data").read_text() == "first"
        # What was filled is so again, by each run until the end.
        (there / "data").write_text("the second")
        assert new.done(*receive, "--last")["entries"] > 0
        assert (here / "data").read_text() == "the second"
        assert (kept / "data").read_text() == "own"


def test_files_that_cannot_be_read_are_no_good_backup(instance: Instance) -> None:
    instance.done("prepare")
    good = instance.done("run")["good"]
    secret = f"{instance.place('ada')}/secret"
    # Not even root can read it, and a disk that fails is no other thing.
    with mounted("--bind", "/proc/1/mem", secret):
        said = instance.refused("run")
    assert f"1 files could not be read, such as {secret} (" in said
    state = instance.done("status")
    assert (state["ok"], state["good"]) == (False, good)
    assert instance.done("run")["ok"]


def test_a_damaged_repository_is_told_until_it_is_whole(instance: Instance, place: Path) -> None:
    instance.done("prepare")
    python(
        "import os, sys; open(sys.argv[1] + '/large', 'wb').write(os.urandom(1 << 20))", instance.place("ada")
    )
    instance.done("run")
    repository = Path(instance.settings["repository"])
    shutil.copytree(repository, place / "whole")

    def night() -> dict[str, t.Any]:
        remembered = json.loads((instance.home / "last.json").read_text())
        remembered.update(forgotten="2026-01-01T00:00:00Z", pruned="2026-01-01T00:00:00Z")
        (instance.home / "last.json").write_text(json.dumps(remembered))
        return instance.done("run")

    names = [path for path in (repository / "data").rglob("*") if path.is_file()]
    victim = max(names, key=lambda path: path.stat().st_size)
    victim.unlink()
    assert "is damaged" in night()["hint"]
    state = instance.done("status")
    assert "The check of the repository failed" in state["problem"]
    assert state["ok"]
    metrics = f'galilean_hub_backup_check_ok{{instance_name="{instance.name}"}}'
    assert f"{metrics} 0\n" in (instance.home / "backup.prom").read_text()
    shutil.copy(place / "whole" / victim.relative_to(repository), victim)
    assert night()["pruned"] > "2026-01-01T00:00:00Z"
    assert instance.done("status")["problem"] == ""
    assert f"{metrics} 1\n" in (instance.home / "backup.prom").read_text()


def test_no_pattern_leaves_out_what_a_restore_needs(instance: Instance) -> None:
    """Nor does a file that anybody can put into a shared folder."""
    for name in (".nobackup", "CACHEDIR.TAG"):
        (instance.state / "shared" / "lab" / name).write_text("Signature: 8a477f597d28d172789f06886806bc55\n")
    instance.set(
        instance.settings["repository"], exclude=["*.sqlite", "*.json", "*secret*", "/notes/deep", "*.csv"]
    )
    instance.done("prepare")
    found = files_of(instance, instance.done("run")["good"]["snapshot"])
    home = f"/homes/{instance.volume('ada')}"
    assert {"/manifest.json", "/database/jupyterhub.sqlite", "/state/secrets/cookie-secret"} < {*found}
    assert {"/state/shared/lab/.nobackup", f"{home}/notes/x.ipynb"} < {*found}
    assert not {f"{home}/secret", f"{home}/notes/deep", "/state/shared/lab/data.csv"} & {*found}


@pytest.fixture
def hub(instance: Instance, refs: dict[str, t.Any]) -> Instance:
    """With a container that has the hub's image: files are unpacked in it."""
    docker("create", f"--name={instance.name}-hub", refs["hub"])
    instance.done("prepare")
    instance.done("run")
    return instance


def test_files_of_one_user(hub: Instance) -> None:
    """Beside what is there, or over it; whatever links the user has put there in the meantime."""
    before = hub.manifest("ada")
    folder = hub.done("restore-files", "--user", "ada", "--check")["folder"]
    assert hub.manifest("ada") == before
    answer = hub.done("restore-files", "--user", "ada")
    assert answer["folder"] == folder
    found = {
        os.path.normpath(os.path.relpath(name, folder)): one
        for name, one in hub.manifest("ada").items()
        if f"{name}/".startswith(f"{folder}/")
    }
    found = {name: one for name, one in kept(found).items() if name != "."}
    wanted = {name: one for name, one in kept(before).items() if name != "."}
    assert found == wanted
    # Again: what somebody has done there meanwhile stays.
    spoil = (
        "import pathlib, sys; path = pathlib.Path(sys.argv[1], 'notes', sys.argv[2]); path.write_text('lost')"
    )
    python(spoil.replace("'notes'", f"'{folder}', 'notes'"), hub.place("ada"), "x.ipynb")
    assert hub.done("restore-files", "--user", "ada")["folder"] == f"{folder}-2"
    assert hub.done("restore-files", "--user", "ada", "--path", "notes/x.ipynb")["folder"] == f"{folder}-3"
    again = hub.manifest("ada")
    assert again[f"{folder}/notes/x.ipynb"] != again[f"{folder}-2/notes/x.ipynb"]
    # It is a hard link in the backup.
    assert again[f"{folder}-3/notes/x.ipynb"][:4] == again[f"{folder}-2/notes/x.ipynb"][:4]
    # One file that was lost, over what is there.
    python(spoil, hub.place("ada"), "a [b] *?.txt")
    python(spoil, hub.place("ada"), "new.txt")
    hub.done("restore-files", "--user", "ada", "--path", "notes/a [b] *?.txt", "--over")
    after = hub.manifest("ada")
    assert after["notes/a [b] *?.txt"] == before["notes/a [b] *?.txt"]
    assert "notes/new.txt" in after
    assert after["notes/x.ipynb"][:4] == before["notes/x.ipynb"][:4]
    assert "has no 'notes/none' in the home of ada" in hub.refused(
        "restore-files", "--user", "ada", "--path", "notes/none"
    )
    assert "it has those of ada, bob" in hub.refused("restore-files", "--user", "eve")
    outside = hub.state / "outside"
    outside.mkdir()
    trap = "import os, shutil, sys; shutil.rmtree(sys.argv[1]); os.symlink(sys.argv[2], sys.argv[1])"
    python(trap, str(Path(hub.place("ada"), "notes", "deep")), str(outside))
    hub("restore-files", "--user", "ada", "--path", "notes/deep/run.sh", "--over")
    assert list(outside.iterdir()) == []


def test_a_home_in_use_is_not_written_over(hub: Instance, refs: dict[str, t.Any]) -> None:
    docker(
        "run",
        "--detach",
        f"--name={hub.name}-user",
        f"--volume={hub.volume('bob')}:/x",
        "--entrypoint=sleep",
        refs["hub"],
        "600",
    )
    try:
        assert "is in use by" in hub.refused("restore-files", "--user", "bob", "--over")
        assert hub.done("restore-files", "--user", "bob")["folder"]
    finally:
        docker("rm", "--force", f"{hub.name}-user")


def test_nobody_works_on_what_is_replaced(hub: Instance, refs: dict[str, t.Any]) -> None:
    """Servers end before the backup of what is there; where that cannot be made, the hub runs on."""
    labels = [
        f"--label=galilean.hub.instance={hub.name}",
        f"--volume={hub.volume('bob')}:/x",
        "--entrypoint=sleep",
    ]
    for role in ("proxy", "user"):
        role_label = f"--label=galilean.hub.role={role}"
        docker(
            "run", "--detach", "--init", f"--name={hub.name}-{role}", role_label, *labels, refs["hub"], "600"
        )
    disk = Path(hub.settings["repository"]).parent
    (hub.state / "hub" / "jupyterhub.sqlite").rename(hub.state / "hub" / "away.sqlite")
    (hub.state / "hub" / "jupyterhub.sqlite").symlink_to("away.sqlite")
    assert "is no plain file" in hub.refused("restore", "--confirm", hub.name)
    status = "--format={{.State.Running}}"
    assert docker("inspect", status, f"{hub.name}-proxy").strip() == "true"
    (hub.state / "hub" / "jupyterhub.sqlite").unlink()
    (hub.state / "hub" / "away.sqlite").rename(hub.state / "hub" / "jupyterhub.sqlite")
    assert hub.done("restore", "--confirm", hub.name)["before"]
    assert docker("ps", "--all", "--quiet", f"--filter=label=galilean.hub.instance={hub.name}").split() == []
    assert (disk / "hub" / "config").exists()


def test_a_user_who_is_gone_gets_the_home_back(hub: Instance) -> None:
    before = hub.manifest("bob")
    docker("volume", "rm", hub.volume("bob"))
    hub.done("restore-files", "--user", "bob", "--over")
    after = hub.manifest("bob")
    assert {name: one for name, one in kept(after).items() if name != "."} == {
        name: one for name, one in kept(before).items() if name != "."
    }
    assert after["."][1:3] == before["."][1:3]
    assert hub.labels("bob")["galilean.hub.user"] == "bob"
    assert json.loads(Path(hub.home, "last.json").read_text())["ok"]
    shutil.rmtree(hub.home / "tmp", ignore_errors=True)


@pytest.mark.slow
def test_a_drill_compares(instance: Instance) -> None:
    """In an instance of its own, whose hub playbooks/drill.yml starts."""
    name, secret = f"{instance.name}-drill", instance.state / "secrets" / "cookie-secret"
    database = instance.state / "hub" / "jupyterhub.sqlite"
    with contextlib.closing(sqlite3.connect(database)) as hub, hub:
        hub.execute("CREATE TABLE users (name TEXT)")
        hub.execute("INSERT INTO users VALUES ('ada')")
        hub.execute("CREATE TABLE spawners (server_id INTEGER, state TEXT)")
        hub.execute("""INSERT INTO spawners VALUES (7, '{"object_id": "of the real hub"}')""")
    instance.done("prepare")
    instance.done("run")
    before = {user: instance.manifest(user) for user in ("ada", "bob")}
    begin = ("drill", "begin", "--scratch", name)
    assert instance.done(*begin, "--check")["homes"] == 2
    assert "drill" in instance.done("status")
    assert not (instance.state.parent / name).exists()
    answer = instance.done(*begin)
    assert (answer["homes"], answer["rows"]["users"], answer["secrets"]) == (2, 1, 1)
    copy = instance.state.parent / name
    assert (copy / "secrets" / "cookie-secret").read_bytes() == secret.read_bytes()
    assert docker("volume", "ls", "--quiet", f"--filter=label=galilean.hub.instance={name}").split() == [
        f"{name}-home-ada",
        f"{name}-home-bob",
    ]
    # It would end servers that are not its own.
    with contextlib.closing(sqlite3.connect(copy / "hub" / "jupyterhub.sqlite")) as hub:
        assert hub.execute("SELECT * FROM spawners").fetchall() == [(None, "{}")]
    assert {user: instance.manifest(user) for user in ("ada", "bob")} == before
    assert "which no drill has made" in instance.refused(*begin)

    def remove() -> None:
        volumes = docker("volume", "ls", "--quiet", f"--filter=label=galilean.hub.instance={name}").split()
        docker("volume", "rm", *volumes)
        shutil.rmtree(copy)

    remove()
    instance.done("drill", "end", "--scratch", name, "--answer", json.dumps(answer))
    assert instance.done("status")["drill"]["good"]["homes"] == 2
    assert "galilean_hub_backup_drill_ok" in (instance.home / "backup.prom").read_text()
    assert instance.done(*begin, "--homes", "1")["homes"] == 1
    assert not (copy / "shared" / "lab").exists()
    remove()
    # A secret that the backup lacks, and files that are not what the snapshot has.
    (instance.state / "secrets" / "lost").write_text("x")
    os.utime(instance.state / "secrets" / "lost", (0, 0))
    assert "The secret lost is not in the backup" in instance.refused(*begin)
    remove()
    (instance.state / "secrets" / "lost").unlink()
    for path in Path(instance.settings["repository"], "data").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.write_bytes(bytes(100) + path.read_bytes()[100:])
    assert "restic failed with" in instance.refused(*begin)
    remove()


def test_a_drill_takes_nothing_that_is_somebodys(instance: Instance) -> None:
    """The playbook removes what is noted as made: nothing is, where a drill is refused."""
    name = f"{instance.name}-drill"
    instance.done("prepare")
    instance.done("run")
    begin = ("drill", "begin", "--scratch", name)
    (instance.state.parent / name).mkdir()
    assert "which no drill has made" in instance.refused(*begin)
    assert "scratch" not in instance.done("status")["drill"]
    (instance.state.parent / name).rmdir()
    # A volume of another program, with the name of a home.
    volume = f"{name}-home-ada"
    docker("volume", "create", volume)
    python("import sys; open(sys.argv[1] + '/kept', 'w')", place_of(volume))
    try:
        assert f"The volume {volume} is on this host" in instance.refused(*begin)
        assert "scratch" not in instance.done("status")["drill"]
        assert Path(place_of(volume), "kept").exists()
    finally:
        docker("volume", "rm", volume)


def place_of(volume: str) -> str:
    return docker("volume", "inspect", "--format={{.Mountpoint}}", volume).strip()


def test_a_hub_that_has_moved_makes_no_backups(instance: Instance) -> None:
    """Its data is frozen, and the new host has the name in the repository."""
    instance.done("prepare")
    instance.done("run")
    files = [f"/etc/cron.d/{instance.name}-{part}" for part in ("backup", "certbot", "monitoring")]
    subprocess.run(as_root(["touch", *files]), check=True)
    try:
        instance.done("retire", "--to", "new-host")
        assert not [path for path in files if os.path.lexists(path)]
    finally:
        subprocess.run(as_root(["rm", "-f", *files]), check=True)
    for words in (
        ["run", "--quiet"],
        ["restore", "--confirm", instance.name],
        ["drill", "begin", "--scratch", "x"],
    ):
        assert f"{instance.name} has moved from this host to new-host" in instance.refused(*words)
    # What there is can be read.
    assert len(instance.done("list")["snapshots"]) == 1
    # It stays moved until the data of the other host comes.
    back = ("receive", "--from", "root@127.0.0.1", "--port", "9", "--confirm", instance.name)
    assert "cannot reach the old one" in instance.refused(*back)
    assert (instance.state / "moved").exists()
    assert instance.done("receive")["phase"] == ""


@pytest.mark.slow
def test_large_homes_while_people_write(instance: Instance) -> None:
    """20 homes of 100 MB in 2,000 files: what comes back is what was there at some moment of the backup."""
    fill = """
import os, random, sys
chance = random.Random(sys.argv[1])
for number in range(2000):
    folder = os.path.join(sys.argv[1], f"project-{number % 40}")
    os.makedirs(folder, exist_ok=True)
    open(os.path.join(folder, f"file-{number}"), "wb").write(chance.randbytes(50_000))
"""
    # Appends numbered lines to one file and replaces another one, until it is ended.
    work = """
import itertools, os, sys
for number in itertools.count():
    for place in sys.argv[1:]:
        with open(place + "/lines", "a") as stream:
            stream.write(f"{number}\\n")
        with open(place + "/new", "w") as stream:
            stream.write(f"{number} " * 1000)
        os.replace(place + "/new", place + "/replaced")
    print(number, flush=True)
"""
    users = [f"user{number}" for number in range(20)]
    for user in users:
        instance.add_home(user)
        python(fill, instance.place(user))
    instance.done("prepare")
    names = ("lines", "new", "replaced", ".")
    places = [instance.place(user) for user in users]
    with (
        writing(instance.state / "hub" / "jupyterhub.sqlite"),
        subprocess.Popen(
            as_root([sys.executable, "-c", work, *places]), stdout=subprocess.PIPE, text=True
        ) as working,
    ):
        assert working.stdout is not None
        first = int(working.stdout.readline())
        good = instance.done("run")["good"]
        subprocess.run(as_root(["kill", str(working.pid)]), check=True)
        last = max(first, *map(int, working.stdout.read().split()))
    assert last > first
    assert good["bytes"] > 20 * 2000 * 50_000
    before = {user: kept(instance.manifest(user)) for user in users}
    instance.wipe()
    instance.done("restore")
    for user in users:
        after = kept(instance.manifest(user))
        still = {name: one for name, one in before[user].items() if name not in names}
        assert {name: one for name, one in after.items() if name not in names} == still
        place = Path(instance.place(user))
        lines = [int(line) for line in (place / "lines").read_text().split()]
        assert lines == list(range(len(lines)))
        assert first <= lines[-1] <= last
        assert len(set((place / "replaced").read_text().split())) == 1
    with contextlib.closing(sqlite3.connect(instance.state / "hub" / "jupyterhub.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) % 2 FROM lines").fetchone() == (0,)
