# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Addresses in settings, taken apart without an exception. Pure."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import SplitResult, urlsplit


def parts_of(url: t.Any) -> SplitResult | None:
    """The parts of an address with a host; None for a bracket left open, a port beyond 65535, or a blank."""
    text = str(url)
    try:
        parts = urlsplit(text)
        # Both are read when they are asked for.
        readable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if readable and not re.search(r"[\s\x00-\x1f\x7f]", text) else None


def web_address(url: t.Any) -> SplitResult | None:
    """The parts of an address that begins with http:// or https://; None for anything else."""
    parts = parts_of(url)
    return parts if parts and parts.scheme in ("http", "https") else None
