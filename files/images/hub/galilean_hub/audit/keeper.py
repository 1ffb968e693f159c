# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Keeps the audit log: takes the lines of hub and edge, joins them in one file, and turns that over.

It runs beside the agent of the disk, as root, where neither of the two can reach what it has written: what a
second has passed over cannot be changed by a hub that is broken into. Hub and edge each have a folder with a
file that they append to. It is renamed before it is read, so they begin another one and nothing is lost; and
it is read once more later, for what somebody wrote who had opened it before. Who has opened it and is kept
from writing for longer than that holds a lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import json
import os
import shutil
import stat
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..http import leaky_buckets
from .record import CODE, LONGEST, line_of, stamp

EVERY = 1.0
SOURCES = ("hub", "edge")
# What an event may have, in the order in which it is written.
KEYS = (
    *("time", "action", "actor", "user", "server", "address", "via", "outcome"),
    *("detail", "token", "request"),
)
EDGE_KEYS = ("time", "address", "method", "path", "status", "agent", "request")
# Of a line, and of the file before it is turned over.
LINE, FILE = 16 * 1024, 32 * 1024 * 1024
# Of all files of a kind: what anybody can fill removes nothing but what is like it.
MOST = {
    kind: mib * 1024 * 1024 for kind, mib in (("", 384), ("request", 256), ("refused", 128), ("code", 256))
}
# Letters of what the edge was told, which it writes down for strangers, too.
EDGE = 100
# Requests of an address, or its IPv6 network, in ten minutes.
REQUESTS = 3000
# Bytes that are taken at a time.
BATCH = 1024 * 1024
# Seconds after which an event says that it comes late, or from a clock that is wrong.
LATE = 60.0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def event_of(line: bytes, source: str, now: float) -> dict[str, Any]:
    """The event in a line. Who wrote it is known from where it was; nothing else in it is believed."""
    try:
        found = json.loads(line.decode(errors="replace"))
        if not isinstance(found, dict):
            raise ValueError
        given = found.get("time")
        when = float(given) if source == "edge" else seconds(str(given))
        told = {"time": stamp(when)}
    except (ValueError, TypeError, OverflowError, OSError, RecursionError):
        detail = ascii(line[:LONGEST].decode(errors="replace"))
        return {"time": stamp(now), "action": "audit.unreadable", "source": source, "detail": detail}
    if source == "edge":
        told["action"] = "request"
    for key in KEYS if source == "hub" else EDGE_KEYS:
        value = found.get(key)
        if key not in told and isinstance(value, str | int) and value != "":
            told[key] = value if isinstance(value, int) else value[: CODE if source == "hub" else EDGE]
    if abs(when - now) > LATE:
        told["received"] = stamp(now)
    return {**told, "source": source}


def kind_of(line: bytes) -> str:
    """Which bound an event that is written counts for: most of what has a word can be caused by anybody."""
    try:
        event = json.loads(line)
        action, outcome = event.get("action"), event.get("outcome")
    except (ValueError, AttributeError):
        return ""
    if event.get("source") == "edge":
        return "request"
    if action in ("notebook.open", "code.run"):
        return "code"
    return "refused" if outcome == "refused" or (action, outcome) == ("login", "failed") else ""


class Keeper:
    """folder: of the log, with a folder of each source in it. days: how long events are kept.

    most: bytes of all files of each kind.
    """

    def __init__(
        self,
        folder: Path,
        days: int,
        file: int = FILE,
        most: Mapping[str, int] = MOST,
        requests: int = REQUESTS,
    ) -> None:
        self._folder, self._days, self._file, self._most = folder, days, file, most
        self._log, self._offsets_path = folder / "audit.jsonl", folder / "offsets.json"
        # Of what was taken, what is written already; and which of them have been read to their end.
        self._offsets: dict[str, int] = {}
        with contextlib.suppress(OSError, ValueError):
            self._offsets = json.loads(self._offsets_path.read_text(encoding="utf-8"))
        self._ended: set[str] = set()
        for plain in folder.glob("audit-*.jsonl"):
            # A run ended here.
            self._compress(plain)
        self._pruned = ""
        self._requests = leaky_buckets.LeakyBuckets(requests)
        self._left_out: Counter[str] = Counter()
        self._period = 0

    def tick(self, now: float) -> None:
        """Take what is there, and turn over what is due."""
        self._turn_over(now)
        for source in SOURCES:
            self._take(source, now)
        self._tell_left_out(now)
        self._prune(now)

    # -- taking

    def _take(self, source: str, now: float) -> None:
        taken, spool = self._folder / f"taken-{source}", self._folder / source / "spool"
        if not os.path.lexists(taken):
            self._set_offset(source, 0)
            try:
                if not spool.lstat().st_size:
                    return
                spool.rename(taken)
            except OSError:
                return
        try:
            number = os.open(taken, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            self._reject(taken, source, now)
            return
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            self._reject(taken, source, now)
            return
        with open(number, "rb") as stream:
            last = source in self._ended and _is_free(number)
            # What is there by now: who goes on writing keeps no other source waiting.
            size = os.fstat(number).st_size
            while True:
                offset = self._offsets.get(source, 0)
                stream.seek(offset)
                batch = stream.read(max(0, min(BATCH, size - offset)))
                # A line that is not whole yet, unless there is no more to come.
                end = batch.rfind(b"\n") + 1 or (len(batch) if last or len(batch) >= LINE else 0)
                if not end:
                    break
                events = [event_of(line, source, now) for line in batch[:end].split(b"\n") if line.strip()]
                self._append([event for event in events if self._is_kept(event, now)])
                self._set_offset(source, offset + end)
            if last:
                taken.unlink()
        if last:
            self._ended.discard(source)
        else:
            self._ended.add(source)

    def _is_kept(self, event: dict[str, Any], now: float) -> bool:
        """Unless one address fills the log with what the edge sees of it."""
        if event["source"] != "edge":
            return True
        network = leaky_buckets.network(str(event.get("address", "")))
        if self._requests.wait(leaky_buckets.key(network), now):
            self._left_out[network] += 1
            return False
        self._requests.take(leaky_buckets.key(network), now)
        return True

    def _tell_left_out(self, now: float) -> None:
        """Once in ten minutes, however many addresses they are of."""
        period = int(now // leaky_buckets.PERIOD)
        if self._left_out and period != self._period:
            worst = ", ".join(network for network, _ in self._left_out.most_common(3))
            detail = (
                f"{self._left_out.total()} requests of {len(self._left_out)} addresses are left out: {worst}"
            )
            self._append([{**_lost(now), "detail": detail}])
            self._left_out.clear()
        self._period = period

    def _reject(self, path: Path, source: str, now: float) -> None:
        """What is no file was not made by what writes here."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
        event = {"time": stamp(now), "action": "audit.unreadable", "source": source}
        self._append([{**event, "detail": "there was something else in place of the file with events"}])

    def _set_offset(self, source: str, offset: int) -> None:
        if self._offsets.get(source, 0) == offset:
            return
        self._offsets[source] = offset
        part = self._offsets_path.with_suffix(".part")
        part.write_text(json.dumps(self._offsets), encoding="utf-8")
        part.replace(self._offsets_path)

    # -- keeping

    def _append(self, events: list[dict[str, Any]]) -> None:
        """Write them all or, where the disk is full, none."""
        if not events:
            return
        lines = b"".join(line_of(event) for event in events)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        number = os.open(self._log, flags, 0o600)
        try:
            before = os.fstat(number).st_size
            try:
                whole = os.write(number, lines) == len(lines)
            except OSError:
                whole = False
            if not whole:
                os.ftruncate(number, before)
                raise OSError("the disk is full: events wait until there is room")
        finally:
            os.close(number)

    def _turn_over(self, now: float) -> None:
        try:
            found = self._log.stat()
        except FileNotFoundError:
            return
        if found.st_size < self._file and _day(found.st_mtime) == _day(now):
            return
        ended = f"{datetime.fromtimestamp(found.st_mtime, timezone.utc):%Y%m%dT%H%M%S.%fZ}"
        plain = self._folder / f"audit-{ended}.jsonl"
        self._log.rename(plain)
        self._compress(plain)

    def _compress(self, plain: Path) -> None:
        """A file of each kind, and then the plain one is of no use any more."""
        parts: dict[str, Path] = {}
        try:
            with contextlib.ExitStack() as stack:
                targets: dict[str, gzip.GzipFile] = {}
                for line in stack.enter_context(plain.open("rb")):
                    kind = kind_of(line)
                    if kind not in targets:
                        name = f"{plain.stem}-{kind}" if kind else plain.stem
                        parts[name] = plain.with_name(f"{name}.part")
                        targets[kind] = stack.enter_context(gzip.open(parts[name], "wb"))
                    targets[kind].write(line)
            for name, part in parts.items():
                part.chmod(0o600)
                # The time of its last event.
                os.utime(part, ns=(plain.stat().st_mtime_ns,) * 2)
                part.replace(plain.with_name(f"{name}.jsonl.gz"))
            plain.unlink()
        except OSError as exc:
            # It is read as it is, too.
            for part in parts.values():
                part.unlink(missing_ok=True)
            say(f"{plain.name} stays as large as it is: {exc}")

    def _prune(self, now: float) -> None:
        """Once an hour, and after each new file: remove what is older than the days, or beyond its size."""
        files = sorted(self._folder.glob("audit-*.jsonl*"), reverse=True)
        state = f"{int(now // 3600)} {files[:1]}"
        if state == self._pruned:
            return
        self._pruned, sizes = state, Counter[str]()
        for path in files:
            found, kind = path.stat(), path.name.partition("Z-")[2].partition(".")[0]
            sizes[kind] += found.st_size
            if found.st_mtime < now - self._days * 86400:
                path.unlink()
            elif sizes[kind] > self._most[kind]:
                path.unlink()
                most = self._most[kind]
                detail = f"{path.name} was removed before its time: such files are larger than {most} bytes"
                self._append([{**_lost(now), "detail": detail}])


def _is_free(number: int) -> bool:
    """Whether nobody is about to write to the file. From now until it is closed, nobody is."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _lost(now: float) -> dict[str, Any]:
    return {"time": stamp(now), "action": "audit.lost", "outcome": "failed", "source": "keeper"}


def _day(moment: float) -> int:
    return int(moment // 86400)


def ticks() -> Iterator[float]:
    while True:
        yield time.time()
        time.sleep(EVERY)


def keep(folder: Path, days: int) -> None:
    """Keep the log for good; what goes wrong is said once, and tried again."""
    os.umask(0o077)
    keeper: Keeper | None = None
    said = ""
    for now in ticks():
        try:
            keeper = keeper or Keeper(folder, days)
            keeper.tick(now)
            said = ""
        except Exception as exc:
            if said != str(exc):
                say(f"audit: {exc}")
            said = str(exc)
