# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""backup run|status|list|restore|restore-files|drill|restic|serve|receive: backups and moves of one hub instance.

Prints a JSON object on stdout, and what happens on stderr. Exit status: 0, 1 when something is wrong (one sentence on stderr), 2 for a
wrong call, 75 when another run is at work.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import signal
import sys
import time
import typing as t

from . import drill, manifest, move, moved, restore, run, state
from .repository import Repository
from .settings import Busy, Problem, Settings, load

BUSY = 75
PROGRESS = "progress.log"


class Stopped(Problem):
    """Somebody has ended this run."""


@contextlib.contextmanager
def alone(settings: Settings) -> t.Iterator[None]:
    """Two at a time would only wait for each other at the disk."""
    with open(settings.home / state.LOCK, "a", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            began = state.remembered(settings).get("began", "")
            raise Busy(
                f"A backup or restore of {settings.instance} runs already{' since ' + began if began else ''}: this one ends here."
            ) from None
        yield


def stop(number: int, _frame: object) -> None:
    raise Stopped(f"It was stopped ({signal.Signals(number).name}). The next run goes on with what is done.")


def parsed(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="backup", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", required=True, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True)
    now = commands.add_parser("run", help="make a backup now; what the timer does")
    now.add_argument("--quiet", action="store_true", help="only say what is wrong, as cron wants it")
    commands.add_parser("status", help="the last backup, the last good one, and what is wrong")
    commands.add_parser("list", help="the snapshots of this instance")
    commands.add_parser("prepare", help="make the repository, if it is not there")
    one = commands.add_parser("restore", help="bring everything back; playbooks/restore.yml does it")
    two = commands.add_parser(
        "restore-files", help="bring files of one user back; playbooks/restore_files.yml does it"
    )
    four = commands.add_parser("drill", help="rehearse a restore; playbooks/drill.yml does it")
    four.add_argument("step", choices=["begin", "login", "end"])
    four.add_argument("--scratch", required=True, help="name of the instance that is made for it")
    four.add_argument("--homes", type=int, default=0, help="how many homes; all where not given")
    four.add_argument("--problem", default="", help="what went wrong")
    four.add_argument("--answer", default="{}", help="what the step begin has said")
    for parser_of_one in (one, two, four):
        parser_of_one.add_argument("--snapshot", default="latest", help="latest, an id, or a time (UTC)")
        parser_of_one.add_argument(
            "--name", default="", help="name of the backups, where it is not this instance's"
        )
        parser_of_one.add_argument("--check", action="store_true", help="only say what would be done")
    one.add_argument("--confirm", default="", help="name of the instance that the backup replaces")
    two.add_argument("--user", required=True)
    two.add_argument("--path", default="", help="a file or folder in the home; all of it where not given")
    two.add_argument("--over", action="store_true", help="over what is there, not into a folder of its own")
    commands.add_parser("serve", help="answer the new host of a move; what its key may do")
    four = commands.add_parser(
        "receive", help="bring all that is new in the old host; playbooks/move.yml does it"
    )
    four.add_argument(
        "--from", dest="target", default="", help="account and host; empty only says how far the move is"
    )
    four.add_argument("--port", default="22")
    four.add_argument("--confirm", default="", help="name of the instance here that is replaced")
    four.add_argument(
        "--last", action="store_true", help="nobody works there any more: compare everything, too"
    )
    four.add_argument("--done", action="store_true", help="note that the hub serves here")
    five = commands.add_parser("retire", help="end the instance on this host, which has moved to another one")
    five.add_argument("--to", required=True)
    three = commands.add_parser("restic", help="restic itself, with repository and password of this instance")
    three.add_argument("words", nargs=argparse.REMAINDER)
    return parser.parse_args(argv)


class Log:
    """What happens, for who waits, and in a file for who looks from elsewhere."""

    def __init__(self, settings: Settings, quiet: bool = False) -> None:
        self._file, self._quiet = settings.home / PROGRESS, quiet
        self._file.write_text("", encoding="utf-8")

    def __call__(self, text: str) -> None:
        if not self._quiet:
            print(text, file=sys.stderr, flush=True)
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(f"{text}\n")


def carry_out(settings: Settings, given: argparse.Namespace) -> dict[str, t.Any]:
    if given.command == "status":
        return state.observe(settings, time.time(), state.is_running(settings))
    if given.command == "list":
        found = Repository(settings).snapshots(settings.name)
        return {"name": settings.name, "snapshots": [manifest.in_words(one) for one in found]}
    if given.command == "drill" and given.step != "begin":
        if given.step == "login":
            return drill.log_in(settings, given.scratch)
        return drill.end(settings, given.problem, given.answer)
    if given.command == "receive" and not given.target and not given.done:
        return move.phase(settings)
    if given.command == "retire":
        return move.retire(settings, given.to)
    gone = moved.refusal(settings.state_dir, settings.instance)
    if gone and given.command != "receive":
        raise Problem(gone)
    with alone(settings):
        if given.command == "drill":
            return drill.begin(
                settings,
                Log(settings),
                given.scratch,
                given.snapshot,
                given.name,
                given.homes,
                given.check,
            )
        if given.command == "receive":
            if given.done:
                return move.note(settings, phase=move.DONE)
            return move.receive(settings, Log(settings), given.target, given.port, given.confirm, given.last)
        if given.command == "prepare":
            return {"changed": run.prepare(settings)}
        if given.command == "run":
            return run.backup(settings, Log(settings, given.quiet))
        if given.command == "restore":
            return restore.restore(
                settings, Log(settings), given.snapshot, given.name, given.confirm, given.check
            )
        return restore.restore_files(
            settings,
            Log(settings),
            given.user,
            given.path,
            given.snapshot,
            given.name,
            not given.over,
            given.check,
        )


def main(argv: list[str]) -> int:
    given = parsed(argv)
    os.umask(0o077)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        settings = load(given.folder)
        if given.command == "restic":
            repository = Repository(settings)
            command = repository.argv(*given.words)
            os.execvpe(command[0], command, repository.environment())
        if given.command == "serve":
            move.serve(settings)
            return 0
        answer = carry_out(settings, given)
    except Problem as exc:
        print(json.dumps({"problem": str(exc)}))
        print(exc, file=sys.stderr)
        return BUSY if isinstance(exc, Busy) else 1
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
