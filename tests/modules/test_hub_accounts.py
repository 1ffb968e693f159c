# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""hub_user, hub_group and hub_info against a real JupyterHub."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path
from urllib.parse import quote

import pytest
from engine import ModuleRunner
from loopback_hub import LoopbackHub, free_ports, run_hub

Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LoopbackHub]:
    """A hub that the tests look at with an administrator's token."""
    for hub in run_hub(tmp_path_factory.mktemp("hub")):
        yield dataclasses.replace(hub, token=hub.root_token)


@pytest.fixture
def call(hub: LoopbackHub, run_module: ModuleRunner) -> Run:
    """Run a module with an administrator's token, or the one that is given."""

    def run(module: str, **params: t.Any) -> dict[str, t.Any]:
        params.setdefault("url", hub.url)
        if "token_path" not in params:
            params.setdefault("token", hub.root_token)
        return run_module(module, **params)

    return run


def names(hub: LoopbackHub) -> set[str]:
    return {user["name"] for user in hub.ask("/users")[1]}


def start(hub: LoopbackHub, user: str, server: str = "server") -> None:
    assert hub.api(f"/users/{quote(user, safe='')}/{server}", "POST") in (201, 202)


def test_account_from_nothing_to_nothing(hub: LoopbackHub, call: Run) -> None:
    want = {"name": "anna", "groups": ["staff", "genomics"]}
    result = call("hub_user", check=True, **want)
    assert result["changed"]
    assert result["actions"] == [
        "create anna",
        "add anna to the group genomics",
        "add anna to the group staff",
    ]
    assert "anna" not in names(hub)
    assert hub.ask("/groups/staff")[0] == 404
    assert '+    "anna": {' in result["printed"] or '"anna": null' in result["printed"]
    made = call("hub_user", **want)
    assert made["changed"]
    assert made["actions"] == result["actions"]
    assert made["users"] == [{"name": "anna", "admin": False, "groups": ["genomics", "staff"], "running": []}]
    again = call("hub_user", **want)
    assert not again["changed"]
    assert again["users"] == made["users"]
    # What is not given stays.
    assert not call("hub_user", name="anna")["changed"]
    more = call("hub_user", name="anna", groups=["course"], append_groups=True)
    assert more["users"][0]["groups"] == ["course", "genomics", "staff"]
    fewer = call("hub_user", name="anna", groups=["course"])
    assert sorted(fewer["actions"]) == ["take anna from the group genomics", "take anna from the group staff"]
    assert call("hub_user", check=True, name="anna", state="absent")["changed"]
    assert "anna" in names(hub)
    assert call("hub_user", name="anna", state="absent")["actions"] == ["delete the account anna"]
    assert "anna" not in names(hub)
    assert not call("hub_user", name="anna", state="absent")["changed"]


def test_administrators(hub: LoopbackHub, call: Run) -> None:
    assert call("hub_user", name="bea", admin=True)["actions"] == ["create bea as administrator"]
    assert hub.ask("/users/bea")[1]["admin"] is True
    assert not call("hub_user", name="bea", admin=True)["changed"]
    assert call("hub_user", check=True, name="bea", admin=False)["changed"]
    assert call("hub_user", name="bea", admin=False)["actions"] == ["take administration from bea"]
    assert hub.ask("/users/bea")[1]["admin"] is False
    call("hub_user", name="bea", state="absent")


def test_running_servers_are_stopped_first(hub: LoopbackHub, call: Run) -> None:
    call("hub_user", name="cleo")
    start(hub, "cleo")
    start(hub, "cleo", "servers/second")
    shown = call("hub_user", check=True, name="cleo", stop=True)
    assert shown["actions"] == ["stop the servers of cleo"]
    assert hub.ask("/users/cleo")[1]["servers"]
    stopped = call("hub_user", name="cleo", stop=True)
    assert stopped["changed"]
    assert stopped["users"][0]["running"] == []
    assert hub.ask("/users/cleo")[1]["servers"] == {}
    assert not call("hub_user", name="cleo", stop=True)["changed"]
    start(hub, "cleo")
    gone = call("hub_user", name="cleo", state="absent")
    assert gone["actions"] == ["stop the servers of cleo", "delete the account cleo"]
    assert hub.api("/users/cleo") == 404


def test_server_that_does_not_end_is_named(hub: LoopbackHub, call: Run) -> None:
    call("hub_user", name="dora")
    start(hub, "dora")
    failed = call("hub_user", name="dora", state="absent", timeout=0)
    assert "still exists after 0 seconds" in failed["msg"] or not failed["failed"]
    call("hub_user", name="dora", state="absent")
    assert hub.api("/users/dora") == 404


HOSTILE = [
    "a b", "quote\"and'", "%2e%41", "x@y.example", "ünï-ćødé", "..a", "semi;colon", "a\\b", "q?x=1#y", "$(id)"
]  # fmt: skip


def test_hostile_names_are_names(hub: LoopbackHub, call: Run) -> None:
    users = [{"name": name, "groups": [f"of {name}"]} for name in HOSTILE]
    made = call("hub_user", users=users)
    assert [user["name"] for user in made["users"]] == HOSTILE
    assert not call("hub_user", users=users)["changed"]
    # Each by itself, too: its name is part of an address there.
    for user in users[:3]:
        assert not call("hub_user", **user)["changed"]
    assert set(HOSTILE) <= names(hub)
    listed = call("hub_info")
    assert {f"of {name}": [name] for name in HOSTILE}.items() <= {
        group["name"]: group["users"] for group in listed["groups"]
    }.items()
    gone = call("hub_user", state="absent", users=[{"name": name} for name in HOSTILE])
    assert len(gone["actions"]) == len(HOSTILE)
    assert not set(HOSTILE) & names(hub)
    for name in HOSTILE:
        assert hub.api(f"/groups/{quote(f'of {name}', safe='')}", "DELETE") == 204


def test_the_hub_writes_names_small(hub: LoopbackHub, call: Run) -> None:
    made = call("hub_user", name="Emil", groups=["Upper"])
    assert made["users"] == [{"name": "emil", "admin": False, "groups": ["Upper"], "running": []}]
    assert not call("hub_user", name="Emil", groups=["Upper"])["changed"]
    assert not call("hub_group", name="Upper", users=["EMIL"])["changed"]
    assert call("hub_user", users=[{"name": "emil"}, {"name": "EMIL"}])["msg"].startswith(
        "users has 'EMIL' twice"
    )
    assert call("hub_user", name="EMIL", state="absent")["changed"]
    call("hub_group", name="Upper", state="absent")


@pytest.mark.slow
def test_a_course_in_one_task(hub: LoopbackHub, call: Run) -> None:
    course = [{"name": f"student{number:03}"} for number in range(300)]
    made = call("hub_user", users=course, groups=["course"])
    assert not made["failed"], made["msg"]
    assert len(made["actions"]) == 301
    assert not call("hub_user", users=course, groups=["course"])["changed"]
    # The hub gives at most 200 at once.
    listed = call("hub_info")
    assert {entry["name"] for entry in course} <= {user["name"] for user in listed["users"]}
    assert len(listed["users"]) == len({user["name"] for user in listed["users"]})
    assert [len(group["users"]) for group in listed["groups"] if group["name"] == "course"] == [300]
    some = [{"name": "student000", "groups": ["course", "tutors"]}, {"name": "student299", "state": "absent"}]
    assert call("hub_user", users=some)["actions"] == [
        "add student000 to the group tutors",
        "delete the account student299",
    ]
    assert call("hub_user", users=course, state="absent")["changed"]
    assert not call("hub_info", gather_subset=["users"])["users"]


def test_many_groups_are_listed(hub: LoopbackHub, call: Run) -> None:
    for number in range(230):
        assert hub.api(f"/groups/group{number}", "POST") == 201
    listed = [group["name"] for group in call("hub_info", gather_subset=["groups"])["groups"]]
    assert {f"group{number}" for number in range(230)} <= set(listed)
    for number in range(230):
        assert hub.api(f"/groups/group{number}", "DELETE") == 204


def test_group_from_nothing_to_nothing(hub: LoopbackHub, call: Run) -> None:
    call("hub_user", users=[{"name": "fay"}, {"name": "gus"}])
    want = {"name": "g/1", "users": ["fay"], "properties": {"limit": "2G"}}
    assert call("hub_group", check=True, **want)["changed"]
    assert hub.ask("/groups/g%2F1")[0] == 404
    made = call("hub_group", **want)
    assert made["group"] == {"name": "g/1", "users": ["fay"], "properties": {"limit": "2G"}}
    assert hub.ask("/groups/g%2F1")[1]["properties"] == {"limit": "2G"}
    assert not call("hub_group", **want)["changed"]
    assert not call("hub_group", name="g/1")["changed"]
    assert call("hub_group", name="g/1", users=["gus"], append=True)["group"]["users"] == ["fay", "gus"]
    assert call("hub_group", name="g/1", users=["gus"])["group"]["users"] == ["gus"]
    assert call("hub_group", name="g/1", properties={})["group"]["properties"] == {}
    refused = call("hub_group", name="g/1", users=["nobody"])
    assert "No such user: nobody" in refused["msg"]
    assert call("hub_group", check=True, name="g/1", state="absent")["changed"]
    assert call("hub_group", name="g/1", state="absent")["changed"]
    assert not call("hub_group", name="g/1", state="absent")["changed"]
    call("hub_user", users=[{"name": "fay"}, {"name": "gus"}], state="absent")


def test_info_shows_servers_and_activity(hub: LoopbackHub, call: Run) -> None:
    call("hub_user", name="hugo", groups=["staff"])
    start(hub, "hugo")
    result = call("hub_info", token=hub.accounts_token)
    hugo = next(user for user in result["users"] if user["name"] == "hugo")
    assert result["version"] == "6.1.1"
    assert not result["changed"]
    assert (hugo["admin"], hugo["groups"]) == (False, ["staff"])
    assert [server["url"] for server in hugo["servers"]] == ["/user/hugo/"]
    assert call("hub_info", check=True)["users"]
    call("hub_user", name="hugo", state="absent")


def test_what_the_service_accounts_may(hub: LoopbackHub, call: Run) -> None:
    """Its token stops, deletes and edits groups. It creates nobody, and does not see what the login left."""
    call("hub_user", name="ida", admin=True)
    start(hub, "ida")
    token = hub.accounts_token
    result = call("hub_user", token=token, name="ida", groups=["new"], stop=True)
    assert not result["failed"], result["msg"]
    created = call("hub_user", token=token, name="jan")
    assert created["msg"] == "The hub did not create 'jan': the token lacks the scope admin:users."
    demoted = call("hub_user", token=token, name="ida", admin=False)
    assert "the token lacks the scope admin:users" in demoted["msg"]
    service = dataclasses.replace(hub, token=token)
    for path, method in (
        ("/users/ida/tokens", "GET"),
        ("/users/ida/server", "POST"),
        ("/users/ida", "PATCH"),
    ):
        assert service.api(path, method) in (403, 404), path
    assert "auth_state" not in service.ask("/users/ida")[1]
    assert call("hub_user", token=token, name="ida", state="absent")["changed"]
    assert call("hub_group", token=token, name="new", state="absent")["changed"]


def test_what_the_hub_refuses_is_one_sentence(hub: LoopbackHub, call: Run, tmp_path: Path) -> None:
    made = call("hub_user", token=hub.reader_token, name="kim", admin=True)
    assert "takes that only from an administrator or a service with admin: true" in made["msg"]
    assert call("hub_user", token="nobodys", name="kim")["msg"].startswith(
        "The hub did not show 'kim': the hub refuses the token"
    )
    assert "token lacks the scope" in call("hub_group", token=hub.reader_token, name="x")["msg"]
    away = call("hub_user", url=f"http://127.0.0.1:{free_ports(1)[0]}", name="kim")
    assert "does not answer as a hub: Connection refused." in away["msg"]
    assert "token_path is '/nonexistent'" in call("hub_info", token_path="/nonexistent")["msg"]
    token = tmp_path / "token"
    token.write_text(hub.root_token + "\n", encoding="utf-8")
    quiet = call("hub_user", token_path=str(token), name="kim", state="absent")
    assert not quiet["failed"]
    assert hub.root_token not in quiet["printed"]
