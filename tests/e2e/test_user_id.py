# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""An instance whose homes belong to 1000, as those of older versions, keeps that until told otherwise."""

from __future__ import annotations

import subprocess

import pytest
from deployment import Deployment, as_root, docker, server_of
from user_client import UserClient

pytestmark = pytest.mark.slow

# Nothing here is about the shared software.
SETTINGS = {"images_software_stack": ""}
NEW = {**SETTINGS, "images_user_id": 77001}


def owner(volume: str) -> str:
    folder = docker("volume", "inspect", "--format={{.Mountpoint}}", volume)
    argv = as_root(["find", folder, "-printf", r"%U:%G\n"])
    found = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    assert len(found) > 1
    return " ".join(sorted(set(found)))


@pytest.fixture(scope="module")
def home(site: Deployment) -> str:
    """A home of such an instance."""
    volume = f"{site.instance}-home-ada"
    labels = {"instance": site.instance, "role": "home", "user": "ada"}
    docker("volume", "create", *(f"--label=galilean.hub.{key}={labels[key]}" for key in labels), volume)
    folder = docker("volume", "inspect", "--format={{.Mountpoint}}", volume)
    subprocess.run(as_root(["chown", "1000:1000", folder]), check=True)
    return volume


@pytest.fixture(scope="module")
def ada(site: Deployment, home: str) -> UserClient:
    site.set(**SETTINGS)
    site.run("site").assert_done()
    ada = UserClient(site.url, site.token, "ada")
    ada.start()
    ada.open_kernel("python3")
    return ada


def test_it_stays_as_it_is(site: Deployment, home: str, ada: UserClient) -> None:
    """With a server that goes on running."""
    assert ada.run("import os; os.getuid(), os.getgid()") == "(1000, 1000)"
    ada.write("kept.txt", "still here")
    server = server_of(site.instance, "ada")
    site.run("site").assert_unchanged()
    assert server_of(site.instance, "ada") == server
    assert ada.read("kept.txt")["content"] == "still here"
    assert owner(home) == "1000:1000"


def test_nothing_changes_hands_while_somebody_works(site: Deployment, home: str, ada: UserClient) -> None:
    site.set(**NEW)
    refused = site.run("site", name="site-refused")
    assert refused.code != 0
    assert "images_user_id is 77001" in refused.flat()
    assert "1 servers of users run" in refused.flat()
    assert refused.count("changed") == 0
    assert ada.read("kept.txt")["content"] == "still here"
    assert owner(home) == "1000:1000"


def test_another_number(site: Deployment, home: str, ada: UserClient) -> None:
    ada.stop()
    site.run("site", name="site-moved").assert_done()
    assert owner(home) == "77001:77001"
    ada.start()
    assert ada.read("kept.txt")["content"] == "still here"
    ada.write("kept.txt", "and changed")
    assert docker("exec", server_of(site.instance, "ada"), "id", "-u") == "77001"
    assert owner(home) == "77001:77001"
    site.set(**SETTINGS)
    site.run("site", name="site-after-move").assert_unchanged()
