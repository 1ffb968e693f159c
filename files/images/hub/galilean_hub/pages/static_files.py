# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Serve the site's static files below `site/`, beside those of JupyterHub."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from jupyterhub.handlers.static import CacheControlStaticFilesHandler
from tornado.web import HTTPError

from .branding import FOLDERS, PREFIX, PUBLIC, Files
from .precompressed import Precompressed


class SiteStaticFilesHandler(Precompressed, CacheControlStaticFilesHandler):
    """JupyterHub's own handler; what begins with `site/` comes from our folders."""

    # What the role writes comes first: no file of an image can stand in its way.
    files: ClassVar[Files] = Files([PUBLIC, *(folder / "static" for folder in FOLDERS)])

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        if not path.startswith(PREFIX):
            return super().get_absolute_path(root, path)
        return str(cls.files.path(path) or "")

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        if self.path.startswith(PREFIX):
            if not absolute_path:
                raise HTTPError(404)
            # Files has made sure that it lies in one of its folders.
            root = os.path.dirname(absolute_path)
        return super().validate_absolute_path(root, absolute_path)

    @classmethod
    def get_version(cls, settings: dict[str, Any], path: str) -> str | None:
        return cls.files.version(path) if path.startswith(PREFIX) else super().get_version(settings, path)

    def compute_etag(self) -> str | None:
        # JupyterHub gives none. A file's time says too little where somebody goes back to an older image.
        version = self.files.version(self.path) if self.path.startswith(PREFIX) else None
        return f'"{version}"' if version else super().compute_etag()

    def set_extra_headers(self, path: str) -> None:
        super().set_extra_headers(path)
        if path.startswith(PREFIX):
            # Notebook servers may have an address of their own; everything here is public.
            self.set_header("Access-Control-Allow-Origin", "*")
