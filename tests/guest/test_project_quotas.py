# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Limits of homes that the kernel keeps: on XFS and ext4 as data_volume makes them, set by the hub's agent.

In a virtual machine with Debian's kernel, which has them; that of the machine may not. Takes about a minute.
"""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from guest import ROOT, run

MIB = 2**20
HARD = 22 * MIB
# XFS says of a project that is full what it says of a disk that is.
REFUSED = {"ext4": "EDQUOT", "xfs": "ENOSPC"}
MODULES = "ansible_collections/galilean/hub/plugins/module_utils"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    """What happened in the guest, by kind of file system."""
    files = {
        "inside.py": Path(__file__).with_name("inside.py"),
        "galilean_hub": ROOT / "files/images/hub/galilean_hub",
        MODULES: ROOT / "plugins/module_utils",
    }
    command = "for one in 'ext4 /dev/vda' 'xfs /dev/vdb'; do python3 /task/inside.py $one; done"
    text = run(tmp_path_factory.mktemp("guest"), files, command, [600, 600])
    results = {kind: json.loads(line) for kind, line in re.findall(r"RESULT (\w+) (\{.*\})", text)}
    assert set(results) == {"ext4", "xfs"}, text[-6000:]
    print(json.dumps(results, indent=1))
    return results


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_the_kernel_keeps_the_limit_of_a_home(found: dict[str, t.Any], kind: str) -> None:
    """Before, a home had no limit but the disk's end."""
    one = found[kind]
    assert one["made"] == {"uuid": True, "format": False, "mounted": True, "grow": ""}
    assert "prjquota" in one["mounted"]
    assert one["quota"]
    (top, inherits), below, number = one["projects"]
    assert (top, below, inherits) == (number, number, True)
    # 1 MiB was there before; beyond 110 % of 20 MiB nothing more is written, in no folder of the home.
    assert one["filled"][1] == REFUSED[kind]
    assert REFUSED[kind] in one["below_old"]
    assert 19 * MIB <= one["filled"][0] <= HARD
    assert one["full"][0] <= HARD + 64 * 1024
    # A folder that users share as well.
    assert one["folder"][1] == REFUSED[kind]
    assert 20 * MIB <= one["folder"][0] <= HARD


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_others_write_and_the_owner_deletes(found: dict[str, t.Any], kind: str) -> None:
    one = found[kind]
    assert one["other"] == [40 * MIB, ""]
    assert one["deleted"] is None
    assert one["again"] == [MIB, ""]
    assert one["sparse"] is None


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_what_else_counts(found: dict[str, t.Any], kind: str) -> None:
    one = found[kind]
    # Open files without a name count, and so do empty ones.
    assert one["unnamed"] >= 5 * MIB
    assert one["files"][1] == REFUSED[kind]
    assert one["files"][0] < 100
    assert one["raised"] == [40 * MIB, ""]
    assert one["kept"]
