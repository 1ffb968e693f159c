# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A hub with people in it is backed up, lost with all that it has, and comes back in one command."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from deployment import Deployment, as_root, docker
from kill import kill_in
from person import Person
from user_client import UserClient

pytestmark = pytest.mark.slow

# Nothing here is about the shared software.
SETTINGS: dict[str, t.Any] = {"images_software_stack": ""}
PEOPLE = ("ada", "bob")
# Of each entry of a home: kind, mode, owner, time, target, content. Runs as root.
MANIFEST = """
import hashlib, json, os, sys
found = {}
for above, folders, files in os.walk(sys.argv[1]):
    for name in [".", *folders, *files]:
        path = os.path.join(above, name)
        one, link = os.lstat(path), os.readlink(path) if os.path.islink(path) else ""
        plain = os.path.isfile(path) and not link
        content = hashlib.sha256(open(path, "rb").read()).hexdigest() if plain else ""
        key = os.path.normpath(os.path.relpath(path, sys.argv[1]))
        if not key.startswith((".cache", ".local/share/jupyter/runtime")):
            found[key] = [one.st_mode, one.st_uid, one.st_gid, one.st_mtime_ns, link, content]
json.dump(found, sys.stdout)
"""


def manifest(site: Deployment, user: str) -> dict[str, t.Any]:
    place = docker("volume", "inspect", "--format={{.Mountpoint}}", f"{site.instance}-home-{user}")
    argv = as_root([sys.executable, "-c", MANIFEST, place])
    return dict(json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout))


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("disk") / "hub")


@pytest.fixture(scope="module")
def person(site: Deployment, repository: str) -> Person:
    """A hub with people who have files, with backups."""
    site.set(**SETTINGS, backup_repository=repository)
    outcome = site.run("site").assert_done()
    assert f"with the password in /srv/{site.instance}/backup/secrets/password" in outcome.flat()
    for name in PEOPLE:
        user = UserClient(site.url, site.token, name)
        user.start()
        user.write("kept.txt", f"the work of {name}")
        user.stop()
    return Person(site.url, "ada")


@pytest.fixture(scope="module")
def saved(site: Deployment, person: Person, repository: str) -> dict[str, dict[str, t.Any]]:
    """The homes as they were when the backup was made; the password is in the settings from now on."""
    before = {name: manifest(site, name) for name in PEOPLE}
    assert "are new" in site.run("backup").assert_done().flat()
    refused = site.teardown(data=True)
    assert refused.code != 0
    assert "copy it to a place outside" in refused.flat()
    path = f"/srv/{site.instance}/backup/secrets/password"
    password = subprocess.run(
        as_root(["cat", path]), capture_output=True, text=True, check=True
    ).stdout.strip()
    site.set(**SETTINGS, backup_repository=repository, backup_password=password)
    return before


def test_a_lost_hub_comes_back(
    site: Deployment, person: Person, saved: dict[str, dict[str, t.Any]], repository: str
) -> None:
    site.teardown(data=True).assert_done()
    assert not site.left()
    assert Path(repository, "config").exists()
    outcome = site.run("restore").assert_done()
    assert "homes, database, secrets and certificates are back" in outcome.flat()
    for name in PEOPLE:
        assert manifest(site, name) == saved[name]
    assert person.is_logged_in()
    assert person.has_token()
    with sqlite3.connect(f"file:/srv/{site.instance}/hub/jupyterhub.sqlite?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    ada = UserClient(site.url, site.token, "ada")
    ada.start()
    assert ada.read("kept.txt")["content"] == "the work of ada"


def test_nothing_is_left_to_do(site: Deployment) -> None:
    site.run("site", name="after-restore").assert_unchanged()


def test_no_container_sees_the_backups(site: Deployment) -> None:
    """A hub that is broken into finds neither password nor keys of the target."""
    folder = Path("/srv", site.instance, "backup")
    for name in site.owned("container"):
        sources = json.loads(docker("inspect", "--format={{json .HostConfig.Binds}}", name)) or []
        paths = [Path(one.split(":")[0]) for one in sources]
        assert not [one for one in paths if one == folder or folder.is_relative_to(one)], name
    found = subprocess.run(
        as_root(["stat", "--format=%a %U", str(folder)]), capture_output=True, text=True, check=True
    )
    assert found.stdout == "700 root\n"


def test_a_hub_that_is_there_is_not_replaced(site: Deployment) -> None:
    refused = site.run("restore", name="restore-refused")
    assert refused.code != 0
    assert f"-e restore_confirm={site.instance} replaces it" in refused.flat()
    assert refused.count("changed") == 0


def test_one_file_of_one_user(site: Deployment) -> None:
    """While the server runs: the user finds it beside what is there."""
    outcome = site.run("restore_files", "-e", "restore_user=ada", "-e", "restore_path=kept.txt").assert_done()
    folder = outcome.flat().partition("in the folder ")[2].split()[0]
    ada = UserClient(site.url, site.token, "ada")
    ada.start()
    assert ada.read(f"{folder}/kept.txt")["content"] == "the work of ada"
    ada.write(f"{folder}/mine.txt", "it is the user's own")
    ada.stop()


def scratch(site: Deployment) -> list[str]:
    """What is there of the instance that drills make."""
    label = f"--filter=label=galilean.hub.instance={site.instance}-drill"
    found = [docker(kind, "ls", "--quiet", label) for kind in ("volume", "network")]
    found += [docker("ps", "--all", "--quiet", label), *map(str, Path("/srv").glob(f"{site.instance}-drill"))]
    return [one for one in found if one]


def drilled(site: Deployment) -> dict[str, t.Any]:
    argv = as_root(["cat", f"/srv/{site.instance}/backup/drill.json"])
    return dict(json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout))


def test_a_drill_proves_the_backup_and_leaves_the_hub_alone(
    site: Deployment, saved: dict[str, dict[str, t.Any]]
) -> None:
    ada = UserClient(site.url, site.token, "ada")
    ada.start()
    kernel = ada.open_kernel("python3")
    ada.run("kept = 42")
    # A server closes a websocket whose other end is silent for so long.
    ada.close()
    site.run("backup").assert_done()
    before = site.state()
    said = site.run("drill").assert_done().flat()
    assert "and is removed again: " in said
    assert "users came in with the sessions of their browsers, and a server ran code." in said
    assert drilled(site)["good"]["rows"]["users"] == len(PEOPLE)
    assert not scratch(site)
    assert site.state() == before
    ada.join_kernel(kernel)
    assert ada.run("print(kept)") == "42"


def test_a_drill_that_was_killed_is_removed(site: Deployment) -> None:
    kill_in(site, "galilean.hub.jupyterhub : Wait until the hub answers", "drill")
    assert len(scratch(site)) == 4
    site.run("drill", "-e", "restore_remove_drill=true").assert_done()
    assert not scratch(site)
    assert drilled(site)["message"] == "It was killed."
    assert "The last drill failed" in site.run("verify").assert_done().flat()


def test_an_instance_that_is_called_like_a_drill_stays(site: Deployment) -> None:
    """Somebody's, from before the name was for drills alone."""
    name = f"{site.instance}-drill"
    refused = site.run("site", "-e", f"jupyterhub_instance={name}", name="site-drill")
    assert "use a name without -drill" in refused.flat()
    label = f"--label=galilean.hub.instance={name}"
    docker("volume", "create", label, "--label=galilean.hub.role=home", f"{name}-home-eve")
    image = docker("inspect", "--format={{.Image}}", site.container("hub"))
    docker("run", "--detach", "--init", label, f"--name={name}-hub", "--entrypoint=sleep", image, "600")
    Path(f"/srv/{name}").mkdir()
    try:
        failed = site.run("drill", name="drill-refused")
        assert failed.code != 0
        assert "which no drill has made: remove it first, or rename it. It has made nothing." in failed.flat()
        assert len(scratch(site)) == 3
        assert docker("inspect", "--format={{.State.Running}}", f"{name}-hub") == "true"
        # Nor is there anything of a drill to remove.
        site.run("drill", "-e", "restore_remove_drill=true", name="drill-remove-refused")
        assert len(scratch(site)) == 3
    finally:
        docker("rm", "--force", f"{name}-hub")
        docker("volume", "rm", f"{name}-home-eve")
        Path(f"/srv/{name}").rmdir()


def test_one_backup_is_of_one_hub(site: Deployment) -> None:
    """Where the inventory has several hubs, one is chosen."""
    hosts = site.folder / "hosts.yml"
    before = hosts.read_text(encoding="utf-8")
    hosts.write_text(f"{before}    other: {{ansible_host: 192.0.2.1}}\n", encoding="utf-8")
    try:
        for option in ("restore_confirm=" + site.instance, "restore_name=x/y/z", "restore_snapshot=12345678"):
            refused = site.run("restore", "-e", option, name="restore-several")
            assert refused.code != 0
            assert (
                f"The inventory has the hubs {site.instance}, other, and restore_snapshot" in refused.flat()
            )
            assert "PLAY [Provide" not in refused.text
        kept = site.run("restore", "-e", option, "--limit", site.instance, name="restore-one")
        assert "choose it with --limit" not in kept.flat()
    finally:
        hosts.write_text(before, encoding="utf-8")


def test_a_drill_with_a_damaged_backup_fails(site: Deployment, repository: str) -> None:
    for path in Path(repository, "data").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.write_bytes(bytes(1000) + path.read_bytes()[1000:])
    failed = site.run("drill", name="drill-damaged")
    assert failed.code != 0
    assert f"The drill of {site.instance} on {site.instance} failed after " in failed.flat()
    assert not scratch(site)
    assert not drilled(site)["ok"]
    assert drilled(site)["good"]["homes"] >= len(PEOPLE)
