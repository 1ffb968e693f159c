# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""People come from another system, and find their files in their new server; a hub goes to another host."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import typing as t
from pathlib import Path

import pytest
import requests
from admin_service import service
from deployment import Deployment, as_root, docker, wait_until
from machines import Front, Machine
from test_backup import Person
from user_client import UserClient

pytestmark = pytest.mark.slow

# Nothing here is about the shared software.
SETTINGS: dict[str, t.Any] = {"images_software_stack": ""}


def test_homes_of_another_system(site: Deployment, tmp_path: Path) -> None:
    site.set(**SETTINGS, jupyterhub_allowed_users=["ada", "bob"])
    site.run("site").assert_done()
    for name in ("ada", "bob-old", "eve"):
        folder = tmp_path / "home" / f"jupyter-{name}"
        folder.mkdir(parents=True)
        (folder / "kept.txt").write_text(f"the work of {name}")
        subprocess.run(as_root(["chown", "-R", "1001:1001", str(folder)]), check=True)
    (tmp_path / "names.csv").write_text("old;new\nbob-old;bob\n")
    options = [
        *("-e", "migrate_from=tljh", "-e", f"migrate_root={tmp_path}/home"),
        *("-e", f"migrate_names_file={tmp_path}/names.csv"),
    ]
    refused = site.run("migrate_homes", *options, name="migrate-refused")
    assert refused.code != 0
    assert "jupyter-eve (no account 'eve')" in refused.flat()
    with (tmp_path / "names.csv").open("a") as table:
        table.write("eve;\n")
    shown = site.run("migrate_homes", "--check", *options, name="migrate-check").assert_done().flat()
    assert "ada (from jupyter-ada): 1 files" in shown
    done = site.run("migrate_homes", *options, name="migrate").assert_done().flat()
    assert "bob (from jupyter-bob-old): 1 files" in done
    for name, content in (("ada", "the work of ada"), ("bob", "the work of bob-old")):
        user = UserClient(site.url, site.token, name)
        user.start()
        assert user.read("kept.txt")["content"] == content
        user.write("kept.txt", "and more")
        user.stop()
    site.run("migrate_homes", *options, name="migrate-again").assert_unchanged()


GIB = 1 << 30
# What a home has is the size of the environment's, so that one looks at a small one, too.
BYTES = int(os.environ.get("E2E_MOVE_BYTES", str(5 * GIB)))
HOMES = 20
FILL = """
import os, sys
volume, size = sys.argv[1], int(sys.argv[2])
home = f"/var/lib/docker/volumes/{volume}/_data"
block = os.urandom(1 << 20)
for number in range(500):
    path = f"{home}/many/{number % 20}/{number}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(os.urandom(2000))
for number in range(size >> 24):
    with open(f"{home}/large-{number}", "wb") as stream:
        for part in range(16):
            stream.write(os.urandom(16) + block[16:])
os.symlink("/etc/passwd", f"{home}/link")
os.link(f"{home}/many/0/0", f"{home}/hard")
for above, folders, files in os.walk(home):
    for name in [".", *folders, *files]:
        os.lchown(os.path.join(above, name), 77000, 77000)
"""


class Away(threading.Thread):
    """Asks for the hub all the time: the longest time without an answer, and what leads to the new host."""

    def __init__(self, front: Front, new: Machine) -> None:
        super().__init__(daemon=True)
        self.front, self.new, self.longest, self.stopped = front, new, 0.0, threading.Event()

    def answers(self) -> bool:
        try:
            return (
                requests.get(f"http://127.0.0.1:{self.front.port}/hub/health", timeout=5).status_code == 200
            )
        except requests.RequestException:
            return False

    def run(self) -> None:
        last = time.monotonic()
        while not self.stopped.wait(0.1):
            if self.answers():
                self.longest = max(self.longest, time.monotonic() - last)
                last = time.monotonic()
            elif time.monotonic() - last > 1:
                # As whoever switches the name.
                self.front.machine = self.new


@pytest.fixture(scope="module")
def machines(site: Deployment) -> t.Iterator[tuple[Machine, Machine]]:
    found = (Machine(f"{site.instance}-old"), Machine(f"{site.instance}-new"))
    yield found
    for machine in found:
        machine.remove()


def inventory(site: Deployment, hub: Machine, other: Machine) -> None:
    def host(machine: Machine) -> dict[str, str]:
        connection = "community.docker.docker"
        return {"ansible_connection": connection, "ansible_host": machine.name, "ansible_user": "root"}

    hosts = {"hubs": {"hosts": {hub.name: host(hub)}}, "former": {"hosts": {other.name: host(other)}}}
    (site.folder / "hosts.yml").write_text(json.dumps(hosts), encoding="utf-8")


# A service that the hub starts, as one of a site that acts on the world.
ACTS = "acts-on-the-world"


def test_from_host_to_host(site: Deployment, machines: tuple[Machine, Machine], artifacts: Path) -> None:
    """5 GB of homes, while somebody works; killed in the middle; then back to what the old host was."""
    old, new = machines
    site.teardown(data=True).assert_done()
    port = int(site.url.rpartition(":")[2])
    services = [*service(site.token)["JupyterHub"]["services"], {"name": ACTS, "command": ["sleep", "inf"]}]
    site.set(
        **SETTINGS,
        images_delivery="controller",
        images_disk_free_min_gib=1,
        docker_engine="managed",
        jupyterhub_config_extra={"JupyterHub": {"services": services}},
    )
    inventory(site, old, new)
    site.run("site", name="old").assert_done()
    front = Front(port, old)
    ada = UserClient(site.url, site.token, "ada")
    ada.start()
    ada.write("kept.txt", "before")
    for number in range(HOMES):
        volume = f"{site.instance}-home-user{number}"
        labels = f"--label galilean.hub.instance={site.instance} --label galilean.hub.role=home"
        old.sh(f"docker volume create {labels} --label galilean.hub.user=user{number} {volume} >/dev/null")
        docker("exec", old.name, "python3", "-c", FILL, volume, str(BYTES // HOMES))
    person = Person(site.url, "ada")
    old.sh(f"/srv/{site.instance}/bin/hubctl announce 'A talk at noon.'")

    inventory(site, new, old)
    away = Away(front, new)
    away.start()
    argv, env = site.command("move", "-e", f"move_from={old.name}", "-e", f"move_address={old.address}")
    killed = subprocess.Popen(argv, env=env, cwd=site.folder, start_new_session=True)
    mark = f"test -e /srv/{site.instance}/backup/move.json"
    wait_until(
        lambda: docker("exec", new.name, "sh", "-c", f"{mark} && echo yes", check=False) == "yes", 600, "copy"
    )
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    refused = site.run("site", name="site-in-between")
    assert "run playbooks/move.yml again" in refused.flat()
    ada.write("kept.txt", "while it is copied")

    options = ("-e", f"move_from={old.name}", "-e", f"move_address={old.address}", "-e", "move_notice=1")
    outcome = site.run("move", *options).assert_done()
    time.sleep(1)
    away.stopped.set()
    away.join()
    text = outcome.flat()
    assert "entries are the same on both hosts" in text
    figures = {"interruption": round(away.longest, 1), "bytes": BYTES, "move": round(outcome.seconds, 1)}
    (artifacts / "move.json").write_text(json.dumps(figures), encoding="utf-8")
    assert front.machine is new
    assert away.longest < 60, figures
    assert person.is_logged_in()
    assert person.has_token()
    ada = UserClient(site.url, site.token, "ada")
    ada.start()
    assert ada.read("kept.txt")["content"] == "while it is copied"
    assert f"{site.instance} moves" not in old.sh("cat /root/.ssh/authorized_keys")
    assert not old.sh("docker ps --quiet")
    # Not in the rehearsal: when the hub began to serve, and again when it got all of the settings.
    started = f"grep -c \"Starting service '{ACTS}'\""
    assert new.sh(f"zcat /srv/{site.instance}/log/{site.instance}-hub-*.gz | {started}") == "1"
    assert new.sh(f"docker logs {site.instance}-hub 2>&1 | {started}") == "1"
    for machine in (old, new):
        told = json.loads(machine.sh(f"cat /srv/{site.instance}/config/operations.json"))
        assert told["announcement"].keys() == {"text", "by", "since"}
        assert "A talk at noon." in machine.sh(f"cat /srv/{site.instance}/config/web/look.json")
    site.run("site", name="new-again").assert_unchanged()

    inventory(site, old, new)
    refused = site.run("site", name="old-again")
    assert f"has moved from {old.name} to another host" in refused.flat()
    assert not old.sh("docker ps --quiet")
    front.close()


def test_back_again_and_killed_at_the_stop(site: Deployment, machines: tuple[Machine, Machine]) -> None:
    """What users did since then goes back to the first host, which has its own: only if that is meant."""
    old, new = machines
    inventory(site, old, new)
    options = ["-e", f"move_from={new.name}", "-e", f"move_address={new.address}"]
    refused = site.run("move", *options, name="back-refused")
    assert f"-e move_confirm={site.instance} replaces it" in refused.flat()
    argv, env = site.command("move", *options, "-e", f"move_confirm={site.instance}")
    killed = subprocess.Popen(argv, env=env, cwd=site.folder, start_new_session=True)
    mark = f"test -e /srv/{site.instance}/moved && echo yes"
    wait_until(lambda: docker("exec", new.name, "sh", "-c", mark, check=False) == "yes", 900, "stop")
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    outcome = site.run("move", *options, name="back").assert_done()
    assert "entries are the same on both hosts" in outcome.flat()
    assert not new.sh("docker ps --quiet")
    front = Front(int(site.url.rpartition(":")[2]), old)
    ada = UserClient(site.url, site.token, "ada")
    ada.start()
    assert ada.read("kept.txt")["content"] == "while it is copied"
    front.close()
    site.run("move", *options, name="back-again").assert_unchanged()


def test_as_it_was_and_to_a_machine_that_has_nothing(
    site: Deployment, machines: tuple[Machine, Machine]
) -> None:
    """A host that was left serves again. When that is lost, a fresh one gets all from the other."""
    old, new = machines
    port, programs = int(site.url.rpartition(":")[2]), f"/srv/{site.instance}/bin"
    old.sh(f"{programs}/backup retire --to {new.name}")
    assert not old.sh("docker ps --quiet")
    for command in ("hubctl restart all", "service start", "backup run"):
        said = old.sh(f"{programs}/{command} 2>&1 && echo done || true")
        assert "has moved" in said
        assert new.name in said
        assert "done" not in said
    assert not old.sh("docker ps --quiet")
    new.sh(f"rm /srv/{site.instance}/moved")
    inventory(site, new, old)
    site.run("site", name="as-it-was").assert_done()
    policy = "docker inspect --format '{{.HostConfig.RestartPolicy.Name}}'"
    assert new.sh(f"{policy} {site.instance}-hub") == "unless-stopped"
    assert new.sh(f"systemctl is-enabled {site.instance}") == "enabled"
    front = Front(port, new)
    ada = UserClient(site.url, site.token, "ada")
    ada.start()
    assert ada.read("kept.txt")["content"] == "while it is copied"

    # Its disk is broken.
    fresh = Machine(new.name)
    inventory(site, fresh, old)
    options = ["-e", f"move_from={old.name}", "-e", f"move_address={old.address}"]
    outcome = site.run("move", *options, name="to-a-fresh-one").assert_done()
    assert "entries are the same on both hosts" in outcome.flat()
    front.machine = fresh
    ada = UserClient(site.url, site.token, "ada")
    ada.start()
    assert ada.read("kept.txt")["content"] == "while it is copied"
    front.close()
