# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The number that users' servers run as."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.homes import uid as plan

HOMES = ["hub-home-ada", "hub-home-bob"]


def account(uid: int) -> str:
    """A cloud image, and somebody who came later."""
    return {1000: "the account debian", 78000: "the group hpc"}.get(uid, "")


@pytest.mark.parametrize(
    ("wanted", "found", "last", "uid"),
    [
        # A new instance.
        (0, {}, 0, plan.NEW),
        (80000, {}, 0, 80000),
        # One that is there keeps its number, whoever has that.
        (0, {1000: HOMES}, 0, 1000),
        (0, {1000: HOMES}, 77000, 1000),
        (0, {}, 1000, 1000),
        (1000, {1000: HOMES}, 1000, 1000),
        (0, {5000: HOMES}, 1000, 5000),
        # Another one, also after the first homes have changed hands.
        (77000, {1000: HOMES}, 1000, 77000),
        (77000, {1000: HOMES[:1], 77000: HOMES[1:]}, 77000, 77000),
        (1000, {1000: HOMES[:1], 77000: HOMES[1:]}, 77000, 1000),
    ],
)
def test_the_homes_decide(wanted: int, found: dict[int, list[str]], last: int, uid: int) -> None:
    assert plan.decide(wanted, found, last, account) == uid


@pytest.mark.parametrize(
    ("wanted", "found", "words"),
    [
        (1000, {}, "images_user_id is 1000: give a number from 65536 to 99999"),
        (100000, {1000: HOMES}, "images_user_id is 100000: give a number"),
        (-1, {}, "images_user_id is -1: give a number"),
        (78000, {}, "images_user_id is 78000, which the group hpc of this host has"),
        # An account that came later.
        (0, {78000: HOMES}, "images_user_id is 78000, which the group hpc of this host has"),
        (0, {1000: HOMES, 77000: ["hub-home-eve"]}, "2 to 1000 (hub-home-ada, hub-home-bob), 1 to 77000"),
    ],
)  # fmt: skip
def test_what_is_refused(wanted: int, found: dict[int, list[str]], words: str) -> None:
    with pytest.raises(HubError) as caught:
        plan.decide(wanted, found, 0, account)
    assert words in caught.value.message


def test_nobody_works_in_what_changes_hands() -> None:
    running = ["hub-user-1", "hub-user-2", "hub-user-3", "hub-user-4"]
    plan.refuse_running(1000, {1000: HOMES}, running)
    plan.refuse_running(77000, {1000: HOMES}, [])
    with pytest.raises(
        HubError, match=r"4 servers of users run \(hub-user-1, hub-user-2, hub-user-3, \.\.\.\)"
    ):
        plan.refuse_running(77000, {1000: HOMES}, running)


def test_what_the_hub_was_set_up_with(tmp_path: Path) -> None:
    assert plan.recorded(tmp_path) == 0
    file = tmp_path / "config" / "config.json"
    file.parent.mkdir()
    # By a version that had no choice.
    file.write_text("{}")
    assert plan.recorded(tmp_path) == 1000
    file.write_text(json.dumps({"user_id": 77000}))
    assert plan.recorded(tmp_path) == 77000
    file.write_text("{")
    with pytest.raises(HubError, match="cannot be read"):
        plan.recorded(tmp_path)


def test_an_image_that_is_built_by_itself_has_the_number_of_new_instances() -> None:
    dockerfile = Path(__file__).resolve().parents[4] / "files/images/notebook/Dockerfile"
    assert f"\nARG NB_UID={plan.NEW}\n" in dockerfile.read_text(encoding="utf-8")
