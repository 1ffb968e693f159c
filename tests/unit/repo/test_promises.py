# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Each promise of the threat model and of docs/promises.md names a test; tests that pages name exist."""

from __future__ import annotations

import ast
import re

import pytest

from . import tree

THREATS = (tree.REPO / "docs/threat-model.md").read_text()
PROMISES = (tree.REPO / "docs/promises.md").read_text()
OTHERS = (tree.REPO / "docs/other-systems.md").read_text()
# `tests/attacks/test_edge.py::test_name`, or a file alone.
TEST = re.compile(r"`((?:tests|molecule)/[\w/]+\.py)(?:::(\w+))?`")
SECURITY = re.search(r"^## Security promises\n(.*?)^## ", THREATS, re.MULTILINE | re.DOTALL)
assert SECURITY


def rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| ") and "| proved by |" not in line
    ]


ROWS = [*rows(SECURITY[1]), *rows(PROMISES.split("\n## ", 1)[1])]


@pytest.mark.parametrize("page", ["threat-model.md", "promises.md"])
def test_the_page_is_in_the_list_of_pages(page: str) -> None:
    assert f"]({page})" in (tree.REPO / "docs/README.md").read_text()


@pytest.mark.parametrize("promise", ROWS, ids=[row[0][:60] for row in ROWS])
def test_a_promise_has_its_test(promise: list[str]) -> None:
    assert any(TEST.search(cell) for cell in promise[1:]), promise


@pytest.mark.parametrize(("file", "name"), sorted(set(TEST.findall(THREATS + PROMISES + OTHERS))))
def test_what_is_named_is_there(file: str, name: str) -> None:
    names = {
        node.name
        for node in ast.walk(ast.parse((tree.REPO / file).read_text()))
        if isinstance(node, ast.FunctionDef)
    }
    assert not name or name in names
    assert any(found.startswith("test_") for found in names)


def test_a_promise_stands_once_and_with_its_layer() -> None:
    table = rows(PROMISES.split("\n## ", 1)[1])
    wrong = []
    for promise, proof, layer in table:
        (found,) = TEST.findall(proof)
        place = found[0].split("/")
        if layer != (place[1] if place[0] == "tests" else "molecule"):
            wrong.append(promise)
    assert wrong == []
    assert len({promise for promise, *_ in table}) == len(table) == len({proof for _, proof, _ in table})
