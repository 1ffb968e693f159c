# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""metrics | check: gather the metrics of a hub instance, or check it as a user would.

Prints a JSON object. Exit status: 0, 1 when something is wrong (on stderr, too), 75 when another check runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import typing as t

from . import check, collect
from .settings import Problem, load

BUSY = 75


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="monitoring", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", required=True, help=argparse.SUPPRESS)
    parser.add_argument("command", choices=["metrics", "check"])
    given = parser.parse_args(argv)
    os.umask(0o077)
    wrong: t.Iterable[str] = ()
    try:
        settings = load(given.folder)
        if given.command == "metrics":
            answer = collect.run(settings)
            wrong = [f"No metrics of the source {name}: {why}" for name, why in answer["problems"].items()]
        else:
            answer = check.run(settings)
            wrong = [answer["reason"]] if not answer["ok"] else []
    except Problem as exc:
        print(exc, file=sys.stderr)
        return BUSY if isinstance(exc, check.Busy) else 1
    print(json.dumps(answer))
    for line in wrong:
        print(line, file=sys.stderr)
    # A source that is away is told by an alert; the metrics of the others are there.
    return 1 if wrong and given.command == "check" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
