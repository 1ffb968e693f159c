# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The files of this checkout, as the tests of the repository look at them."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import yaml

REPO = Path(__file__).resolve().parents[3]
ROLES = sorted(folder.name for folder in (REPO / "roles").iterdir() if folder.is_dir())

# Made by tools, not by us.
SKIPPED = {
    ".ansible", ".artifacts", ".benchmarks", ".cache", ".git", ".hypothesis", ".mypy_cache", ".pytest_cache",
    ".ruff_cache", ".venv", "__pycache__",
}  # fmt: skip
# Single files of the same kind. In a worktree .git is a file.
MADE = {".git", ".plugin-cache.yaml", "openstack_hosts.yml"}


def files(*suffixes: str, under: str = ".") -> list[Path]:
    """Files below a folder, by suffix; all of them where none is given."""
    found = []
    for folder, folders, names in os.walk(REPO / under):
        folders[:] = sorted(set(folders) - SKIPPED)
        found += [Path(folder, name) for name in names if name not in MADE]
    return sorted(
        file for file in found if not file.is_symlink() and (not suffixes or file.suffix in suffixes)
    )


def name(file: Path) -> str:
    return str(file.relative_to(REPO))


def text(file: Path) -> str | None:
    """Content of a text file; nothing for any other."""
    try:
        return file.read_text()
    except UnicodeDecodeError:
        return None


class Loader(yaml.SafeLoader):
    """YAML as Ansible writes it: with tags of its own, whose text is all that matters here."""


Loader.add_constructor("!unsafe", lambda loader, node: str(node.value))
Loader.add_constructor("!vault", lambda loader, node: str(node.value))


def load(path: str) -> t.Any:
    return yaml.load((REPO / path).read_text(), Loader=Loader)


def options(role: str) -> dict[str, t.Any]:
    """Settings of a role, from its main entry point."""
    return load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"].get("options") or {}
