# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The controller's side of images: what is there, to be announced to a host."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.images.build_context import (
    BuildContext,
    read_context,
)
from ansible_collections.galilean.hub.plugins.module_utils.images.context_digest import file_sha256

Finder = t.Callable[[str], str]


def local_context(item: t.Mapping[str, t.Any], find: Finder) -> BuildContext | None:
    """The build context of an image on this machine, or None for an image that needs none."""
    if item.get("source", "build") != "build":
        return None
    if not item.get("path") and item.get("dockerfile_inline") is None:
        return None
    files = [{"src": find(part["src"]), "dest": part["dest"]} for part in item.get("files") or []]
    path = find(item["path"]) if item.get("path") else None
    return read_context(path, item.get("dockerfile") or "Dockerfile", item.get("dockerfile_inline"), files)


def local_archive(item: t.Mapping[str, t.Any], find: Finder) -> str | None:
    """The archive of an image on this machine, or None for an image that is not made of one."""
    if item.get("source", "build") != "archive" or not item.get("archive"):
        return None
    return find(item["archive"])


def announced(context: BuildContext | None, archive: str | None) -> dict[str, t.Any]:
    """The options by which modules learn what is on the controller; HubError when the archive cannot be read."""
    out: dict[str, t.Any] = {}
    if context is not None:
        out["_context_files"] = context.hashes()
    if archive is not None:
        try:
            out["_archive_digest"] = file_sha256(archive)
        except OSError as exc:
            raise HubError(f"archive is {archive}, which cannot be read: {exc.strerror}.") from exc
    return out
