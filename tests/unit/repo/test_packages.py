# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which parts of the collection know of which others."""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

from . import tree

UTILS = tree.REPO / "plugins" / "module_utils"
PREFIX = "ansible_collections.galilean.hub.plugins.module_utils."


def needed(file: Path) -> set[str]:
    """The packages of module_utils that a file of Python imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PREFIX):
            found.add(str(node.module).removeprefix(PREFIX).partition(".")[0])
    return found


def test_every_module_util_is_in_a_package() -> None:
    assert [file.name for file in UTILS.glob("*.py")] == []


def test_packages_of_module_utils_make_no_circle() -> None:
    graph = {
        package.name: {name for file in package.glob("*.py") for name in needed(file)} - {package.name}
        for package in UTILS.iterdir()
        if package.is_dir() and package.name != "__pycache__"
    }
    assert len(graph) > 10
    # Raises CycleError, which names the circle.
    graphlib.TopologicalSorter(graph).prepare()


def test_what_the_hub_image_has_as_well_needs_nothing_else() -> None:
    """`shared` is a folder of the hub's image, too, where there is no Ansible."""
    files = sorted((UTILS / "shared").glob("*.py"))
    assert files
    assert {name for file in files for name in needed(file)} == set()
