# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Who has an account, and whose servers run."""

from __future__ import annotations

import argparse
import time
import typing as t

from .api import Api
from .settings import Settings
from .words import ago, seconds_of, table

NAME, HELP = "users", "list users: name, administrator, groups, last activity, running servers"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--active", action="store_true", help="only those whose servers run")


def row(model: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """One user, out of the hub's description; the name of the default server is empty."""
    return {
        "name": model["name"],
        "admin": bool(model.get("admin")),
        "groups": sorted(model.get("groups") or []),
        "last_activity": model.get("last_activity"),
        "servers": [
            {key: server.get(key) for key in ("name", "ready", "pending", "started", "last_activity")}
            for _, server in sorted((model.get("servers") or {}).items())
        ],
    }


def run(settings: Settings, given: argparse.Namespace) -> dict[str, t.Any]:
    found = Api(settings).users("&state=active" if given.active else "")
    return {"users": sorted((row(one) for one in found), key=lambda one: str(one["name"]))}


def words(answer: t.Mapping[str, t.Any]) -> list[str]:
    now = time.time()

    def server(one: t.Mapping[str, t.Any]) -> str:
        name = one["name"] or "default"
        return f"{name} ({one['pending']})" if one["pending"] else name

    rows = [("NAME", "ADMIN", "GROUPS", "LAST ACTIVITY", "SERVERS")]
    for one in answer["users"]:
        active = ago(now - seconds_of(one["last_activity"])) if one["last_activity"] else "never"
        rows.append(
            (
                one["name"],
                "yes" if one["admin"] else "",
                " ".join(one["groups"]),
                active,
                " ".join(map(server, one["servers"])),
            )
        )
    return table(rows)
