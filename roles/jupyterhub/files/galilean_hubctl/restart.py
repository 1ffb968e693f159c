# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Restart parts of the instance. Servers of users go on."""

from __future__ import annotations

import argparse
import time
import typing as t

from . import engine
from .settings import Problem, Settings

NAME, HELP = "restart", "restart the hub, or another part; users' servers go on"
# In the order in which they need each other.
ALL = ("broker", "disk", "proxy", "hub", "edge")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("part", nargs="?", default="hub", choices=("hub", "proxy", "edge", "all"))


def run(settings: Settings, given: argparse.Namespace) -> dict[str, t.Any]:
    parts, began = ALL if given.part == "all" else (given.part,), time.monotonic()
    for part in parts:
        name = settings.containers[part]["name"]
        code, _, err = engine.run([*settings.docker, "restart", "--time", "15", name])
        if code:
            raise Problem(f"{name} could not be restarted ({' '.join(err.split())}): see hubctl logs {part}.")
    code, _, err = engine.run(["/bin/sh", str(settings.program("service")), "wait", "60"])
    if code:
        raise Problem(err.strip())
    return {"restarted": list(parts), "seconds": round(time.monotonic() - began, 1)}


def words(answer: t.Mapping[str, t.Any]) -> list[str]:
    return [f"Restarted {', '.join(answer['restarted'])}; the hub answers, after {answer['seconds']} s."]
