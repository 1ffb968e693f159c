# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How the backups go, for people, for `verify` and for Prometheus."""

from __future__ import annotations

import calendar
import fcntl
import json
import os
import time
import typing as t
from pathlib import Path

from .atomic_file import replace_file
from .complaint import redacted
from .json_file import read_json
from .settings import Settings

FILE, DRILL, METRICS, LOCK = "last.json", "drill.json", "backup.prom", ".lock"


def stamp(seconds: float) -> str:
    """A moment as ISO 8601 text in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def seconds(text: str) -> int:
    """A moment that `stamp` wrote, in seconds since 1970."""
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def remembered(settings: Settings) -> dict[str, t.Any]:
    return read_json(settings.home / FILE)


def drill(settings: Settings) -> dict[str, t.Any]:
    """The last rehearsal of a restore, and the last good one."""
    return read_json(settings.home / DRILL)


def keep(settings: Settings, state: dict[str, t.Any]) -> str:
    """Write state and metrics; what is wrong with the further copy of the metrics, as of `export`."""
    replace_file(str(settings.home / FILE), json.dumps(state, indent=2) + "\n", mode=0o644)
    text = metrics(settings, state)
    replace_file(str(settings.home / METRICS), text, mode=0o644)
    return export(settings, text)


def export(settings: Settings, text: str) -> str:
    """Write the further copy of the metrics; why that cannot be. It is never a reason for no backup."""
    if not settings.metrics_file:
        return ""
    folder = Path(settings.metrics_file).parent
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True)
            # Whatever may read here for Prometheus is not root.
            folder.chmod(0o755)
        replace_file(settings.metrics_file, text, mode=0o644)
    except OSError as exc:
        return (
            f"backup_metrics_file is {settings.metrics_file}, which cannot be written ({exc.strerror}): "
            "give the path of a file in a folder that root can write."
        )
    return ""


def is_running(settings: Settings) -> bool:
    """Whether some run holds the lock."""
    try:
        with open(settings.home / LOCK, encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def observe(settings: Settings, now: float, running: bool) -> dict[str, t.Any]:
    """The last run and the last good one, and what is wrong."""
    state, rehearsed = remembered(settings), drill(settings)
    notices = [notice(state, running), drill_notice(settings, rehearsed, state, now)]
    return {
        "instance": settings.instance,
        "repository": redacted(settings.repository),
        **state,
        "drill": rehearsed,
        "running": running,
        "problem": problem(settings, state, now),
        "notice": " ".join(one for one in notices if one),
    }


def age(state: t.Mapping[str, t.Any], now: float) -> float:
    """Hours since the last good backup, or since there could have been one."""
    since = (state.get("good") or {}).get("time") or state.get("since")
    return (now - seconds(since)) / 3600 if since else 0.0


def problem(settings: Settings, state: t.Mapping[str, t.Any], now: float) -> str:
    """What `verify` fails for; empty for nothing."""
    check, old = state.get("check") or {}, age(state, now)
    if not check.get("ok", True):
        return f"The check of the repository failed ({check['time']}): {check['message']}"
    if old <= settings.max_age:
        return ""
    good = state.get("good")
    when = f"The last good backup is of {good['time']}" if good else "There is no backup yet"
    reason = state.get("message") or ""
    why = (
        f" The last one failed: {reason}"
        if reason and not state.get("ok", True)
        else " Nothing has run since: look at its timer."
    )
    return f"{when}, {old:.0f} hours ago, and backup_max_age is {settings.max_age:g}: make one with playbooks/backup.yml.{why}"


def notice(state: t.Mapping[str, t.Any], running: bool) -> str:
    """What people are told that is no failure yet."""
    if running:
        return f"A backup runs since {state.get('began', 'now')}."
    if state.get("began") and state["began"] > state.get("ended", ""):
        return f"The backup that began at {state['began']} was killed. The next one goes on with what it has sent."
    if not state.get("ok", True):
        return f"The last backup failed ({state.get('ended')}): {state.get('message')}"
    return str(state.get("hint", ""))


def drill_notice(
    settings: Settings, rehearsed: t.Mapping[str, t.Any], state: t.Mapping[str, t.Any], now: float
) -> str:
    """What is wrong with the drills; empty for nothing, and where none are expected."""
    if rehearsed and not rehearsed.get("ok", True):
        return f"The last drill failed ({rehearsed.get('ended')}): {rehearsed.get('message')}"
    since = (rehearsed.get("good") or {}).get("time") or state.get("since")
    days = (now - seconds(since)) / 86400 if since else 0.0
    if not settings.drill_max_age or days <= settings.drill_max_age:
        return ""
    last = "The last good drill was" if rehearsed.get("good") else "There was no drill since backups began,"
    return f"{last} {days:.0f} days ago, and backup_drill_max_age is {settings.drill_max_age:g}: run playbooks/drill.yml."


def metrics(settings: Settings, state: t.Mapping[str, t.Any]) -> str:
    """The state as text for Prometheus' node exporter. Moments, not ages: they do not become stale."""
    label = f'{{instance_name="{settings.instance}"}}'
    lines: list[str] = []

    def add(name: str, meaning: str, value: float) -> None:
        full = f"galilean_hub_backup_{name}"
        lines.extend(
            [
                f"# HELP {full} {meaning}",
                f"# TYPE {full} gauge",
                f"{full}{label} {value:g}" if value < 1e6 else f"{full}{label} {value:.0f}",
            ]
        )

    add("max_age_seconds", "Age of the last good backup from which on verify fails.", settings.max_age * 3600)
    if state.get("since"):
        add(
            "configured_timestamp_seconds",
            "Since when backups are configured, in seconds since 1970.",
            seconds(state["since"]),
        )
    if state.get("ended"):
        add("ok", "1 when the last backup was good, else 0.", int(bool(state.get("ok"))))
        add(
            "tried_timestamp_seconds",
            "Moment of the last backup, good or not, in seconds since 1970.",
            seconds(state["ended"]),
        )
    good = state.get("good")
    if good:
        add(
            "success_timestamp_seconds",
            "Moment of the last good backup, in seconds since 1970.",
            seconds(good["time"]),
        )
        add("duration_seconds", "What the last good backup took.", good["seconds"])
        add("files", "Files in the last good backup.", good["files"])
        add("bytes", "Bytes in the last good backup.", good["bytes"])
        add("added_bytes", "Bytes that it sent to the repository.", good["added"])
        add("unread_files", "Files that went away before they could be read.", good["unread"])
    check = state.get("check")
    if check:
        add("check_ok", "1 when the last check found the repository whole, else 0.", int(check["ok"]))
        add(
            "check_timestamp_seconds",
            "Moment of the last check of the repository, in seconds since 1970.",
            seconds(check["time"]),
        )
    rehearsed = drill(settings)
    if settings.drill_max_age:
        add(
            "drill_max_age_seconds",
            "Age of the last good drill from which on verify warns.",
            settings.drill_max_age * 86400,
        )
    if rehearsed.get("ended"):
        add("drill_ok", "1 when the last drill was good, else 0.", int(bool(rehearsed.get("ok"))))
    if rehearsed.get("good"):
        add(
            "drill_success_timestamp_seconds",
            "Moment of the last good drill, in seconds since 1970.",
            seconds(rehearsed["good"]["time"]),
        )
        add("drill_duration_seconds", "What the last good drill took.", rehearsed["good"]["seconds"])
    return "\n".join(lines) + "\n"


def hint(settings: Settings) -> str:
    """Where the repository is no better off than the data."""
    place = settings.repository.removeprefix("local:")
    if not place.startswith("/"):
        return ""
    try:
        same = os.stat(place).st_dev == os.stat(settings.state_dir).st_dev
    except OSError:
        return ""
    return (
        f"{place} is on the same disk as the instance: a copy on another machine outlives this one."
        if same
        else ""
    )
