# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub's end of the audit log: an event is a line in a file, which the keeper takes away at once.

Nothing waits for it and nothing fails with it: a hub on a full disk goes on, counts what it could not write,
and says so when it can write again.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import stat
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

# Where the hub's container has the folder that the keeper takes it from, and the file's name there.
FOLDER, SPOOL = Path("/srv/audit"), "spool"
# Nobody has taken anything away for long: the disk is for the users' work.
MOST = 64 * 1024 * 1024
# Letters of a value, and of a cell.
LONGEST, CODE = 500, 2100

log = logging.getLogger("galilean.audit")


def stamp(seconds: float | None = None) -> str:
    """A moment (now) as ISO 8601 text in UTC."""
    moment = datetime.now(timezone.utc) if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line_of(event: dict[str, Any]) -> bytes:
    """The event without what is empty, as a line: ASCII, so that nothing in a name ends or hides it."""
    most = CODE if event.get("action") == "code.run" else LONGEST
    kept = {key: value[:most] if isinstance(value, str) else value for key, value in event.items()}
    return json.dumps({key: value for key, value in kept.items() if value not in ("", None)}).encode() + b"\n"


class Spool:
    """The file. It is opened for each event, because the keeper takes it away, and the next is a new one."""

    def __init__(self, path: Path = FOLDER / SPOOL, most: int = MOST) -> None:
        self._path, self._most = path, most
        self.lost, self._since, self._torn = 0, "", False

    def write(self, event: dict[str, Any]) -> None:
        """Append the event, after the word about those that could not be written."""
        lines = [line_of(event)]
        if self.lost:
            detail = f"{self.lost} events since {self._since} could not be written"
            told = {"time": stamp(), "action": "audit.lost", "outcome": "failed", "detail": detail}
            lines.insert(0, line_of(told))
        try:
            self._append((b"\n" if self._torn else b"") + b"".join(lines))
        except OSError as exc:
            if not self.lost:
                self._since = stamp()
                log.error("Events of the audit log are lost until it can be written again: %s", exc)
            self.lost += 1
        else:
            self.lost, self._torn = 0, False

    def _append(self, data: bytes) -> None:
        number = self._opened()
        try:
            found = os.fstat(number)
            if stat.S_ISREG(found.st_mode) and found.st_size > self._most:
                raise OSError(f"nothing has been taken out of {self._path} for long")
            written = os.write(number, data)
        finally:
            os.close(number)
        if written < len(data):
            # The next one begins on a line of its own.
            self._torn = True
            raise OSError("the disk is full")

    def _opened(self) -> int:
        """The file's descriptor, with a lock that the keeper waits for before it removes the file."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        while True:
            number = os.open(self._path, flags, 0o600)
            try:
                fcntl.flock(number, fcntl.LOCK_SH)
                if os.fstat(number).st_nlink:
                    return number
            except OSError:
                os.close(number)
                raise
            # It was taken and removed before the lock was there: the next one is at its place.
            os.close(number)
