# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Inputs are read by the hub's own code and by the collection's, both where they lie in this checkout."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible.plugins.loader import init_plugin_loader
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "files" / "images" / "hub"))
init_plugin_loader([str(ROOT / ".ansible" / "collections")])
# A busy machine is no failure.
settings.register_profile("inputs", deadline=None)
settings.load_profile("inputs")
