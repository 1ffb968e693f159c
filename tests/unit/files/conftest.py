# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Packages of images and roles are tested where they lie: nothing installs them, nothing is left there."""

from __future__ import annotations

import importlib
import sys
import typing as t
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[3]
IMAGES = ROOT / "files" / "images"
sys.path[:0] = [
    str(IMAGES / "hub"),
    *(str(ROOT / "roles" / role / "files") for role in ("edge", "backup", "jupyterhub", "monitoring")),
]
# Where the notebook image has modules of its own.
FOLDERS = ("usr/local/lib/python3.13/dist-packages", "opt/notebook/lib/python3.13/site-packages")


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Callable[[str], t.Any]]:
    """Import one of the notebook image's own modules."""
    before = set(sys.modules)
    for folder in FOLDERS:
        monkeypatch.syspath_prepend(str(IMAGES / "notebook" / "rootfs" / folder))
    yield importlib.import_module
    for name in set(sys.modules) - before:
        del sys.modules[name]
