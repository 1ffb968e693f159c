# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""certbot's deploy hook: puts a new certificate and key into service, or leaves the old ones there."""

from __future__ import annotations

from pathlib import Path

from . import pair
from .nginx import Nginx
from .settings import Problem, Settings


def read_lineage(folder: str) -> str:
    """The pair that certbot left in a folder of its live/, as the text of one file."""
    try:
        parts = [
            (Path(folder) / name).read_text(encoding="utf-8") for name in ("fullchain.pem", "privkey.pem")
        ]
    except OSError as exc:
        raise Problem(f"The new certificate cannot be read: {exc}.") from exc
    return "".join(part.strip() + "\n" for part in parts)


def install(settings: Settings, text: str) -> bool:
    """Serve this pair; whether that changed anything.

    Both are checked before they are put into use, which is one step. When nginx does not take or does not serve them, the old
    pair is put into use again and Problem is raised. Old pairs are removed once they are not needed; a run that was killed
    anywhere is made good by the next one.
    """
    nginx = Nginx(settings)
    pair.check(text)
    before, after = nginx.named(), pair.file_name(text)
    running = nginx.running()
    changed = before != after or (running and nginx.served() != pair.leaf(text))
    if changed:
        pair.write(nginx.folder / after, text, settings.group, 0o640)
        try:
            _use(nginx, after, running)
        except (Problem, OSError) as exc:
            raise Problem(f"{exc} {_back(nginx, before, after)}") from exc
    # nginx reads them no more, or has them in memory.
    for file in nginx.folder.glob("tls-*.pem"):
        if file.name != after:
            file.unlink(missing_ok=True)
    return changed


def _use(nginx: Nginx, file: str, running: bool) -> None:
    nginx.name(file)
    if running:
        nginx.load()
        nginx.wait(pair.leaf((nginx.folder / file).read_text(encoding="utf-8")))


def _back(nginx: Nginx, before: str, after: str) -> str:
    """Return to the old pair; what came of it."""
    if before in ("", after) or not (nginx.folder / before).exists():
        return "There is no older certificate to return to."
    try:
        _use(nginx, before, True)
    except (Problem, OSError) as exc:
        return f"The return to the old certificate failed as well: {exc}"
    (nginx.folder / after).unlink()
    return "The old certificate stays in use."
