# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Where approvals come from: a file, an address, a script, or an endpoint that is asked about each user.

A list is read again and again, and the last good one is kept on disk: while its source is away, or what it
gives is no list, that one counts, and its age is shown.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

from prometheus_client import REGISTRY, Gauge
from tornado.httpclient import HTTPRequest

from ..audit import events
from ..http import outgoing
from ..shared.approval import (
    UNKNOWN_APPROVAL,
    Approval,
    ApprovalError,
    check_removal,
    parse_answer,
    parse_list,
    standing,
)
from ..state.files import save

STATE = Path("/srv/jupyterhub")
FILE = Path("/etc/jupyterhub/approval")
SCRIPT = Path("/etc/jupyterhub/approval-script")
# More than any institution's list; less than what would fill the hub's memory.
LONGEST = 32 * 1024 * 1024


def now() -> datetime:
    return datetime.now(timezone.utc)


def gauges(age: Callable[[], float], refused: Callable[[], float]) -> None:
    """Show the list's age, and whether a later one was refused, among the hub's metrics."""
    for name, text, value in (
        ("age_seconds", "Seconds since the list of approved users was last read from its source", age),
        ("refused", "1 while the list of approved users could not be renewed", refused),
    ):
        if f"galilean_approval_list_{name}" not in REGISTRY._names_to_collectors:
            Gauge(f"galilean_approval_list_{name}", text).set_function(value)


class Source(Protocol):
    """Asked about a user: the approval where there is one that holds, otherwise what to tell the user."""

    async def ask(self, user: str) -> tuple[Approval | None, str]: ...

    async def refresh(self) -> None: ...

    def notice(self) -> str:
        """What administrators are told: one sentence, or nothing."""


async def fetch(
    url: str, timeout: float, token: str, body: dict[str, Any] | None = None
) -> tuple[int, bytes]:
    """Status and content of an address; OSError or tornado's HTTPClientError where it cannot be reached."""
    headers = {"Accept": "application/json, text/csv;q=0.9, text/plain;q=0.8"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if body is not None:
        headers["Content-Type"] = "application/json"
    request = HTTPRequest(
        url,
        method="GET" if body is None else "POST",
        headers=headers,
        body=None if body is None else json.dumps(body),
        connect_timeout=timeout,
        request_timeout=timeout,
        # A token must not follow to another host.
        follow_redirects=not token,
    )
    client = outgoing.client(LONGEST)
    try:
        answer = await client.fetch(request, raise_error=False)
    finally:
        client.close()
    if answer.error is not None and not 100 <= answer.code < 599:
        raise OSError(str(answer.error))
    return answer.code, answer.body or b""


async def run_script(path: Path, timeout: float, token: str) -> bytes:
    """What the site's script prints; ApprovalError where it fails or takes too long."""
    process = await asyncio.create_subprocess_exec(
        str(path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Not the hub's own: it holds tokens.
        env={
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": "/tmp",
            "LANG": "C.UTF-8",
            **outgoing.taken(),
        },
    )
    try:
        # The token comes by standard input: an environment can be read by others of the same account.
        out, err = await asyncio.wait_for(process.communicate(f"{token}\n".encode()), timeout)
    except asyncio.TimeoutError:
        process.kill()
        await process.wait()
        raise ApprovalError(f"the script did not end within {timeout:g} seconds") from None
    if process.returncode:
        last = err.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise ApprovalError(f"the script ended with status {process.returncode}: {last[0][:200]}")
    return out


class KnownList:
    """A list that is kept in memory and on disk, and looked at anew before each answer.

    What is no list, or would take the approval from too many at once, changes nothing: the last good one
    counts.
    """

    def __init__(self, settings: dict[str, Any], log: logging.Logger, folder: Path) -> None:
        self._log = log
        # Another source is another list: what it leaves out is not taken away from anybody.
        source = f"{settings['source']} {settings.get('url') or ''}"
        self._where = "its " + source.strip() if settings["source"] != "url" else settings["url"]
        self._state = folder / f"approval-{hashlib.sha256(source.encode()).hexdigest()[:8]}"
        # Percent of the approved.
        self._removal = float(settings.get("max_removed") or 0)
        self._list: dict[str, Approval] = {}
        # When the list that counts was read from its source, and why a later one was refused.
        self._read, self._refused = 0.0, ""
        try:
            self._list = parse_list(self._state.read_bytes())
            self._read = self._state.stat().st_mtime
        except FileNotFoundError:
            pass
        except (OSError, ApprovalError) as exc:
            log.error("The list of approved users that was kept in %s cannot be used: %s", self._state, exc)
        gauges(self.age, lambda: float(bool(self._refused)))

    def age(self) -> float:
        """Seconds since the list came from its source; not a number where it never did."""
        return time.time() - self._read if self._read else float("nan")

    def _take(self, content: bytes, read: float) -> None:
        """Let a list that was read at that time count from now on; ApprovalError where it does not."""
        found = parse_list(content)
        check_removal(self._list, found, self._removal, now())
        for name in sorted(found.keys() ^ self._list.keys()):
            action = "approval.grant" if name in found else "approval.withdraw"
            events.emit(action, events.HUB, user=name, detail=f"list from {self._where}")
        self._list, self._read, self._refused = found, read, ""
        save(self._state, content)
        self._log.info("The list of approved users was read: %d entries", len(found))

    def _refuse(self, reason: object) -> None:
        """Say loudly that the list was not renewed, and what counts instead."""
        self._refused = str(reason)
        self._log.error("%s", self.notice())

    def notice(self) -> str:
        """Where the list comes from, why it was not renewed, and what counts; nothing where it was."""
        if not self._refused:
            return ""
        counts = (
            f"the last good one counts, {len(self._list)} entries, {self.age() / 3600:.1f} hours old"
            if self._list
            else "there is no earlier list, so no user is approved"
        )
        reason = self._refused.rstrip(".")
        return f"The list of approved users from {self._where} was not renewed: {reason}; {counts}."

    async def refresh(self) -> None:
        """Bring the list up to date where that is due."""
        raise NotImplementedError

    async def ask(self, user: str) -> tuple[Approval | None, str]:
        await self.refresh()
        # A list has entries: without any it was never read.
        return standing(self._list, user, now()) if self._list else (None, UNKNOWN_APPROVAL)


class FileList(KnownList):
    """A list that somebody else writes, the play or a program of the site; read again when it has changed."""

    def __init__(
        self, settings: dict[str, Any], log: logging.Logger, folder: Path = STATE, path: Path = FILE
    ) -> None:
        super().__init__(settings, log, folder)
        self._path = path
        self._stamp: tuple[int, int] | None = None

    async def refresh(self) -> None:
        try:
            state = self._path.stat()
            stamp = (state.st_mtime_ns, state.st_size)
            if stamp == self._stamp:
                return
            # A bad one is told once, and read again when it has changed.
            self._stamp = stamp
            self._take(self._path.read_bytes(), state.st_mtime)
        except (OSError, ApprovalError) as exc:
            self._refuse(exc)


class FetchedList(KnownList):
    """A list from an address or a script."""

    def __init__(
        self, settings: dict[str, Any], log: logging.Logger, token: str, folder: Path = STATE
    ) -> None:
        super().__init__(settings, log, folder)
        self._settings, self._token = settings, token
        self._lock = asyncio.Lock()
        self._due = 0.0

    async def _get(self) -> bytes:
        timeout = float(self._settings["timeout"])
        if self._settings["source"] == "script":
            return await run_script(SCRIPT, timeout, self._token)
        status, content = await fetch(self._settings["url"], timeout, self._token)
        if status != 200:
            raise ApprovalError(f"{self._settings['url']} answered with status {status}")
        return content

    async def refresh(self) -> None:
        async with self._lock:
            if time.monotonic() < self._due:
                return
            interval = float(self._settings["interval"])
            try:
                self._take(await self._get(), time.time())
            except Exception as exc:
                # Sooner than usual, but not with each login.
                self._due = time.monotonic() + min(60.0, interval)
                self._refuse(exc)
                return
            self._due = time.monotonic() + interval


class Endpoint:
    """Asked about each user. An answer counts for some seconds; by default nobody is approved without."""

    def __init__(self, settings: dict[str, Any], log: logging.Logger, token: str) -> None:
        self._settings, self._token, self._log = settings, token, log
        self._known: dict[str, tuple[float, Approval | None]] = {}
        # What it said last of each user.
        self._said: dict[str, bool] = {}

    async def refresh(self) -> None:
        """There is nothing to fetch ahead; answers that no longer count are forgotten."""
        self._known = {name: answer for name, answer in self._known.items() if answer[0] > time.monotonic()}

    def notice(self) -> str:
        """Nothing: who is asked about meanwhile is told."""
        return ""

    async def ask(self, user: str) -> tuple[Approval | None, str]:
        until, approval = self._known.get(user, (0.0, None))
        if until <= time.monotonic():
            try:
                status, content = await fetch(
                    self._settings["url"], float(self._settings["timeout"]), self._token, {"user": user}
                )
                approval = parse_answer(status, content, user)
            except Exception as exc:
                self._log.error("Whether %s is approved could not be asked: %s", user, exc)
                if self._settings["on_failure"] == "admit":
                    return Approval(user), ""
                return None, UNKNOWN_APPROVAL
            before = self._said.get(user)
            if before is not None and before != bool(approval):
                action = "approval.grant" if approval else "approval.withdraw"
                events.emit(action, events.HUB, user=user, detail="answer of the endpoint")
            self._said[user] = bool(approval)
            self._known[user] = (time.monotonic() + float(self._settings["cache"]), approval)
        return standing({} if approval is None else {user: approval}, user, now())


def open_source(settings: dict[str, Any], token: str, log: logging.Logger) -> Source:
    """The source that the settings name: file, url, script or endpoint."""
    if settings["source"] == "file":
        return FileList(settings, log)
    if settings["source"] == "endpoint":
        return Endpoint(settings, log, token)
    return FetchedList(settings, log, token)
