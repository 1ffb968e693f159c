# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A shell in the running hub, or one command there."""

from __future__ import annotations

import argparse
import sys
import typing as t

from . import engine
from .settings import Settings

NAME, HELP = "shell", "open a shell in the hub, or run a command in it"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Whatever is given is handed on."""


def run(settings: Settings, given: argparse.Namespace) -> dict[str, t.Any]:
    # A terminal only where there is one: scripts and pipes work, too.
    terminal = ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    hub = engine.running(settings, "hub")
    engine.replace_process(
        [*settings.docker, "exec", "--interactive", *terminal, hub, *(given.words or ["bash"])]
    )
