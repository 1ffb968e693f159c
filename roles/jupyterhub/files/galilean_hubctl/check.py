# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a user does, through the public address: log in, start a server, run a cell, stop."""

from __future__ import annotations

import argparse
import json
import time
import typing as t
from pathlib import Path

from . import engine
from .atomic_file import replace_file
from .check_container import CheckContainer, CheckEnded, host_certificates, result
from .container_logs import as_text, read_logs
from .settings import Busy, Problem, Settings

NAME, HELP = "check", "test the hub like a user: start a server, run a cell, stop"
# Also written by the module hub_check.
FILE = "check.json"


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def request(settings: Settings) -> dict[str, t.Any]:
    """What the check reads."""
    plan = settings.check
    try:
        token = (Path(settings.secrets_dir) / "check-token").read_text(encoding="utf-8").strip()
        trusted = plan["certificates"] or (
            Path(plan["ca_file"]).read_text(encoding="utf-8") if plan["ca_file"] else host_certificates()
        )
    except OSError as exc:
        raise Problem(f"{exc.filename} cannot be read ({exc.strerror}): run site.yml again.") from exc
    return {
        "url": settings.url,
        "token": token,
        "validate_certs": True,
        "certificates": trusted,
        "settings": plan["settings"],
    }


def run(settings: Settings, given: argparse.Namespace) -> dict[str, t.Any]:
    asked = request(settings)
    user = asked["settings"]["user"]
    names = [one["name"] for one in settings.containers.values()]

    def logs(phase: str, began: int) -> list[str]:
        since = 0 if phase == "answer" else began
        server = (settings.instance, user)
        return as_text(
            read_logs(engine.run, settings.docker[0], names, (user,), (asked["token"],), since, server)
        )

    try:
        container = CheckContainer(settings.docker, settings.containers["hub"]["name"], engine.run)
        if container.others():
            raise Busy("Another check of this hub is at work: wait for it, then try again.")
        seen = container.run(asked, logs)
    except CheckEnded as exc:
        seen = {"reason": str(exc)}
    if not seen.get("reason") and "total" not in seen["timings"]:
        raise Busy("Another check has ended this one, so it says nothing of the hub.")
    kept = result(seen, time.time())
    replace_file(str(Path(settings.folder) / FILE), json.dumps(kept, indent=2) + "\n", mode=0o644)
    failed = [kept["message"], *seen.get("left", [])] if not kept["ok"] else []
    return {**kept, "logs": seen.get("logs", []), "notices": seen.get("notices", []), "attention": failed}


def words(answer: t.Mapping[str, t.Any]) -> list[str]:
    times = ", ".join(
        f"{name.replace('_start', '')} {value:.1f} s" for name, value in answer["timings"].items()
    )
    said = [f"A user can work: {times}."] if answer["ok"] else []
    return [*said, *answer["notices"], *answer["attention"], *answer["logs"]]
