# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Files in which the hub remembers something beside its database."""

from __future__ import annotations

from pathlib import Path


def save(path: Path, content: str | bytes) -> None:
    """Replace a file in one step: a hub that ends meanwhile finds the old one or the new one."""
    part = path.with_suffix(".part")
    part.write_bytes(content.encode() if isinstance(content, str) else content)
    part.replace(path)
