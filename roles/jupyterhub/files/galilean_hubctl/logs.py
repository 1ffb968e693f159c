# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the parts of the instance have said, and users' servers."""

from __future__ import annotations

import argparse
import gzip
import re
import sys
import typing as t
from pathlib import Path

from . import engine
from .container_logs import visible
from .settings import Problem, Settings

NAME, HELP = "logs", "logs of hub, proxy, edge, broker or disk, of a user's server, or of logins"
PARTS = ("hub", "proxy", "edge", "broker", "disk")
# JupyterHub's own lines: after Docker's time and the head that JupyterHub writes there is nothing else.
LOGIN = re.compile(
    r"(?P<time>\d{4}\S*) \[[A-Z] [^\]\n]*\] "
    r"(?:User logged (?P<kind>in|out): (?P<user>.*)|(?P<failed>Failed login for) (?P<name>.*))"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("part", nargs="?", default="hub", choices=PARTS)
    parser.add_argument("--user", default="", help="the log of this user's servers")
    parser.add_argument(
        "--server", default="", help="with --user: the server of this name, not the default one"
    )
    parser.add_argument("--logins", action="store_true", help="only who logged in and out, and failed logins")
    parser.add_argument("--follow", "-f", action="store_true", help="go on with what comes")
    parser.add_argument(
        "--since", default="", help="only what is newer, such as 1h: the present container only"
    )
    parser.add_argument("--tail", default="", help="only the last lines of the present container")


def former(settings: Settings, part: str) -> t.Iterator[str]:
    """The lines of containers that were replaced."""
    for path in sorted(Path(settings.log_dir).glob(f"{settings.containers[part]['name']}-*.log.gz")):
        with gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="\n") as file:
            yield from file


def login(line: str) -> dict[str, str] | None:
    """A login in a line of the hub's log; none for other lines."""
    found = LOGIN.fullmatch(line.rstrip())
    if found is None:
        return None
    what = {"in": "login", "out": "logout", None: "failed"}[found["kind"]]
    return {"time": found["time"], "what": what, "user": (found["user"] or found["name"]).strip()}


def run(settings: Settings, given: argparse.Namespace) -> dict[str, t.Any]:
    options = [
        *(["--follow"] if given.follow else []),
        *([f"--since={given.since}"] if given.since else []),
        *([f"--tail={given.tail}"] if given.tail else []),
    ]
    show = [*settings.docker, "logs", "--timestamps", *options]
    if given.user:
        found = engine.servers(settings, given.user, every=True)
        mine = [one for one in found if one["server"] == given.server]
        if not mine:
            names = ", ".join(sorted(one["server"] or "the default one" for one in found))
            also = f", but other servers do: {names}. Choose one with --server" if found else ""
            raise Problem(
                f"No server{f' {given.server!r}' if given.server else ''} of '{given.user}' runs{also}. The last lines of one that ended are "
                "in the log of the hub: hubctl logs."
            )
        engine.show([*show, mine[0]["container"]])
    container = settings.containers[given.part]["name"]
    if given.logins:
        code, out, err = engine.run(
            [*settings.docker, "logs", "--timestamps", *options[bool(given.follow) :], container]
        )
        if code:
            raise Problem(f"The log of {container} cannot be read: {' '.join(err.split())}.")
        lines = [*([] if given.since or given.tail else former(settings, "hub")), *(out + err).split("\n")]
        return {"logins": sorted(filter(None, map(login, lines)), key=lambda one: one["time"])}
    if not options:
        to_people = sys.stdout.isatty()
        for line in former(settings, given.part):
            sys.stdout.write(f"{visible(line.rstrip())}\n" if to_people else line)
        sys.stdout.flush()
    engine.show([*show, container])


def words(answer: t.Mapping[str, t.Any]) -> list[str]:
    return [f"{one['time'][:19]}Z  {one['what']:<7} {one['user']}" for one in answer["logins"]]
