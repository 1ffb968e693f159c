# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A hub with JupyterHub 5.5 is upgraded and goes back; an upgrade that fails or is killed leaves what ran."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import threading
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from deployment import Deployment, Outcome, as_root, collection_tree, docker, wait_until
from kill import kill_in
from test_backup import Person
from user_client import UserClient

pytestmark = pytest.mark.slow

SETTINGS: dict[str, t.Any] = {
    "images_software_stack": "",
    "jupyterhub_config_extra": {"JupyterHub": {"allow_named_servers": True}},
}
HASH = "sha256:1d987cbe96390e1877ae37b33e0f2936cac72d3abff93496551c58c1df1f533d"
FORMER = f"jupyterhub==5.5.4 \\\n    --hash={HASH}\n"
CONFIG, REQUIREMENTS = "hub/jupyterhub_config.py", "hub-core/requirements.txt"
# It has a class less, which is the only thing that keeps the hub's code from running with it.
SPAWNER, NEWER = (
    "hub/galilean_hub/spawner/docker_spawner.py",
    "from jupyterhub.spawner import SpawnException\n",
)
OLDER = """
class SpawnException(web.HTTPError):
    def __init__(self, message: str, **_: Any) -> None:
        super().__init__(400, message)
"""
# Added to the configuration in the image. The last one shows only where a server is started: in the check.
SABOTAGES = {
    "image": (
        "raise RuntimeError('the image is broken')",
        "does not start on a copy of the database: RuntimeError: the image is broken",
    ),
    "migration": (
        "import sqlite3\nsqlite3.connect('/srv/jupyterhub/jupyterhub.sqlite').execute('DROP TABLE absent')",
        "does not start on a copy of the database: sqlite3.OperationalError: no such table: absent",
    ),
    "authenticator": (
        "def misbehaves(self, user, spawner): raise RuntimeError('no')\n"
        "c.JupyterHub.authenticator_class.pre_spawn_start = misbehaves",
        "The check failed while starting the server of hub-check",
    ),
}
BACK = "The release before runs again, with its settings, secrets and database; what explains this is in"
# Where a run is killed: what it has printed, and how many seconds after that.
KILLS = [
    ("TASK [galilean.hub.jupyterhub : Try the new hub", 2.0),
    ("TASK [galilean.hub.jupyterhub : Keep what runs", 0.5),
    ("(item=broker)", 0.5),
    ("(item=disk)", 1.0),
    ("(item=disk)", 4.0),
    ("TASK [galilean.hub.jupyterhub : Record the release", 0.4),
]


class Source:
    """The collection as it is installed, with other files of images."""

    def __init__(self) -> None:
        self.tree = collection_tree(archive=True)
        self._folder = self.tree / "ansible_collections/galilean/hub/files/images"
        self._plain = {name: self._read(name) for name in (CONFIG, REQUIREMENTS, SPAWNER)}

    def _read(self, name: str) -> str:
        return (self._folder / name).read_text(encoding="utf-8")

    def set(self, former: bool = False, more: str = "") -> None:
        pinned = re.sub(r"jupyterhub==.*\n(?: +--hash=.*\n)+", FORMER, self._plain[REQUIREMENTS])
        plain = self._plain
        spawner = plain[SPAWNER].replace(NEWER, "").replace("# What a choice", f"{OLDER}\n# What a choice", 1)
        files = {**plain, CONFIG: f"{plain[CONFIG]}{more}\n"}
        for name, text in {**files, **({REQUIREMENTS: pinned, SPAWNER: spawner} if former else {})}.items():
            (self._folder / name).write_text(text, encoding="utf-8")


class Hub:
    """The deployed hub, and what must stay as it is."""

    def __init__(self, site: Deployment) -> None:
        self.site = site
        self.ada = UserClient(site.url, site.token, "ada")

    def begin(self) -> None:
        """A user with a token, a named server, and a kernel that knows something."""
        self.ada.start()
        self.ada.open_kernel("python3")
        self.ada.run("x = 4711")
        self.person = Person(self.site.url, "ada")
        self.ada.client.ask("POST", f"{self.site.url}/hub/api/users/ada/servers/second", (201, 202), {})
        self.containers = set(self.servers())

    def servers(self) -> list[str]:
        label = f"label=galilean.hub.instance={self.site.instance}"
        return docker("ps", "--quiet", f"--filter={label}", "--filter=label=galilean.hub.role=user").split()

    def assert_kernel_lives(self) -> None:
        self.ada.join_kernel()
        assert self.ada.run("print(x)") == "4711"

    def assert_undisturbed(self) -> None:
        """The user has noticed nothing."""
        self.assert_kernel_lives()
        assert self.containers <= set(self.servers())
        assert self.person.is_logged_in()
        headers = {"Authorization": f"token {self.person.token}"}
        model = requests.get(f"{self.site.url}/hub/api/user", headers=headers, timeout=60).json()
        assert model["name"] == "ada"
        assert {"", "second"} <= set(model["servers"])

    def version(self) -> str:
        return self.ada.client.version()

    def schema(self) -> str:
        path = f"/srv/{self.site.instance}/hub/jupyterhub.sqlite"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return str(database.execute("SELECT version_num FROM alembic_version").fetchone()[0])

    def runs(self) -> dict[str, t.Any]:
        """What a failed run must leave: containers, settings, secrets, schema, release."""
        state = f"/srv/{self.site.instance}"
        argv = as_root(
            ["sh", "-c", f"cd {state} && cat config/config.json secrets/* && readlink releases/current"]
        )
        parts = [self.site.container(part) for part in ("hub", "broker", "disk", "proxy")]
        return {
            "images": docker("inspect", "--format={{.Name}} {{.Config.Image}} {{.State.Running}}", *parts),
            "files": subprocess.run(argv, capture_output=True, text=True, check=True).stdout,
            "schema": self.schema(),
            "version": self.version(),
        }

    def assert_nothing_is_left(self) -> None:
        found = [*self.site.owned("container"), *docker("ps", "--all", "--format={{.Names}}").split()]
        ends = ("-before", "-next")
        assert not [one for one in found if one.startswith(self.site.instance) and one.endswith(ends)]
        assert not [one for one in found if one.startswith(f"{self.site.instance}.trial")]
        left = os.listdir(f"/srv/{self.site.instance}/releases")
        assert not {".former", ".next", ".run", ".trial"} & set(left)


class Away:
    """Measures for how long nobody can log in."""

    def __init__(self, url: str) -> None:
        self.worst, self._url, self._over = 0.0, url, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        since = 0.0
        while not self._over.wait(0.1):
            now = time.monotonic()
            try:
                there = requests.get(f"{self._url}/hub/login", timeout=5).status_code == 200
            except requests.RequestException:
                there = False
            if since:
                self.worst = max(self.worst, now - since)
            since = 0.0 if there else since or now

    def __enter__(self) -> Away:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


@pytest.fixture(scope="module")
def source() -> Source:
    return Source()


@pytest.fixture(scope="module")
def hub(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """With the JupyterHub before."""
    name, port = os.environ.get("E2E_INSTANCE", "e2e"), int(os.environ.get("E2E_PORT", "8123"))
    site = Deployment(tmp_path_factory.mktemp("site"), source.tree, name, port)
    if site.left():
        site.teardown(data=True).assert_done()
    site.set(**SETTINGS)
    source.set(former=True)
    site.run("site", name="former").assert_done()
    one = Hub(site)
    assert one.version().startswith("5.5.")
    one.begin()
    yield one
    source.set()
    site.teardown(data=True).assert_done()


def refused(outcome: Outcome, sentence: str) -> None:
    assert outcome.code != 0
    assert sentence in outcome.flat(), outcome.text[-3000:]


@pytest.fixture(scope="module")
def upgraded(hub: Hub, source: Source) -> Hub:
    before = hub.schema()
    source.set()
    with Away(hub.site.url) as away:
        hub.site.run("site", name="upgrade").assert_done()
    print(f"login was away for {away.worst:.1f} s")
    assert hub.schema() != before
    return hub


def test_upgrade_with_another_schema(upgraded: Hub) -> None:
    assert upgraded.version().startswith("6.1.")
    upgraded.assert_undisturbed()
    upgraded.assert_nothing_is_left()
    upgraded.site.run("site", name="again").assert_unchanged()
    shown = upgraded.site.run("releases").assert_done().flat()
    assert "JupyterHub 6.1.1, database schema" in shown


def test_rollback_brings_the_database_only_when_told(upgraded: Hub) -> None:
    before = upgraded.runs()
    refused(upgraded.site.run("rollback", name="rollback-refused"), "Give -e rollback_database=true for it")
    assert upgraded.runs() == before
    outcome = upgraded.site.run("rollback", "-e", "rollback_database=true").assert_done()
    assert "with its database" in outcome.flat()
    assert upgraded.version().startswith("5.5.")
    upgraded.assert_undisturbed()
    # The settings are the truth.
    upgraded.site.run("site", name="forward").assert_done()
    assert upgraded.runs()["version"] == before["version"]
    assert upgraded.schema() == before["schema"]
    upgraded.assert_undisturbed()


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_sabotaged_upgrade_goes_back(upgraded: Hub, source: Source, name: str) -> None:
    more, sentence = SABOTAGES[name]
    before = upgraded.runs()
    source.set(more=more)
    outcome = upgraded.site.run("site", name=f"sabotage-{name}")
    refused(outcome, sentence)
    assert (BACK in outcome.flat()) == (name == "authenticator")
    assert upgraded.runs() == before
    upgraded.assert_undisturbed()
    upgraded.assert_nothing_is_left()


def test_a_full_disk_in_the_middle(upgraded: Hub, source: Source) -> None:
    """There is room for the trial, and none for what is kept at the switch."""
    folder, state = Path("/srv", upgraded.site.instance), upgraded.runs()
    extra, releases = folder / "hub" / "old.sqlite-copy", folder / "releases"
    subprocess.run(as_root(["dd", "if=/dev/zero", f"of={extra}", "bs=1M", "count=24"]), check=True)
    before = folder / "releases-before"
    subprocess.run(as_root(["mv", str(releases), str(before)]), check=True)
    subprocess.run(as_root(["mkdir", "-m", "700", str(releases)]), check=True)
    subprocess.run(
        as_root(["mount", "-t", "tmpfs", "-o", "size=16m,mode=700", "tmpfs", str(releases)]), check=True
    )
    try:
        subprocess.run(as_root(["cp", "-a", f"{before}/current", f"{releases}/"]), check=True)
        name = os.readlink(before / "current")
        subprocess.run(as_root(["cp", "-a", f"{before}/{name}", f"{releases}/"]), check=True)
        source.set(more="# another image")
        outcome = upgraded.site.run("site", name="full")
        refused(outcome, "No space left on device")
        assert BACK in outcome.flat()
        assert upgraded.runs() == state
        upgraded.assert_undisturbed()
    finally:
        subprocess.run(as_root(["umount", str(releases)]), check=True)
        subprocess.run(as_root(["rmdir", str(releases)]), check=True)
        subprocess.run(as_root(["mv", str(before), str(releases)]), check=True)
        subprocess.run(as_root(["rm", str(extra)]), check=True)
    upgraded.assert_nothing_is_left()


@pytest.mark.parametrize("number", range(len(KILLS)))
def test_a_killed_switch_is_finished_or_undone(hub: Hub, source: Source, number: int) -> None:
    text, seconds = KILLS[number]
    source.set(more=f"# killed {number}")
    kill_in(hub.site, text, playbook="hub", seconds=seconds)
    hub.assert_kernel_lives()
    hub.site.run("hub", name=f"after-kill-{number}").assert_done()
    hub.assert_undisturbed()
    hub.assert_nothing_is_left()
    record = json.loads(Path("/srv", hub.site.instance, "releases/current/record.json").read_text())
    assert (
        docker("inspect", "--format={{.Config.Image}}", hub.site.container("hub")) == record["images"]["hub"]
    )


def test_a_second_run_leaves_a_switch_alone(hub: Hub, source: Source) -> None:
    source.set(more="# two at once")
    argv, env = hub.site.command("hub")
    log = hub.site.folder / "first.log"
    with log.open("w", encoding="utf-8") as output:
        first = subprocess.Popen(argv, env=env, cwd=hub.site.folder, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_until(
                lambda: "(item=broker)" in log.read_text(encoding="utf-8") or first.poll() is not None,
                900,
                "the switch of the first run",
            )
            # It waits in the middle of it: the controller takes its time.
            first.send_signal(signal.SIGSTOP)
            time.sleep(2)
            for playbook in ("hub", "rollback"):
                refused(hub.site.run(playbook, name="at-once"), "Another run changes this hub: that of ")
        finally:
            first.send_signal(signal.SIGCONT)
        assert first.wait(900) == 0, log.read_text(encoding="utf-8")[-3000:]
    hub.assert_undisturbed()
    hub.assert_nothing_is_left()


def test_a_good_run_after_all_of_that(upgraded: Hub, source: Source) -> None:
    source.set()
    upgraded.site.run("site", name="good").assert_done()
    upgraded.assert_undisturbed()
    upgraded.site.run("site", name="good-again").assert_unchanged()
    assert len(list(Path("/srv", upgraded.site.instance, "releases").glob("2*"))) <= 6
