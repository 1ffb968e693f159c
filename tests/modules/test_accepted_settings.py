# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What validation accepts, the hub starts with, in its real image; what it refuses is one sentence."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from ansible_collections.galilean.hub.plugins.module_utils.authorization.access_settings import (
    access_problems,
)
from ansible_collections.galilean.hub.plugins.module_utils.authorization.login import login_problems
from ansible_collections.galilean.hub.plugins.module_utils.authorization.user_list import (
    user_list,
    user_list_problems,
)
from ansible_collections.galilean.hub.plugins.module_utils.authorization.usernames import user_name
from ansible_collections.galilean.hub.plugins.module_utils.core.instance import instance_layout
from ansible_collections.galilean.hub.plugins.module_utils.hub.config_data import ACCESS, hub_config_data
from ansible_collections.galilean.hub.plugins.module_utils.settings.bounds import out_of_bounds
from ansible_collections.galilean.hub.plugins.module_utils.shared.claims import (
    ClaimError,
    claimed_groups,
    group_name,
)
from ansible_collections.galilean.hub.plugins.module_utils.shared.sizes import parse_size

PROGRAM = Path(__file__).with_name("hub_start.py")
STATE = ("/etc/jupyterhub", "/run/secrets", "/srv/jupyterhub")
OIDC = {
    "authorize_url": "https://idp.example.org/authorize",
    "token_url": "https://idp.example.org/token",
    "userdata_url": "https://idp.example.org/me",
    "groups_claim": "groups",
}
LOGIN: dict[str, t.Any] = {
    "kind": "dummy", "public_url": "http://127.0.0.1:8000/", "client_id": "", "client_secret": False,
    "allow_all": False, "allowed_users": [], "allowed_groups": [], "admin_users": [], "admin_groups": [],
    "blocked_users": [], "approval": False, "admin_access": True,
}  # fmt: skip
OTHERS: dict[str, t.Any] = {
    "public_url": LOGIN["public_url"], "welcome_dir": "/srv/hub/welcome", "software": {}, "ca_bundle": "",
    "memory_limit": "2G", "tmp_limit": "auto", "cpu_limit": 2.0, "pids_limit": 1024, "open_files": 16384,
    "seccomp": {"defaultAction": "SCMP_ACT_ERRNO"}, "concurrent_spawn_limit": 3, "active_server_limit": 56,
    "cull_timeout": 3600, "cull_every": 300, "cull_max_age": 0, "kernel_cull_timeout": 3600,
    "busy_max_age": 604800, "cull_warning": 600, "default_url": "/lab", "token_max_age": 86400,
    "failed_login_limit": 60, "config_extra": {},
}  # fmt: skip


Start = t.Callable[[dict[str, t.Any], dict[str, t.Any]], dict[str, t.Any]]


@pytest.fixture(scope="module")
def start(refs: dict[str, t.Any]) -> t.Iterator[Start]:
    """Start the hub with settings, let people log in, and tell what came of it."""
    argv = ["docker", "run", "--rm", "--interactive", "--network=none"]
    argv += [f"--tmpfs={folder}" for folder in STATE] + [f"--volume={PROGRAM}:/hub_start.py:ro"]
    with subprocess.Popen(
        [*argv, refs["hub"], "python3", "/hub_start.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as hub:
        assert hub.stdin
        assert hub.stdout

        def call(chosen: dict[str, t.Any], people: dict[str, t.Any]) -> dict[str, t.Any]:
            assert hub.stdin
            assert hub.stdout
            images = {"hub": refs["hub"], "notebook": refs["notebook"]}
            known = {
                **OTHERS,
                **chosen,
                "hub_image": refs["hub"],
                "notebook_image": refs["notebook"],
                "images": images,
            }
            data = hub_config_data(instance_layout("props"), known)
            print(json.dumps({"data": data, "people": people}), file=hub.stdin, flush=True)
            found: dict[str, t.Any] = json.loads(hub.stdout.readline())
            assert not found["problem"], found["problem"]
            return dict(found["people"])

        yield call
        hub.stdin.close()


# -- what people write

WORD = st.text(st.characters(categories=["L", "N", "P", "S", "Zs", "Mn"]), min_size=1, max_size=12)
NAME = (
    st.sampled_from(
        [
            "ada",
            "Grace.Hopper@Example.org",
            "20231234",
            "o'brien",
            "müller",
            "a b",
            "x#1",
            "back\\slash",
            "50%",
            "{x}",
        ]
    )
    | WORD
)


def mostly(good: st.SearchStrategy[t.Any], odd: st.SearchStrategy[t.Any]) -> st.SearchStrategy[t.Any]:
    """One in eight is odd: settings of many parts would hardly ever be accepted as a whole."""
    return st.integers(0, 7).flatmap(lambda number: good if number else odd)


SIZE = mostly(
    st.builds("{}{}{}".format, st.integers(128, 900), st.sampled_from(["", " "]), st.sampled_from("MGmg"))
    | st.builds("{}G{}".format, st.integers(1, 64), st.sampled_from(["B", "iB", "b"]))
    | st.integers(2**28, 2**40),
    st.sampled_from(["0.5G", "1.5 GiB", "1e9", "-1G", "4", "", "512", "1,5G", "2 GB of memory", "٣G", -1, 0]),
)
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "memory_limit": SIZE,
        "disk_limit": SIZE,
        "cpu_limit": mostly(
            st.integers(1, 600) | st.sampled_from([0.5, 1.25]), st.sampled_from([-1, 0, 10**4])
        ),
        "pids_limit": mostly(st.integers(1, 4096), st.integers(-1, 0)),
        "cull_timeout": mostly(st.sampled_from([0, 600, 86400]), st.sampled_from([5, -1])),
    },
)
VARIABLE = mostly(st.sampled_from(["NOTE", "note_1", "A.B"]), st.sampled_from(["1", "A B", "A=B", ""]) | WORD)
PAGE = mostly(st.sampled_from(["/lab", "/tree", "/lab/tree/a b#c?d.ipynb", "/{username}"]), st.just("lab"))
SOURCE = st.builds(
    "/{}/{}".format,
    mostly(st.just("data"), st.sampled_from(["srv/props", "home/x/.ssh", "etc", "var/lib", "proc"])),
    WORD,
)
GROUP_NAME = st.sampled_from(["staff", "Staff", "/org/labs", "phys.1", "CN=x,DC=y", "50 %", "größe"]) | WORD


@st.composite
def site(draw: st.DrawFn) -> dict[str, t.Any]:
    """Groups, environments and people of a site, most of them as they should be."""
    people = draw(st.lists(NAME, min_size=1, max_size=4, unique_by=user_name))
    groups = [
        {
            "name": draw(GROUP_NAME),
            "users": draw(st.lists(st.sampled_from(people), unique=True)),
            **draw(LIMITS),
        }
        for _ in range(draw(st.integers(0, 2)))
    ]
    names = [group["name"] for group in groups]
    some = st.lists(st.sampled_from(names), max_size=2) if names else st.just([])
    profiles = [
        {
            "name": draw(st.sampled_from(["science", "r", "gpu-1", "2024.1"])),
            "label": draw(WORD),
            "groups": draw(some),
            "environment": {draw(VARIABLE): draw(WORD)},
            "default_url": draw(PAGE),
            **{key: value for key, value in draw(LIMITS).items() if key != "cull_timeout"},
        }
        for _ in range(draw(st.integers(0, 2)))
    ]
    shared = [{"name": "lab", "groups": draw(some), "disk_limit": draw(SIZE)}] if draw(st.booleans()) else []
    data = [{"name": "survey", "source": draw(SOURCE), "groups": draw(some)}] if draw(st.booleans()) else []
    blocked = draw(st.lists(st.sampled_from(people), max_size=1))
    allowed = [name for name in people if name not in blocked]
    return {
        **ACCESS,
        "login": {
            **LOGIN,
            "allowed_users": list(map(user_name, allowed)),
            "admin_users": list(map(user_name, allowed[:1])),
            "blocked_users": list(map(user_name, blocked)),
        },
        "groups": groups,
        "profiles": profiles,
        "shared_folders": shared,
        "data_mounts": data,
        "state_dir": "/srv/props",
        "images": {"hub": "h:1", "notebook": "n:1"},
        "people": people,
    }


def limit_problems(chosen: t.Mapping[str, t.Any]) -> list[str]:
    """What is said of numbers, wherever they stand."""
    return [
        sentence
        for key in ("groups", "profiles")
        for one in chosen[key]
        for name, value in one.items()
        for sentence in out_of_bounds(f"jupyterhub_{key}.{name}", value)
    ]


def most(entries: t.Iterable[dict[str, t.Any]], key: str, otherwise: t.Any) -> t.Any:
    """The most generous of the entries that say something."""
    read = parse_size if key == "memory_limit" else float
    return max([read(one[key]) for one in entries if one.get(key)], default=otherwise)


def expect(chosen: dict[str, t.Any], name: str, found: dict[str, t.Any]) -> None:
    """Who was let in has what the settings say."""
    mine = [one for one in chosen["groups"] if user_name(name) in map(user_name, one["users"])]
    assert set(found["groups"]) == {group_name(one["name"]) for one in mine}
    for profile in chosen["profiles"] or [{"name": ""}]:
        wanted = {group_name(one) for one in profile.get("groups") or []}
        if wanted and not wanted & set(found["groups"]):
            assert profile["name"] not in found["servers"]
            continue
        server = found["servers"][profile["name"]]
        for key, here, otherwise in (
            ("memory_limit", "memory", 2 * 2**30),
            ("cpu_limit", "cpus", 2.0),
            ("pids_limit", "processes", 1024),
        ):
            limit = most([profile], key, None) or most(mine, key, otherwise)
            assert server[here] == pytest.approx(limit, abs=0.01), (name, profile, key)
        for variable, value in (profile.get("environment") or {}).items():
            assert f"{variable}={value}" in server["environment"]


# A start of the hub takes most of a second, and a shorter example is hardly easier to read.
STARTS = settings(
    max_examples=16,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@STARTS
@given(site())
def test_what_validation_accepts_starts(start: Start, chosen: dict[str, t.Any]) -> None:
    people = chosen.pop("people")
    problems = login_problems(chosen["login"]) + access_problems(chosen) + limit_problems(chosen)
    event("refused" if problems else "started")
    if problems:
        assert not [said for said in problems if "\n" in said or "Traceback" in said]
        return
    done = start(chosen, dict.fromkeys(people))
    for name in people:
        if user_name(name) in chosen["login"]["blocked_users"]:
            assert "blocked" in done[name]["refused"]
        else:
            assert done[name].get("name") == user_name(name), done[name]
            expect(chosen, name, done[name])


@STARTS
@given(
    st.lists(st.tuples(NAME, st.lists(GROUP_NAME, max_size=2), st.booleans()), min_size=1, max_size=4),
    st.sampled_from(",;\t"),
    st.sampled_from(["utf-8-sig", "utf-16"]),
)
def test_who_stands_in_an_accepted_table_comes_in(
    start: Start, rows: list[tuple[str, list[str], bool]], delimiter: str, encoding: str
) -> None:
    between = "," if delimiter == ";" else ";"
    rows = [(name.strip(), groups, admin) for name, groups, admin in rows]
    lines = [
        ("name", "groups", "admin"),
        *((name, between.join(g), "yes" if a else "no") for name, g, a in rows),
    ]
    quoted = [delimiter.join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines]
    table = {"users": [], "file": "people.csv", "content": "\r\n".join(quoted).encode(encoding)}
    problems = user_list_problems(table)
    listed = {} if problems else user_list(table)
    chosen = {
        **ACCESS,
        "login": {
            **LOGIN,
            "allowed_users": listed.get("allowed", []),
            "admin_users": listed.get("admin_users", []),
        },
        "listed_groups": listed.get("groups", {}),
    }
    if not problems:
        problems = login_problems(chosen["login"]) + access_problems(chosen)
    event("refused" if problems else "started")
    if problems:
        assert not [said for said in problems if "\n" in said or "Traceback" in said]
        return
    done = start(chosen, dict.fromkeys(name for name, _, _ in rows))
    for name, _, _ in rows:
        assert done[name].get("name") == user_name(name), done[name]


CLAIM = st.one_of(
    st.lists(GROUP_NAME, max_size=3),
    GROUP_NAME,
    st.lists(st.fixed_dictionaries({"name": GROUP_NAME}), max_size=2),
    st.integers(),
    st.none(),
)


@STARTS
@given(CLAIM, GROUP_NAME)
def test_who_is_let_in_by_a_claim_comes_in(start: Start, claim: t.Any, allowed: str) -> None:
    login = {**LOGIN, "kind": "oidc", "client_id": "hub", "client_secret": True, "oidc": OIDC}
    chosen = {**ACCESS, "login": {**login, "allowed_groups": [allowed]}}
    problems = login_problems(chosen["login"]) + access_problems(chosen)
    if problems:
        assert not [said for said in problems if "\n" in said]
        return
    told = {"preferred_username": "ada", "groups": claim}
    found = start(chosen, {"ada": told})["ada"]
    try:
        groups = claimed_groups(told, None, "groups")
    except ClaimError:
        groups = set()
    if group_name(allowed) in groups:
        assert set(found["groups"]) >= groups
        assert found["servers"]
    else:
        assert found["refused"]
