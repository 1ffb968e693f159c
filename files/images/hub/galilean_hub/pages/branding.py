# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The look of the hub's pages: where templates and static files are, and what they are told.

Nothing of JupyterHub's own files is touched: templates are found before them, static files beside them below
`site/`. Title, announcement and links are read from a file whenever a page is made, so that they change
without a restart.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# The files of this image: ours with the site's laid over them when it was built. The first is there while
# somebody works on them only: then both folders are mounted, and the site's still comes first.
FOLDERS = (Path("/opt/galilean/web-site"), Path("/opt/galilean/web"))
# Written by the role. All of this folder is public.
PUBLIC = Path("/etc/jupyterhub/web")
PREFIX = "site/"
DEFAULTS: dict[str, Any] = {"title": "JupyterHub", "announcement": "", "links": []}


def find(name: str, folders: Iterable[Path]) -> Path | None:
    """The first file of that name; never one outside of the folders."""
    for folder in folders:
        path = folder / name
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            return path
    return None


class Branding:
    """What templates know as `web`. JupyterHub calls it for every page."""

    def __init__(self, path: Path = PUBLIC / "look.json", folders: Iterable[Path] = FOLDERS) -> None:
        self._path = path
        self._folders = tuple(folders)

    def __call__(self, _user: Any = None) -> dict[str, Any]:
        try:
            read = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            # No page is worth less than its looks.
            read = {}
        told = {**DEFAULTS, **(read if isinstance(read, dict) else {})}
        for place in ("header", "footer", "home"):
            told[place] = [link for link in told["links"] if place in link["places"]]
        told["logo"] = PREFIX + self._logo()
        return told

    def _logo(self) -> str:
        # Ours is an SVG: where there is a PNG, a site has put it there.
        png = find("static/logo.png", self._folders)
        return "logo.png" if png else "logo.svg"


class Files:
    """Static files below `site/`: where each one is, and a version that changes with its content."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)
        self._versions: dict[tuple[Path, int, int], str] = {}

    def path(self, path: str) -> Path | None:
        return find(path.removeprefix(PREFIX), self._folders)

    def version(self, path: str) -> str | None:
        """For the address, so that browsers keep the file until it changes."""
        file = self.path(path)
        if file is None:
            return None
        state = file.stat()
        key = (file, state.st_mtime_ns, state.st_size)
        if key not in self._versions:
            self._versions[key] = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
        return self._versions[key]


def jupyterhub_traits(live: bool, handler: Any = None, folders: Iterable[Path] = FOLDERS) -> dict[str, Any]:
    """JupyterHub's traits. `live`: templates are never kept, so that new files are found, too."""
    folders = tuple(folders)
    logo = find("static/logo.png", folders) or find("static/logo.svg", folders)
    found: dict[str, Any] = {
        "template_paths": [str(folder / "templates") for folder in folders],
        "template_vars": {"web": Branding(folders=folders)},
    }
    if logo:
        found["logo_file"] = str(logo)
    if handler:
        found["tornado_settings"] = {"static_handler_class": handler}
    if live:
        found["jinja_environment_options"] = {"cache_size": 0}
    return found
