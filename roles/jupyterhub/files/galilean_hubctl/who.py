# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Who did what, when and from where: from the audit log (docs/audit.md)."""

from __future__ import annotations

import argparse
import gzip
import sys
import typing as t
from datetime import datetime, timezone
from pathlib import Path

from . import audit_events
from .json_file import read_json
from .settings import Problem, Settings
from .words import table

NAME, HELP = "who", "who did what, when and from where: logins, servers, accounts, approvals"
LAST = 50


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", default="", help="of a user: what they did, and what was done to them"
    )
    parser.add_argument("--since", default="", help="2026-11-30, 2026-11-30T12:00 (UTC), or ago: 90m, 6h, 7d")
    parser.add_argument("--until", default="", help="as --since; of a day, its end")
    parser.add_argument(
        "--action", default="", help="login, server, server.enter, account, group, token, approval, ..."
    )
    parser.add_argument("--all", action="store_true", help=f"more than the last {LAST}, as with --json")


def files(folder: Path, since: str = "") -> list[Path]:
    """Those that may have events from then on, the oldest first."""
    # A file is named after the time of its last event.
    kept = sorted(folder.glob("audit-*.jsonl*"))
    ended = since.replace("-", "").replace(":", "").rstrip("Z")
    kept = [path for path in kept if path.name.split("audit-")[1] >= ended]
    return [*kept, *[path for path in (folder / "audit.jsonl",) if path.exists()]]


def lines(paths: t.Iterable[Path]) -> t.Iterator[bytes]:
    for path in paths:
        try:
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
                yield from stream
        except FileNotFoundError:
            # Just turned over: its events are in the one that it became.
            continue
        except (OSError, EOFError) as exc:
            print(f"{path} cannot be read to its end: {exc}", file=sys.stderr)


def run(settings: Settings, given: argparse.Namespace) -> dict[str, t.Any]:
    state = Path(settings.state_dir)
    folder, now = state / "audit", datetime.now(timezone.utc)
    try:
        wanted = audit_events.Query(
            given.name,
            audit_events.moment(given.since, "--since", now) if given.since else "",
            audit_events.moment(given.until, "--until", now, end=True) if given.until else "",
            audit_events.action_of(given.action),
        )
    except audit_events.QueryError as exc:
        raise Problem(str(exc)) from exc
    if not folder.is_dir():
        raise Problem(
            f"{folder} is not there: jupyterhub_audit_days is 0, or site.yml has not run since it was set."
        )
    names = {wanted.name}
    if wanted.name:
        told = (line for line in lines(files(folder)) if b"account.rename" in line)
        renames = audit_events.renames_in(audit_events.events_of(told))
        # Also those of a time that is not kept any more.
        renames += [(str(old), new) for new, old in read_json(state / "hub" / "homes.json").items()]
        names = audit_events.names_of(wanted.name, renames)
    found = audit_events.select(audit_events.events_of(lines(files(folder, wanted.since))), wanted, names)
    shown = found if given.all or given.json else found[-LAST:]
    return {"events": shown, "found": len(found), "names": sorted(names - {""})}


def words(answer: t.Mapping[str, t.Any]) -> list[str]:
    shown, others = answer["events"], answer["names"]
    said = table([audit_events.COLUMNS, *[audit_events.row(event) for event in shown]])
    if len(others) > 1:
        said.append(f"One user: {', '.join(others)}.")
    if len(shown) < answer["found"]:
        said.append(f"The last {len(shown)} of {answer['found']}: --all shows all of them.")
    return said
