# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.images.context_digest import (
    IgnoreRules,
    context_paths,
)

# (ignore file, path, ignored)
IGNORED: list[tuple[str, str, bool]] = [
    ("", "a", False),
    ("# a\n\n", "a", False),
    ("a", "a", True),
    ("a", "b/a", False),
    ("/a", "a", True),
    ("a/", "a/b/c", True),
    ("./a", "a", True),
    ("*.log", "x.log", True),
    ("*.log", "d/x.log", False),
    ("*/*.log", "d/x.log", True),
    ("**/*.log", "x.log", True),
    ("**/*.log", "d/e/x.log", True),
    ("**/__pycache__", "d/__pycache__/m.pyc", True),
    ("d/**", "d/e/f", True),
    ("d/**", "d", False),
    ("d/**/f", "d/f", True),
    ("d/**/f", "d/x/y/f", True),
    ("**", "anything/at/all", True),
    ("a?c", "abc", True),
    ("a?c", "a/c", False),
    ("[ab].txt", "b.txt", True),
    ("[^ab].txt", "b.txt", False),
    ("a.b", "axb", False),
    (r"\*", "*", True),
    (r"\*", "x", False),
    ("*\n!keep", "keep", False),
    ("*\n!keep", "lose", True),
    ("d\n!d/keep", "d/keep", False),
    ("d\n!d/keep", "d/lose", True),
    ("!keep\n*", "keep", True),
    ("../a", "a", False),
]


@pytest.mark.parametrize(("text", "path", "ignored"), IGNORED)
def test_ignore_rules(text: str, path: str, ignored: bool) -> None:
    assert IgnoreRules(text).ignored(path) is ignored
    assert not IgnoreRules(text, always_kept=(path,)).ignored(path)


def test_paths(tmp_path: Path) -> None:
    for name in ("Dockerfile", "d/one", "d/e/two", "skip/three"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("d/one")
    (tmp_path / "dirlink").symlink_to("d")
    found = context_paths(str(tmp_path), IgnoreRules("skip"))
    assert found == ["Dockerfile", "d", "d/e", "d/e/two", "d/one", "dirlink", "link"]
    # An exception below a folder that is ignored.
    assert context_paths(str(tmp_path), IgnoreRules("*\n!d/e/two")) == ["d", "d/e", "d/e/two"]
