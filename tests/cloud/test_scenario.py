# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""From an empty project to a hub in which somebody works, through a rebuild, and back to an empty project.

The tests of this file are steps of one story and run in their order.
"""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest
import sftp_target
from browser import visit
from deployment import wait_until
from site_on_cloud import DEPLOYMENT, HOST, LAB, SiteOnCloud, connect, contents
from user_client import UserClient

CA = str(LAB / "hub.crt")
# Seconds; the server has no hardware acceleration.
PATIENCE = 900
# What the settings would say from then on.
GROWN = ("-e", "openstack_data_volume_gib=11")
FILE, TEXT = "observations.txt", "Jupiter has four moons.\n"


def ada(site: SiteOnCloud) -> UserClient:
    return UserClient(site.url, site.token, "ada", CA, PATIENCE)


def find_all_again(site: SiteOnCloud, kept: dict[str, t.Any], artifacts: Path, picture: str) -> None:
    """Her token, login and file are those from before."""
    assert UserClient(site.url, kept["token"], "ada", CA, PATIENCE).state().exists
    person = ada(site)
    person.start()
    assert person.read(FILE)["content"] == TEXT
    with visit(site.url, artifacts, own_certificate=True, patience=PATIENCE * 1000) as seen:
        seen.log_in("ada", kept["password"])
        seen.page.get_by_text(FILE).first.wait_for()
        seen.picture(picture)


@pytest.fixture(scope="module")
def kept() -> dict[str, t.Any]:
    """What later steps compare with."""
    return {}


@pytest.fixture(scope="module")
def others() -> t.Iterator[dict[str, list[str]]]:
    """Something of somebody else in the same project, and another project; neither may be touched."""
    conn = connect()
    _forget_others(conn)
    conn.network.create_security_group(name="somebody-else")
    conn.compute.create_keypair(name="somebody-else")
    volume = conn.block_storage.create_volume(name="somebody-else", size=1)
    conn.block_storage.wait_for_status(volume, "available", failures=["error"], wait=120)
    yield contents(conn)
    _forget_others(conn)


def _forget_others(conn: t.Any) -> None:
    """Remove what the fixture made, in a run that was killed as well."""
    for volume in conn.block_storage.volumes(name="somebody-else"):
        conn.block_storage.delete_volume(volume)
    conn.compute.delete_keypair("somebody-else")
    for group in conn.network.security_groups(name="somebody-else"):
        conn.network.delete_security_group(group)


def test_check_mode_says_what_would_be_made(site: SiteOnCloud, others: dict[str, list[str]]) -> None:
    before = contents(site.conn)
    assert before == others
    outcome = site.run("site", "--check", "--diff", name="check-before").assert_done()
    assert f"+create server {HOST} (lab.hub, debian-12)" in outcome.text
    assert "+create volume lab-hub-data (10 GiB)" in outcome.text
    assert outcome.count("unreachable") == 0
    assert contents(site.conn) == before


def test_site(site: SiteOnCloud) -> None:
    outcome = site.run("site").assert_done()
    assert f"is ready at {site.url}/" in outcome.flat()
    assert "Kernels python3" in outcome.flat()


def test_second_run_changes_nothing(site: SiteOnCloud) -> None:
    site.run("site", name="site-again").assert_unchanged()


def test_host_is_known_without_the_cloud(site: SiteOnCloud) -> None:
    assert site.known()["ansible_host"] == site.address
    outcome = site.run("verify", OS_CLIENT_CONFIG_FILE="/nowhere").assert_unchanged()
    assert f"is ready at {site.url}/" in outcome.flat()


def test_data_is_on_the_volume(site: SiteOnCloud) -> None:
    mounts = site.ssh(
        "findmnt --noheadings --output SOURCE,FSTYPE --target /srv/hub; docker --version"
    ).stdout
    assert mounts.split()[1] == "ext4"
    root = site.ssh("sudo docker info --format '{{.DockerRootDir}}'").stdout.strip()
    assert root == "/srv/docker"
    devices = site.ssh(
        f"findmnt --noheadings --output SOURCE --target {root}; findmnt --noheadings --output SOURCE /"
    )
    assert len(set(devices.stdout.split())) == 2


def test_user_data_holds_no_secret(site: SiteOnCloud) -> None:
    told = site.ssh("sudo cat /var/lib/cloud/instance/user-data.txt").stdout
    assert "ssh-ed25519" in told
    assert "PRIVATE" not in told
    assert "password" not in told


def test_person_at_a_browser(site: SiteOnCloud, kept: dict[str, t.Any], artifacts: Path) -> None:
    kept["password"] = site.secret("login-password")
    with visit(site.url, artifacts, own_certificate=True, patience=PATIENCE * 1000) as seen:
        seen.go("/")
        seen.page.wait_for_selector("#username_input")
        seen.picture("1-login")
        seen.log_in("ada", kept["password"])
        seen.picture("2-lab")
        kept["token"] = seen.new_token("kept")
    person = ada(site)
    person.start()
    person.open_kernel("python3")
    assert person.run("print(6 * 7)") == "42"
    person.write(FILE, TEXT)
    kept["server"] = site.server_id()
    kept["keys"] = (LAB / "known_hosts").read_text()


def test_server_and_volume_are_lost(
    site: SiteOnCloud, kept: dict[str, t.Any], tmp_path: Path, artifacts: Path
) -> None:
    """Somebody deletes both in the cloud: one command brings the hub back from another machine."""
    # Without what a server that runs writes all the time.
    own = ("cache", "ipython", "local/share/jupyter/runtime")
    left_out = " ".join(f'! -path "./.{name}/*"' for name in own)
    place = "/srv/docker/volumes/hub-home-ada/_data"
    home = f"sudo sh -c 'cd {place} && find . -type f {left_out} -exec sha256sum {{}} + | sort'"
    with sftp_target.serving(tmp_path) as settings:
        site.settings |= settings
        site.run("configure", "--tags", "backup", name="backup-set-up").assert_done()
        before = site.ssh(home).stdout
        assert FILE in before
        site.run("backup").assert_done()
        volume = next(site.conn.block_storage.volumes(name=f"{HOST}-data"))
        server = site.conn.compute.get_server(kept["server"])
        site.conn.compute.delete_server(server)
        site.conn.compute.wait_for_delete(server, wait=300)
        site.conn.block_storage.wait_for_status(volume, "available", failures=["error"], wait=300)
        site.conn.block_storage.delete_volume(volume)
        site.conn.block_storage.wait_for_delete(volume, wait=300)
        outcome = site.run("restore").assert_done()
        assert "homes, database, secrets and certificates are back" in outcome.flat()
        assert f"is ready at {site.url}/" in outcome.flat()
        assert site.server_id() != kept["server"]
        assert site.ssh(home).stdout == before
    # Without a target from here on.
    for name in settings:
        del site.settings[name]
    kept["server"], kept["keys"] = site.server_id(), (LAB / "known_hosts").read_text()
    find_all_again(site, kept, artifacts, "3-after-loss")


def test_rebuild_asks_for_the_name(site: SiteOnCloud, kept: dict[str, t.Any]) -> None:
    outcome = site.run("rebuild", "-e", "rebuild_confirm=hub", name="rebuild-refused")
    assert outcome.code != 0
    assert f"belongs to the deployment '{DEPLOYMENT}' in this inventory" in outcome.flat()
    outcome = site.run(
        "rebuild",
        "-e",
        f"rebuild_confirm={DEPLOYMENT}",
        "-e",
        "openstack_image=gone",
        name="rebuild-impossible",
    )
    assert outcome.code != 0
    assert "image is 'gone', which the cloud does not have" in outcome.flat()
    assert site.server_id() == kept["server"]


def test_rebuild(site: SiteOnCloud, kept: dict[str, t.Any], artifacts: Path) -> None:
    address = site.address
    site.run("rebuild", "-e", f"rebuild_confirm={DEPLOYMENT}").assert_done()
    assert site.address == address
    assert site.server_id() != kept["server"]
    assert (LAB / "known_hosts").read_text() != kept["keys"]


def test_everything_is_there_again(site: SiteOnCloud, kept: dict[str, t.Any], artifacts: Path) -> None:
    find_all_again(site, kept, artifacts, "4-after-rebuild")
    ada(site).stop()


def test_volume_grows(site: SiteOnCloud) -> None:
    before = int(site.ssh("df --output=size --block-size=1M /srv | tail -1").stdout)
    site.run("provision", *GROWN, name="provision-grown").assert_done()
    site.run("configure", "--tags", "data_volume", *GROWN, name="configure-grown").assert_done()
    after = int(site.ssh("df --output=size --block-size=1M /srv | tail -1").stdout)
    assert after - before > 900
    assert site.ssh("systemctl is-active docker").stdout.strip() == "active"


def test_impostor_is_refused(site: SiteOnCloud) -> None:
    """A server that presents other keys than those on its console."""
    other_keys = "mkdir keys && mv /etc/ssh/ssh_host_* keys && ssh-keygen -A && systemctl restart ssh"
    site.ssh(f"sudo sh -c '{other_keys}'", check=False)
    outcome = site.run("verify", "--ssh-extra-args=-o ControlPath=none", name="impostor")
    assert outcome.count("unreachable") == 1
    assert "Host key verification failed" in outcome.flat() or "IDENTIFICATION HAS CHANGED" in outcome.flat()


def test_teardown_asks_for_the_name(site: SiteOnCloud) -> None:
    before = contents(site.conn)
    outcome = site.run("teardown", "-e", "teardown_confirm=hub", name="teardown-refused")
    assert outcome.code != 0
    assert f"give -e teardown_confirm={DEPLOYMENT}" in outcome.flat()
    assert contents(site.conn) == before


def test_teardown_keeps_volume_and_address(site: SiteOnCloud, others: dict[str, list[str]]) -> None:
    address = site.address
    outcome = site.run("teardown", "-e", f"teardown_confirm={DEPLOYMENT}").assert_done()
    assert f"volume {HOST}-data, 11 GiB" in outcome.flat()
    assert f"floating IP {address}" in outcome.flat()
    left = {kind: names[:] for kind, names in others.items()}
    left["volumes"] = sorted([*left["volumes"], f"{HOST}-data"])
    left["floating IPs"] = sorted([*left["floating IPs"], address])
    assert contents(site.conn) == left
    assert "lab-hub" not in (LAB / "known_hosts").read_text()


def test_site_after_teardown(site: SiteOnCloud, kept: dict[str, t.Any]) -> None:
    """As after a rebuild, only with the network anew as well: the server is made, and the volume is found."""
    site.run("provision", *GROWN, name="provision-after-teardown").assert_done()
    volumes = [one for one in site.conn.block_storage.volumes() if one.name == f"{HOST}-data"]
    assert [one.status for one in volumes] == ["in-use"]
    wait_until(lambda: site.ssh("true", check=False).returncode == 0, 300, "the way to the server")
    signature = site.ssh(
        "sudo blkid --output value --match-tag TYPE $(lsblk -dno PATH,SERIAL | awk '$2 {print $1}')"
    )
    assert "ext4" in signature.stdout


def test_nothing_is_left(site: SiteOnCloud, others: dict[str, list[str]]) -> None:
    begin = time.monotonic()
    site.remove_all().assert_done()
    site.note("remove-all", time.monotonic() - begin)
    assert contents(site.conn) == others
