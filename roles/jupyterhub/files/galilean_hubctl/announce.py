# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A banner on the hub's pages and in JupyterLab, without a restart."""

from __future__ import annotations

import argparse
import typing as t

from . import operations
from .settings import Problem, Settings

NAME, HELP = "announce", "show a text on all pages and in JupyterLab, or take it away"
FORMER = "former"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="*", help="the text; without one, what is shown now")
    parser.add_argument("--clear", action="store_true", help="show the announcement of the settings again")
    parser.add_argument(
        "--for-now", action="store_true", help="keep the announcement that is there for --back"
    )
    parser.add_argument(
        "--back",
        action="store_true",
        help="end one that was made --for-now, and show the one before it again",
    )


def run(settings: Settings, given: argparse.Namespace) -> dict[str, t.Any]:
    found = operations.read(settings)
    text, told = " ".join(given.text), found.get("announcement") or {}
    asked = [
        name
        for name, wanted in (("a text", text), ("--clear", given.clear), ("--back", given.back))
        if wanted
    ]
    if len(asked) > 1:
        raise Problem(f"There is {asked[0]}, and {asked[1]}: give one of them.")
    back = given.back and FORMER in told
    if given.clear or back:
        found.pop("announcement", None)
        if back and told[FORMER]:
            found["announcement"] = told[FORMER]
    elif text:
        # A second one for now is in place of the first one.
        former = {FORMER: told.get(FORMER, told)} if given.for_now else {}
        found["announcement"] = operations.signed(text=operations.sentence(text), **former)
    if text or given.clear or back:
        operations.write(settings, found)
    return {"shown": operations.announcement(settings, found), "announcement": found.get("announcement")}


def words(answer: t.Mapping[str, t.Any]) -> list[str]:
    told = answer["announcement"]
    whose = (
        f"Announced by {told['by']} at {told['since']}." if told else "Nothing but the settings announces."
    )
    return [f"Pages show: {answer['shown']}" if answer["shown"] else "Pages show no announcement.", whose]
