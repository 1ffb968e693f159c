# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A hub that began on the disk of its server gets a data volume, and later a larger one."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import typing as t

import pytest
from deployment import Deployment, wait_until
from machines import Front, Machine
from test_backup import Person
from user_client import UserClient

pytestmark = pytest.mark.slow

DISKS = ("first", "second")
# A container has a /dev of its own. What the image has at /srv is a folder, as on any server.
ATTACH = """
umount /srv
[ -e /dev/loop-control ] || mknod -m 0660 /dev/loop-control c 10 237
for number in $(seq 0 31); do [ -e /dev/loop$number ] || mknod -m 0660 /dev/loop$number b 7 $number; done
mkdir -p /dev/disk/by-id
for disk in first second; do
  truncate --size=8G /var/lib/docker/$disk.img
  ln -sf $(losetup --find --show /var/lib/docker/$disk.img) /dev/disk/by-id/$disk
done
"""


@pytest.fixture(scope="module")
def machine(site: Deployment) -> t.Iterator[Machine]:
    made = Machine(f"{site.instance}-disks")
    made.sh(ATTACH)
    # The kernel's devices are everybody's.
    paths = made.sh("readlink --canonicalize /dev/disk/by-id/first /dev/disk/by-id/second").split()
    yield made
    made.sh(
        f"systemctl stop docker.socket docker; umount /srv; losetup --detach {' '.join(paths)}", check=False
    )
    made.remove()


def is_on(machine: Machine, disk: str) -> bool:
    """Whether all is on this disk, what the engine keeps as well."""
    root = machine.sh("docker info --format '{{.DockerRootDir}}'")
    wanted = machine.sh(f"stat --dereference --format %Hr:%Lr /dev/disk/by-id/{disk}")
    numbers = machine.sh(f"stat --format %d /srv {root}").split()
    return machine.sh("mountpoint --fs-devno /srv") == wanted and len(set(numbers)) == 1


def succeeds(machine: Machine, command: str) -> bool:
    argv = ["docker", "exec", machine.name, "sh", "-c", command]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def test_to_a_data_volume_and_to_a_larger_one(site: Deployment, machine: Machine) -> None:
    """The second time, the run is killed twice: while it copies, and after the engine was stopped."""
    site.teardown(data=True).assert_done()
    settings: dict[str, t.Any] = {
        "images_software_stack": "",
        "images_delivery": "controller",
        "images_disk_free_min_gib": 1,
        "docker_engine": "managed",
    }
    site.set(**settings)
    host = {
        "ansible_connection": "community.docker.docker",
        "ansible_host": machine.name,
        "ansible_user": "root",
    }
    (site.folder / "hosts.yml").write_text(
        json.dumps({"hubs": {"hosts": {machine.name: host}}}), encoding="utf-8"
    )
    site.run("site", name="disk-none").assert_done()
    front = Front(int(site.url.rpartition(":")[2]), machine)
    ada = UserClient(site.url, site.token, "ada")
    ada.start()
    ada.write("kept.txt", "on the disk of the server")
    person = Person(site.url, "ada")
    machine.sh(
        "docker run --detach --name=foreign --restart=unless-stopped --entrypoint=sleep"
        " $(docker images --quiet | head -n 1) 86400"
    )

    site.set(**settings, docker_data_root="/mnt/elsewhere")
    refused = site.run("site", name="disk-root").flat()
    assert "docker_data_root is /mnt/elsewhere, but Docker keeps" in refused
    site.set(**settings, data_volume_device="/dev/disk/by-id/first")
    refused = site.run("site", name="disk-refused").flat()
    assert (
        "the volume would hide that: move all of it onto the volume with playbooks/move_data.yml" in refused
    )
    assert ada.read("kept.txt")["content"] == "on the disk of the server"

    site.run("move_data", name="disk-first").assert_done()
    assert is_on(machine, "first")
    ada.start()
    assert ada.read("kept.txt")["content"] == "on the disk of the server"
    assert person.is_logged_in()
    assert person.has_token()
    assert machine.sh("docker inspect --format '{{.State.Running}}' foreign") == "true"
    site.run("site", name="disk-first-again").assert_unchanged()
    again = site.run("move_data", name="disk-nothing").assert_done()
    assert "is where the settings want it" in again.flat()

    ada.write("kept.txt", "on the first volume")
    site.set(**settings, data_volume_device="/dev/disk/by-id/second")
    refused = site.run("site", name="disk-second-refused").flat()
    assert "move what is on it with playbooks/move_data.yml" in refused
    argv, env = site.command("move_data")
    for sign in ("pgrep rsync", "! systemctl is-active docker.service"):
        run = subprocess.Popen(argv, env=env, cwd=site.folder, start_new_session=True)
        wait_until(functools.partial(succeeds, machine, sign), 300, sign)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    site.run("move_data", name="disk-second").assert_done()
    assert is_on(machine, "second")
    ada.start()
    assert ada.read("kept.txt")["content"] == "on the first volume"
    assert person.is_logged_in()
    assert machine.sh("docker inspect --format '{{.State.Running}}' foreign") == "true"
    site.run("site", name="disk-second-again").assert_unchanged()
    front.close()
