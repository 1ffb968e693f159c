# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of chaos share: one server with a hub, which no other test of this machine sees."""

from __future__ import annotations

import secrets
import sys
import typing as t
from pathlib import Path

import pytest
from ansible.plugins.loader import init_plugin_loader

sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "e2e"))
sys.path.insert(2, str(Path(__file__).resolve().parents[1] / "modules"))
from deployment import collection_tree
from engine import apply_images
from machine import Machine

# At import time: the tests import the collection's own client of the hub's API.
COLLECTIONS = collection_tree()
init_plugin_loader([str(COLLECTIONS)])


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Machine]:
    refs = apply_images(tmp_path_factory.mktemp("refs"), {"images_software_stack": ""}).refs
    machine_name = f"chaos{secrets.token_hex(3)}"
    with Machine(tmp_path_factory.mktemp("chaos"), COLLECTIONS, machine_name) as made:
        made.load([ref for name, ref in refs.items() if name != "software"])
        made.run("site", name="chaos-site").assert_done()
        yield made
