# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""A build context out of several folders and, where there is no Dockerfile among them, the text of one.

Reads and copies files, does nothing else.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import typing as t
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.images.context_digest import (
    IgnoreRules,
    context_mode,
    context_paths,
    describe_entry,
    read_ignore_rules,
)

DOCKERFILE = "Dockerfile"
_INLINE_MODE = 0o644


@dataclass(frozen=True)
class BuildContext:
    """Every path in the context with its place on the disk, and the text of its Dockerfile if it is not among them."""

    sources: dict[str, str] = field(default_factory=dict)
    inline: str | None = None

    def hashes(self) -> dict[str, str]:
        """Map every path to the hash of its kind, permissions and content: what decides about the image.

        The hashes are of equal length and say nothing about the content, so they fit into a label.
        """
        out = {path: _sha256(describe_entry(source)) for path, source in self.sources.items()}
        if self.inline is not None:
            content = _sha256(self.inline)
            out[DOCKERFILE] = _sha256(f"file {_INLINE_MODE:04o} {content}")
        return out

    def stage(self, target: str) -> None:
        """Lay the context out in an empty folder."""
        for path, source in sorted(self.sources.items()):
            place = os.path.join(target, path)
            _make_folders(target, os.path.dirname(path))
            if os.path.islink(source):
                shutil.copy2(source, place, follow_symlinks=False)
                continue
            if os.path.isdir(source):
                _make_folders(target, path)
            else:
                shutil.copy2(source, place)
                os.chmod(place, context_mode(source))
        if self.inline is not None:
            path = os.path.join(target, DOCKERFILE)
            Path(path).write_text(self.inline, encoding="utf-8")
            os.chmod(path, _INLINE_MODE)

    def pack(self, archive: str) -> None:
        """Pack the context, without owners and times."""

        def anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
            entry.uid = entry.gid = entry.mtime = 0
            entry.uname = entry.gname = ""
            if not entry.issym():
                entry.mode = context_mode(self.sources[entry.name])
            return entry

        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            for path, source in sorted(self.sources.items()):
                tar.add(source, arcname=path, recursive=False, filter=anonymous)
            if self.inline is not None:
                entry = tarfile.TarInfo(DOCKERFILE)
                data = self.inline.encode()
                entry.size, entry.mode = len(data), _INLINE_MODE
                tar.addfile(entry, BytesIO(data))


def _make_folders(target: str, path: str) -> None:
    """Folders below the target with the permissions of every context, whatever the umask is."""
    place = target
    os.makedirs(target, exist_ok=True)
    for part in filter(None, path.split("/")):
        place = os.path.join(place, part)
        os.makedirs(place, exist_ok=True)
        os.chmod(place, 0o755)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _part(source: str, dest: str) -> dict[str, str]:
    """The paths that a folder or a file brings to its place in the context."""
    if not os.path.isabs(source):
        raise HubError(f"files has the source {source!r}: give its full path.")
    clean = os.path.normpath(dest)
    if os.path.isabs(clean) or clean.split("/")[0] == "..":
        raise HubError(f"files has the destination {dest!r}: name a path inside of the build context.")
    if not os.path.lexists(source):
        raise HubError(f"files has the source {source}, which does not exist: create it, or leave it out.")
    if os.path.islink(source) or not os.path.isdir(source):
        return {clean: source}
    paths = context_paths(source, IgnoreRules())
    prefix = "" if clean == "." else clean + "/"
    return {
        **({clean: source} if prefix else {}),
        **{prefix + path: os.path.join(source, path) for path in paths},
    }


def _is_folder(source: str) -> bool:
    return os.path.isdir(source) and not os.path.islink(source)


def _check_layers(path: str, before: str, after: str) -> None:
    # A file in the place of a folder would leave the folder's content without a place. A link has no content.
    if _is_folder(before) != _is_folder(after) and not os.path.islink(before):
        raise HubError(f"files puts {after} over {before} at {path}: one is a folder, the other is not.")


def read_context(
    path: str | None,
    dockerfile: str = DOCKERFILE,
    inline: str | None = None,
    files: t.Sequence[t.Mapping[str, str]] = (),
) -> BuildContext:
    """Read the folders of a build context; HubError if the folder or its Dockerfile is missing.

    ``files`` lays further folders and files (``src``) into it, each at its ``dest``, over what came before. The
    ``.dockerignore`` of ``path`` is in force for all of them, as it is for the engine.
    """
    sources: dict[str, str] = {}
    rules = IgnoreRules()
    if path:
        if not os.path.isdir(path):
            raise HubError(
                f"path is {path}, which is not a folder: name the folder that holds the Dockerfile."
            )
        rules = read_ignore_rules(path, dockerfile)
        sources = {name: os.path.join(path, name) for name in context_paths(path, rules)}
    for item in files:
        for name, source in _part(item["src"], item["dest"]).items():
            if rules.ignored(name):
                continue
            if name in sources:
                _check_layers(name, sources[name], source)
            sources[name] = source
    if inline is not None:
        sources.pop(DOCKERFILE, None)
    elif dockerfile not in sources:
        raise HubError(f"{dockerfile} is missing in {path}: create it, or name another one in dockerfile.")
    return BuildContext(sources, inline)
