# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Packages of images and roles are tested where they lie: nothing installs them, nothing is left there."""

from __future__ import annotations

import sys
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [
    str(ROOT / "files" / "images" / "hub"),
    str(ROOT / "roles" / "edge" / "files"),
    str(ROOT / "roles" / "backup" / "files"),
]
