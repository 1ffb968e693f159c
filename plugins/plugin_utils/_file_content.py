# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""Files on the controller that settings name."""

from __future__ import annotations

import typing as t
from pathlib import Path


def file_content(path: t.Any) -> bytes | None:
    """The bytes of a file, which Ansible's own lookups give only as UTF-8; None where there is none.

    Whether it is there is checked where its setting is.
    """
    try:
        return Path(str(path)).read_bytes() if path else None
    except OSError:
        return None
