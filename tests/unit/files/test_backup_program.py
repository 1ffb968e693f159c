# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The program that makes and restores backups: what it makes of what it sees.

restic and targets are real in tests/modules.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sqlite3
import typing as t
from pathlib import Path

import pytest
from galilean_backup import (
    complaint,
    database,
    drill,
    engine,
    manifest,
    move,
    repository,
    restore,
    run,
    state,
    tree,
)
from galilean_backup.__main__ import BUSY, alone, main
from galilean_backup.settings import Problem, Settings, load

NOW = 1_800_000_000.0
WHERE = "rest:https://hub:geheim@backup.example.org/hub"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(
        instance="hub",
        name="prod/host/hub",
        version="1",
        repository="/mnt/backup/hub",
        keep={"daily": 7},
        max_age=36,
        exclude=["*.tmp", "cost$"],
        options=[],
        state_dir="/srv/hub",
        hub_dir="/srv/hub/hub",
        archive_dir="/srv/hub/archive",
        account="hub",
        docker=["docker"],
        hub_container="hub-hub",
    )
    values = {key: one for key, one in dataclasses.asdict(found).items() if key != "folder"}
    (tmp_path / "settings.json").write_text(json.dumps(values))
    (tmp_path / "secrets").mkdir()
    return load(str(tmp_path))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("Fatal: wrong password or no key found", "set backup_password to the one that it was made with"),
        (
            "Save(<data/1>) returned error: write /mnt/x: no space left on device",
            "has no room left: make room there",
        ),
        (
            "subprocess ssh: Host key verification failed.\nFatal: unable to start the sftp session",
            "backup_ssh_known_hosts",
        ),
        (
            "x@y: Permission denied (publickey).\nFatal: unable to start the sftp session",
            "does not let the key in",
        ),
        ("Fatal: client.GetObject: The request signature we calculated does not match", "refuses the access"),
        ("Fatal: unexpected HTTP response (401): 401 Unauthorized", "correct the keys in backup_environment"),
        ("Fatal: Get: x509: certificate signed by unknown authority", "set backup_ca_file"),
        ("dial tcp 10.0.0.1:8000: connect: connection refused", "cannot be reached from this host"),
        ("Fatal: parsing repository location failed: invalid backend", "which restic does not understand"),
        (
            "unable to create lock in backend: repository is already locked by PID 7",
            "Another machine works in",
        ),
        ("mount namespace: Operation not permitted", "in a container give it SYS_ADMIN"),
        (
            "Fatal: unable to open config file: stat /x/config: no such file or directory",
            "holds no repository: mount it",
        ),
        ("fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [semacquire]:", "takes no more"),
        (
            "something else\nFatal: it is odd",
            "restic failed with rest:https://hub:***@backup.example.org/hub: something else",
        ),
        ("", "it gives no reason."),
    ],
)
def test_what_restic_says_is_one_sentence(said: str, sentence: str) -> None:
    found = complaint.of_restic(said, WHERE)
    assert sentence in found
    assert found.endswith(".")
    assert "geheim" not in found


@pytest.mark.parametrize(
    ("said", "empty"),
    [
        (
            "unable to open config file: stat /x/config: no such file or directory\nIs there a repository",
            True,
        ),
        (
            "unable to open config file: Stat: The specified bucket does not exist.\nIs there a repository",
            True,
        ),
        ("unable to open config file: <config/> does not exist\nIs there a repository", True),
        ("unable to open config file: conn.Object: Object Not Found\nIs there a repository", True),
        ("unable to open config file: connect: connection refused\nIs there a repository", False),
        ("wrong password or no key found", False),
    ],
)
def test_a_target_that_is_empty(said: str, empty: bool) -> None:
    assert complaint.is_empty(said) is empty


@pytest.mark.parametrize(
    ("where", "target", "port"),
    [
        ("sftp:hub@nas.example.org:/backup/hub", "hub@nas.example.org", ""),
        ("sftp:nas:backup", "nas", ""),
        ("sftp://hub@nas.example.org:2222//backup", "hub@nas.example.org", "2222"),
        ("sftp://nas.example.org/backup", "nas.example.org", ""),
    ],
)
def test_where_ssh_goes(settings: Settings, where: str, target: str, port: str) -> None:
    assert repository.ssh_target(where) == (target, port)
    command = repository.ssh_command(
        dataclasses.replace(settings, repository=where, ssh_key="/k", known_hosts="/h")
    )
    assert f" {target} -s sftp" in command
    assert "StrictHostKeyChecking=yes" in command
    assert "UserKnownHostsFile=/h" in command
    assert ("-p 2222" in command) is bool(port)


def test_the_account_of_a_rest_server_is_in_no_argument(settings: Settings) -> None:
    account = {"RESTIC_REST_USERNAME": "hub", "RESTIC_REST_PASSWORD": "a/b"}
    assert repository.address("rest:https://h/x", account) == "rest:https://hub:a%2Fb@h/x"
    assert repository.address("s3:https://h/x", account) == "s3:https://h/x"
    settings = dataclasses.replace(settings, repository="rest:https://h/x")
    (settings.home / "secrets" / "environment").write_text(json.dumps(account))
    found = repository.Repository(settings)
    assert "a%2Fb" in found.environment()["RESTIC_REPOSITORY"]
    assert not [word for word in found.argv("backup") if "a%2Fb" in word or "a/b" in word]


def test_what_is_left_out(settings: Settings) -> None:
    settings = dataclasses.replace(settings, exclude=["*.tmp", "cost$", "/my data", "!*.keep", " ", "/"])
    found = tree.patterns(settings, "/root", {})
    assert "/root/state/backup\n" in found
    assert "/root/state/hub/*.sqlite-wal\n" in found
    assert "/root/homes/*/.cache\n" in found
    own = [
        f"{start}/root/{folder}/{one}\n"
        for folder in ("homes/*", "state/shared/*")
        for start, one in (("", "**/*.tmp"), ("", "**/cost$$"), ("", "my?data"), ("!", "**/*.keep"))
    ]
    assert [one for one in found if one in own] == own
    # Each of them begins at one place, and none of them is the state's or a whole home.
    assert {one.lstrip("!").split("/")[2] for one in found} == {"state", "homes"}
    assert not [one for one in found if one.strip() in ("/root/homes/*", "/root/homes/*/")]
    whole = tree.patterns(settings, "/root", {"hub-home-ada": "/nowhere"}, whole=True)
    assert whole == [tree.line_of(f"/root/{one}") for one in tree.left_out(settings)]
    names = [part.name for part in tree.parts(settings, {"hub-home-ada": "/v/ada"})]
    assert names == ["state", "homes/hub-home-ada"]
    elsewhere = dataclasses.replace(settings, archive_dir="/data/archive")
    assert [part.name for part in tree.parts(elsewhere, {})] == ["state", "archive"]
    assert tree.escaped("/a [b]*?\\") == "/a \\[b]\\*\\?\\\\"


def test_what_users_leave_out_of_a_home(settings: Settings, tmp_path: Path) -> None:
    """The names of folders are their users' own, and so is what they put there."""
    home = tmp_path / "home"
    signed = "Signature: 8a477f597d28d172789f06886806bc55\n"
    for name in ("big/inner", "tagged", "forged", "pipe", ".cache/x", "odd\n/state/[a] $x "):
        (home / name).mkdir(parents=True)
    for name in (
        "big/.nobackup",
        "big/inner/.nobackup",
        ".cache/x/.nobackup",
        "odd\n/state/[a] $x /.nobackup",
    ):
        (home / name).touch()
    (home / "tagged" / "CACHEDIR.TAG").write_text(signed)
    (home / "forged" / "CACHEDIR.TAG").write_text("anything else")
    os.mkfifo(home / "pipe" / "CACHEDIR.TAG")
    assert tree.opted_out(str(home)) == ["big", "odd\n/state/[a] $x ", "tagged"]
    found = tree.patterns(settings, "/root", {"v": str(home), "gone": str(tmp_path / "gone")})
    assert found[-3:] == [
        "/root/homes/v/big\n",
        "/root/homes/v/odd?/state/\\[a]?$$x?\n",
        "/root/homes/v/tagged\n",
    ]
    (home / ".nobackup").touch()
    assert tree.patterns(settings, "/root", {"v": str(home)})[-1] == "/root/homes/v/*\n"


def test_folders_are_emptied_without_following_links(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    for one in (outside, folder, folder / "kept", folder / "gone"):
        one.mkdir()
    (outside / "file").touch()
    (folder / "link").symlink_to(outside)
    (folder / "gone" / "link").symlink_to(outside)
    tree.empty(folder, keep=["kept"])
    assert os.listdir(folder) == ["kept"]
    assert (outside / "file").exists()


SNAPSHOTS = [
    {"id": "aaaa1111", "time": "2026-11-28T02:10:00.123456789Z"},
    {"id": "aaaa2222", "time": "2026-11-29T02:10:00+01:00"},
    {"id": "bbbb3333", "time": "2026-11-30T02:10:00Z"},
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("latest", "bbbb3333"),
        ("", "bbbb3333"),
        ("aaaa1", "aaaa1111"),
        ("2026-11-29", "aaaa2222"),
        ("2026-11-29 01:09:59", "aaaa1111"),
        ("2026-11-29T01:10", "aaaa2222"),
        ("2026-11-29 02:09:59 +01:00", "aaaa1111"),
        ("2030-01-01", "bbbb3333"),
    ],
)
def test_which_snapshot_is_meant(wanted: str, found: str) -> None:
    assert manifest.choose(SNAPSHOTS, wanted)["id"] == found


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("aaaa", "which several snapshots begin with"),
        ("cccc", "and no snapshot has this id"),
        ("2020-01-01", "or is so old"),
        ("yesterday", "restore_snapshot is 'yesterday'"),
        # Before all time, in UTC.
        ("0001-01-01T00:00+01:00", "and no snapshot has this id or is so old"),
        ("2026-13-45", "The newest ones are aaaa1111 of 2026-11-28 02:10:00 UTC"),
    ],
)
def test_no_snapshot_is_meant(wanted: str, said: str) -> None:
    with pytest.raises(Problem, match=said):
        manifest.choose(SNAPSHOTS, wanted)


def test_a_backup_before_a_restore_is_meant_by_its_id_only() -> None:
    before = {"id": "cccc4444", "time": "2026-11-30T03:00:00Z", "tags": ["galilean.hub", "before-restore"]}
    for wanted in ("latest", "2026-11-30", "2026-11-30 04:00"):
        assert manifest.choose([*SNAPSHOTS, before], wanted)["id"] == "bbbb3333"
    assert manifest.choose([*SNAPSHOTS, before], "cccc")["id"] == "cccc4444"
    with pytest.raises(Problem, match="'latest', and each snapshot was made before a restore"):
        manifest.choose([before], "latest")


class Listed(repository.Repository):
    """A repository with these snapshots."""

    def exists(self) -> bool:
        return True

    def snapshots(self, _name: str = "") -> list[dict[str, t.Any]]:
        return SNAPSHOTS


@pytest.mark.parametrize(
    ("wanted", "confirm", "begun", "found"),
    [
        ("latest", "", "", "bbbb3333"),
        ("latest", "", "aaaa1111", "aaaa1111"),
        ("", "hub", "aaaa1111", "aaaa1111"),
        ("aaaa1", "hub", "aaaa1111", "aaaa1111"),
        ("2026-11-28", "hub", "aaaa1111", "aaaa1111"),
        (
            "2026-11-30",
            "hub",
            "aaaa1111",
            "restore of the backup aaaa1111 of .* was broken off: leave it out",
        ),
        (
            "bbbb",
            "",
            "aaaa1111",
            "give -e restore_snapshot=bbbb3333 -e restore_confirm=hub for the other one",
        ),
        ("bbbb", "hub", "aaaa1111", "bbbb3333"),
        # It is not in the repository any more.
        ("latest", "", "dddd5555", "bbbb3333"),
    ],
)
def test_a_restore_that_was_broken_off_is_finished(
    settings: Settings, wanted: str, confirm: str, begun: str, found: str
) -> None:
    mark = {"snapshot": begun} if begun else {}
    expected = pytest.raises(Problem, match=found) if " " in found else contextlib.nullcontext()
    with expected:
        assert restore.chosen(settings, Listed(settings), wanted, "", confirm, mark)["id"] == found


@pytest.mark.parametrize(
    ("listed", "lacks"),
    [
        ({"/manifest.json": 2, "/database/hub.sqlite": 3}, ""),
        ({"/database/hub.sqlite": 3}, "/manifest.json"),
        ({"/manifest.json": 2}, "/database/hub.sqlite"),
        ({"/manifest.json": 2, "/database/hub.sqlite": 0}, "/database/hub.sqlite"),
    ],
)
def test_a_snapshot_without_what_a_restore_needs_is_no_good_one(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: dict[str, int], lacks: str
) -> None:
    (tmp_path / "database").mkdir()
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "database" / "hub.sqlite").write_text("abc")
    said = "".join(
        f"{json.dumps({'type': 'file', 'path': path, 'size': size})}\n" for path, size in listed.items()
    )
    made = repository.Repository(settings)
    monkeypatch.setattr(made, "run", lambda *_words, **_more: said)
    expected = pytest.raises(Problem, match=f"does not have {lacks}") if lacks else contextlib.nullcontext()
    with expected:
        run.check_snapshot(made, "abcd", tmp_path, print)


def test_homes_belong_to_users_of_today() -> None:
    labels = {"galilean.hub.user": "ada", "galilean.hub.instance": "hub", "galilean.hub.role": "home"}
    renamed = manifest.volume({"Name": "hub-home-ada", "Labels": labels}, {"lovelace": "ada"}, (77000, 77000))
    other = manifest.volume(
        {"Name": "hub-home-x", "Labels": {**labels, "galilean.hub.user": "ada/2"}}, {}, (1, 1)
    )
    assert (renamed["user"], other["user"]) == ("lovelace", "ada")
    found = {"volumes": [renamed, other]}
    assert manifest.volumes_of(found, "lovelace") == [renamed]
    with pytest.raises(Problem, match="it has those of ada, lovelace"):
        manifest.volumes_of(found, "eve")
    assert manifest.conflicts(found, "hub", {"hub-home-ada": labels, "other": {}}) == []
    assert manifest.conflicts(found, "hub", {"hub-home-ada": {}}) == ["hub-home-ada"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no manifest"),
        ('{"format": 99, "version": "9.0"}', "made by version 9.0 of galilean.hub, which is newer"),
    ],
)
def test_a_manifest_that_cannot_be_used(text: str, said: str) -> None:
    with pytest.raises(Problem, match=said):
        manifest.parse(text)


GOOD = {
    "time": state.stamp(NOW - 3600),
    "seconds": 5.5,
    "files": 10,
    "bytes": 5_000_000,
    "added": 7,
    "homes": 2,
    "unread": 0,
}


@pytest.mark.parametrize(
    ("remembered", "problem", "notice"),
    [
        ({}, "", ""),
        ({"since": state.stamp(NOW - 3600)}, "", ""),
        ({"since": state.stamp(NOW - 40 * 3600)}, "There is no backup yet, 40 hours ago", ""),
        ({"good": GOOD, "ok": True, "ended": state.stamp(NOW)}, "", ""),
        ({"good": {**GOOD, "time": state.stamp(NOW - 37 * 3600)}, "ok": True}, "look at its timer", ""),
        (
            {
                "good": {**GOOD, "time": state.stamp(NOW - 37 * 3600)},
                "ok": False,
                "message": "It is full.",
                "ended": state.stamp(NOW),
            },
            "The last one failed: It is full.",
            "The last backup failed",
        ),
        ({"good": GOOD, "ok": False, "message": "It is full.", "ended": state.stamp(NOW)}, "", "It is full."),
        (
            {"good": GOOD, "ok": True, "began": state.stamp(NOW), "ended": state.stamp(NOW - 9)},
            "",
            "was killed",
        ),
        ({"good": GOOD, "ok": True, "hint": "same disk"}, "", "same disk"),
        ({"good": GOOD, "check": {"time": GOOD["time"], "ok": True, "message": ""}}, "", ""),
        ({"good": GOOD, "check": {"time": "x", "ok": False, "message": "It is."}}, "failed (x): It is.", ""),
    ],
)
def test_how_the_backups_go(
    settings: Settings, remembered: dict[str, t.Any], problem: str, notice: str
) -> None:
    assert problem in state.problem(settings, remembered, NOW)
    assert bool(problem) == bool(state.problem(settings, remembered, NOW))
    assert notice in state.notice(remembered, running=False)
    assert bool(notice) == bool(state.notice(remembered, running=False))
    assert "runs since" in state.notice(remembered, running=True)


def test_metrics(settings: Settings) -> None:
    settings = dataclasses.replace(settings, metrics_file=str(settings.home / "exporter" / "hub.prom"))
    state.keep(settings, {"since": GOOD["time"], "good": GOOD, "ok": False, "ended": state.stamp(NOW)})
    text = (settings.home / "exporter" / "hub.prom").read_text()
    assert text == (settings.home / "backup.prom").read_text()
    assert 'galilean_hub_backup_ok{instance_name="hub"} 0\n' in text
    assert 'galilean_hub_backup_success_timestamp_seconds{instance_name="hub"} 1799996400\n' in text
    assert 'galilean_hub_backup_duration_seconds{instance_name="hub"} 5.5\n' in text
    assert state.remembered(settings)["good"] == GOOD


def test_a_check_is_in_the_metrics(settings: Settings) -> None:
    name = 'galilean_hub_backup_check_ok{instance_name="hub"}'
    assert name not in state.metrics(settings, {})
    for good in (True, False):
        text = state.metrics(settings, {"check": {"time": GOOD["time"], "ok": good, "message": ""}})
        assert f"{name} {int(good)}\n" in text


@pytest.mark.parametrize(
    ("said", "damaged"),
    [
        ("error: tree 12: not found\nFatal: repository contains errors", True),
        ("Load(<data/1>): connection refused\nFatal: repository contains errors", False),
        ("unable to create lock in backend: repository is already locked by PID 7", False),
        ("Fatal: wrong password or no key found", False),
    ],
)
def test_what_a_check_says(said: str, damaged: bool) -> None:
    assert ("backup.example.org/hub is damaged" in complaint.of_check(said, WHERE)) is damaged


def test_metrics_that_cannot_be_written_stop_no_backup(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_backup", lambda *_words: (GOOD, "same disk"))
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file" / "hub.prom"):
        wrong = dataclasses.replace(settings, metrics_file=str(place))
        found = run.backup(wrong, print)
        assert found["ok"]
        assert found["hint"].startswith(f"same disk backup_metrics_file is {place}, which cannot be written")
        assert state.remembered(settings) == found
        with pytest.raises(Problem, match="give the path of a file in a folder that root can write"):
            run.prepare(wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Problem("It is full."), "It is full."),
        (FileNotFoundError(2, "No such file", "/x"), "FileNotFoundError: "),
        (sqlite3.DatabaseError("malformed"), "DatabaseError: malformed"),
        (KeyError("x"), "The backup could not be made (KeyError: 'x')"),
    ],
)
def test_whatever_ends_a_backup_is_a_failure(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, wrong: Exception, said: str
) -> None:
    def fail(*_words: t.Any) -> t.NoReturn:
        raise wrong

    monkeypatch.setattr(run, "_backup", fail)
    state.keep(settings, {"ok": True, "good": GOOD})
    with pytest.raises(Problem) as caught:
        run.backup(settings, print)
    found = state.remembered(settings)
    assert (found["ok"], found["good"], found["message"]) == (False, GOOD, str(caught.value))
    assert said in found["message"]


def test_a_home_that_goes_away_is_skipped(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings = iter(["a b", "a", "a"])

    def docker(_settings: Settings, *words: str) -> str:
        if words[:2] == ("volume", "ls"):
            return next(listings)
        if "b" in words:
            raise Problem("no such volume: b")
        return json.dumps([{"Name": name, "Driver": "local", "Mountpoint": "/v"} for name in words[2:]])

    monkeypatch.setattr(engine, "docker", docker)
    assert [one["Name"] for one in engine.homes(settings)] == ["a"]
    monkeypatch.setattr(engine, "containers", lambda _settings: [])
    homes = [{"Name": "here", "Mountpoint": str(tmp_path)}, {"Name": "gone", "Mountpoint": "/nowhere"}]
    assert [one["name"] for one in run.describe(settings, homes, [])["volumes"]] == ["here"]


@pytest.mark.parametrize(
    ("item", "error", "during", "counted"),
    [
        ("homes/v/gone", {"Op": "lstat", "Err": 2}, "archival", (1, 0)),
        ("homes/v/there", {"Op": "open", "Err": 2}, "archival", (1, 0)),
        ("homes/v/gone", {}, "archival", (1, 0)),
        ("homes/v/there", {"message": "open there: no such file or directory"}, "archival", (1, 0)),
        ("homes/v/there", {"Op": "read", "Err": 5}, "archival", (0, 1)),
        ("homes/v/there", {"message": "read there: input/output error"}, "archival", (0, 1)),
        ("homes/v", {}, "archival", (0, 1)),
        ("homes/v/no such file", {"message": "read no such file: input/output error"}, "archival", (0, 1)),
        ("homes/v/there", {"Op": "read", "Err": 5}, "scan", (0, 0)),
    ],
)
def test_what_could_not_be_read(
    tmp_path: Path, item: str, error: dict[str, t.Any], during: str, counted: tuple[int, int]
) -> None:
    (tmp_path / "there").touch()
    (tmp_path / "no such file").touch()
    unread = run.Unread(Path("/data/root"), [tree.Part("state", "/s"), tree.Part("homes/v", str(tmp_path))])
    unread("Warning: no json")
    unread(
        json.dumps({"message_type": "error", "error": error, "during": during, "item": f"/data/root/{item}"})
    )
    assert (unread.gone, unread.failed) == counted
    assert unread.first.startswith(str(tmp_path)) is bool(counted[1])


def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    source = tmp_path / "hub.sqlite"
    with contextlib.closing(sqlite3.connect(source)) as made:
        made.execute("CREATE TABLE users (name TEXT)")
        made.executemany("INSERT INTO users VALUES (?)", [("x" * 500,)] * 200)
        made.commit()
    database.copy(source, tmp_path / "copy.sqlite")
    assert database.fault(tmp_path / "copy.sqlite") == ""
    assert database.schema(tmp_path / "copy.sqlite") == ""
    (tmp_path / "link.sqlite").symlink_to(source)
    with pytest.raises(Problem, match="is no plain file"):
        database.copy(tmp_path / "link.sqlite", tmp_path / "other.sqlite")
    with source.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 20000)
    with pytest.raises(Problem, match="is damaged"):
        database.copy(source, tmp_path / "copy.sqlite")


def test_words_for_who_waits(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    line = run.Progress(told.append, settings)
    line('{"message_type":"status","percent_done":0.5,"total_files":10,"total_bytes":2048}')
    assert told == []
    monkeypatch.setattr(run.Progress, "OFTEN", -1)
    line('{"message_type":"status","percent_done":0.5,"total_files":10,"total_bytes":2048}')
    line("no json")
    line('{"message_type":"summary","snapshot_id":"abcd"}')
    assert told == ["50 % of 10 files, 2.0 KiB"]
    assert line.summary["snapshot_id"] == "abcd"


@pytest.mark.parametrize(
    ("full", "seconds", "sentence"),
    [
        (True, 90, r"has no room left"),
        (True, 30, ""),
        (False, 90, ""),
        (False, 4000, r"takes no more of the backup: look whether it has room left"),
    ],
)
def test_a_restic_that_waits_for_ever_is_ended(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, full: bool, seconds: float, sentence: str
) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr(run, "is_full", lambda _settings: full)
    line = run.Progress(lambda _text: None, settings)
    status = '{"message_type":"status","files_done":1,"bytes_done":%d}'
    for done in range(10):
        # As long as something is done, it may take as long as it likes.
        line(status % done)
        now[0] += 59
    line(status % 10)
    now[0] += seconds
    with pytest.raises(Problem, match=sentence) if sentence else contextlib.nullcontext():
        line(status % 10)


def test_one_at_a_time(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with alone(settings):
        assert main(["--folder", settings.folder, "run"]) == BUSY
    assert "runs already" in capsys.readouterr().err
    assert not state.is_running(settings)


def test_a_disk_that_is_not_mounted_is_no_empty_one(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="there is no folder /nowhere on this host"):
        run.check_folder(dataclasses.replace(settings, repository="/nowhere/hub"))
    run.check_folder(dataclasses.replace(settings, repository=f"local:{tmp_path}/hub"))
    run.check_folder(dataclasses.replace(settings, repository="s3:https://h/x"))


def test_settings_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"run the role galilean\.hub\.backup again"):
        load(str(tmp_path))


class Busy(repository.Repository):
    """A repository that others work in for a while."""

    def __init__(self, settings: Settings, times: int) -> None:
        super().__init__(settings)
        self.left, self.unlocked = times, 0

    def call(self, *words: str, **_more: t.Any) -> tuple[int, str, str]:
        if words == ("unlock",):
            self.unlocked += 1
            return 0, "", ""
        self.left -= 1
        return (1, "", "repository is already locked by PID 7") if self.left >= 0 else (0, "done", "")


@pytest.mark.parametrize(("times", "told"), [(0, 0), (1, 0), (5, 1)])
def test_others_in_the_repository_are_waited_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, times: int, told: int
) -> None:
    monkeypatch.setattr(repository, "STEP", 0)
    said: list[str] = []
    busy = Busy(settings, times)
    assert busy.run("forget", say=said.append) == "done"
    assert (busy.unlocked, len(said)) == (times, told)
    monkeypatch.setattr(repository, "PATIENCE", -1)
    with pytest.raises(Problem, match="Another machine works in /mnt/backup/hub"):
        Busy(settings, 9).run("forget", say=said.append)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:01Z", 10**9),
        ("2009-02-13T23:31:30.123456789Z", 1234567890123456789),
        ("2009-02-14T00:31:30.5+01:00", 1234567890500000000),
        ("2009-02-13T18:31:30.000000007-05:00", 1234567890000000007),
        ("1969-12-31T23:59:59.25Z", -750000000),
    ],
)
def test_times_of_restic(text: str, nanoseconds: int) -> None:
    assert drill.nanoseconds(text) == nanoseconds


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"size": 4}, "size is 3 and not 4"),
        ({"mode": 0o640 | 1 << 22}, "mode is "),
        ({"uid": 12345}, "owner is "),
        ({"mtime": "2009-02-13T23:31:31Z"}, "time is "),
        ({"type": "dir"}, "kind is "),
        ({"type": "socket"}, ""),
    ],
)
def test_a_file_that_is_not_as_in_the_snapshot(tmp_path: Path, changed: dict[str, t.Any], said: str) -> None:
    path = tmp_path / "x"
    path.write_text("abc")
    path.chmod(0o640)
    os.utime(path, ns=(0, 1234567890000000000))
    node = {"type": "file", "mode": 0o640, "uid": os.geteuid(), "gid": os.getegid(), "size": 3}
    node = {**node, "mtime": "2009-02-13T23:31:30Z", **changed}
    told = drill.difference(node, path)
    assert told.startswith(said)
    assert bool(told) == bool(said)
    assert drill.difference(node, tmp_path / "y") == ("" if node["type"] == "socket" else "is missing")


def test_the_room_for_a_drill_is_looked_at_first(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drill.engine, "docker", lambda *_words: f"{tmp_path}\n")
    scratch = dataclasses.replace(settings, state_dir=str(tmp_path / "hub-drill"))
    drill.check_room(scratch, {"state": 1, "homes": 1})
    with pytest.raises(Problem, match="make room, or take a few homes with -e backup_drill_homes=3"):
        drill.check_room(scratch, {"state": 1, "homes": 1 << 60})


@pytest.mark.parametrize(
    ("found", "days", "said"),
    [
        ({}, 0, ""),
        ({}, 10, "There was no drill since backups began, "),
        ({"ok": True, "good": {"time": "2027-01-14T08:00:00Z"}}, 10, ""),
        ({"ok": True, "good": {"time": "2026-12-01T08:00:00Z"}}, 10, "The last good drill was 45 days ago"),
        ({"ok": False, "ended": "x", "message": "Why."}, 0, "The last drill failed (x): Why."),
    ],
)
def test_how_the_drills_go(settings: Settings, found: dict[str, t.Any], days: int, said: str) -> None:
    settings = dataclasses.replace(settings, drill_max_age=days)
    told = state.drill_notice(settings, found, {"since": "2026-01-01T00:00:00Z"}, NOW)
    assert told.startswith(said)
    assert bool(told) == bool(said)


def test_entries_of_a_move_tell_every_difference(settings: Settings, tmp_path: Path) -> None:
    """Two hosts are compared by these."""
    found = dataclasses.replace(settings, state_dir="/srv/hub", hub_dir="/srv/hub/hub")

    def seen(wanted: t.Collection[str] = ()) -> dict[str, list[t.Any]]:
        part = tree.Part("state", str(tmp_path / "state"))
        return dict(move.entries(found, [part, tree.Part("homes/gone", "/nowhere")], wanted))

    for name in (
        "log/x",
        "backup/secret",
        "hub/jupyterhub.sqlite",
        "hub/jupyterhub.sqlite-wal",
        "hub/homes.json",
    ):
        (tmp_path / "state" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "state" / name).write_text("one")
    before = seen(["state/hub/homes.json"])
    assert sorted(before) == ["state", "state/hub", "state/hub/homes.json"]
    path = tmp_path / "state" / "hub" / "homes.json"
    moment = path.stat().st_mtime_ns
    path.write_text("two")
    os.utime(path, ns=(moment, moment))
    assert seen(["state/hub/homes.json"]) != before
    assert seen() == {**before, "state/hub/homes.json": [*before["state/hub/homes.json"][:-1], ""]}
    path.chmod(0o711)
    assert seen()["state/hub/homes.json"][0] != before["state/hub/homes.json"][0]
