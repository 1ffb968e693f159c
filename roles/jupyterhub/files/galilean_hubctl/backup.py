# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Hands on to the program of the role backup."""

from __future__ import annotations

import argparse
import typing as t

from . import engine
from .settings import Problem, Settings

NAME, HELP = "backup", "make a backup now; backup status, list, restic as the program backup does"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Whatever is given is handed on."""


def hand_on(settings: Settings, words: list[str]) -> t.NoReturn:
    program = settings.program("backup")
    if not program.exists():
        raise Problem(
            f"The hub {settings.instance} has no backups: set backup_repository, and run site.yml (docs/backup.md)."
        )
    engine.replace_process([str(program), *words])


def run(settings: Settings, given: argparse.Namespace) -> dict[str, t.Any]:
    hand_on(settings, given.words or ["run"])
