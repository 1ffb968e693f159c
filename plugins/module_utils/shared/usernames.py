# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Which names of users JupyterHub takes. In the image of the hub, too, so it needs the standard library only."""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote


def composed(name: str) -> str:
    """The name with each letter and its accents in one: what looks the same is the same."""
    return unicodedata.normalize("NFC", name)


def name_problem(name: str) -> str:
    """Why JupyterHub takes this for no name of an account; empty where it does."""
    if not name or name != name.strip():
        return "it is empty, or starts or ends with a space"
    if "/" in name:
        return "a name has no slash"
    if set(unquote(name)) == {"."} or set(name) == {"."}:
        return "it has nothing but dots"
    if not name.isprintable():
        return "it has a character that cannot be printed"
    return ""
