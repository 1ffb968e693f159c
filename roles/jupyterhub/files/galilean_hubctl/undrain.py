# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The end of a drain."""

from __future__ import annotations

import argparse
import typing as t

from . import operations
from .settings import Settings

NAME, HELP = "undrain", "start servers again"


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(settings: Settings, given: argparse.Namespace) -> dict[str, t.Any]:
    found = operations.read(settings)
    ended = found.pop("drain", None)
    if ended:
        operations.write(settings, found)
    return {"ended": ended}


def words(answer: t.Mapping[str, t.Any]) -> list[str]:
    ended = answer["ended"]
    return [
        f"Servers start again. The hub was drained since {ended['since']}."
        if ended
        else "The hub was not drained."
    ]
