# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A banner on the hub's pages and in JupyterLab, without a restart."""

from __future__ import annotations

import argparse
import typing as t

from . import operations
from .settings import Problem, Settings

NAME, HELP = "announce", "show a text on all pages and in JupyterLab, or take it away"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="*", help="the text; without one, what is shown now")
    parser.add_argument("--clear", action="store_true", help="show the announcement of the settings again")


def run(settings: Settings, given: argparse.Namespace) -> dict[str, t.Any]:
    found = operations.read(settings)
    text = " ".join(given.text)
    if text and given.clear:
        raise Problem("There is a text, and --clear: give one of them.")
    if given.clear:
        found.pop("announcement", None)
    elif text:
        found["announcement"] = operations.signed(text=operations.sentence(text))
    if text or given.clear:
        operations.write(settings, found)
    return {"shown": operations.announcement(settings, found), "announcement": found.get("announcement")}


def words(answer: t.Mapping[str, t.Any]) -> list[str]:
    told = answer["announcement"]
    whose = (
        f"Announced by {told['by']} at {told['since']}." if told else "Nothing but the settings announces."
    )
    return [f"Pages show: {answer['shown']}" if answer["shown"] else "Pages show no announcement.", whose]
