# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Make ``ansible_collections.galilean.hub`` importable from this checkout, wherever it lies."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

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


def _trusted(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: _trusted(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_trusted(one) for one in value]
    return trust_as_template(value) if isinstance(value, str) else value


@pytest.fixture
def settings_of() -> t.Callable[..., t.Any]:
    """The settings of a host with these variables, as in a playbook; all others at their defaults."""
    from ansible_collections.galilean.hub.plugins.plugin_utils._host_settings import HostSettings

    def made(**variables: t.Any) -> t.Any:
        known = {"inventory_hostname": "hub", "inventory_dir": "/site", **_trusted(variables)}
        return HostSettings(Templar(loader=DataLoader(), variables=known), known)

    return made
