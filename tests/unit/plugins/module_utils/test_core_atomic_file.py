# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.atomic_file import replace_file


@pytest.mark.parametrize(("mode", "expected"), [(None, 0o600), (0o644, 0o644)])
def test_a_new_file(tmp_path: Path, mode: int | None, expected: int) -> None:
    replace_file(str(tmp_path / "a"), "b\n\udcff", mode=mode)
    assert (tmp_path / "a").read_bytes() == b"b\n\xff"
    assert (tmp_path / "a").stat().st_mode & 0o777 == expected


def test_nothing_is_left_where_it_fails(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("before")

    def move(source: str, path: str) -> None:
        raise OSError("on purpose")

    with pytest.raises(OSError, match="on purpose"):
        replace_file(str(tmp_path / "a"), "after", move)
    assert (tmp_path / "a").read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]
