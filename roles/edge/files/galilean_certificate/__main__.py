# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""certificate [issue|renew|install|status]: the certificate of one instance.

Prints a JSON object on stdout. Exit status: 0, 1 when something is wrong (one sentence on stderr), 2 for a wrong call.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import fcntl
import json
import os
import sys
import typing as t
from pathlib import Path

from . import install, issue, status
from .settings import Problem, Settings, load


@contextlib.contextmanager
def alone(settings: Settings) -> t.Iterator[None]:
    """Two at a time would take each other's pair away. certbot's hook is called by one that is here already."""
    if os.environ.get("GALILEAN_CERTIFICATE_LOCKED"):
        yield
        return
    with open(Path(settings.folder) / ".lock", "a", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        os.environ["GALILEAN_CERTIFICATE_LOCKED"] = "1"
        yield


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="certificate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", required=True, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("issue", help="get a certificate if one is due, and serve it")
    one.add_argument("--check", action="store_true", help="only say what would be done")
    one.add_argument("--force", action="store_true", help="get another one in any case")
    commands.add_parser("renew", help="the same, and let certbot judge as well; what the timer runs")
    two = commands.add_parser("install", help="serve what certbot left (its deploy hook)")
    two.add_argument("lineage", nargs="?", default=os.environ.get("RENEWED_LINEAGE", ""))
    commands.add_parser("status", help="what is served, and how the last renewal went")
    given = parser.parse_args(argv)
    try:
        settings = load(given.folder)
        with alone(settings):
            answer, problem = run(settings, given)
    except Problem as exc:
        answer, problem = {}, str(exc)
    print(json.dumps(answer))
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


def run(settings: Settings, given: argparse.Namespace) -> tuple[dict[str, t.Any], str]:
    """Carry out a command; the answer and what went wrong."""
    if given.command in ("issue", "renew"):
        outcome = issue.issue(
            settings,
            check=getattr(given, "check", False),
            ask=given.command == "renew",
            force=getattr(given, "force", False),
        )
        return dataclasses.asdict(outcome), outcome.problem
    if given.command == "install":
        lineage = given.lineage or settings.certbot().lineage
        return {"changed": install.install(settings, install.read_lineage(lineage))}, ""
    state = status.observe(settings)
    status.keep(settings, state)
    return state, ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
