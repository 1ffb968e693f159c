# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Gather the metrics of a hub instance.

Prints a JSON object. Exit status: 0, also where a source is away, which stderr names; 1 when nothing can be gathered.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

from . import collect
from .settings import Problem, load


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="metrics", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", required=True, help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    os.umask(0o077)
    try:
        answer = collect.run(load(given.folder))
    except Problem as exc:
        print(exc, file=sys.stderr)
        return 1
    print(json.dumps(answer))
    # A source that is away is told by an alert; the metrics of the others are there.
    for name, why in answer["problems"].items():
        print(f"No metrics of the source {name}: {why}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
