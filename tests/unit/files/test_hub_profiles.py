# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What users of a hub get by their groups: profiles, and what else goes by groups."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

import pytest
from galilean_hub.spawner import profiles

PLAIN = {"name": "plain", "image": "notebook:1"}
LARGE = {"name": "large", "groups": ["genomics"], "memory_limit": "16G"}
SECRET = {"name": "secret", "groups": ["board"], "label": 'a"<b>'}
ALL = [PLAIN, LARGE, SECRET]


@pytest.mark.parametrize(
    ("groups", "name", "expected"),
    [
        (set(), None, "plain"),
        (set(), "", "plain"),
        (set(), "plain", "plain"),
        ({"genomics"}, "large", "large"),
        ({"board", "genomics"}, "secret", "secret"),
    ],
)
def test_what_may_be_chosen(groups: set[str], name: str | None, expected: str) -> None:
    assert profiles.selected(ALL, groups, name)["name"] == expected


@pytest.mark.parametrize(
    ("listed", "groups", "name", "sentence"),
    [
        (ALL, set(), "large", "not open to you"),
        (ALL, {"genomics"}, "secret", "not open to you"),
        (ALL, set(), "nothing", "not open to you"),
        # What a request of one's own making may bring.
        (ALL, set(), ["large"], "not open to you"),
        (ALL, set(), {"name": "large"}, "not open to you"),
        (ALL, set(), 7, "not open to you"),
        ([LARGE], set(), None, "None of this hub's environments"),
    ],
)
def test_what_may_not(listed: list[t.Any], groups: set[str], name: t.Any, sentence: str) -> None:
    with pytest.raises(profiles.ProfileNotAllowed, match=sentence):
        profiles.selected(listed, groups, name)


def test_no_environments_is_no_choice() -> None:
    assert profiles.selected([], {"genomics"}, None) == {}
    # Chosen when there were some.
    assert profiles.selected([], {"genomics"}, "large") == {}


def test_the_menu_shows_what_is_offered_and_nothing_else() -> None:
    shown = profiles.options_form(ALL, {"board"}, "secret")
    assert 'value="plain"' in shown
    assert 'value="secret" required checked' in shown
    assert "large" not in shown
    assert "<b>" not in shown
    assert "a&quot;&lt;b&gt;" in shown


@pytest.mark.parametrize("listed", [[], [PLAIN], [PLAIN, LARGE]])
def test_one_environment_is_no_menu(listed: list[t.Any]) -> None:
    assert profiles.options_form(listed, set()) == ""
    assert profiles.options_form(listed, set(), "plain") == ""


def test_a_choice_that_is_gone_can_be_made_anew() -> None:
    assert 'value="plain"' in profiles.options_form([PLAIN, LARGE], set(), "large")
    assert profiles.options_form([LARGE], set(), "large") == ""


@pytest.mark.parametrize(
    ("groups", "mine", "profile", "expected"),
    [
        ({}, {"a"}, {}, {}),
        ({"a": {"memory_limit": "8G"}}, set(), {}, {}),
        (
            {"a": {"memory_limit": "900M", "cpu_limit": 1}, "b": {"memory_limit": "2G"}},
            {"a", "b"},
            {},
            {"memory_limit": "2G", "cpu_limit": 1},
        ),
        # What an environment says counts there, more or less.
        ({"a": {"memory_limit": "8G"}}, {"a"}, {"memory_limit": "1G"}, {"memory_limit": "1G"}),
        ({"a": {"pids_limit": 100}, "b": {"pids_limit": 2000}}, {"a", "b"}, {}, {"pids_limit": 2000}),
        ({"a": {"disk_limit": "5G"}, "b": {"disk_limit": "900M"}}, {"a", "b"}, {}, {"disk_limit": "5G"}),
        # No limit is more than any.
        ({"a": {"disk_limit": "5G"}, "b": {"disk_limit": "0"}}, {"a", "b"}, {}, {"disk_limit": "0"}),
    ],
)
def test_limits(groups: t.Any, mine: set[str], profile: t.Any, expected: dict[str, t.Any]) -> None:
    assert profiles.limits(groups, mine, profile) == expected


def test_folders_by_group() -> None:
    entries = [
        {"source": "/s/all", "target": "/shared/all"},
        {"source": "/s/g", "target": "/shared/g", "groups": ["g"], "read_groups": ["r"]},
        {"source": "/d", "target": "/data/d", "read_only": True},
        {"source": "/d2", "target": "/data/d2", "read_only": True, "groups": ["g"]},
    ]

    def given(*groups: str) -> dict[str, str]:
        return {source: mount["mode"] for source, mount in profiles.folders(entries, groups).items()}

    assert given() == {"/s/all": "rw", "/d": "ro"}
    assert given("r") == {"/s/all": "rw", "/s/g": "ro", "/d": "ro"}
    assert given("r", "g") == {"/s/all": "rw", "/s/g": "rw", "/d": "ro", "/d2": "ro"}


def test_repositories_each_once() -> None:
    given = profiles.repositories(
        [{"url": "https://h/a/course.git"}, {"url": "https://h/b", "path": "x/y"}],
        {
            "g": {"repositories": [{"url": "https://h/of-group"}, {"url": "https://h/b", "path": "x/y"}]},
            "other": {"repositories": [{"url": "https://h/no"}]},
        },
        {"g"},
        {"repositories": [{"url": "https://h/new-course", "path": "course", "branch": "main"}]},
    )
    assert given == [
        {"url": "https://h/a/course.git", "branch": "", "path": "course"},
        {"url": "https://h/b", "branch": "", "path": "x/y"},
        {"url": "https://h/of-group", "branch": "", "path": "of-group"},
        # The user is told of two in one place.
        {"url": "https://h/new-course", "branch": "main", "path": "course"},
    ]


@pytest.mark.parametrize(
    ("mine", "expected"),
    [(set(), None), ({"none"}, None), ({"short"}, 600), ({"short", "long"}, 7200), ({"long", "never"}, 0)],
)
def test_idle_times(mine: set[str], expected: int | None) -> None:
    groups: dict[str, t.Any] = {
        "none": {},
        "short": {"cull_timeout": 600},
        "long": {"cull_timeout": 7200},
        "never": {"cull_timeout": 0},
    }
    assert profiles.cull_timeout(groups, mine) == expected


@pytest.mark.parametrize(
    ("info", "user", "name", "mail"),
    [
        ({"name": "Ada L", "email": "ada@example.org"}, "ada", "Ada L", "ada@example.org"),
        ({}, "ada@example.org", "ada@example.org", "ada@example.org"),
        ({"name": "A\nGIT_SSH_COMMAND=x <y>"}, "ada", "AGIT_SSH_COMMAND=x y", None),
    ],
)
def test_who_git_says_it_is(info: dict[str, str], user: str, name: str, mail: str | None) -> None:
    found = profiles.git_identity(info, user)
    assert found["GIT_AUTHOR_NAME"] == found["GIT_COMMITTER_NAME"] == name
    assert found.get("GIT_AUTHOR_EMAIL") == mail


@pytest.mark.parametrize(("value", "expected"), [("", False), (False, False), ("1", True), (True, True)])
def test_a_start_without_ones_changes(value: t.Any, expected: bool) -> None:
    assert profiles.clean({"clean": value}) is expected
    assert not profiles.clean({})


@pytest.mark.parametrize("value", ["yes", 2, ["1"], {"a": 1}])
def test_what_is_no_answer_to_that(value: t.Any) -> None:
    with pytest.raises(ValueError, match="give true or false"):
        profiles.clean({"clean": value})


@pytest.mark.parametrize(
    ("active", "limit", "max_age", "idle_left", "age_left"),
    [
        (10, 3600, 0, 3000, None),
        # The database does not know yet that anybody has been there.
        (None, 3600, 7200, 1800, 5400),
        (30, 600, 0, -1200, None),
        (10, 0, 0, None, None),
    ],
)
def test_when_a_server_is_stopped(
    active: int | None, limit: int, max_age: int, idle_left: int | None, age_left: int | None
) -> None:
    now = datetime(2026, 11, 30, 12, 0)
    found = profiles.time_left(
        active=None if active is None else now - timedelta(minutes=active),
        started=now - timedelta(minutes=30),
        limit=limit,
        max_age=max_age,
        now=now.replace(tzinfo=timezone.utc),
    )
    assert found == {"limit": limit, "idle_left": idle_left, "age_left": age_left}
