# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What loading the filters costs.

To find one filter of a collection, Ansible loads all of them, in each task anew. What a filter needs beyond a
few small helpers is therefore imported when the filter is called.
"""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
PREFIX = "ansible_collections.galilean.hub.plugins."
SMALL = {"errors", "plain", "_of_mapping"}


def imported(file: Path) -> t.Iterator[str]:
    """The modules that a file imports when it is loaded."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            yield str(node.module)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, (ast.Try, ast.If)):
            raise AssertionError(f"{file.name} decides at its top what it imports")


@pytest.mark.parametrize("file", sorted(PLUGINS.glob("filter/*.py")), ids=lambda file: file.stem)
def test_a_filter_imports_little_when_it_is_loaded(file: Path) -> None:
    own = [name for name in imported(file) if name.startswith(PREFIX)]
    assert {name.rpartition(".")[2] for name in own} <= SMALL
    others = set(imported(file)) - set(own)
    assert others <= {"__future__", "typing", "datetime", "ansible.errors"}
