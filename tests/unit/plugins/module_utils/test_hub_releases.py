# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The folder of releases, and what is said of it; real switches are in tests/e2e/test_releases.py."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.hub import releases as plan

ONE: dict[str, t.Any] = {
    "name": "20260101T000000Z",
    "user": "anna",
    "collection_version": "0.8.0",
    "jupyterhub_version": "5.5.4",
    "schema": "a",
    "software": "",
    "settings_digest": "1",
    "images": {"hub": "g/hub:1", "proxy": "g/proxy:1"},
}
TWO = {**ONE, "name": "20260102T000000Z", "settings_digest": "2"}
THREE = {
    **TWO,
    "name": "20260103T000000Z",
    "jupyterhub_version": "6.1.1",
    "schema": "b",
    "software": "g-software-1",
    "images": {"hub": "g/hub:2", "edge": "g/edge:1", "proxy": "g/proxy:1"},
}
RECORDS = [ONE, TWO, THREE]


@pytest.mark.parametrize(
    ("record", "before", "expected"),
    [
        (TWO, TWO, []),
        (TWO, ONE, ["settings"]),
        (THREE, TWO, ["JupyterHub 6.1.1", "database schema b", "software", "images edge, hub"]),
        ({**ONE, "collection_version": "0.9.0"}, ONE, ["collection 0.9.0"]),
    ],
)
def test_differences(record: dict[str, t.Any], before: dict[str, t.Any], expected: list[str]) -> None:
    assert plan.differences(record, before) == expected


def test_the_table_has_the_newest_first_and_a_star() -> None:
    lines = plan.table(RECORDS, TWO["name"])
    assert [line.split()[0] for line in lines[1:]] == [THREE["name"], "*", ONE["name"]]
    assert lines[2].endswith("settings")


@pytest.mark.parametrize(
    ("current", "wanted", "expected"),
    [
        (THREE, "", TWO["name"]),
        (TWO, "", ONE["name"]),
        (TWO, THREE["name"], THREE["name"]),
        (ONE, "", "There is no release before the one that runs: name one with -e rollback_release=<name>."),
        (TWO, "x", f"there is no such release: choose one of {ONE['name']}, {THREE['name']}."),
        (TWO, TWO["name"], "which is the release that runs: choose another one."),
    ],
)
def test_choose(current: dict[str, t.Any], wanted: str, expected: str) -> None:
    try:
        said = str(plan.choose(RECORDS, current["name"], wanted)["name"])
    except HubError as exc:
        said = str(exc)
    assert said.endswith(expected)


@pytest.mark.parametrize(
    ("keep", "needed", "gone"),
    [(5, [], []), (1, [], ["1", "2"]), (0, [], ["1", "2"]), (1, ["1"], ["2"]), (2, [], ["1"])],
)
def test_to_prune(keep: int, needed: list[str], gone: list[str]) -> None:
    assert sorted(plan.to_prune(["1", "2", "3"], keep, needed)) == gone


def test_a_release_that_is_left_gets_what_it_had(tmp_path: Path) -> None:
    releases = plan.Releases(tmp_path / "releases")
    releases.ensure()
    for record in RECORDS:
        releases.write(record, {"config.json": json.dumps(record["name"]), "hooks.py": ""})
    releases.point(TWO["name"])
    (releases.former / "hub").mkdir(parents=True)
    (releases.former / "hub" / "jupyterhub.sqlite").write_text("two")
    (releases.former / "release").write_text(f"{TWO['name']}\n")
    releases.next.mkdir()
    releases.point(THREE["name"])
    releases.leave()
    assert (releases.root / TWO["name"] / "hub" / "jupyterhub.sqlite").read_text() == "two"
    assert not releases.former.exists()
    assert not releases.next.exists()
    assert releases.current() == THREE["name"]
    assert releases.record() == THREE
    assert not (releases.root / ONE["name"] / "hooks.py").exists()
    assert releases.prune(1, {TWO["name"]}) == [ONE["name"]]
    assert releases.names() == [TWO["name"], THREE["name"]]
    config = tmp_path / "config"
    assert {"g/hub:1", "g/hub:2", "g-software-1"} <= plan.needed_by_releases(config)
    assert plan.needed_by_releases(tmp_path / "x" / "config") == set()


def test_described() -> None:
    """A container as the engine shows it, described as the role describes its own."""
    found = {
        "Id": "0123456789ab",
        "Config": {
            "User": "995:995",
            "Cmd": ["python3", "-m", "galilean_broker"],
            "Env": ["PATH=/bin", "BROKER_CLIENT=995"],
            "Labels": {"galilean.hub.role": "broker", "galilean.hub.instance": "hub", "other": "x"},
            "Healthcheck": {"Test": ["CMD", "true"], "Interval": 60_000_000_000, "Retries": 3},
        },
        "HostConfig": {
            "Memory": 134217728,
            "OomScoreAdj": 20,
            "Init": True,
            "GroupAdd": ["101"],
            "CapAdd": None,
            "SecurityOpt": ["no-new-privileges"],
            "PidMode": "",
            "Binds": ["/srv/hub/config:/etc/jupyterhub:ro"],
        },
        "NetworkSettings": {
            "Networks": {"c": {"Aliases": ["hub", "0123"], "IPAMConfig": {"IPv4Address": "10.0.0.2"}}}
        },
    }
    image = {"Config": {"Cmd": ["jupyterhub"], "Env": ["PATH=/bin"]}}
    assert plan.described(found, image) == {
        "role": "broker",
        "image": "hub",
        "command": ["python3", "-m", "galilean_broker"],
        "user": "995",
        "memory": "134217728",
        "oom_score_adj": 20,
        "init": True,
        "groups": ["101"],
        "security_opts": ["no-new-privileges"],
        "volumes": ["/srv/hub/config:/etc/jupyterhub:ro"],
        "env": {"BROKER_CLIENT": "995"},
        "healthcheck": {"test": ["CMD", "true"], "interval": "60s", "retries": 3},
        "labels": {},
        "networks": [{"name": "c", "aliases": ["hub"], "ipv4_address": "10.0.0.2"}],
    }
    alone = {**found, "NetworkSettings": {"Networks": {"none": {}}}}
    assert plan.described(alone, image)["network_mode"] == "none"
