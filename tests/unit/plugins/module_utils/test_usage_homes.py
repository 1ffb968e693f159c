# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import sqlite3
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.homes.plan import Archive
from ansible_collections.galilean.hub.plugins.module_utils.usage import homes as usage


def test_last_use_is_what_the_hub_knows(tmp_path: Path) -> None:
    assert usage.last_used(tmp_path) == {}
    database = sqlite3.connect(tmp_path / "jupyterhub.sqlite")
    database.execute("CREATE TABLE users (name TEXT, last_activity TEXT)")
    database.execute("INSERT INTO users VALUES ('ada', '2026-11-29 20:24:38.874000'), ('bob', NULL)")
    database.commit()
    database.close()
    assert usage.last_used(tmp_path) == {"ada": "2026-11-29"}


def test_folders_and_archives_of_all_instances(tmp_path: Path) -> None:
    hubs = {name: tmp_path / name / "hub" for name in ("one", "two", "gone")}
    for name, folder, size in (("one", "small", 1000), ("two", "big", 200_000)):
        (tmp_path / name / "shared" / folder).mkdir(parents=True)
        (tmp_path / name / "shared" / folder / "file").write_bytes(b"x" * size)
    found = usage.shared_folders(hubs)
    assert [(row["name"], row["instance"]) for row in found] == [("big", "two"), ("small", "one")]
    assert found[0]["bytes"] >= 200_000
    elsewhere = tmp_path / "elsewhere"
    name = "one-home-anna-20261122T031500Z.tar.gz"
    for place in (tmp_path / "one" / "archive", elsewhere):
        place.mkdir()
        (place / name).write_bytes(b"x" * 300)
    notes = Archive(name, "one-home-anna", "20261122T031500Z", 300, "anna", "one").notes()
    (elsewhere / f"{name}.json").write_text(notes)
    rows = usage.archives(hubs, [elsewhere, tmp_path / "one" / "archive"], {"one": {"berta": "anna"}})
    assert [(row["path"], row["bytes"], row["user"]) for row in rows] == [
        (str(elsewhere / name), 300, "berta"),
        (str(tmp_path / "one" / "archive" / name), 300, ""),
    ]
