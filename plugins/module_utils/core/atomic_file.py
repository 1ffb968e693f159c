# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Replaces a file in one step: who reads meanwhile finds the old or the new one, never a half."""

from __future__ import annotations

import os
import tempfile
import typing as t


def replace_file(
    path: str, text: str, move: t.Callable[[str, str], t.Any] = os.replace, mode: int | None = None
) -> None:
    """Write the text beside the file, to the disk, and move it to its place. Raises OSError.

    move: a module gives its atomic_move, which keeps owner and mode of a file that is there. mode: of the new file, 0600 where
    none is given.
    """
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".galilean-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
            file.flush()
            if mode is not None:
                os.fchmod(handle, mode)
            os.fsync(handle)
        move(temporary, path)
    except BaseException:
        # Nothing is left of it where the move has failed.
        if os.path.lexists(temporary):
            os.unlink(temporary)
        raise
