# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The collection as others get it: built, installed, run where nothing but an inventory is."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from . import tree

BIN = Path(sys.executable).parent
INVENTORY = """---
hubs:
  hosts:
    # Documentation addresses: nobody answers there, so whatever connects would fail.
    hub.example.org:
      ansible_host: 192.0.2.10
"""


def run(
    command: list[str], cwd: Path, collections: Path, expect: int | None = 0
) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=cwd,
        env={**environment, "ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if expect is not None:
        assert done.returncode == expect, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    run(["ansible-galaxy", "collection", "build", "--output-path", str(folder)], tree.REPO, folder)
    return next(folder.glob("galilean-hub-*.tar.gz"))


@pytest.fixture(scope="module")
def collections(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    # What it depends on is there already, from the ansible package: nothing is fetched.
    folder = tmp_path_factory.mktemp("collections")
    run(
        ["ansible-galaxy", "collection", "install", "-p", str(folder), str(archive)],
        folder,
        folder,
    )
    return folder


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    (tmp_path / "hosts.yml").write_text(INVENTORY)
    return tmp_path


def test_archive_holds_what_runs_a_site_and_nothing_else(archive: Path) -> None:
    with tarfile.open(archive) as packed:
        names = packed.getnames()
    tops = {name.split("/")[0] for name in names}
    assert {
        "roles",
        "plugins",
        "playbooks",
        "files",
        "meta",
        "docs",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
    } <= tops
    assert tops.isdisjoint({"tests", "molecule", "group_vars", "Makefile", "ansible.cfg"})
    assert [name for name in tops if name.startswith(".")] == []
    assert "files/images/notebook/.dockerignore" in names
    assert [
        name
        for name in names
        if name.startswith("inventories/") and not name.startswith("inventories/template")
    ] == []
    assert [name for name in names if Path(name).name == "secrets.yml" or "__pycache__" in name] == []


@pytest.mark.parametrize("playbook", ["site", "validate", "configure", "verify", "teardown", "web_dev"])
def test_playbooks_run_by_their_full_name(playbook: str, empty: Path, collections: Path) -> None:
    run(
        ["ansible-playbook", "-i", "hosts.yml", f"galilean.hub.{playbook}", "--syntax-check"],
        empty,
        collections,
    )


def test_right_settings_pass_without_a_connection(empty: Path, collections: Path) -> None:
    done = run(["ansible-playbook", "-i", "hosts.yml", "galilean.hub.validate"], empty, collections)
    assert "unreachable=0" in done.stdout


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("edge_port=eighty", "edge_port is 'eighty': give a whole number."),
        (
            "jupterhub_instance=proto",
            "jupterhub_instance (it is 'proto') is not a setting: did you mean jupyterhub_instance?",
        ),
        # Only on a data volume Docker's folder lies beside those of instances.
        (
            "jupyterhub_instance=docker data_volume_serial=7a1f5d8e",
            "jupyterhub_instance is 'docker', whose folder /srv/docker would share files with /srv/docker,",
        ),
    ],
)
def test_wrong_settings_stop_the_site(setting: str, sentence: str, empty: Path, collections: Path) -> None:
    command = ["ansible-playbook", "-i", "hosts.yml", "galilean.hub.site", "-e", setting]
    done = run(command, empty, collections, expect=None)
    assert done.returncode != 0
    assert sentence in done.stdout + done.stderr
    # It ends in the stage that connects to no host.
    assert "unreachable=0" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_an_inventory_without_hubs_is_refused(tmp_path: Path, collections: Path) -> None:
    (tmp_path / "hosts.yml").write_text("---\nhups:\n  hosts:\n    hub.example.org:\n")
    done = run(
        ["ansible-playbook", "-i", "hosts.yml", "galilean.hub.site"], tmp_path, collections, expect=None
    )
    assert done.returncode != 0
    assert "The inventory has no host in the group hubs" in done.stdout + done.stderr


def test_checkout_inventory_is_right(collections: Path) -> None:
    """The inventories of the checkout, with the collection of the archive."""
    for name in ("local", "template"):
        inventories = ["-i", "inventories/common", "-i", f"inventories/{name}"]
        run(["ansible-playbook", *inventories, "playbooks/validate.yml"], tree.REPO, collections)
