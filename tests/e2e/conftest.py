# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the end-to-end tests share. Each file has an instance of its own, where people have none."""

from __future__ import annotations

import os
import shutil
import typing as t
from pathlib import Path

import pytest
from ansible.plugins.loader import init_plugin_loader
from deployment import ARTIFACTS, Deployment, collection_tree

# At import time: the tests import the collection's own client of the hub's API.
COLLECTIONS = collection_tree(archive=True)
init_plugin_loader([str(COLLECTIONS)])


def _fresh(folder: Path, instance: str, port: int) -> t.Iterator[Deployment]:
    deployment = Deployment(folder, COLLECTIONS, instance, port)
    # What an earlier run that was killed left would make this one look better or worse than it is.
    if deployment.left():
        deployment.teardown(data=True).assert_done()
    yield deployment
    deployment.set()
    # Most files end with a teardown; another one is among the tests.
    if deployment.left():
        deployment.teardown(data=True).assert_done()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Deployment]:
    """The instance under test. The first tests of a module deploy it; nothing of it is there before."""
    name, port = os.environ.get("E2E_INSTANCE", "e2e"), int(os.environ.get("E2E_PORT", "8123"))
    yield from _fresh(tmp_path_factory.mktemp("site"), name, port)


@pytest.fixture(scope="module")
def prototype(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Deployment]:
    """A second instance beside the first."""
    yield from _fresh(tmp_path_factory.mktemp("prototype"), "e2e-proto", 8124)


@pytest.fixture(scope="session", autouse=True)
def artifacts() -> Path:
    """Folder for screenshots and output, emptied at the start."""
    shutil.rmtree(ARTIFACTS, ignore_errors=True)
    # The tests of logins may write there at the same time.
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS
