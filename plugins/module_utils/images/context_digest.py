# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a build context holds, as hashes: same content, same digest, on any machine and at any time.

Reads files, does nothing else.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError


def _segment_regex(segment: str) -> str:
    """One path segment of an ignore pattern as a regular expression."""
    out, i = "", 0
    while i < len(segment):
        char = segment[i]
        if char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "[" and "]" in segment[i + 1 :]:
            end = segment.index("]", i + 1)
            body = segment[i + 1 : end]
            out += "[" + ("^" + body[1:] if body.startswith(("^", "!")) else body) + "]"
            i = end
        elif char == "\\" and i + 1 < len(segment):
            i += 1
            out += re.escape(segment[i])
        else:
            out += re.escape(char)
        i += 1
    return out


def ignore_regex(pattern: str) -> t.Pattern[str]:
    """A ``.dockerignore`` pattern as a regular expression over relative paths."""
    parts = pattern.split("/")
    out = ""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            out += ".*" if last else "(?:.*/)?"
        else:
            out += _segment_regex(part) + ("" if last else "/")
    return re.compile(out + r"\Z", re.DOTALL)


class IgnoreRules:
    """The rules of a ``.dockerignore`` file: the last pattern that matches a path or a parent of it wins."""

    def __init__(self, text: str = "", always_kept: t.Sequence[str] = ()) -> None:
        self._rules: list[tuple[bool, t.Pattern[str]]] = []
        self._kept = frozenset(always_kept)
        for raw in text.splitlines():
            line = raw.strip()
            if not line or line.startswith("#"):
                continue
            negated = line.startswith("!")
            pattern = os.path.normpath(line[1:].strip() if negated else line).lstrip("/")
            if pattern and pattern != ".":
                self._rules.append((negated, ignore_regex(pattern)))
        self.has_exceptions = any(negated for negated, _regex in self._rules)

    def ignored(self, path: str) -> bool:
        """Whether the engine leaves ``path`` (relative, with slashes) out of the context."""
        if path in self._kept:
            return False
        parts = path.split("/")
        prefixes = ["/".join(parts[: end + 1]) for end in range(len(parts))]
        verdict = False
        for negated, regex in self._rules:
            if any(regex.match(prefix) for prefix in prefixes):
                verdict = not negated
        return verdict


def file_sha256(path: str) -> str:
    """The SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def context_mode(path: str) -> int:
    """The permissions that an entry has in every context: a checkout's own come from somebody's umask.

    As in git, all that counts is whether a file is a program.
    """
    mode = os.lstat(path).st_mode
    return 0o755 if stat.S_ISDIR(mode) or mode & stat.S_IXUSR else 0o644


def describe_entry(path: str) -> str:
    """Return kind, permissions and content of an entry, without times and owner; HubError for devices and sockets."""
    info = os.lstat(path)
    mode = f"{context_mode(path):04o}"
    if stat.S_ISLNK(info.st_mode):
        return "link " + hashlib.sha256(os.readlink(path).encode()).hexdigest()
    if stat.S_ISDIR(info.st_mode):
        return f"dir {mode}"
    if stat.S_ISREG(info.st_mode):
        return f"file {mode} {file_sha256(path)}"
    raise HubError(f"{path} in the build context is neither a file, a folder nor a symbolic link: remove it.")


def read_ignore_rules(root: str, dockerfile: str) -> IgnoreRules:
    """The ignore rules of the context: the Dockerfile's own file comes before the general one, as in BuildKit."""
    for name in (f"{dockerfile}.dockerignore", ".dockerignore"):
        path = os.path.join(root, name)
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as stream:
                return IgnoreRules(stream.read(), always_kept=(dockerfile,))
    return IgnoreRules()


def context_paths(root: str, rules: IgnoreRules) -> list[str]:
    """The relative paths of everything in the context, sorted; folders that hold only ignored files are left out."""
    found: set[str] = set()
    for folder, subfolders, files in os.walk(root):
        relative = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if relative == "." else relative + "/"
        links = [name for name in subfolders if os.path.islink(os.path.join(folder, name))]
        kept = [prefix + name for name in [*files, *links] if not rules.ignored(prefix + name)]
        descend = [name for name in subfolders if name not in links]
        for name in descend:
            if not rules.ignored(prefix + name):
                kept.append(prefix + name)
        if not rules.has_exceptions:
            # Only an exception can bring back something below an ignored folder.
            descend = [name for name in descend if not rules.ignored(prefix + name)]
        subfolders[:] = sorted(descend)
        for path in kept:
            found.add(path)
            parts = path.split("/")[:-1]
            found.update("/".join(parts[: end + 1]) for end in range(len(parts)))
    return sorted(found)
