# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""hubctl: what operators do with a hub that runs.

Exit status: 0; 1 where something needs attention (one line each) or the command cannot be carried out (one sentence on stderr); 2 for
a wrong call; 75 where the same is at work already. Each sub-command is a module with NAME, HELP, arguments(), run() and words(); one without words() becomes another program.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import types
import typing as t

from . import announce, backup, check, drain, logs, restart, restore, shell, status, undrain, users, who
from .container_logs import visible
from .moved import refusal
from .settings import Busy, Problem, load

BUSY = 75
COMMANDS: tuple[types.ModuleType, ...] = (
    *(status, check, users, who, logs, shell, restart),
    *(announce, drain, undrain, backup, restore),
)
# What reads what is left on a host that the instance has left; the program of the backups judges for itself.
ANYWHERE = (who, logs, backup)


def parsed(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hubctl", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", required=True, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        whole = command.HELP[0].upper() + command.HELP[1:]
        own = hasattr(command, "words")
        # What is handed on to another program may be its options, and its help is asked for.
        one = commands.add_parser(command.NAME, help=command.HELP, description=whole, add_help=own)
        command.arguments(one)
        if own:
            one.add_argument("--json", action="store_true", help="for programs")
        one.set_defaults(module=command)
    given, rest = parser.parse_known_args(argv)
    if rest and hasattr(given.module, "words"):
        parser.error(f"{given.command} takes no {rest[0]}: see hubctl {given.command} --help")
    given.words = rest
    return given


def main(argv: list[str]) -> int:
    given = parsed(argv)
    try:
        if os.geteuid() != 0:
            raise Problem("hubctl needs root: call it with sudo.")
        settings = load(given.folder)
        gone = refusal(settings.state_dir, settings.instance)
        if gone and given.module not in ANYWHERE:
            raise Problem(gone)
        answer: dict[str, t.Any] = given.module.run(settings, given)
    except Problem as exc:
        if getattr(given, "json", False):
            print(json.dumps({"problem": str(exc)}))
        print(exc, file=sys.stderr)
        return BUSY if isinstance(exc, Busy) else 1
    except (KeyboardInterrupt, BrokenPipeError):
        return 1
    lines = [] if given.json else "\n".join(given.module.words(answer)).split("\n")
    text = json.dumps(answer, indent=2) if given.json else "\n".join(map(visible, lines))
    if text:
        print(text)
    return 1 if answer.get("attention") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
