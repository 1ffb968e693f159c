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
HUB = tree.REPO / "files" / "images" / "hub"


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


def imports(file: Path) -> set[str]:
    """The modules of the hub's image that one of its modules imports, wherever it does."""
    package, found = file.relative_to(HUB).parts[:-1], set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            module = f"{above}.{node.module or ''}".strip(".")
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def test_the_hub_image_has_no_circle_of_packages_or_modules() -> None:
    files = [*HUB.glob("galilean_*/*.py"), *HUB.glob("galilean_hub/*/*.py")]
    names = {".".join(file.relative_to(HUB).with_suffix("").parts): file for file in files}
    modules = {name: imports(file) & names.keys() for name, file in names.items()}
    # What stands beside the packages is one for itself.
    rooms = {name: name.rpartition(".")[0] if name.count(".") > 1 else name for name in names}
    packages: dict[str, set[str]] = {room: set() for room in rooms.values()}
    for name, needs in modules.items():
        packages[rooms[name]] |= {rooms[other] for other in needs} - {rooms[name]}
    assert {"galilean_hub.authorization", "galilean_hub.spawner", "galilean_hub.shared"} <= packages.keys()
    assert "galilean_hub.loader" in packages["galilean_hub.lint"]
    for graph in (modules, packages):
        graphlib.TopologicalSorter(graph).prepare()


def test_every_module_util_says_that_it_is_private() -> None:
    banner = "# Note that this module util is PRIVATE to the collection. It can have breaking changes at any"
    assert [file.name for file in sorted(UTILS.glob("*/*.py")) if banner not in file.read_text()] == []
