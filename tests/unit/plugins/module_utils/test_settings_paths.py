# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.settings.paths import (
    FILES,
    FOLDERS,
    path_problems,
)
from ansible_collections.galilean.hub.plugins.plugin_utils._host_settings import all_specs


def test_they_are_settings() -> None:
    specs = all_specs()
    assert {name for name in FOLDERS | FILES if specs[name]["type"] not in ("path", "str")} == set()


@pytest.mark.parametrize("setting", sorted(FOLDERS))
@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/srv", True),
        ("/srv/", True),
        ("/mnt/data_1/Hub-2.0/é@x+y,z=~", True),
        # The default, which the role works out.
        ("", True),
        ("/", False),
        ("//", False),
        ("srv", False),
        ("./srv", False),
        ("~/srv", False),
        ("/srv/../etc", False),
        ("/srv/.", False),
        ("/srv//hub", False),
        ("//srv", False),
        ("/srv data", False),
        ("/srv:z", False),
        ("/srv\n", False),
        ("/srv/%h", False),
    ],
)
def test_folders(setting: str, path: str, right: bool) -> None:
    found = path_problems(setting, path)
    assert [one.startswith(f"{setting} is ") for one in found] == ([] if right else [True])


@pytest.mark.parametrize(
    ("path", "right"),
    [("", True), ("/var/lib/x.prom", True), ("x.prom", False), ("/var/lib/", False), ("/a/../b", False)],
)
def test_files(path: str, right: bool) -> None:
    assert (path_problems("backup_metrics_file", path) == []) == right


def test_others_are_not_judged() -> None:
    assert path_problems("images_controller_dir", "~/x y") == []
