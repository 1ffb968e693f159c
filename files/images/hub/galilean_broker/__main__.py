# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Usage: python -m galilean_broker [serve | health | compile <config.json]."""

from __future__ import annotations

import json
import sys


def main(word: str) -> int:
    """Entry point; each word loads only what it needs."""
    if word == "compile":
        from .model import compile_policy

        try:
            json.dump(compile_policy(json.load(sys.stdin)), sys.stdout)
        except ValueError as exc:
            print(exc, file=sys.stderr)
            return 1
        return 0
    from . import server

    if word == "health":
        return 0 if server.healthy() else 1
    server.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "serve"))
