# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which home belongs to which user after users were renamed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from galilean_hub.state import homes

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.homes import owners as owners_file
from ansible_collections.galilean.hub.plugins.module_utils.shared import home_owners

OWNERS = {"ada@x": "ada", "grace": "grace@x"}


@pytest.mark.parametrize(
    ("user", "owners", "made_for"),
    [
        ("ada", {}, "ada"),
        ("bob", OWNERS, "bob"),
        ("ada@x", OWNERS, "ada"),
        ("grace", OWNERS, "grace@x"),
        # Another person who comes by the old name.
        ("ada", OWNERS, "ada/2"),
        ("ada", {"a": "ada", "b": "ada/2"}, "ada/3"),
        # Who came by a name that was free, was renamed, and is so again by who has the name now.
        ("b", {"a": "ada", "b": "ada/2"}, "ada/2"),
    ],
)
def test_what_a_home_is_made_for(user: str, owners: dict[str, str], made_for: str) -> None:
    assert home_owners.made_for(user, owners) == made_for
    assert home_owners.user_today(made_for, owners) == user


@pytest.mark.parametrize(
    ("owners", "names", "after"),
    [
        ({}, {"ada": "ada@x"}, {"ada@x": "ada"}),
        ({"ada@x": "ada"}, {"ada@x": "lovelace"}, {"lovelace": "ada"}),
        # A second person of that name is renamed as well, and keeps the second home.
        ({"ada@x": "ada"}, {"ada": "byron"}, {"ada@x": "ada", "byron": "ada/2"}),
    ],
)
def test_who_was_renamed_keeps_the_home(
    owners: dict[str, str], names: dict[str, str], after: dict[str, str]
) -> None:
    assert home_owners.renamed(owners, names) == after


def test_what_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(homes, "_owners", None)
    assert owners_file.read_owners(tmp_path) == homes.read(tmp_path / "homes.json") == {}
    homes.remember(OWNERS, tmp_path / "homes.json")
    assert owners_file.read_owners(tmp_path) == homes.read(tmp_path / "homes.json") == OWNERS
    assert homes.owner("ada") == "ada/2"
    (tmp_path / "homes.json").write_text(json.dumps(OWNERS)[:-3], encoding="utf-8")
    with pytest.raises(HubError, match=r"homes\.json cannot be read .*: restore it from a backup"):
        owners_file.read_owners(tmp_path)
