# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What takes the disk, as people read it. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_plan import human

Row = t.Mapping[str, t.Any]


def _lines(rows: t.Sequence[tuple[str, float, str]]) -> list[str]:
    width = max([len(name) for name, _size, _note in rows], default=0)
    return [f"  {name:<{width}}  {human(size):>8}  {note}".rstrip() for name, size, note in rows]


def _section(title: str, size: float, note: str, rows: t.Sequence[tuple[str, float, str]]) -> list[str]:
    return [f"{title}: {human(size)}{note}", *_lines(rows), ""]


def _more(rows: t.Sequence[Row], top: int, what: str) -> list[tuple[str, float, str]]:
    rest = rows[top:]
    return [(f"{len(rest)} more {what}", sum(row["bytes"] for row in rest), "")] if rest else []


def _uses(users: t.Sequence[str]) -> str:
    if not users:
        return ""
    shown = ", ".join(users[:2]) + (f" and {len(users) - 2} more" if len(users) > 2 else "")
    return f"used by {shown}"


def _image(row: Row) -> tuple[str, float, str]:
    versions = row["versions"]
    wanted = sum(1 for version in versions if version["wanted"])
    users = sorted({user for version in versions for user in version["users"]})
    parts = [f"{len(versions)} version{'s' if len(versions) != 1 else ''}"]
    parts.append(f"{human(row['unique_bytes'])} of its own")
    parts += ["wanted now"] if wanted else []
    parts += [_uses(users)] if users else []
    parts += [] if row["ours"] else ["not ours"]
    return row["repository"], row["bytes"], ", ".join(parts)


def _home(row: Row) -> tuple[str, float, str]:
    name = f"{row['user'] or row['name']} ({row['instance']})" if row["instance"] else str(row["name"])
    notes = [
        f"of {human(row['limit_bytes'])}" if row.get("limit_bytes") else "",
        "server exists" if row["users"] else "",
        f"last used {row['last_used']}" if row.get("last_used") else "",
    ]
    return name, row["bytes"], ", ".join(note for note in notes if note)


def _kept(usage: Row) -> list[str]:
    """Sections on what hubs keep beside the engine."""
    out: list[str] = []
    folders, archives = usage.get("shared_folders") or [], usage.get("archives") or []
    if folders:
        rows = [(f"{row['name']} ({row['instance']})", row["bytes"], "") for row in folders]
        out += _section("Shared folders", sum(row["bytes"] for row in folders), "", rows)
    if archives:
        rows = [(row["path"], row["bytes"], f"of {row['user']}" if row["user"] else "") for row in archives]
        out += _section("Archives of homes", sum(row["bytes"] for row in archives), "", rows)
    return out


def _software(row: Row) -> tuple[str, float, str]:
    state = {True: "", False: "not finished", None: ""}[row["sealed"]]
    return row["name"], row["bytes"], ", ".join(part for part in (state, _uses(row["users"])) if part)


def usage_table(usage: Row, host: str = "", top: int = 10, command: str = "a prune") -> list[str]:
    """The lines of a report: sums, the biggest of each kind first, and what could go."""
    totals, disk, freeable = usage["totals"], usage["disk"], usage["freeable"]
    out = [
        f"{host + ': ' if host else ''}{human(sum(totals.values()))} in {disk['path'] or 'the engine'}, "
        f"{human(disk['free_bytes'])} of {human(disk['bytes'])} free",
        "",
    ]
    images = usage["images"]
    out += _section(
        "Images",
        totals["images"],
        ", each layer counted once",
        [_image(row) for row in images[:top]] + _more(images, top, "names"),
    )
    software = usage["software"]
    out += _section(
        "Shared software",
        totals["software"],
        "",
        [_software(row) for row in software[:top]] + _more(software, top, "volumes"),
    )
    homes = usage["homes"]
    out += _section(
        "Homes",
        totals["homes"],
        f" of {len(homes)} user{'s' if len(homes) != 1 else ''}",
        # All of them: who takes how much is what people look for.
        [_home(row) for row in homes],
    )
    out += _kept(usage)
    others = usage["other_volumes"]
    if others:
        rows = [(row["name"], row["bytes"], _uses(row["users"])) for row in others[:top]]
        out += _section("Other volumes", totals["other_volumes"], "", rows + _more(others, top, "volumes"))
    written = [row for row in usage["containers"] if row["bytes"]]
    rows = [(row["name"], row["bytes"], "" if row["running"] else "stopped") for row in written[:top]]
    note = f" written by {len(usage['containers'])} container{'s' if len(usage['containers']) != 1 else ''} beside their volumes"
    out += _section("Containers", totals["containers"], note, rows + _more(written, top, "containers"))
    cache = usage["build_cache"]
    out += _section("Build cache", cache["bytes"], f" in {cache['records']} records", [])
    total = sum(freeable.values())
    if total:
        parts = [f"{key.replace('_', ' ')} {human(size)}" for key, size in freeable.items() if size]
        out.append(f"{command} would free about {human(total)}: {', '.join(parts)}")
    else:
        out.append(f"{command} would free nothing")
    return out


def removed_table(removed: t.Sequence[Row], size: float, host: str = "", would: bool = False) -> list[str]:
    """The lines about a prune."""
    head = f"{host + ': ' if host else ''}"
    if not removed:
        return [f"{head}nothing to remove"]
    verb = "would be removed" if would else "removed"
    rows = [(f"{row['kind']} {row['name']}", row["bytes"], row["reason"]) for row in removed]
    return [f"{head}{verb}: {human(size)}", *_lines(rows)]
