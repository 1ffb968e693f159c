# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The folder of releases, and what is said of it; real switches are in tests/e2e/test_releases.py."""

from __future__ import annotations

import errno
import json
import os
import shlex
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.hub import releases as plan
from ansible_collections.galilean.hub.plugins.modules import hub_release

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


def test_only_one_run_is_between_releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    releases = plan.Releases(tmp_path / "releases")
    releases.refuse("ada")
    releases.claim("ada")
    releases.claim("ada")
    for call in (releases.claim, releases.refuse):
        with pytest.raises(HubError, match=r"that of ada.*counts as broken off at ..:.. UTC"):
            call("bob")
    # What says nothing for long has ended.
    before = time.time() - plan.SILENCE - 1
    os.utime(releases.root / ".run", (before, before))
    releases.claim("bob")
    with pytest.raises(HubError, match="that of bob"):
        releases.claim("ada")
    monkeypatch.setattr(plan, "replace_file", full)
    releases.claim("bob")
    releases.forget()
    releases.claim("ada")


def full(*_: str) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def shell_that_keeps_the_database(tmp_path: Path) -> str:
    text = Path(__file__).parents[4].joinpath("roles/jupyterhub/vars/main.yml").read_text(encoding="utf-8")
    script = str(yaml.safe_load(text)["__jupyterhub_keep_database"])
    for name in ("releases", "hub"):
        script = script.replace(
            f"{{{{ __jupyterhub_layout.{name}_dir | quote }}}}", shlex.quote(str(tmp_path / name))
        )
    return script


@pytest.mark.parametrize("full", ["", "former", "part"])
def test_a_database_is_never_gone(tmp_path: Path, full: str) -> None:
    """full: the copy with this in its name finds a full disk."""
    releases, hub = plan.Releases(tmp_path / "releases"), tmp_path / "hub"
    for path, text in (
        (hub / "jupyterhub.sqlite", "present"),
        (hub / "jupyterhub.sqlite-wal", "of present"),
        (releases.next / "hub" / "jupyterhub.sqlite", "then"),
        (releases.former / "config" / "config.json", "{}"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    cp = tmp_path / "bin" / "cp"
    cp.parent.mkdir()
    # It has begun to write, as it does in life.
    cp.write_text(
        f'#!/bin/sh\n/bin/cp "$@"\ncase "{full}-$*" in former-*/.former/*|part-*/.next/*) exit 1 ;; esac\n'
    )
    cp.chmod(0o755)
    script, env = shell_that_keeps_the_database(tmp_path), {"PATH": f"{cp.parent}:{os.environ['PATH']}"}
    done = subprocess.run(["/bin/sh", "-c", script], env=env, check=False)
    found = {one.name: one.read_text() for one in hub.iterdir()}
    present = {"jupyterhub.sqlite": "present", "jupyterhub.sqlite-wal": "of present"}
    assert (done.returncode, found) == ((1, present) if full else (0, {"jupyterhub.sqlite": "then"}))
    kept = releases.former / "hub" / "jupyterhub.sqlite"
    assert kept.exists() == (full != "former")


@pytest.mark.parametrize("room", [True, False])
def test_the_log_of_a_database_goes_with_it(
    tmp_path: Path, room: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And never stays beside another one, even if there is no room to keep it."""
    layout = {f"{name}_dir": str(tmp_path / name) for name in ("releases", "config", "secrets", "hub")}
    for name in ("config", "secrets", "hub", "kept", "releases/.former/config", "releases/.former/hub"):
        (tmp_path / name).mkdir(parents=True)
    data = json.dumps({"traits": {"JupyterHub": {"db_url": "sqlite:////srv/jupyterhub/jupyterhub.sqlite"}}})
    (tmp_path / "releases/.former/config/config.json").write_text(data)
    ends = ("", "-wal", "-shm")
    for end in ends:
        (tmp_path / f"hub/jupyterhub.sqlite{end}").write_text("new")
    (tmp_path / "releases/.former/hub/jupyterhub.sqlite").write_text("former")
    instance = hub_release.Instance({"docker_cli": "true", "folders": {**layout, "containers": {}}})
    if not room:
        monkeypatch.setattr(instance.releases, "move", lambda *_: None)
    instance.bring_back(tmp_path / "kept")
    assert [(one.name, one.read_text()) for one in (tmp_path / "hub").iterdir()] == [
        ("jupyterhub.sqlite", "former")
    ]
    kept = {one.name: one.read_text() for one in (tmp_path / "kept").glob("*.sqlite*")}
    assert kept == ({f"jupyterhub.sqlite{end}": "new" for end in ends} if room else {})


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
