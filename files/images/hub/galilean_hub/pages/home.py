# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the home page tells of a user's servers: which run, since when, with what; and of those of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..disk import memory
from ..disk.rules import words
from ..disk.watch import FOLDER
from ..spawner import profiles


def teller(user: Any) -> Callable[[], dict[str, Any]]:
    """JupyterHub calls this for each page; what it returns only costs anything where a template calls it."""

    def told() -> dict[str, Any]:
        spawners = [user.spawner, *user.all_spawners(include_default=False)]
        held = memory.read(FOLDER)
        return {
            "servers": [described(user, one, held) for one in spawners],
            "choice": has_choice(user),
            "shared": shared(user),
        }

    return told


def described(user: Any, spawner: Any, held: Mapping[str, int]) -> dict[str, Any]:
    """One server. Of those with names that do not run JupyterHub has no spawner, only its database's row."""
    active = bool(getattr(spawner, "active", False))
    state = getattr(spawner, "pending", None) or ("running" if active else "stopped")
    facts = (getattr(spawner, "facts", None) or {}) if state != "stopped" else {}
    started = spawner.orm_spawner.started if state == "running" else None
    used = held.get(getattr(spawner, "object_id", "")) if state == "running" else None
    return {
        "name": spawner.name,
        "label": getattr(spawner, "display_name", "") or spawner.name,
        "state": state,
        # JupyterHub's times are UTC.
        "started": f"{started.isoformat(timespec='seconds')}Z" if started else "",
        "environment": facts.get("environment") or "",
        "memory": size(used, facts.get("memory") or 0),
        "url": user.server_url(spawner.name),
    }


def size(used: int | None, limit: int) -> str:
    """In words, as far as it is known."""
    if used is not None and limit:
        return f"{words(used)} of {words(limit)}"
    return words(used) if used is not None else f"up to {words(limit)}" if limit else ""


def has_choice(user: Any) -> bool:
    """Whether the user has another environment to choose."""
    spawner = user.spawner
    offered = getattr(spawner, "profiles", None) or []
    if user.name in getattr(spawner, "default_profile_users", ()):
        return False
    return len(offered) > 1 and len(profiles.allowed(offered, spawner.group_names())) > 1


def shared(user: Any) -> list[dict[str, Any]]:
    """Servers of others that the user may use, by JupyterHub's shares."""
    found = {}
    for share in user.orm_user.all_shared_with_me:
        owner, name = share.owner.name, share.spawner.name
        if owner != user.name and not share.expired:
            ready = bool(share.spawner.server)
            found[owner, name] = {"owner": owner, "name": share.spawner.display_name or name, "ready": ready}
            found[owner, name]["url"] = user.settings["users"][share.owner.id].server_url(name)
    return [found[key] for key in sorted(found)]
