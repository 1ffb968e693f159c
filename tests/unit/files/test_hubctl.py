# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The commands of operators: what is made of what is typed and seen. The real hub is in test_site.py."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import gzip
import json
import os
import pty
import re
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from galilean_hubctl import __main__, announce, drain, engine, logs, operations, status, users, words
from galilean_hubctl.settings import Problem, Settings, load
from markupsafe import escape

NOW = datetime.datetime(2026, 11, 30, 17, 0).timestamp()
HOUR = 3600


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    parts = ("broker", "disk", "hub", "proxy", "edge")
    folders = ("state", "config", "secrets", "edge", "disk", "log", "bin")
    values = {
        "instance": "hub",
        "version": "1",
        "url": "https://hub.example.org/",
        "direct_url": "http://127.0.0.1:1",
        "docker": ["docker"],
        "start_command": "systemctl start hub",
        "containers": {part: {"name": f"hub-{part}", "image": "new", "state": ""} for part in parts},
        "announcement": "Welcome",
        "tls": False,
        "check": {},
        **{f"{folder}_dir": str(tmp_path / folder) for folder in folders},
    }
    for folder in ("config/web", "edge"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "config/web/look.json").write_text('{"announcement": "Welcome", "links": [], "title": "Hub"}')
    (tmp_path / "settings.json").write_text(json.dumps(values))
    return load(str(tmp_path))


def call(settings: Settings, *argv: str) -> dict[str, t.Any]:
    given = __main__.parsed(["--folder", settings.folder, *argv])
    return dict(given.module.run(settings, given))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("18:30", 1.5 * HOUR),
        # The next time that it comes.
        ("16:30", 23.5 * HOUR),
        ("30m", 0.5 * HOUR),
        ("+2h", 2 * HOUR),
        ("1d", 24 * HOUR),
        ("2026-12-01 17:00", 24 * HOUR),
        ("2026-12-01T17:00:05", 24 * HOUR + 5),
    ],
)
def test_times(text: str, seconds: float) -> None:
    assert words.moment(text, NOW) == NOW + seconds


@pytest.mark.parametrize(
    ("text", "said"),
    [("soon", "The time is 'soon': give 18:30,"), ("25:00", "give 18:30"), ("2026-11-30 16:59", "is over")],
)
def test_times_that_are_none(text: str, said: str) -> None:
    with pytest.raises(Problem, match=re.escape(said)):
        words.moment(text, NOW)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-30T10:00:00Z", 1796032800),
        ("2026-11-30T10:00:00.123456789Z", 1796032800),
        ("2026-11-30T11:00:00+01:00", 1796032800),
        ("2026-11-30T10:00:00", 1796032800),
        ("never", 0),
        ("", 0),
    ],
)
def test_moments_of_docker_and_jupyterhub(text: str, seconds: int) -> None:
    assert words.seconds_of(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "said"), [(5, "now"), (90, "1 minute ago"), (7300, "2 hours ago"), (86400 * 3, "3 days ago")]
)
def test_ages(seconds: int, said: str) -> None:
    assert words.ago(seconds) == said


@pytest.mark.parametrize(
    ("amount", "said"),
    [(12, "12 B"), (1536, "1.5 KiB"), (64 * 2**20, "64 MiB"), (3 * 2**40, "3.0 TiB")],
)
def test_sizes(amount: int, said: str) -> None:
    assert words.size(amount) == said


UNTIL = "No new servers are started until it is over"


@pytest.mark.parametrize(
    ("why", "at", "stop", "said"),
    [
        ("", False, False, f"Maintenance of this hub. {UNTIL}, running ones go on."),
        ("New disks.", False, False, f"New disks. {UNTIL}, running ones go on."),
        ("", True, False, f"Maintenance begins on AT. {UNTIL}, running ones go on."),
        ("New disks.", True, False, "New disks. It begins on AT. No new servers"),
        ("", True, True, f"All servers are stopped on AT: save your work before. {UNTIL}."),
    ],
)
def test_what_users_of_a_drained_hub_read(why: str, at: bool, stop: bool, said: str) -> None:
    assert said.replace("AT", words.shown(NOW)) in drain.message(why, NOW if at else None, stop)


def test_announcements_and_drains_are_beside_each_other(settings: Settings) -> None:
    """As the role makes the files: site.yml finds nothing to change."""

    def shown() -> tuple[t.Any, str]:
        look = json.loads(Path(settings.config_dir, "web/look.json").read_text())
        return look, Path(settings.edge_dir, "announcement.html").read_text()

    hello = 'Ben\'s <b>"party"</b> & more'
    assert call(settings, "announce", *hello.split())["shown"] == hello
    assert shown() == (
        {"announcement": hello, "links": [], "title": "Hub"},
        f'<p class="announcement">{escape(hello)}</p>',
    )
    told = call(settings, "drain", "--at", "1h", "--stop")["drain"]
    assert 0 <= told["at"] - time.time() - HOUR + 2 < 5
    look, _ = shown()
    assert look["drain"] == {"at": told["at"], "stop": True}
    assert look["announcement"] == f"{told['message']} {hello}"
    assert call(settings, "announce", "--clear")["shown"] == f"{told['message']} Welcome"
    assert call(settings, "undrain")["ended"] == told
    assert call(settings, "undrain")["ended"] is None
    assert shown()[0] == {"announcement": "Welcome", "links": [], "title": "Hub"}


def test_an_announcement_for_now_gives_way_to_the_one_before(settings: Settings) -> None:
    def shown() -> tuple[str, bool]:
        look = json.loads(Path(settings.config_dir, operations.LOOK).read_text())
        return look["announcement"], "announcement" in operations.read(settings)

    # Nothing was announced before: not even an empty one is left.
    call(settings, "announce", "--for-now", "It moves at 12:00.")
    assert shown() == ("It moves at 12:00.", True)
    call(settings, "announce", "--back")
    assert shown() == ("Welcome", False)
    call(settings, "announce", "Our own")
    before = operations.read(settings)
    for text in ("It moves at 12:00.", "It moves at 13:00."):
        call(settings, "announce", "--for-now", text)
        assert shown() == (text, True)
    for _ in range(2):
        # One that was not made for now stays.
        assert call(settings, "announce", "--back")["shown"] == "Our own"
        assert operations.read(settings) == before
    call(settings, "announce", "--for-now", "It moves.")
    call(settings, "announce", "--clear")
    assert shown() == ("Welcome", False)


def test_nothing_is_started_where_the_hub_has_left(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    asked: list[list[str]] = []

    def engine(argv: list[str], **_more: t.Any) -> tuple[int, str, str]:
        asked.append(argv)
        return 0, "", ""

    monkeypatch.setattr("galilean_hubctl.engine.run", engine)
    Path(settings.state_dir, "audit").mkdir(parents=True)
    Path(settings.state_dir, "moved").write_text('{"to": "new-host", "time": "2026-11-30T12:00:00Z"}')
    for argv in (
        ["restart", "all"],
        ["status"],
        ["check"],
        ["announce", "x"],
        ["undrain"],
        ["restore", "--user", "ada"],
    ):
        assert __main__.main(["--folder", settings.folder, *argv]) == 1
        assert "has moved from this host to new-host (2026-11-30T12:00:00Z)" in capsys.readouterr().err
    assert not asked
    # What there was is still told.
    assert __main__.main(["--folder", settings.folder, "who", "--json"]) == 0


def test_a_notice_of_the_settings_stays(settings: Settings) -> None:
    noted = dataclasses.replace(settings, notice="It is recorded.")
    assert call(noted, "announce", "Hello")["shown"] == "Hello It is recorded."
    assert call(noted, "announce", "--clear")["shown"] == "Welcome It is recorded."


@pytest.mark.parametrize("text", [" ", "a\x00b", "x" * 1001])
def test_texts_that_pages_cannot_show(text: str) -> None:
    with pytest.raises(Problem, match="give 1 to 1000 letters"):
        operations.sentence(text)


def test_a_drain_in_a_hurry_is_warned_of(settings: Settings) -> None:
    assert "every five minutes" in call(settings, "drain", "--stop", "--at", "3m")["notice"]
    found = call(settings, "drain", "--stop")
    assert found["notice"] == ""
    assert 590 < found["drain"]["at"] - time.time() < 610
    assert any("Servers that run are stopped on" in line for line in drain.words(found))


@pytest.mark.parametrize(
    ("line", "what", "user"),
    [
        ("2026-11-30T11:04:46.1Z [I 2026 JupyterHub base:1001] User logged in: ada", "login", "ada"),
        ("2026-11-30T11:04:46.1Z [I 2026 JupyterHub login:54] User logged out: ada b", "logout", "ada b"),
        ("2026-11-30T11:04:46.1Z [W 2026 JupyterHub base:976] Failed login for eve", "failed", "eve"),
    ],
)
def test_logins(line: str, what: str, user: str) -> None:
    assert logs.login(line) == {"time": "2026-11-30T11:04:46.1Z", "what": what, "user": user}
    assert logs.login("2026 [I JupyterHub] 200 GET /hub/home (ada@1)") is None


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-30T11:04:46.1Z     [I 2026 JupyterHub base:1033] User logged in: boss",
        "2026-11-30T11:04:46.1Z [W 2026 JupyterHub web:1] 403 [I 2026 JupyterHub] User logged in: boss",
        "2026-11-30T11:04:46.1Z [W 2026 JupyterHub web:1] 403 GET /hub/x User logged in: boss",
        "[I 2026 JupyterHub base:1] User logged in: boss",
        "2026-11-30T11:04:46.1Z x\r2026-11-30T11:04:46.1Z [I 2026 JupyterHub base:1033] User logged in: boss",
    ],
)
def test_nobody_forges_a_login(settings: Settings, line: str, tmp_path: Path) -> None:
    """Before: wherever the words stood in a line, or after a sign that Python takes for the end of one."""
    log = tmp_path / "docker.log"
    log.write_bytes(
        f"{line}\n2026-11-30T11:04:46.1Z [I 2026 JupyterHub base:1033] User logged in: ada\n".encode()
    )
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\ncat {log} >&2\n")
    docker.chmod(0o755)
    (tmp_path / "log").mkdir(exist_ok=True)
    with gzip.open(tmp_path / "log" / "hub-hub-20261130T100000Z.log.gz", "wb") as stream:
        stream.write(log.read_bytes())
    found = call(dataclasses.replace(settings, docker=[str(docker)]), "logs", "--logins")
    assert {one["user"] for one in found["logins"]} == {"ada"}
    assert len(found["logins"]) == 2


@pytest.mark.parametrize("part", ["hub", "--user=ada"])
def test_terminals_obey_nothing_of_a_log(settings: Settings, tmp_path: Path, part: str) -> None:
    """Before: what users' servers and strangers had written went to root's terminal as it was."""
    docker = tmp_path / "docker"
    docker.write_text(
        '#!/bin/sh\ncase $1 in\nps) printf "c\\tada\\tx\\t\\nd\\tada\\tx\\tgpu\\n" ;;\n'
        '*) printf "out \\033]0;x\\007\\033[31mred\\033c\\rz\\n"\n'
        'printf "\\342\\200\\256err\\n" >&2; exit 3 ;;\nesac\n'
    )
    docker.chmod(0o755)
    (tmp_path / "log").mkdir(exist_ok=True)
    with gzip.open(tmp_path / "log" / "hub-hub-20261130T100000Z.log.gz", "wb") as stream:
        stream.write(b"old\x1b[2J\n")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import dataclasses; from galilean_hubctl import __main__, logs\n"
        "from galilean_hubctl.settings import load\n"
        "given = __main__.parsed(['--folder', sys.argv[2], 'logs', sys.argv[4]])\n"
        "logs.run(dataclasses.replace(load(sys.argv[2]), docker=[sys.argv[3]]), given)\n"
    )
    package = str(Path(logs.__file__).parents[1])
    argv = [sys.executable, "-c", code, package, settings.folder, str(docker), part]
    ours, theirs = pty.openpty()
    with subprocess.Popen(argv, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):
            while piece := os.read(ours, 4096):
                shown += piece
    os.close(ours)
    assert process.returncode == 3
    lines = shown.decode().split("\r\n")
    former = [] if "ada" in part else ["old"]
    assert sorted(lines) == sorted([*former, "out red\\x1bc\\rz", "\\u202eerr", ""])
    # Elsewhere it is as it was.
    plain = subprocess.run(argv, capture_output=True, check=False)
    assert plain.returncode == 3
    assert b"\x1b]0;x\x07" in plain.stdout


def test_names_that_end_no_line(settings: Settings, tmp_path: Path) -> None:
    """Before: hubctl status ended in a KeyError while the server of such a user ran."""
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\nprintf "a\\tada\\342\\200\\250x\\ts\\t\\nb\\tbob\\ry\\ts\\tgpu\\n"\n')
    docker.chmod(0o755)
    found = engine.servers(dataclasses.replace(settings, docker=[str(docker)]))
    assert [(one["user"], one["server"]) for one in found] == [("ada\u2028x", ""), ("bob\ry", "gpu")]


def test_a_server_is_chosen_by_its_name(settings: Settings, tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\nprintf "a\\tada\\ts\\t\\nb\\tada\\ts\\tgpu\\n"\n')
    docker.chmod(0o755)
    given = __main__.parsed(["--folder", settings.folder, "logs", "--user=ada", "--server=spark"])
    with pytest.raises(
        Problem, match=r"No server 'spark' of 'ada' runs, but other servers do: gpu, the default one\."
    ):
        logs.run(dataclasses.replace(settings, docker=[str(docker)]), given)


GOOD: dict[str, t.Any] = {
    "containers": {"hub": {"state": "running", "health": "healthy", "differs": []}},
    "unknown": [],
    "disk": {"stale": False, "free": 9, "reserve": 4, "full": []},
    "certificate": {"problem": ""},
    "backup": {"problem": "", "notice": ""},
    "check": {"ok": True, "time": "T"},
    "drain": None,
    "outdated": "",
    "unfinished": {"switch": None, "restore": None},
}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, []),
        (
            {"containers": {"hub": {"state": "missing", "health": "", "differs": []}}},
            ["The container of the hub is missing: run site.yml again."],
        ),
        (
            {"containers": {"hub": {"state": "exited", "health": "", "differs": []}}},
            ["The container of the hub is exited: start it with X."],
        ),
        (
            {
                "containers": {
                    "hub": {"state": "running", "health": "unhealthy", "differs": ["image", "name"]}
                }
            },
            [
                "The container of the hub does not answer: see hubctl logs hub.",
                "The container of the hub has other image and name than were deployed: run site.yml again.",
            ],
        ),
        ({"unknown": ["The hub does not answer."]}, ["The hub does not answer."]),
        (
            {"disk": {"stale": True, "free": 1, "reserve": 4}},
            ["The container that looks after the disk has measured nothing for long: see hubctl logs disk."],
        ),
        (
            {"disk": {"stale": False, "free": 1, "reserve": 4}},
            [
                "The disk has 1 B left, less than the reserve of 4 B, so no server starts: make room "
                "(playbooks/disk.yml shows who has what), or enlarge it."
            ],
        ),
        (
            {"certificate": {"problem": "It ends."}, "backup": {"problem": "It is old."}},
            ["It ends.", "It is old."],
        ),
        ({"certificate": None, "backup": None, "check": None, "disk": None}, []),
        (
            {"check": {"ok": False, "time": "T", "message": "No kernel."}},
            ["The last check, at T, failed: No kernel."],
        ),
        (
            {"drain": {"by": "ops", "since": "T", "at": NOW, "stop": True}},
            [
                "The hub is drained by ops since T: no servers are started until hubctl undrain, and servers "
                f"are stopped on {words.shown(NOW)}."
            ],
        ),
    ],
)
def test_what_needs_somebody(facts: dict[str, t.Any], said: list[str]) -> None:
    assert status.attention({**GOOD, **facts}, "X") == said


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, ""),
        ({"outdated": "1 of 2 servers are old."}, "1 of 2 servers"),
        ({"backup": None}, "There are no backups: set backup_repository"),
        ({"backup": {"problem": "", "notice": "A backup runs."}}, "A backup runs."),
        ({"check": None}, "No check has run yet: hubctl check."),
        (
            {"disk": {"full": [{"home": "hub-home-ada", "bytes": 2048, "limit": 1024}]}},
            "1 homes or shared folders have reached their limit: hub-home-ada 2.0 KiB of 1.0 KiB",
        ),
    ],
)
def test_what_is_good_to_know(facts: dict[str, t.Any], said: str) -> None:
    found = status.notices({**GOOD, **facts})
    assert len(found) == bool(said)
    assert said in "".join(found)


def test_the_release_that_runs_is_told(settings: Settings) -> None:
    assert status.release(settings) is None
    releases = Path(settings.state_dir, "releases")
    for name in ("a", "b"):
        (releases / name).mkdir(parents=True)
        (releases / name / "record.json").write_text(json.dumps({"name": name}))
    # After a rollback it is not the newest.
    (releases / "current").symlink_to("a")
    assert (status.release(settings) or {})["name"] == "a"


def test_what_has_not_ended_is_told(settings: Settings) -> None:
    nothing = {"switch": None, "restore": None}
    assert status.unfinished(settings) == nothing
    state = Path(settings.state_dir)
    for name, text in (
        ("releases/.former/release", "a"),
        ("releases/.run", "ops at desk, process 1\n"),
        ("backup/restoring.json", '{"began": "2026-11-30T10:00:00Z"}'),
    ):
        path = state / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    os.utime(state / "releases/.former/release", (1796032800, 1796032800))
    found = status.unfinished(settings)
    stopped = {**GOOD, "containers": {"hub": {"state": "exited", "health": "", "differs": []}}}
    said = status.attention({**stopped, "unfinished": {**nothing, "switch": found["switch"]}}, "X")
    assert said == [
        "A switch to another release, begun at 2026-11-30T10:00:00Z by ops at desk, process 1, has "
        "not ended: wait for its run, or run site.yml again where there is none.",
        "The container of the hub is exited: start it with X.",
    ]
    # Nobody shall start what is only a part.
    (one,) = status.attention({**stopped, "unfinished": {**nothing, "restore": found["restore"]}}, "X")
    assert one.startswith(
        "A restore, begun at 2026-11-30T10:00:00Z, has not ended, and the data is not whole"
    )


def test_users_as_a_table() -> None:
    model = {
        "name": "ada",
        "admin": True,
        "groups": ["staff", "astro"],
        "last_activity": "2026-11-30T10:00:00.5Z",
        "servers": {"": {"name": "", "ready": True}, "gpu": {"name": "gpu", "pending": "spawn"}},
    }
    lines = users.words({"users": [users.row(model), users.row({"name": "b"})]})
    assert lines[0].split() == ["NAME", "ADMIN", "GROUPS", "LAST", "ACTIVITY", "SERVERS"]
    assert lines[1].startswith("ada   yes    astro staff")
    assert lines[1].endswith("default gpu (spawn)")
    assert lines[2].split() == ["b", "never"]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["announce", "x", "--clear"], "There is a text, and --clear: give one of them."),
        (["announce", "--clear", "--back"], "There is --clear, and --back: give one of them."),
        (["announce", "a\x00"], "The text is 'a\x00'"),
        (["drain", "--at", "soon"], "The time is 'soon'"),
        (["backup"], "The hub hub has no backups: set backup_repository"),
        (["restore", "--user", "ada"], "The hub hub has no backups"),
        (["users"], "cannot be read (No such file or directory): run site.yml again."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(settings: Settings, argv: list[str], said: str) -> None:
    with pytest.raises(Problem, match=re.escape(said)):
        call(settings, *argv)
    assert not Path(settings.config_dir, operations.FILE).exists()


def test_wrong_options_are_told(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call(settings, "status", "--loud")
    assert "status takes no --loud: see hubctl status --help" in capsys.readouterr().err
    # What is handed on keeps its options.
    assert __main__.parsed(["--folder", "x", "shell", "ls", "--help"]).words == ["ls", "--help"]


def test_answers_for_people_and_for_programs(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    main = __main__.main
    assert main(["--folder", settings.folder, "announce", "--json", "Hello"]) == 0
    assert json.loads(capsys.readouterr().out)["shown"] == "Hello"
    assert main(["--folder", settings.folder, "announce"]) == 0
    assert capsys.readouterr().out.startswith("Pages show: Hello\nAnnounced by ")
    assert main(["--folder", settings.folder, "drain", "--at", "x", "--json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out) == {"problem": said.err.strip()}
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert main(["--folder", settings.folder, "status"]) == 1
    assert capsys.readouterr().err == "hubctl needs root: call it with sudo.\n"
    assert announce.words({"shown": "", "announcement": None})[0] == "Pages show no announcement."
