# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the tests on the lab's OpenStack share. `make test-cloud` brings the lab up for them."""

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

import pytest
from ansible.plugins.loader import init_plugin_loader
from site_on_cloud import ARTIFACTS, ROOT, SiteOnCloud

init_plugin_loader([str(ROOT / ".ansible" / "collections")])


@pytest.fixture(scope="session", autouse=True)
def artifacts() -> Path:
    """Folder for screenshots, output and timings, emptied at the start."""
    shutil.rmtree(ARTIFACTS, ignore_errors=True)
    ARTIFACTS.mkdir()
    return ARTIFACTS


@pytest.fixture(scope="session")
def site() -> t.Iterator[SiteOnCloud]:
    """The deployment of inventories/lab. Nothing of it is there before, and nothing afterwards."""
    deployed = SiteOnCloud()
    deployed.remove_all().assert_done()
    yield deployed
    deployed.remove_all().assert_done()
