# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What hubs keep beside the engine: shared folders and archives; and when a home was used."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import typing as t
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.homes.archive import read_archives
from ansible_collections.galilean.hub.plugins.module_utils.shared.home_owners import user_today


def last_used(hub_dir: Path) -> dict[str, str]:
    """The day of each account's last activity, as the hub's database has it; nothing where that cannot be read."""
    found: dict[str, str] = {}
    with contextlib.suppress(sqlite3.Error):
        database = sqlite3.connect(f"file:{hub_dir}/jupyterhub.sqlite?mode=ro", uri=True, timeout=5)
        with contextlib.closing(database):
            rows = database.execute("SELECT name, last_activity FROM users WHERE last_activity IS NOT NULL")
            found = {str(name): str(moment)[:10] for name, moment in rows}
    return found


def _size(folder: Path) -> int:
    """What a folder takes of its disk."""
    done = subprocess.run(
        ["du", "--summarize", "--one-file-system", "--block-size=1", "--", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    # What it could not read it passes over, and says the rest.
    return int(done.stdout.split()[0]) if done.stdout else 0


def shared_folders(hubs: t.Mapping[str, Path]) -> list[dict[str, t.Any]]:
    """The shared folders of instances, whose hubs keep their state there; the biggest first."""
    rows: list[dict[str, t.Any]] = []
    for instance, hub_dir in hubs.items():
        with contextlib.suppress(OSError):
            for folder in (hub_dir.parent / "shared").iterdir():
                if folder.is_dir():
                    rows.append({"name": folder.name, "instance": instance, "bytes": _size(folder)})
    return sorted(rows, key=lambda row: (-row["bytes"], row["name"]))


def archives(
    hubs: t.Mapping[str, Path], folders: t.Iterable[Path], owners: t.Mapping[str, t.Mapping[str, str]]
) -> list[dict[str, t.Any]]:
    """The archives of homes, in the folders of the instances and in others; the biggest first."""
    places = dict.fromkeys([*(hub_dir.parent / "archive" for hub_dir in hubs.values()), *folders])
    rows: list[dict[str, t.Any]] = [
        {
            "name": one.name,
            "path": str(folder / one.name),
            "instance": one.instance,
            "user": user_today(one.user, owners.get(one.instance, {})),
            "bytes": one.bytes,
        }
        for folder in places
        for one in read_archives(folder)
    ]
    return sorted(rows, key=lambda row: (-row["bytes"], row["path"]))
