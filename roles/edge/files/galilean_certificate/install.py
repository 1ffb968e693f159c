# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Puts a new certificate and key into service, or leaves the old ones there."""

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

from . import pair
from .nginx import Nginx
from .problem import Problem
from .settings import Settings


def read_lineage(folder: str) -> str:
    """The pair that certbot left in a folder of its live/."""
    try:
        certificate, key = (
            (Path(folder) / name).read_text(encoding="utf-8") for name in ("fullchain.pem", "privkey.pem")
        )
    except OSError as exc:
        raise Problem(f"The new certificate cannot be read: {exc}.") from exc
    return pair.combined(certificate, key)


def install(settings: Settings, text: str, nginx: t.Any = None) -> bool:
    """Serve this pair; whether that changed anything.

    Both are checked before they are put into use, which is one step. When nginx does not take or does not serve them, the old
    pair is put into use again and Problem is raised. Old pairs are removed once they are not needed; a run that was killed
    anywhere is made good by the next one.
    """
    nginx = nginx or Nginx(settings)
    pair.check(text)
    before, after = nginx.named(), pair.file_name(text)
    running = nginx.running()
    if before == after and not running:
        return False
    if before == after and nginx.loaded() == after:
        _tidy(nginx.folder, after)
        return False
    pair.write(nginx.folder / after, text, settings.group, 0o640)
    nginx.name(after)
    try:
        if running:
            nginx.load()
            nginx.wait(after)
    except (Problem, OSError) as exc:
        raise Problem(f"{exc} {_back(nginx, before, after)}") from exc
    _tidy(nginx.folder, after)
    return True


def _back(nginx: t.Any, before: str, after: str) -> str:
    """Return to the old pair; what came of it."""
    if not before or before == after or not (nginx.folder / before).exists():
        return "There is no older certificate to return to."
    nginx.name(before)
    try:
        nginx.load()
        nginx.wait(before)
    except (Problem, OSError) as exc:
        return f"The return to the old certificate failed as well: {exc}"
    (nginx.folder / after).unlink()
    return "The old certificate serves on."


def _tidy(folder: Path, keep: str) -> None:
    """Remove pairs that are not in use any more: nginx reads them no more, or has them in memory."""
    for file in folder.glob("tls-*.pem"):
        if file.name != keep:
            with contextlib.suppress(FileNotFoundError):
                file.unlink()
