# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Hands on to the program of the role backup."""

from __future__ import annotations

import argparse
import typing as t

from .backup import hand_on
from .settings import Settings

NAME, HELP = (
    "restore",
    "bring files of a user back: --user NAME [--path PATH] [--snapshot ID]; all: playbooks/restore.yml",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Whatever is given is handed on."""


def run(settings: Settings, given: argparse.Namespace) -> dict[str, t.Any]:
    named = any(word.split("=")[0] == "--user" for word in given.words)
    hand_on(settings, ["restore-files" if named else "restore", *given.words])
