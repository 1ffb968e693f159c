# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Switches that fail or were broken off, of a hub that only answers; e2e/test_releases.py has a real one."""

from __future__ import annotations

import json
import os
import sqlite3
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine import ModuleRunner, docker
from loopback_hub import wait_until

DATABASE = "jupyterhub.sqlite"
# It says which settings it has read, writes them to its database, whose log stays until it is stopped, and
# answers. The second one may be sick.
HUB = """
import http.server, json, os, signal, sqlite3, sys
word = json.load(open("/etc/jupyterhub/config.json"))["word"]
print("started as", word, flush=True)
database = sqlite3.connect("/srv/jupyterhub/jupyterhub.sqlite", isolation_level=None)
database.execute("PRAGMA journal_mode=WAL")
database.execute("CREATE TABLE IF NOT EXISTS word (word)")
database.execute("INSERT INTO word VALUES (?)", (word,))
def end(*_):
    database.close()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
if word == "two" and os.path.exists("/srv/jupyterhub/sick"):
    end()
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("", 8081), Answer).serve_forever()
"""


class Hub:
    """An instance of which only the hub runs, at the release one; a switch brings two."""

    def __init__(self, run_module: ModuleRunner, name: str, refs: dict[str, t.Any], folder: Path) -> None:
        self.run_module, self.name, self.refs, self.folder = run_module, name, refs, folder
        parts = ("config", "secrets", "hub", "releases")
        self.layout: dict[str, t.Any] = {f"{part}_dir": str(folder / part) for part in parts}
        self.layout["containers"] = {
            part: f"{name}-{part}" for part in ("broker", "proxy", "disk", "hub", "edge")
        }
        for part in parts:
            (folder / part).mkdir(mode=0o700)
        assert self.container("one")["changed"]

    @property
    def hub(self) -> str:
        return f"{self.name}-hub"

    def data(self, word: str) -> str:
        url = f"sqlite:////srv/jupyterhub/{DATABASE}"
        return json.dumps({"word": word, "traits": {"JupyterHub": {"db_url": url}}})

    def release(self, state: str, **params: t.Any) -> dict[str, t.Any]:
        return self.run_module("hub_release", state=state, folders=self.layout, **params)

    def container(self, word: str, stopped: str = "true") -> dict[str, t.Any]:
        if word == "one":
            (self.folder / "config/config.json").write_text(self.data(word))
        container = {
            "name": self.hub,
            "image": self.refs["hub"],
            "pull": "never",
            "user": "0:0",
            "command": ["python3", "-c", HUB],
            "labels": {"word": word},
            "volumes": [f"{self.folder}/config:/etc/jupyterhub:ro", f"{self.folder}/hub:/srv/jupyterhub:rw"],
        }
        return self.run_module("instance_container", container=container, keep=True, stopped=stopped)

    def switch(self, stopped: str = "") -> dict[str, t.Any]:
        following = self.folder / "releases/.next"
        following.mkdir()
        (following / "config.json").write_text(self.data("two"))
        begun = self.release("begun")
        assert not begun["failed"], begun
        former = self.folder / "releases/.former"
        return self.container("two", stopped or f"cp -a {self.folder}/hub {former}/hub")

    def words(self, path: Path | None = None) -> list[str]:
        with sqlite3.connect(path or self.folder / "hub" / DATABASE) as database:
            return [str(row[0]) for row in database.execute("SELECT word FROM word")]

    def started_as(self) -> str:
        return docker("logs", self.hub).split()[-1]

    def runs(self) -> str:
        label = '{{index .Config.Labels "word"}} {{.State.Running}}'
        return docker("inspect", f"--format={label}", self.hub).strip()

    def is_late(self) -> None:
        """It was switched days ago."""
        then = time.time() - 3 * 86400
        os.utime(self.folder / "releases/.former/release", (then, then))


@pytest.fixture
def hub(run_module: ModuleRunner, prefix: str, refs: dict[str, t.Any], tmp_path: Path) -> Iterator[Hub]:
    made = Hub(run_module, f"{prefix}-{tmp_path.name[-6:]}", refs, tmp_path)
    yield made
    docker("rm", "--force", made.hub, f"{made.hub}-before", f"{made.hub}-next", check=False)


def test_what_is_undone_is_kept_whole(hub: Hub) -> None:
    assert not hub.switch()["failed"]
    undone = hub.release("undone", reason="No.")
    assert undone["outcome"] == "undone", undone
    assert hub.runs() == "one true"
    assert hub.started_as() == "one"
    assert "two" not in hub.words()
    # Its log was with it, or written to it.
    assert hub.words(Path(undone["kept"], DATABASE)) == ["one", "two"]


def test_a_hub_that_has_read_what_is_new_is_started_anew(hub: Hub) -> None:
    failed = hub.switch(stopped="echo No room. >&2; false")
    assert "No room." in failed["msg"]
    # Docker has started it, and Python takes its time.
    wait_until(lambda: hub.started_as() == "two", 30, "the former container has read what is new")
    assert hub.release("undone", reason="No.")["outcome"] == "undone"
    assert hub.runs() == "one true"
    assert hub.started_as() == "one"


def test_a_hub_that_was_not_touched_runs_on(hub: Hub) -> None:
    (hub.folder / "releases/.next").mkdir()
    (hub.folder / "releases/.next/config.json").write_text(hub.data("two"))
    time.sleep(1.1)
    hub.release("begun")
    before = docker("inspect", "--format={{.State.StartedAt}}", hub.hub)
    assert hub.release("undone", reason="No.")["outcome"] == "undone"
    assert docker("inspect", "--format={{.State.StartedAt}}", hub.hub) == before


def test_a_late_run_starts_what_is_stopped_and_keeps_its_database(hub: Hub) -> None:
    hub.switch()
    hub.is_late()
    docker("stop", hub.hub)
    assert hub.release("resumed")["outcome"] == "finished"
    assert hub.runs() == "two true"
    assert hub.words() == ["one", "two", "two"]


def test_what_was_recorded_is_not_undone(hub: Hub) -> None:
    """A run was broken off while it brought what it had replaced to the release that it had left."""
    hub.switch()
    releases = hub.folder / "releases"
    (releases / "20300101T000000Z").mkdir()
    (releases / "current").unlink()
    (releases / "current").symlink_to("20300101T000000Z")
    left = (releases / ".former/release").read_text().strip()
    (releases / ".former/hub").rename(releases / left / "hub")
    docker("stop", hub.hub)
    assert hub.release("resumed")["outcome"] == "finished"
    assert hub.runs() == "two false"
    assert not (releases / ".former").exists()


@pytest.mark.parametrize(("told", "runs"), [(True, "one true"), (False, "two false")])
def test_a_late_run_brings_a_database_back_only_when_told(hub: Hub, told: bool, runs: str) -> None:
    hub.switch()
    hub.is_late()
    docker("stop", hub.hub)
    (hub.folder / "hub/sick").touch()
    refused = hub.release("resumed")
    assert "had switched the hub, and the new hub does not answer now" in refused["msg"]
    assert hub.runs() == "two false"
    assert hub.words()[:2] == ["one", "two"]
    done = hub.release("resumed", database=told)
    assert done["outcome"] == ("undone" if told else "finished"), done
    assert hub.runs() == runs


def test_of_two_runs_the_second_one_is_refused(hub: Hub) -> None:
    (hub.folder / "releases/.next").mkdir()
    (hub.folder / "releases/.next/config.json").write_text(hub.data("two"))
    hub.release("begun", run="ada")
    for state in ("begun", "recorded", "undone", "resumed"):
        refused = hub.release(state, run="bob")
        assert "Another run changes this hub: that of ada." in refused["msg"], refused
    assert (hub.folder / "releases/.former/config").is_dir()
    assert hub.release("undone", run="ada", reason="No.")["outcome"] == "undone"
    assert hub.release("undone", run="bob")["outcome"] == "none"


def test_a_release_without_its_notebooks_is_refused(hub: Hub) -> None:
    hub.switch()
    images = {name: hub.refs[name] for name in ("hub", "proxy")}
    release = {"user": "", "collection_version": "1", "images": images, "software": ""}
    hub.release("recorded", release=release)
    (older,) = (
        one
        for one in (hub.folder / "releases").glob("2*")
        if not one.samefile(hub.folder / "releases/current")
    )
    record = json.loads((older / "record.json").read_text())
    (older / "record.json").write_text(json.dumps({**record, "images": images}))
    assert hub.release("chosen", check=True)["name"]
    data = json.loads(hub.data("one"))
    data["traits"]["DockerSpawner"] = {"image": "ght-nothing:here"}
    (older / "config.json").write_text(json.dumps(data))
    refused = hub.release("chosen", database=True)
    assert "needs ght-nothing:here, which this host has no more" in refused["msg"]
