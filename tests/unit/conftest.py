# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Make ``ansible_collections.galilean.hub`` importable from this checkout, wherever it lies."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from ansible.plugins.loader import init_plugin_loader

ROOT = Path(__file__).resolve().parents[2]


def _collection_tree() -> Path:
    # At import time, not in a fixture: the tests' own imports need it while they are collected.
    tree = Path(tempfile.mkdtemp(prefix="galilean-hub-unit-"))
    atexit.register(shutil.rmtree, tree, ignore_errors=True)
    namespace = tree / "ansible_collections" / "galilean"
    namespace.mkdir(parents=True)
    (namespace / "hub").symlink_to(ROOT, target_is_directory=True)
    return tree


init_plugin_loader([str(_collection_tree())])
