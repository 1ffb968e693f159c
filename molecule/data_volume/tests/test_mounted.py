# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The disk holds the data, also after a reboot, and nothing runs without it."""

from __future__ import annotations

import json

from testinfra.host import Host

DISK = "/dev/disk/by-id/test-data"
UNITS = ("docker.service", "containerd.service")


def kind(host: Host) -> str:
    return "xfs" if "trixie" in host.check_output("cat /etc/os-release") else "ext4"


def test_the_disk_is_mounted(host: Host) -> None:
    found = host.check_output("findmnt --noheadings --output SOURCE,FSTYPE,OPTIONS --mountpoint /srv").split()
    assert found[:2] == [host.check_output(f"realpath {DISK}"), kind(host)]
    assert "noatime" in found[2].split(",")
    assert ("nodev" in found[2].split(",")) is (kind(host) == "xfs")


def test_it_is_found_by_its_uuid_and_the_host_boots_without_it(host: Host) -> None:
    uuid = host.check_output(f"blkid --probe --output value --match-tag UUID {DISK}")
    lines = [line for line in host.file("/etc/fstab").content_string.splitlines() if "/srv" in line]
    assert len(lines) == 1
    source, path, fstype, options, _dump, check = lines[0].split()
    assert (source, path, fstype) == (f"UUID={uuid}", "/srv", kind(host))
    assert {"nofail", "x-systemd.device-timeout=300s"} <= set(options.split(","))
    assert check == ("0" if fstype == "xfs" else "2")
    # By the system's own reader of the table.
    assert host.run("findmnt --verify --tab-file /etc/fstab").rc == 0


def test_the_file_system_says_whose_it_is(host: Host) -> None:
    assert host.check_output(f"blkid --probe --output value --match-tag LABEL {DISK}") == "hub-data"


def test_the_other_disk_is_as_it_was(host: Host) -> None:
    assert host.run("blkid --probe /dev/disk/by-id/test-other").rc == 2


def test_docker_does_not_start_without_it(host: Host) -> None:
    dropins = [host.file(f"/etc/systemd/system/{unit}.d/galilean-data-volume.conf") for unit in UNITS]
    if not host.file("/run/systemd/system").exists:
        assert not any(dropin.exists for dropin in dropins)
        return
    assert all("RequiresMountsFor=/srv\n" in dropin.content_string for dropin in dropins)
    # Everything else that is started at boot would wait for that one.
    assert not host.file("/etc/systemd/system/docker.socket.d/galilean-data-volume.conf").exists
    if host.package("docker.io").is_installed:
        for unit in UNITS:
            shown = host.check_output(f"systemctl show --property=RequiresMountsFor,NeedDaemonReload {unit}")
            assert "/srv" in shown.split("RequiresMountsFor=")[1].split()
            assert "NeedDaemonReload=no" in shown


def test_docker_keeps_its_data_there(host: Host) -> None:
    if not host.package("docker.io").is_installed:
        assert kind(host) == "xfs" or not host.file("/run/systemd/system").exists
        return
    assert host.check_output("docker info --format '{{.DockerRootDir}}'") == "/srv/docker"
    made = json.loads(host.check_output("docker volume inspect $(docker volume create)"))
    assert made[0]["Mountpoint"].startswith("/srv/docker/volumes/")
