# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The audit log: lines that are written, taken away, kept, and found again."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import threading
import time
import types
import typing as t
from datetime import datetime, timezone
from pathlib import Path

import pytest
from galilean_hub.audit import keeper, record
from galilean_hubctl import audit_events, who
from galilean_hubctl.settings import Problem, Settings

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)
NOON = NOW.timestamp()
DAY = 86400
AT = "2026-11-30T12:00:00.000Z"


def shown(one: dict[str, t.Any]) -> list[str]:
    return who.words({"events": [one], "found": 1, "names": []})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As the roles make it."""
    for name in keeper.SOURCES:
        (tmp_path / "audit" / name).mkdir(parents=True)
    return tmp_path / "audit"


def write(folder: Path, source: str, text: str | bytes) -> None:
    with (folder / source / "spool").open("ab") as stream:
        stream.write(text.encode() if isinstance(text, str) else text)


def kept(folder: Path) -> list[dict[str, t.Any]]:
    return [json.loads(line) for line in who.lines(who.files(folder))]


def tick(one: keeper.Keeper, folder: Path, now: float) -> None:
    """At a moment, which the file then is of, too: a file of another day than today is turned over."""
    one.tick(now)
    if (folder / "audit.jsonl").exists():
        os.utime(folder / "audit.jsonl", (now, now))


def take(folder: Path, now: float = NOON, days: int = 90, **bounds: int) -> list[dict[str, t.Any]]:
    """What is kept after all that is there was taken."""
    one = keeper.Keeper(folder, days, **bounds)
    tick(one, folder, now)
    tick(one, folder, now + 1)
    return kept(folder)


# -- what is written


@pytest.mark.parametrize(
    "name",
    [
        'ada\n{"time":"2026-11-30T12:00:00Z","action":"login","user":"root"}',
        "ada\r\nx",
        "ada\x00\x1b[2J",
        "ada\u2028x\u202e",
        'ada"}{"',
        "\udcff",
        "x" * 100_000,
    ],
)
def test_nothing_in_a_name_makes_another_line(folder: Path, name: str) -> None:
    spool = record.Spool(folder / "hub" / "spool")
    spool.write({"time": record.stamp(NOON), "action": "login", "actor": name, "user": ""})
    (event,) = take(folder)
    assert event == {
        "time": "2026-11-30T12:00:00.000Z",
        "action": "login",
        "actor": name[:500],
        "source": "hub",
    }
    assert (folder / "audit.jsonl").read_bytes().isascii()
    assert len("\n".join(shown(event)).splitlines()) == 2
    assert not re.search(r"[\x00-\x1f\u202e]", "".join(shown(event)))


def test_a_full_disk_stops_nobody_and_is_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    spool = record.Spool(Path("/dev/full"))
    for _ in range(3):
        spool.write({"time": record.stamp(), "action": "login"})
    assert spool.lost == 3
    assert len(caplog.records) == 1
    spool._path = folder / "edge" / "spool"
    spool.write({"time": record.stamp(), "action": "logout"})
    lost, event = [json.loads(line) for line in spool._path.read_text().splitlines()]
    assert lost["action"] == "audit.lost"
    assert lost["detail"].startswith("3 events since 20")
    assert event["action"] == "logout"
    assert spool.lost == 0


def test_a_line_that_was_cut_spoils_no_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool, whole = record.Spool(folder / "hub" / "spool"), os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda number, data: whole(number, data[:30]))
        spool.write({"time": record.stamp(NOON), "action": "login", "user": "ada"})
    spool.write({"time": record.stamp(NOON), "action": "logout", "user": "bob"})
    assert [event["action"] for event in take(folder)] == ["audit.unreadable", "audit.lost", "logout"]


def test_what_nobody_takes_away_ends(folder: Path) -> None:
    spool = record.Spool(folder / "hub" / "spool", most=1000)
    for _ in range(100):
        spool.write({"time": record.stamp(NOON), "action": "login", "user": "ada"})
    assert (folder / "hub" / "spool").stat().st_size < 1200
    assert spool.lost > 80


# -- what is taken


@pytest.mark.parametrize(
    ("source", "line", "event"),
    [
        # Who wrote it is where it was; what is not known is left out; an edge says nothing but requests.
        (
            "hub",
            {"time": "2026-11-30T12:00:00Z", "action": "login", "source": "edge", "received": "x", "evil": 1},
            {"time": "2026-11-30T12:00:00.000Z", "action": "login", "source": "hub"},
        ),
        (
            "edge",
            {"time": NOON, "action": "login", "actor": "root", "address": "192.0.2.1", "status": 200},
            {"time": AT, "action": "request", "address": "192.0.2.1", "status": 200, "source": "edge"},
        ),
        # Nobody writes into the past unnoticed.
        (
            "hub",
            {"time": "2026-11-29T12:00:00Z", "action": "login"},
            {"time": AT.replace("30T", "29T"), "action": "login", "received": AT, "source": "hub"},
        ),
    ],
)  # fmt: skip
def test_what_is_believed(folder: Path, source: str, line: dict[str, t.Any], event: dict[str, t.Any]) -> None:
    write(folder, source, json.dumps(line) + "\n")
    assert take(folder) == [event]


@pytest.mark.parametrize(
    "line",
    [
        b"no json",
        b"[1]",
        b"{}",
        b'{"time": "soon"}',
        b"\xff\xfe",
        b'{"time": NaN}',
        b"[" * 100_000,
        b'{"time": 1e99}',
    ],
)
@pytest.mark.parametrize("source", keeper.SOURCES)
def test_what_is_no_event_is_told(folder: Path, source: str, line: bytes) -> None:
    write(folder, source, line + b"\n")
    (event,) = take(folder)
    assert (event["action"], event["source"]) == ("audit.unreadable", source)


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_what_is_no_file_is_removed(folder: Path, kind: str, tmp_path: Path) -> None:
    spool, secret = folder / "hub" / "spool", tmp_path / "secret"
    secret.write_text('{"time": "2026-11-30T12:00:00Z", "action": "login", "user": "secret"}\n')
    if kind == "folder":
        (spool / "sub").mkdir(parents=True)
    else:
        spool.symlink_to(secret)
    write(folder, "edge", json.dumps({"time": NOON, "status": 200}) + "\n")
    one = keeper.Keeper(folder, 90)
    for second in range(4):
        tick(one, folder, NOON + second)
        if second == 1:
            write(folder, "hub", '{"time": "2026-11-30T12:00:00Z", "action": "logout"}\n')
    assert secret.exists()
    assert [event["action"] for event in kept(folder)] == ["audit.unreadable", "request", "logout"]


def test_nothing_is_lost_while_the_file_is_turned_over(folder: Path) -> None:
    """Four writers, a keeper that turns over all the time and is replaced again and again."""
    many, ended, written = 1500, threading.Event(), list[str]()

    def writer(number: int) -> None:
        spool = record.Spool(folder / "hub" / "spool")
        for count in range(many):
            spool.write({"time": record.stamp(), "action": "login", "user": f"{number}-{count}"})
            written.append(f"{number}-{count}")
            # The keeper is a thread of this process, too.
            time.sleep(0.001)

    def keeping() -> None:
        now = time.time()
        while not ended.is_set():
            one = keeper.Keeper(folder, 90, file=5_000)
            for _ in range(5):
                one.tick(now)
        for _ in range(4):
            one.tick(now)

    keeps = threading.Thread(target=keeping)
    keeps.start()
    writers = [threading.Thread(target=writer, args=(number,)) for number in range(4)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    ended.set()
    keeps.join()
    found = [event["user"] for event in kept(folder)]
    assert sorted(found) == sorted(written)
    assert len(list(folder.glob("audit-*.jsonl.gz"))) > 2


def test_who_is_kept_from_writing_loses_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that is paused between opening the file and writing to it."""
    one, write = keeper.Keeper(folder, 90), os.write

    def late(number: int, data: bytes) -> int:
        if b"ada" in data:
            monkeypatch.setattr(os, "write", write)
            for _ in range(5):
                one.tick(NOON)
        return write(number, data)

    spool = record.Spool(folder / "hub" / "spool")
    spool.write({"time": record.stamp(NOON), "action": "login", "user": "bob"})
    monkeypatch.setattr(os, "write", late)
    spool.write({"time": record.stamp(NOON), "action": "login", "user": "ada"})
    for _ in range(3):
        one.tick(NOON)
    assert [event["user"] for event in kept(folder)] == ["bob", "ada"]
    assert not (folder / "taken-hub").exists()


def test_a_keeper_that_was_killed_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        write(
            folder,
            "hub",
            json.dumps({"time": "2026-11-30T12:00:00Z", "action": "login", "user": f"u{number}"}) + "\n",
        )
    killed = keeper.Keeper(folder, 90)
    monkeypatch.setattr(keeper, "BATCH", 100)
    monkeypatch.setattr(killed, "_set_offset", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        killed.tick(NOON)
    take(folder)
    events = audit_events.select(
        audit_events.events_of(who.lines(who.files(folder))), audit_events.Query(), set()
    )
    assert [event["user"] for event in events] == ["u0", "u1", "u2"]


def test_a_full_disk_keeps_the_events_where_they_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "hub", '{"time": "2026-11-30T12:00:00Z", "action": "login"}\n')
    one, whole = keeper.Keeper(folder, 90), os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda number, data: whole(number, data[:10]))
        with pytest.raises(OSError, match="disk is full"):
            one.tick(NOON)
    assert (folder / "audit.jsonl").read_bytes() == b""
    one.tick(NOON)
    assert [event["action"] for event in kept(folder)] == ["login"]


def test_days_and_size(folder: Path) -> None:
    """A file for each day, the old ones compressed; those beyond the days or the size go."""
    one = keeper.Keeper(folder, 3)
    for day in range(6):
        moment = NOON + day * DAY
        write(
            folder,
            "hub",
            json.dumps({"time": record.stamp(moment), "action": "login", "user": f"d{day}"}) + "\n",
        )
        one.tick(moment)
        os.utime(folder / "audit.jsonl", (moment, moment))
        one.tick(moment + 1)
    assert [event["user"] for event in kept(folder)] == ["d2", "d3", "d4", "d5"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.glob("audit*"))
    small = keeper.Keeper(folder, 90, most=dict.fromkeys(keeper.MOST, 1))
    small.tick(NOON + 5 * DAY)
    events = kept(folder)
    assert [event["action"] for event in events] == ["login", "audit.lost", "audit.lost", "audit.lost"]
    assert "removed before its time" in events[-1]["detail"]


OTHERS = (
    {"action": "access.refused", "actor": "eve", "outcome": "refused"},
    {"action": "login", "outcome": "failed"},
    {"action": "code.run", "actor": "eve", "outcome": "ok"},
    {"action": "request", "actor": "forged"},
)


def test_nobody_flushes_the_history_away(folder: Path) -> None:
    """Before: all kinds had one bound together, and a stranger's requests took all logins with them."""
    most = {"": 60_000, "request": 10_000, "refused": 10_000, "code": 10_000}
    one = keeper.Keeper(folder, 90, file=10_000, most=most)
    moment = NOON
    for count in range(150):
        moment += 1
        told = [{"action": "login", "user": f"u{count}", "outcome": "ok"}] if count < 10 else []
        for event in [*told, *OTHERS[:3] * 5]:
            line = {"time": record.stamp(moment), **event, "detail": os.urandom(50).hex()}
            write(folder, "hub", json.dumps(line) + "\n")
        line = {"time": moment, "method": "GET", "path": os.urandom(50).hex(), "address": f"192.0.2.{count}"}
        write(folder, "edge", f"{json.dumps(line)}\n" * 5)
        one.tick(moment)
    kinds = {
        kind: [event for event in kept(folder) if keeper.kind_of(json.dumps(event).encode()) == kind]
        for kind in keeper.MOST
    }
    assert {event["user"] for event in kinds[""] if event["action"] == "login"} == {
        f"u{n}" for n in range(10)
    }
    # Each of the others has lost some, and has some.
    assert all(0 < len(kinds[kind]) < 1500 for kind in ("request", "refused", "code"))
    removed = {event["detail"].split(" ")[0] for event in kinds[""] if event["action"] == "audit.lost"}
    assert {re.sub(r"audit-[^-]*Z", "", name) for name in removed} == {
        f"-{kind}.jsonl.gz" for kind in ("request", "refused", "code")
    }


def test_a_broken_hub_takes_no_room_of_the_edge() -> None:
    assert keeper.kind_of(json.dumps({"source": "hub", **OTHERS[3]}).encode()) == ""
    assert keeper.kind_of(b'{"source": "edge", "action": "request"}') == "request"
    assert [keeper.kind_of(json.dumps(one).encode()) for one in OTHERS[:3]] == ["refused", "refused", "code"]
    assert {keeper.kind_of(line) for line in (b"[1]", b"{", b'{"action": "login", "outcome": "ok"}')} == {""}


def test_what_the_edge_sees_of_one_address_is_bounded(folder: Path) -> None:
    """Paths and browsers' names are cut, so many lines are kept, and what is left out is told."""
    one = keeper.Keeper(folder, 90, requests=20)
    for count in range(50):
        line = {"time": NOON, "method": "GET", "path": "/x" * 4000, "agent": "y" * 4000, "status": 403}
        write(folder, "edge", json.dumps({**line, "address": f"2001:db8::{count:x}"}) + "\n")
    write(folder, "edge", json.dumps({"time": NOON, "path": "/", "address": "192.0.2.1"}) + "\n")
    one.tick(NOON)
    one.tick(NOON + 600)
    events = kept(folder)
    of_network = [event for event in events if event.get("address", "").startswith("2001:")]
    assert len(of_network) == 20
    assert {(event["path"], event["agent"]) for event in of_network} == {("/x" * 50, "y" * 100)}
    assert events[-2]["address"] == "192.0.2.1"
    assert events[-1]["action"] == "audit.lost"
    assert events[-1]["detail"] == "30 requests of 1 addresses are left out: 2001:db8::/64"


def test_who_goes_on_writing_keeps_nobody_waiting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before: as long as the hub appended, the edge's lines stayed where it could delete them."""
    line = '{"time": "2026-11-30T12:00:00Z", "action": "login"}\n'
    write(folder, "hub", line)
    write(folder, "edge", json.dumps({"time": NOON, "status": 200}) + "\n")
    one = keeper.Keeper(folder, 90)
    append, left = one._append, [50]

    def slow(events: list[dict[str, t.Any]]) -> None:
        append(events)
        if events and events[0]["source"] == "hub" and left[0]:
            left[0] -= 1
            with (folder / "taken-hub").open("a") as stream:
                stream.write(line)

    monkeypatch.setattr(one, "_append", slow)
    one.tick(NOON)
    assert [event["action"] for event in kept(folder)] == ["login", "request"]
    for second in range(3):
        one.tick(NOON + second)
    assert len(kept(folder)) < 6


def test_a_run_that_ended_while_it_compressed(folder: Path) -> None:
    plain = folder / "audit-20261130T120000.000000Z.jsonl"
    lines = [
        {"time": AT, "action": "login", "source": "hub"},
        {"time": AT, "action": "request", "source": "edge"},
    ]
    plain.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with gzip.open(folder / "audit-20261130T120000.000000Z-request.jsonl.gz", "wt") as stream:
        stream.write(json.dumps(lines[1]) + "\n")
    keeper.Keeper(folder, 90)
    assert not plain.exists()
    assert sorted(event["action"] for event in kept(folder)) == ["login", "request"]


# -- what is found


def event(second: int, action: str, **more: t.Any) -> dict[str, t.Any]:
    return {"time": f"2026-11-30T11:00:{second:02}.000Z", "action": action, **more}


EVENTS = [
    event(1, "login", actor="ada", user="ada", address="192.0.2.1", request="a" * 32),
    event(2, "server.enter", actor="root", user="ada", server="", request="b" * 32, address="192.0.2.2"),
    event(3, "account.rename", actor="root", user="ada.l", detail="was ada"),
    event(4, "logout", actor="ada.l", user="ada.l"),
    event(5, "login", actor="bob", user="bob"),
    event(
        6,
        "request",
        request="b" * 32,
        address="192.0.2.9",
        method="GET",
        path="/hub/x",
        status=302,
        source="edge",
    ),
]


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ([], [1, 2, 3, 4, 5]),
        (["ada"], [1, 2, 3, 4]),
        (["ada.l"], [1, 2, 3, 4]),
        (["root"], [2, 3]),
        (["nobody"], []),
        (["--action", "login"], [1, 5]),
        (["--action", "server"], [2]),
        (["--action", "request"], [6]),
        (["ada", "--action", "log"], None),
        (["--since", "2026-11-30T11:00:03"], [3, 4, 5]),
        (["--since", "2026-11-30T12:00:03+01:00", "--until", "2026-11-30T11:00:05Z"], [3, 4]),
        (["--until", "2026-11-30"], [1, 2, 3, 4, 5]),
        (["--until", "2026-11-29"], []),
        (["--since", "yesterday"], None),
        (["--since", "36500d"], [1, 2, 3, 4, 5]),
        # A day alone, however it is written, means its end.
        (["--until", "20261130"], [1, 2, 3, 4, 5]),
        (["--since", "0001-01-01"], [1, 2, 3, 4, 5]),
        (["--until", "9999-12-30"], [1, 2, 3, 4, 5]),
        # Beyond what clocks can show.
        (["--since", "999999d"], None),
        (["--until", "9999-12-31"], None),
        (["--since", "0001-01-01T00:00+01:00"], None),
    ],
)
def test_questions(folder: Path, options: list[str], seconds: list[int] | None) -> None:
    lines = "".join(json.dumps(one) + "\n" for one in EVENTS)
    with gzip.open(folder / "audit-20261130T110003.000000Z.jsonl.gz", "wt") as stream:
        stream.write("".join(lines.splitlines(keepends=True)[:3]))
    (folder / "audit.jsonl").write_text("".join(lines.splitlines(keepends=True)[3:]))
    if seconds is None:
        with pytest.raises(Problem, match=r"^--\w+ is '[\w:+-]+': give "):
            ask(folder.parent, *options)
        return
    answer = ask(folder.parent, *options)
    found = answer["events"]
    assert [int(one["time"][17:19]) for one in found] == seconds
    shown = who.words(answer)
    assert len([line for line in shown if line.startswith("2026-")]) == len(seconds)
    if seconds == [1, 2, 3, 4]:
        assert shown[-1] == "One user: ada, ada.l."
        # The edge is another witness, and does not agree.
        assert found[1]["edge"]["address"] == "192.0.2.9"
        assert "the edge says 192.0.2.9" in shown[2]


def ask(state_dir: Path, *options: str) -> dict[str, t.Any]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    who.arguments(parser)
    settings = t.cast(Settings, types.SimpleNamespace(state_dir=str(state_dir)))
    return who.run(settings, parser.parse_args(options))


def test_no_log_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="audit is not there: jupyterhub_audit_days is 0"):
        ask(tmp_path)


def test_all_actions_are_known_and_documented() -> None:
    """Those in the code of hub and keeper, those that `who` takes, and those of the table."""
    source = "".join(path.read_text() for path in (ROOT / "files/images/hub").rglob("*.py"))
    words = "login|logout|server|account|group|role|token|approval|access|hub|audit|request|notebook|code"
    written = set(re.findall(rf'"((?:{words})(?:\.[a-z]+)?)"', source)) & {*audit_events.ACTIONS}
    table = (ROOT / "docs" / "audit.md").read_text()
    documented = set(re.findall(rf"`((?:{words})(?:\.[a-z]+)?)`", table))
    made = {f"{kind}.{word}" for kind in ("group", "role") for word in ("add", "remove")} | {
        "server.start",
        "server.stop",
    }
    assert written | made == {*audit_events.ACTIONS}
    assert documented >= {*audit_events.ACTIONS}
