# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The disk report as people read it."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.usage import table


def version(wanted: bool, users: list[str]) -> dict[str, t.Any]:
    return {"ref": "g/hub:1", "wanted": wanted, "users": users}


USAGE: dict[str, t.Any] = {
    "disk": {"path": "/var/lib/docker", "bytes": 100_000_000_000, "free_bytes": 40_000_000_000},
    "images": [
        {
            "repository": "g/hub",
            "ours": True,
            "bytes": 255_000_000,
            "unique_bytes": 34_000,
            "versions": [version(True, ["hub-hub"]), version(False, ["a", "b"])],
        },
        {
            "repository": "x/y",
            "ours": False,
            "bytes": 1000,
            "unique_bytes": 0,
            "versions": [version(False, [])],
        },
    ],
    "software": [
        {"name": "g-software-1", "bytes": 3_800_000_000, "users": ["u"], "sealed": True},
        {"name": "g-software-2", "bytes": 1000, "users": [], "sealed": False},
    ],
    "homes": [
        {"name": f"hub-home-{name}", "user": name, "instance": "hub", "bytes": size, "users": users}
        for name, size, users in [
            ("ada", 5_000_000_000, ["hub-user-ada"]),
            ("bob", 2000, []),
            ("eve", 1000, []),
        ]
    ],
    "shared_folders": [{"name": "lab", "instance": "hub", "bytes": 2_000_000}],
    "archives": [
        {"path": "/srv/hub/archive/a.tar.gz", "user": "carl", "bytes": 2000},
        {"path": "/srv/hub/archive/b.tar.gz", "user": "", "bytes": 1000},
    ],
    "other_volumes": [],
    "containers": [
        {"name": "hub-hub", "bytes": 3000, "running": True},
        {"name": "old", "bytes": 2000, "running": False},
        {"name": "still", "bytes": 0, "running": True},
    ],
    "build_cache": {"records": 3, "bytes": 1_000_000},
    "totals": {
        "images": 300_000_000,
        "homes": 5_000_003_000,
        "software": 3_800_001_000,
        "containers": 5000,
        "build_cache": 1_000_000,
    },
    "freeable": {"images": 34_000, "software": 0, "build_cache": 500_000},
}


def test_usage_table() -> None:
    USAGE["homes"][-1].update(limit_bytes=2000, last_used="2026-11-20")
    assert table.usage_table(USAGE, "h", top=2) == [
        "h: 9.1 GB in /var/lib/docker, 40.0 GB of 100 GB free",
        "",
        "Images: 300 MB, each layer counted once",
        "  g/hub    255 MB  2 versions, 34.0 kB of its own, wanted now, used by a, b and 1 more",
        "  x/y      1.0 kB  1 version, 0 bytes of its own, not ours",
        "",
        "Shared software: 3.8 GB",
        "  g-software-1    3.8 GB  used by u",
        "  g-software-2    1.0 kB  not finished",
        "",
        "Homes: 5.0 GB of 3 users",
        "  ada (hub)    5.0 GB  server exists",
        "  bob (hub)    2.0 kB",
        "  eve (hub)    1.0 kB  of 2.0 kB, last used 2026-11-20",
        "",
        "Shared folders: 2.0 MB",
        "  lab (hub)    2.0 MB",
        "",
        "Archives of homes: 3.0 kB",
        "  /srv/hub/archive/a.tar.gz    2.0 kB  of carl",
        "  /srv/hub/archive/b.tar.gz    1.0 kB",
        "",
        "Containers: 5.0 kB written by 3 containers beside their volumes",
        "  hub-hub    3.0 kB",
        "  old        2.0 kB  stopped",
        "",
        "Build cache: 1.0 MB in 3 records",
        "",
        "a prune would free about 534 kB: images 34.0 kB, build cache 500 kB",
    ]


def test_nothing_to_free() -> None:
    nothing = {**USAGE, "freeable": {"images": 0, "software": 0, "build_cache": 0}}
    assert table.usage_table(nothing)[-1] == "a prune would free nothing"


def test_removed_table() -> None:
    rows = [{"kind": "image", "name": "g/hub:1", "bytes": 34_000, "reason": "more than 3 versions"}]
    assert table.removed_table(rows, 34_000, "h") == [
        "h: removed: 34.0 kB",
        "  image g/hub:1   34.0 kB  more than 3 versions",
    ]
    assert table.removed_table(rows, 34_000, would=True)[0] == "would be removed: 34.0 kB"
    assert table.removed_table([], 0, "h") == ["h: nothing to remove"]
