# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the action reads beside the inventory. What it says is judged in tests/inputs."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader

from ansible_collections.galilean.hub.plugins.action.check_settings import ActionModule


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (json.dumps({"a": [1]}), {"a": [1]}),
        ("a: [1]\n", {"a": [1]}),
        ("a: [", None),
        # Would end the process, and the run with it.
        ("[" * 100_000 + "]" * 100_000, None),
        ("- " * 50_000, None),
    ],
)
def test_a_file_that_cannot_be_read_is_none_of_settings(tmp_path: Path, content: str, found: t.Any) -> None:
    file = tmp_path / "file.json"
    file.write_text(content)
    action: t.Any = ActionModule.__new__(ActionModule)
    action._loader = DataLoader()
    assert action._load_file(str(file)) == found
