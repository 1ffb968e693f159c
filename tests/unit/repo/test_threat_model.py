# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Every promise of the threat model has a test, and every test that it names is there."""

from __future__ import annotations

import ast
import re

import pytest

from . import tree

PAGE = tree.REPO / "docs/threat-model.md"
# `tests/attacks/test_edge.py::test_name`, or a file alone.
TEST = re.compile(r"`((?:tests|molecule)/[\w/]+\.py)(?:::(\w+))?`")
PROMISES = re.search(r"^## Security promises\n(.*?)^## ", PAGE.read_text(), re.MULTILINE | re.DOTALL)
assert PROMISES
ROWS = [
    line.strip("|").split("|")
    for line in PROMISES[1].splitlines()
    if line.startswith("| ") and "| proved by |" not in line
]


def test_the_page_is_in_the_list_of_pages() -> None:
    for page in ("README.md", "docs/README.md"):
        assert "threat-model.md" in (tree.REPO / page).read_text()


@pytest.mark.parametrize("promise", ROWS, ids=[row[0].strip()[:60] for row in ROWS])
def test_a_promise_has_its_test(promise: list[str]) -> None:
    assert TEST.search(promise[-1]), promise


@pytest.mark.parametrize(("file", "name"), sorted(set(TEST.findall(PAGE.read_text()))))
def test_what_is_named_is_there(file: str, name: str) -> None:
    names = {
        node.name
        for node in ast.walk(ast.parse((tree.REPO / file).read_text()))
        if isinstance(node, ast.FunctionDef)
    }
    assert not name or name in names
    assert any(found.startswith("test_") for found in names)
