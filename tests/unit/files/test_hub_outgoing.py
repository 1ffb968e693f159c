# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Where the hub reads its proxy from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from galilean_hub.http import outgoing


def test_only_what_programs_read_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in outgoing.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "outgoing-proxy"
    assert outgoing.variables(file) == {}
    file.write_text("{}\n")
    assert outgoing.variables(file) == {}
    assert outgoing.taken() == {}
    file.write_text(json.dumps({"https_proxy": "http://proxy:3128", "no_proxy": "hub", "PATH": "/tmp"}))
    found = {"https_proxy": "http://proxy:3128", "no_proxy": "hub"}
    assert outgoing.variables(file) == found
    for name in outgoing.VARIABLES:
        monkeypatch.setenv(name, "")
    outgoing.use(file)
    assert outgoing.taken() == found
