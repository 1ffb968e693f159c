# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The disk grows, comes back, and is never formatted when something is on it."""

from __future__ import annotations

import re

import pytest
from conftest import Site

HOSTS = ("bookworm", "trixie", "initless")
DISK, OTHER = "/dev/disk/by-id/test-data", "/dev/disk/by-id/test-other"
SIZE = "findmnt --noheadings --bytes --output SIZE --mountpoint /srv"


def enlarge(site: Site, host: str, size: int) -> None:
    site.do(
        host,
        f"truncate --size={size}M /var/lib/docker/test-data.img && losetup --set-capacity $(realpath {DISK})",
    )


def uuid(site: Site, host: str) -> str:
    return site.do(host, f"blkid --probe --output value --match-tag UUID {DISK}")


def test_it_grows_with_the_disk_and_keeps_all(site: Site) -> None:
    """XFS while it is mounted; the kernel of this machine does not let a container do that with ext4."""
    before = {}
    for host in HOSTS:
        site.do(host, "echo mine > /srv/notebook")
        before[host] = (uuid(site, host), int(site.do(host, SIZE)))
        enlarge(site, host, 1000)
    said = site.apply("--check")
    # ext4 is unmounted for it, grown and mounted again.
    assert "rc=0 bookworm=3 initless=3 trixie=1" in said, said
    assert {host: (uuid(site, host), int(site.do(host, SIZE))) for host in HOSTS} == before

    # Docker is there: nothing is taken away from under it.
    said = site.apply("--limit", "bookworm")
    assert "so stop what uses /srv (fuser -vm /srv) and run again" in said, said
    assert said.endswith("rc=2 bookworm=0"), said
    assert site.do("bookworm", "cat /srv/notebook") == "mine"
    site.do("bookworm", "systemctl stop docker.socket docker.service")

    said = site.apply()
    assert "rc=0" in said, said
    for host in HOSTS:
        assert uuid(site, host) == before[host][0]
        assert int(site.do(host, SIZE)) > before[host][1] + 250 * 2**20
        assert site.do(host, "cat /srv/notebook") == "mine"
    said = site.apply()
    assert "rc=0 bookworm=0 initless=0 trixie=0" in said, said
    assert site.do("bookworm", "docker info --format '{{.DockerRootDir}}'") == "/srv/docker"


def test_a_new_server_finds_all_of_it(site: Site) -> None:
    """As far as this role is concerned, a server that is built anew is one without its line and its mount."""
    for host in ("trixie", "initless"):
        known = uuid(site, host)
        site.do(host, "umount /srv && sed -i /x-galilean-hub/d /etc/fstab && rm -rf /etc/systemd/system/*.d")
        # Of a volume that is no more.
        site.do(host, "echo 'UUID=1111 /srv ext4 noatime,nofail,x-galilean-hub 0 2' >> /etc/fstab")
        said = site.apply("--limit", host)
        assert re.search(rf"rc=0 {host}=[1-9]\d?$", said), said
        assert (uuid(site, host), site.do(host, "cat /srv/notebook")) == (known, "mine")
        assert site.do(host, "grep -c /srv /etc/fstab") == "1"
        assert site.apply("--limit", host).endswith(f"rc=0 {host}=0")


def unfinished(site: Site, label: str) -> None:
    """What mkfs leaves when it is killed: it takes the mark away at its end."""
    disk = site.do("trixie", f"realpath {OTHER}")
    site.do("trixie", f"mkfs.xfs -q -f -L {label} {disk}")
    site.do("trixie", f"xfs_db -x -c 'sb 0' -c 'write -d inprogress 1' {disk}")


@pytest.mark.slow
def test_an_xfs_that_was_never_finished_is_made_anew(site: Site) -> None:
    image = "/var/lib/docker/test-other.img"
    site.do("trixie", f"truncate --size=400M {image} && losetup --set-capacity $(realpath {OTHER})")
    settings = {"data_volume_device": OTHER, "data_volume_path": "/data"}
    ask = f"blkid --probe --output value --match-tag UUID {OTHER}"
    unfinished(site, "hub-data")
    old = site.do("trixie", ask)
    said = site.apply("--limit", "trixie", **settings)
    assert "rc=0 trixie=" in said, said
    assert site.do("trixie", ask) != old
    assert site.do("trixie", "findmnt --noheadings --output FSTYPE --mountpoint /data") == "xfs"
    site.do("trixie", "umount /data")
    # The same mark, but it is not ours to judge.
    unfinished(site, "theirs")
    old = site.do("trixie", ask)
    said = site.apply("--limit", "trixie", **settings)
    assert "holds an XFS that was never finished, and was not begun by this role" in said, said
    assert site.do("trixie", ask) == old
    site.do("trixie", f"wipefs --quiet --all {OTHER}; sed -i '/ .data /d' /etc/fstab")


@pytest.mark.slow
def test_a_disk_with_something_else_is_not_touched(site: Site) -> None:
    site.do("initless", f"mkswap --quiet $(realpath {OTHER})")
    before = site.do("initless", f"sha256sum {OTHER}")
    said = site.apply("--limit", "initless", data_volume_device=OTHER, data_volume_path="/data")
    assert "already holds swap, which this role neither uses nor overwrites" in said, said
    assert said.endswith("rc=2 initless=0"), said
    assert "Traceback" not in said
    assert site.do("initless", f"sha256sum {OTHER}") == before


def test_without_a_disk_nothing_is_done(site: Site) -> None:
    said = site.apply("--limit", "initless", data_volume_device="")
    assert said.endswith("rc=0 initless=0"), said
    assert "Look at the disk] *" in said
    assert "skipping: [initless]" in said
