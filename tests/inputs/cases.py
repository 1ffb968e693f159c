# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The cases of a folder, each a file: README.md says what stands in them."""

from __future__ import annotations

import base64
import typing as t
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).resolve().parent


def cases(folder: str) -> list[t.Any]:
    """A parameter for each file of the folder, called as the file is."""
    files = sorted((HERE / folder).glob("*.yml"))
    assert files, folder
    return [pytest.param(yaml.safe_load(file.read_text(encoding="utf-8")), id=file.stem) for file in files]


def content(case: t.Mapping[str, t.Any]) -> bytes:
    """The bytes that somebody saved or sent."""
    if "base64" in case:
        return base64.b64decode(case["base64"])
    text: str = case["content"]
    return text.encode(case.get("encoding", "utf-8"))
