# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How the instance is, and what needs somebody: for people, and for monitoring by the exit status."""

from __future__ import annotations

import argparse
import contextlib
import json
import time
import typing as t
from pathlib import Path

from . import check, engine, operations
from .api import Api
from .json_file import read_json
from .server_settings import LABEL, servers_summary
from .settings import Problem, Settings
from .words import ago, seconds_of, shown, size, stamp, table

NAME, HELP = (
    "status",
    "containers, versions, users, disk, certificate, backup, check; exit status 1 where something is wrong",
)
STATE = "galilean.hub.state"
# Seconds after which what looks after the disk is taken for ended.
STALE = 120

Facts = dict[str, t.Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


# -- what is seen


def containers(settings: Settings) -> Facts:
    """For each part its state, and what of it is not as deployed."""
    wanted = settings.containers
    found = engine.inspect(settings, [one["name"] for one in wanted.values()])
    seen = {}
    for part, one in wanted.items():
        model = found.get(one["name"])
        if model is None:
            seen[part] = {"state": "missing", "health": "", "image": "", "since": "", "differs": []}
            continue
        config, state = model["Config"], model["State"]
        label = (config.get("Labels") or {}).get(STATE, "")
        different = [("image", config["Image"], one["image"]), ("settings", label, one["state"])]
        seen[part] = {
            "state": state["Status"],
            "health": (state.get("Health") or {}).get("Status", ""),
            "image": config["Image"],
            "since": state.get("StartedAt", ""),
            # Where it is not known what was deployed, nothing differs.
            "differs": [name for name, mine, theirs in different if theirs and mine != theirs],
        }
    return seen


def outdated(settings: Settings, servers: t.Sequence[t.Mapping[str, str]]) -> str:
    """A sentence on servers that are older than the settings; empty for none."""
    data = read_json(Path(settings.config_dir) / "config.json")
    try:
        current = data["traits"]["DockerSpawner"]["extra_create_kwargs"]["labels"][LABEL]
    except (KeyError, TypeError):
        return ""
    rows = [(one["user"], one["settings"]) for one in servers]
    cull = int((data.get("culler") or {}).get("timeout") or 0)
    return servers_summary(rows, current, settings.url, cull)


def people(settings: Settings) -> Facts:
    """How many users and servers; raises Problem where the hub does not tell."""
    api = Api(settings)
    _, known = api.page("limit=1")
    active = api.users("&state=active")
    return {
        "version": api.version(),
        "known": known,
        "active": len(active),
        "servers": sum(len(one.get("servers") or {}) for one in active),
    }


def disk(settings: Settings, now: float) -> Facts | None:
    """What the container that looks after the disk has measured."""
    state = read_json(Path(settings.disk_dir) / "state.json")
    if not state:
        return None
    space = (state.get("space") or {}).get("volumes") or {}
    homes = state.get("homes") or {}
    sizes = {name: one for name, one in homes.items() if "bytes" in one and not name.startswith("shared/")}
    full = [
        {"home": name, "bytes": one["bytes"], "limit": one["limit"]}
        for name, one in sorted(homes.items())
        if one.get("limit") and one.get("bytes", 0) >= one["limit"]
    ]
    return {
        "total": space.get("total", 0),
        "free": space.get("free", 0),
        "reserve": state.get("reserve", 0),
        "homes": len(sizes),
        "homes_bytes": sum(one["bytes"] for one in sizes.values()),
        "full": full,
        "stale": now - state.get("time", 0) > STALE,
    }


def told(settings: Settings, program: str) -> Facts | None:
    """What another program of the instance says of itself; None where there is none."""
    path = settings.program(program)
    if not path.exists():
        return None
    code, out, err = engine.run([str(path), "status"])
    try:
        found = json.loads(out)
    except ValueError:
        found = {}
    if not isinstance(found, dict) or not found:
        last = (err.strip().splitlines() or [f"it ended with {code}"])[-1]
        return {"problem": f"{path} status says nothing: {last}"}
    return found


def release(settings: Settings) -> Facts | None:
    """The record of the release that runs, where there is one."""
    return read_json(Path(settings.state_dir) / "releases" / "current" / "record.json") or None


def unfinished(settings: Settings) -> Facts:
    """What was begun and has not ended: a switch to another release, a restore, a move to another host; None for each that was not."""
    state = Path(settings.state_dir)
    former, switch = state / "releases" / ".former", None
    with contextlib.suppress(FileNotFoundError):
        begun = next((path for path in (former / "release", former) if path.exists()), former).stat().st_mtime
        run = state / "releases" / ".run"
        switch = {
            "began": stamp(begun),
            "run": run.read_text(encoding="utf-8").strip() if run.exists() else "",
        }
    return {
        "switch": switch,
        "restore": read_json(state / "backup" / "restoring.json") or None,
    }


# -- what it means


def of_unfinished(found: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    if found["restore"]:
        yield (
            f"A restore, begun at {found['restore'].get('began')}, has not ended, and the data is not whole: wait for its run, or run "
            "playbooks/restore.yml again where there is none."
        )
    if found["switch"]:
        by = f" by {found['switch']['run']}" if found["switch"]["run"] else ""
        yield (
            f"A switch to another release, begun at {found['switch']['began']}{by}, has not ended: wait for its run, or run site.yml "
            "again where there is none."
        )


def of_containers(parts: t.Mapping[str, Facts], start_command: str) -> t.Iterator[str]:
    for part, one in parts.items():
        if one["state"] == "missing":
            yield f"The container of the {part} is missing: run site.yml again."
        elif one["state"] != "running":
            yield f"The container of the {part} is {one['state']}: start it with {start_command}."
        elif one["health"] == "unhealthy":
            yield f"The container of the {part} does not answer: see hubctl logs {part}."
        if one["differs"]:
            yield f"The container of the {part} has other {' and '.join(one['differs'])} than were deployed: run site.yml again."


def of_disk(found: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    if found["stale"]:
        yield "The container that looks after the disk has measured nothing for long: see hubctl logs disk."
    elif found["free"] < found["reserve"]:
        yield (
            f"The disk has {size(found['free'])} left, less than the reserve of {size(found['reserve'])}, so no server "
            "starts: make room (playbooks/disk.yml shows who has what), or enlarge it."
        )


def of_drain(drain: t.Mapping[str, t.Any]) -> str:
    until = f", and servers are stopped on {shown(drain['at'])}" if drain.get("stop") else ""
    return f"The hub is drained by {drain['by']} since {drain['since']}: no servers are started until hubctl undrain{until}."


def attention(facts: t.Mapping[str, t.Any], start_command: str) -> list[str]:
    """What needs somebody, one line each."""
    begun = facts["unfinished"]
    found = list(of_unfinished(begun))
    if not begun["restore"]:
        # What is stopped for it must not be started.
        found += of_containers(facts["containers"], start_command)
    found += facts["unknown"]
    if facts["disk"]:
        found += of_disk(facts["disk"])
    for program in ("certificate", "backup"):
        if facts[program] and facts[program].get("problem"):
            found.append(facts[program]["problem"])
    if facts["check"] and not facts["check"].get("ok"):
        found.append(
            f"The last check, at {facts['check'].get('time')}, failed: {facts['check'].get('message')}"
        )
    if facts["drain"]:
        found.append(of_drain(facts["drain"]))
    return found


def notices(facts: t.Mapping[str, t.Any]) -> list[str]:
    """What is good to know, and is no fault."""
    found = [facts["outdated"]]
    if facts["disk"] and facts["disk"]["full"]:
        full = facts["disk"]["full"]
        listed = ", ".join(f"{one['home']} {size(one['bytes'])} of {size(one['limit'])}" for one in full[:5])
        found.append(
            f"{len(full)} homes or shared folders have reached their limit: {listed}{' …' if full[5:] else ''}"
        )
    if facts["backup"] is None:
        found.append("There are no backups: set backup_repository (docs/backup.md).")
    elif not facts["backup"].get("problem"):
        found.append(facts["backup"].get("notice", ""))
    if facts["check"] is None:
        found.append("No check has run yet: hubctl check.")
    return [one for one in found if one]


def run(settings: Settings, given: argparse.Namespace) -> dict[str, t.Any]:
    now, unknown, seen, servers, users = time.time(), [], {}, [], None
    try:
        seen, servers = containers(settings), engine.servers(settings)
        if seen["hub"]["state"] == "running":
            users = people(settings)
    except Problem as exc:
        unknown.append(str(exc))
    told_before = operations.read(settings)
    record = release(settings)
    facts: Facts = {
        "instance": settings.instance,
        "url": settings.url,
        "versions": {
            "collection": settings.version,
            "jupyterhub": users["version"] if users else (record or {}).get("jupyterhub_version", ""),
        },
        "release": record,
        "containers": seen,
        "users": users,
        "outdated": outdated(settings, servers),
        "disk": disk(settings, now),
        "certificate": told(settings, "certificate") if settings.tls else None,
        "backup": told(settings, "backup"),
        "check": read_json(Path(settings.folder) / check.FILE) or None,
        "announcement": operations.announcement(settings, told_before),
        "drain": told_before.get("drain"),
        "unfinished": unfinished(settings),
        "unknown": unknown,
    }
    return {**facts, "notices": notices(facts), "attention": attention(facts, settings.start_command)}


# -- how it is said


def words(answer: t.Mapping[str, t.Any]) -> list[str]:
    now = time.time()
    versions, rows = answer["versions"], [("PART", "STATE", "SINCE", "IMAGE")]
    for part, one in answer["containers"].items():
        since = ago(now - seconds_of(one["since"])) if one["state"] == "running" else ""
        health = one["health"] if one["state"] == "running" else ""
        rows.append((part, health or one["state"], since, one["image"]))
    lines = [("Hub", f"{answer['instance']} at {answer['url']}")]
    lines.append(
        ("Versions", f"JupyterHub {versions['jupyterhub'] or '?'}, collection {versions['collection']}")
    )
    record = answer["release"]
    if record:
        name = record.get("name") or "without a name"
        lines.append(("Release", f"{name}, {record['time']}, by {record.get('user', '?')}"))
    if answer["users"]:
        users = answer["users"]
        lines.append(("Users", f"{users['known']}, {users['servers']} servers of {users['active']} run"))
    room = answer["disk"]
    if room:
        of = f"{room['homes']} homes have {size(room['homes_bytes'])}"
        lines.append(("Disk", f"{size(room['free'])} free of {size(room['total'])}; {of}"))
    served = (answer["certificate"] or {}).get("served")
    if served:
        lines.append(("Certificate", f"{served['days_left']} days left, until {served['ends']}"))
    good = (answer["backup"] or {}).get("good")
    if good:
        lines.append(("Backup", f"{ago(now - seconds_of(good['time']))}, {size(good['bytes'])}"))
    seen = answer["check"]
    if seen:
        how = f"good, {seen['timings'].get('total', 0):.1f} s" if seen.get("ok") else "failed"
        lines.append(("Check", f"{ago(now - seconds_of(seen['time']))}, {how}"))
    if answer["announcement"]:
        lines.append(("Pages show", answer["announcement"]))
    rest = [("Note", one) for one in answer["notices"]] + [("Attention", one) for one in answer["attention"]]
    return [
        *[f"{name:<12}{text}" for name, text in lines],
        "",
        *(table(rows) if rows[1:] else []),
        *([""] if rest else []),
        *[f"{name:<12}{text}" for name, text in rest],
    ]
