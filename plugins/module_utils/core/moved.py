# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The mark on a host that an instance has left: what is there stays as it was, and nothing starts it. Programs on hosts have this file."""

from __future__ import annotations

import typing as t
from pathlib import Path

from .json_file import read_json

# In the folder of the instance; written by backup retire.
MARK = "moved"


def moved(state_dir: str) -> dict[str, t.Any]:
    """Where the instance has gone (to) and when (time); empty where it has not."""
    path = Path(state_dir) / MARK
    return {"to": "another one", "time": "", **read_json(path)} if path.exists() else {}


def refusal(state_dir: str, instance: str) -> str:
    """What a program says that works on a running instance only; empty where it may."""
    gone = moved(state_dir)
    if not gone:
        return ""
    return (
        f"The instance {instance} has moved from this host to {gone['to']} ({gone['time']}): "
        "run this there, or see docs/moving.md for the way back."
    )
