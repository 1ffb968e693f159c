# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The lab does what an OpenStack does: `make lab-check`, while the lab is up.

The tests build on each other, in their order, because a boot takes its time here.
"""

from __future__ import annotations

import os
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from api import ApiError, Cloud
from contents import CREDENTIAL, EXTERNAL_NETWORK, FAKE_FLAVOR, missing_agents
from project import Project, Server, address_of
from settings import FAKE_HOST, Settings

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings.from_environ(os.environ, CHECKOUT)


@pytest.fixture(scope="session")
def logins(settings: Settings) -> dict[str, t.Any]:
    if not settings.clouds_file.exists():
        pytest.fail(f"{settings.clouds_file} is not there: bring the lab up with make lab-up.")
    return dict(yaml.safe_load(settings.clouds_file.read_text())["clouds"])


@pytest.fixture(scope="session")
def project(logins: dict[str, t.Any], tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Project]:
    """Project hub with a network; what was there before is none of our business, and stays."""
    made = Project(Cloud(logins["lab"]["auth"]), EXTERNAL_NETWORK, tmp_path_factory.mktemp("lab-check"))
    made.remove()
    made.network()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def servers(project: Project, settings: Settings) -> dict[str, Server]:
    """One with cloud-init, one without Python; they boot side by side."""
    made = {
        "cloud": project.server("cloud", settings.image, "lab.small"),
        "bare": project.server("bare", f"{settings.image}-bare", "lab.tiny"),
    }
    for server in made.values():
        server.is_active()
        server.give_address()
    return made


@pytest.mark.parametrize("name", ["lab", "lab-app", "lab-other", "lab-admin"])
def test_every_cloud_lets_us_in(logins: dict[str, t.Any], name: str) -> None:
    cloud = Cloud(logins[name]["auth"])
    for service, path in (("compute", "/servers"), ("volumev3", "/volumes"), ("network", "/v2.0/networks")):
        assert cloud.get(service, path)


def test_projects_are_apart(logins: dict[str, t.Any]) -> None:
    ids = {name: Cloud(logins[name]["auth"]).project_id for name in logins}
    assert ids["lab"] == ids["lab-app"]
    assert len(set(ids.values())) == 3


def test_the_application_credential_makes_no_others(logins: dict[str, t.Any]) -> None:
    cloud = Cloud(logins["lab-app"]["auth"])
    path = f"/users/{cloud.user_id}/application_credentials"
    with pytest.raises(ApiError) as caught:
        cloud.post("identity", path, {"application_credential": {"name": f"{CREDENTIAL}-2"}})
    assert caught.value.status == 403


def test_a_member_makes_no_flavors(logins: dict[str, t.Any]) -> None:
    flavor = {"name": "mine", "vcpus": 1, "ram": 64, "disk": 1}
    with pytest.raises(ApiError) as caught:
        Cloud(logins["lab"]["auth"]).post("compute", "/flavors", {"flavor": flavor})
    assert caught.value.status == 403


def test_every_agent_reports(logins: dict[str, t.Any]) -> None:
    assert missing_agents(Cloud(logins["lab-admin"]["auth"])) == set()


def test_the_quota_is_kept(project: Project) -> None:
    with pytest.raises(ApiError) as caught:
        project.volume(1000)
    assert caught.value.status == 413


@pytest.mark.parametrize("name", ["bare", "cloud"])
def test_a_server_shows_its_host_keys(servers: dict[str, Server], name: str) -> None:
    keys = servers[name].keys()
    assert [key.split()[0] for key in keys] == ["ssh-ed25519"]
    servers[name].pin(keys)


def test_security_groups_let_nothing_in_at_first(servers: dict[str, Server]) -> None:
    done = servers["bare"].ssh("true")
    assert done.returncode == 255
    assert "timed out" in done.stderr


def test_a_server_presents_the_key_of_its_console(project: Project, servers: dict[str, Server]) -> None:
    project.allow_ssh()
    for name, server in servers.items():
        assert server.run("hostname", retry=90).strip() == f"lab-check-{name}"


def test_another_key_is_refused(servers: dict[str, Server]) -> None:
    mine, other = servers["bare"].keys(), servers["cloud"].keys()
    servers["bare"].pin(other)
    done = servers["bare"].ssh("true")
    servers["bare"].pin(mine)
    assert done.returncode == 255
    assert "Host key verification failed" in done.stderr


def test_images_have_what_is_said_of_them(servers: dict[str, Server]) -> None:
    assert servers["bare"].ssh("command -v python3").returncode == 1
    assert servers["cloud"].run("cloud-init status --wait", limit=240).strip().endswith("done")
    servers["cloud"].run("sudo sh -ec 'command -v python3; command -v dockerd; command -v iptables'")
    # The role would take an engine that runs for somebody else's.
    assert servers["cloud"].ssh("systemctl is-active docker").stdout.strip() == "inactive"
    result = servers["cloud"].run("cat /run/cloud-init/result.json")
    assert "DataSourceConfigDrive" in result


@pytest.mark.parametrize(("name", "gib"), [("bare", 3), ("cloud", 8)])
def test_the_root_file_system_fills_the_flavors_disk(servers: dict[str, Server], name: str, gib: int) -> None:
    size = int(servers[name].run("df -B1 --output=size / | tail -n 1")) / 2**30
    assert gib * 0.9 < size <= gib


def test_guests_reach_the_package_mirror(servers: dict[str, Server]) -> None:
    said = servers["bare"].run("sudo apt-get update 2>&1", limit=240)
    assert "Err:" not in said, said


def test_guests_do_not_reach_the_machines_loopback(servers: dict[str, Server], settings: Settings) -> None:
    # Its own address, and no port of the queue or the cache behind it.
    for port in (5672, 11211, 8775):
        script = f"timeout 5 bash -c 'exec 3<>/dev/tcp/{settings.address}/{port}'"
        assert servers["bare"].ssh(script).returncode != 0


def test_a_volume_is_attached_and_detached(project: Project, servers: dict[str, Server]) -> None:
    server, volume = servers["bare"], project.volume(1)
    project.volume_is(volume, "available")
    attachments = f"/servers/{server.id}/os-volume_attachments"
    project.cloud.post("compute", attachments, {"volumeAttachment": {"volumeId": volume}})
    project.volume_is(volume, "in-use")
    device = server.device(volume)
    note = "echo kept | sudo tee /mnt/note && sudo umount /mnt"
    server.run(f"sudo mkfs.ext4 -q {device} && sudo mount {device} /mnt && {note}", limit=120)

    server.run("sudo touch /root/marker")
    image = project.cloud.get("compute", f"/servers/{server.id}")["server"]["image"]["id"]
    before = server.keys()
    server.action("rebuild", {"imageRef": image})
    server.is_active()
    # The console begins anew with the guest.
    server.pin(server.keys())
    assert server.keys() != before
    server.run("sudo test ! -e /root/marker", retry=120)
    device = server.device(volume)
    assert server.run(f"sudo mount {device} /mnt && cat /mnt/note && sudo umount /mnt").strip() == "kept"

    project.cloud.delete("compute", f"{attachments}/{volume}")
    project.volume_is(volume, "available")
    assert server.ssh(f"test -b {device}").returncode == 1


def test_a_server_shuts_down_when_it_is_asked(project: Project, servers: dict[str, Server]) -> None:
    server = servers["bare"]
    server.action("os-stop")
    # A guest that does not listen to ACPI loses its power after 60 s.
    server.is_state("SHUTOFF", limit=50)


def test_fake_servers_are_apart(
    project: Project, servers: dict[str, Server], settings: Settings, logins: dict[str, t.Any]
) -> None:
    fake, volume = project.server("fake", settings.image, FAKE_FLAVOR), project.volume(1)
    fake.is_active(limit=60)
    fake.give_address()
    project.volume_is(volume, "available")
    attachment = {"volumeAttachment": {"volumeId": volume}}
    project.cloud.post("compute", f"/servers/{fake.id}/os-volume_attachments", attachment)
    project.volume_is(volume, "in-use")
    admin = Cloud(logins["lab-admin"]["auth"])
    places = {
        name: admin.get("compute", f"/servers/{server.id}")["server"]["OS-EXT-SRV-ATTR:host"]
        for name, server in {**servers, "fake": fake}.items()
    }
    assert places == {"cloud": "lab", "bare": "lab", "fake": FAKE_HOST}


def test_a_server_boots_from_a_volume(
    project: Project, servers: dict[str, Server], settings: Settings
) -> None:
    for server in servers.values():
        project.cloud.delete("compute", f"/servers/{server.id}")
    server = project.server("volume", f"{settings.image}-bare", "lab.tiny", boot_gib=4)
    server.is_active(limit=240)
    server.give_address()
    server.pin(server.keys())
    size = int(server.run("df -B1 --output=size / | tail -n 1", retry=90)) / 2**30
    assert 3.6 < size <= 4


def test_names_are_answered_for(project: Project, settings: Settings) -> None:
    assert ("dns" in project.cloud.services) is settings.dns
    if settings.dns:
        name = project.name("www", "192.0.2.7")
        assert address_of(name, settings.address) == "192.0.2.7"


def test_nothing_is_left(project: Project) -> None:
    assert project.left() != []
    project.remove()
    assert project.left() == []


def test_a_second_up_changes_nothing(settings: Settings) -> None:
    clouds = settings.clouds_file.stat().st_mtime_ns
    done = subprocess.run(
        ["make", "lab-up"], cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing was to do" in done.stdout, done.stdout
    assert settings.clouds_file.stat().st_mtime_ns == clouds
