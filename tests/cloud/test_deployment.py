# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The module cloud_deployment against a real OpenStack: what it makes, refuses, resumes and removes.

Servers have the flavor lab.fake, which needs no time to boot and has no guest.
"""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import openstack
import pytest
import yaml
from deployment import Outcome, wait_until
from project import address_of
from site_on_cloud import LAB, ROOT, connect, contents, environment

NAME = "lab-test"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0c4xk2hN6E0b3WJ3dVtq0Jw7c0oC0qW2hJd1l5n9aB test"
PLAY = ROOT / "tests" / "cloud" / "deployment_play.yml"
NOTHING: dict[str, list[str]] = {}


def server(name: str, **more: t.Any) -> dict[str, t.Any]:
    return {
        "name": f"{NAME}-{name}",
        "image": "debian-12-bare",
        "flavor": "lab.fake",
        "volume_gib": 1,
        **more,
    }


class Cloud:
    """Calls of the module as a play makes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conn = connect()
        self.answer: dict[str, t.Any] = {}

    def options(self, *servers: dict[str, t.Any], **more: t.Any) -> dict[str, t.Any]:
        given = {
            "cloud": "lab", "name": NAME, "public_key": KEY, "ssh_networks": ["172.24.4.1/32"],
            "web_networks": ["0.0.0.0/0"], "servers": list(servers), "volume_growth": "offline", **more,
        }  # fmt: skip
        return {"deployment": given, "answer": str(self.folder / "answer.json")}

    def command(self, options: dict[str, t.Any], *arguments: str) -> list[str]:
        program = str(Path(sys.executable).parent / "ansible-playbook")
        file = self.folder / "options.json"
        file.write_text(json.dumps(options), encoding="utf-8")
        return [program, "-i", "localhost,", str(PLAY), "-e", f"@{file}", *arguments]

    def call(self, options: dict[str, t.Any], *arguments: str, **env: str) -> Outcome:
        begin = time.monotonic()
        done = subprocess.run(
            self.command(options, *arguments), env=environment(**env), cwd=ROOT, capture_output=True,
            text=True, timeout=600, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            self.answer = json.loads((self.folder / "answer.json").read_text())
        return Outcome(done.returncode, done.stdout + done.stderr, time.monotonic() - begin)

    def make(self, *servers: dict[str, t.Any], **more: t.Any) -> Outcome:
        return self.call(self.options(*servers, **more))

    def remove(self, **more: t.Any) -> Outcome:
        return self.call(
            self.options(state="absent", **{"delete_volumes": True, "release_addresses": True, **more})
        )

    def refused(self, options: dict[str, t.Any], sentence: str, **env: str) -> None:
        """A call that fails with this sentence, and leaves the project as it was."""
        before = contents(self.conn)
        outcome = self.call(options, **env)
        assert outcome.code != 0
        assert sentence in outcome.flat(), outcome.text[-3000:]
        assert "Traceback" not in outcome.text
        assert contents(self.conn) == before

    def names(self) -> dict[str, list[str]]:
        """What the project has, without what other tests or people have there."""
        found = contents(self.conn)
        return {
            kind: [name for name in names if NAME in name or kind in ("floating IPs",)]
            for kind, names in found.items()
        }


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Cloud]:
    found = Cloud(tmp_path_factory.mktemp("cloud"))
    found.remove().assert_done()
    yield found
    found.remove().assert_done()


@pytest.fixture(autouse=True)
def empty(cloud: Cloud) -> t.Iterator[None]:
    """Each test begins with nothing of the deployment."""
    yield
    cloud.remove().assert_done()


def test_make_again_and_remove(cloud: Cloud) -> None:
    before = contents(cloud.conn)
    outcome = cloud.call(
        cloud.options(server("a"), server_group_policy="soft-anti-affinity"), "--check", "--diff"
    )
    assert outcome.assert_done().count("changed") == 1
    assert f"+create server {NAME}-a" in outcome.text
    assert contents(cloud.conn) == before
    assert (
        cloud.make(server("a"), server_group_policy="soft-anti-affinity").assert_done().count("changed") == 1
    )
    made = cloud.answer["servers"][0]
    assert made["status"] == "ACTIVE"
    assert made["address"] == made["floating_ip"]
    volume = cloud.conn.block_storage.get_volume(made["volume_id"])
    assert [item["server_id"] for item in volume.attachments] == [made["id"]]
    group = next(one for one in cloud.conn.network.security_groups() if one.name == f"galilean-{NAME}")
    inward = sorted(
        (rule["remote_ip_prefix"], rule["port_range_min"])
        for rule in group.security_group_rules
        if rule["direction"] == "ingress"
    )
    assert inward == [("0.0.0.0/0", 80), ("0.0.0.0/0", 443), ("172.24.4.1/32", 22)]
    cloud.make(server("a"), server_group_policy="soft-anti-affinity").assert_unchanged()
    cloud.call(cloud.options(server("a")), "--check").assert_unchanged()
    cloud.remove().assert_done()
    assert contents(cloud.conn) == before


def test_firewall_is_as_the_settings_say(cloud: Cloud) -> None:
    cloud.make(server("a", volume_gib=0, floating_ip="none")).assert_done()
    group = next(one for one in cloud.conn.network.security_groups() if one.name == f"galilean-{NAME}")
    cloud.conn.network.create_security_group_rule(
        security_group_id=group.id,
        direction="ingress",
        protocol="tcp",
        port_range_min=3306,
        port_range_max=3306,
    )
    outcome = cloud.call(cloud.options(server("a", volume_gib=0, floating_ip="none")), "--check", "--diff")
    assert "- tcp 3306 from 0.0.0.0/0" in outcome.text
    more = {"rules": [{"port": "9100-9110", "networks": ["172.24.4.1/32"]}]}
    cloud.make(server("a", volume_gib=0, floating_ip="none"), **more).assert_done()
    rules = cloud.conn.network.get_security_group(group.id).security_group_rules
    ports = sorted(rule["port_range_min"] for rule in rules if rule["direction"] == "ingress")
    assert ports == [22, 80, 443, 9100]


def test_volume_and_address_stay_and_come_back(cloud: Cloud) -> None:
    cloud.make(server("a")).assert_done()
    first = cloud.answer["servers"][0]
    cloud.remove(delete_volumes=False, release_addresses=False).assert_done()
    assert len(cloud.answer["left"]) == 2
    cloud.make(server("a")).assert_done()
    second = cloud.answer["servers"][0]
    assert second["id"] != first["id"]
    assert (second["volume_id"], second["address"]) == (first["volume_id"], first["address"])


@pytest.fixture
def zone(cloud: Cloud) -> t.Iterator[t.Any]:
    """A zone of the project, where the lab has Designate (LAB_DNS=yes), otherwise nothing."""
    if not cloud.conn.has_service("dns"):
        yield None
        return
    made = cloud.conn.dns.create_zone(name=f"{NAME}.example.org.", email="lab@example.org")
    yield made
    cloud.conn.dns.delete_zone(made)


def test_a_name_leads_to_it(cloud: Cloud, zone: t.Any) -> None:
    if zone is None:
        said = cloud.make(server("a", dns_name="a.example.org")).assert_done().flat()
        assert "the cloud has no DNS service (Designate), so no record is made for a.example.org" in said
        return
    dns, name = cloud.conn.dns, f"hub.{zone.name}"

    def addresses() -> list[str]:
        return [one for record in dns.recordsets(zone, name=name, type="A") for one in record.records]

    cloud.make(server("a", dns_name=name)).assert_done()
    address = cloud.answer["servers"][0]["address"]
    assert addresses() == [address]
    wait_until(lambda: address_of(name, "172.24.4.2") == address, 60, "the name server's answer")
    cloud.make(server("a", dns_name=name)).assert_unchanged()
    cloud.remove(release_addresses=False).assert_done()
    assert any(f"DNS record {name[:-1]}" in line for line in cloud.answer["left"])
    assert addresses() == [address]
    cloud.remove().assert_done()
    assert addresses() == []
    # One that somebody else made is left alone.
    dns.create_recordset(zone, name=name, type="A", records=["192.0.2.99"])
    cloud.refused(
        cloud.options(server("a", dns_name=name)), "has an address record that this deployment did not make"
    )
    elsewhere = cloud.options(server("a", dns_name="hub.nowhere.test"))
    cloud.refused(elsewhere, "dns_name is hub.nowhere.test, and the project has no zone that this is in")


def test_volume_grows_and_never_shrinks(cloud: Cloud) -> None:
    cloud.make(server("a")).assert_done()
    cloud.make(server("a", volume_gib=2)).assert_done()
    assert cloud.conn.block_storage.get_volume(cloud.answer["servers"][0]["volume_id"]).size == 2
    assert cloud.answer["servers"][0]["status"] == "ACTIVE"
    cloud.make(server("a", volume_gib=2)).assert_unchanged()
    cloud.refused(cloud.options(server("a", volume_gib=1)), "a volume cannot shrink, set 2 or more")


def test_stopped_server_is_started(cloud: Cloud) -> None:
    cloud.make(server("a", volume_gib=0, floating_ip="none")).assert_done()
    number = cloud.answer["servers"][0]["id"]
    cloud.conn.compute.stop_server(number)
    wait_until(
        lambda: cloud.conn.compute.get_server(number).status == "SHUTOFF", 120, "the end of the server"
    )
    cloud.make(server("a", volume_gib=0, floating_ip="none")).assert_done()
    assert cloud.conn.compute.get_server(number).status == "ACTIVE"


@pytest.mark.parametrize("seconds", [2.5, 4, 6, 9])
def test_killed_run_is_finished_by_the_next(cloud: Cloud, seconds: float) -> None:
    process = subprocess.Popen(
        cloud.command(cloud.options(server("a"))), env=environment(), cwd=ROOT, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    # The worker has a session of its own, which /proc knows as a child's.
    time.sleep(seconds)
    for child in descendants(process.pid):
        os.kill(child, signal.SIGKILL)
    process.wait(30)
    cloud.make(server("a")).assert_done()
    found = cloud.names()
    assert found["servers"] == [f"{NAME}-a"]
    assert found["volumes"] == [f"{NAME}-a-data"]
    assert found["ports"] == [f"galilean-{NAME}-{NAME}-a"]
    for kind in ("networks", "routers", "security groups", "key pairs"):
        assert found[kind] == [f"galilean-{NAME}"], kind
    ours = [one for one in cloud.conn.network.ips() if NAME in (one.description or "")]
    assert len(ours) == 1
    cloud.make(server("a")).assert_unchanged()


def descendants(pid: int) -> list[int]:
    """A process and all that it has started, the youngest first."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        parents.setdefault(parent, []).append(int(folder.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found[::-1]


def test_quota_is_too_small(cloud: Cloud) -> None:
    many = [server(str(number)) for number in range(9)]
    cloud.refused(cloud.options(*many), "The project's quota is too small: it allows")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"image": "Debian 99"},
            "image is 'Debian 99', which the cloud does not have: its images are debian-12",
        ),
        ({"flavor": "m1.huge"}, "flavor is 'm1.huge', which the cloud does not have: its flavors are lab."),
        ({"floating_ip": "172.24.4.200"}, "which is not allocated to the project"),
        ({"security_groups": ["nobody"]}, "security_groups is 'nobody', which the cloud does not have"),
        ({"availability_zone": "mars"}, "availability_zone is 'mars', which the cloud does not have"),
        ({"volume_type": "gold"}, "volume_type is 'gold', which the cloud does not have"),
        ({"name": "with blank"}, "use letters, digits, dots and -"),
    ],
)
def test_wrong_server(cloud: Cloud, change: dict[str, t.Any], sentence: str) -> None:
    cloud.refused(cloud.options({**server("a"), **change}), sentence)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"network": "nowhere"}, "network is 'nowhere', which the cloud does not have"),
        (
            {"external_network": "internet"},
            "external_network is 'internet', which the cloud does not have: it has public",
        ),
        (
            {"cloud": "lab-missing"},
            "The cloud is 'lab-missing', and no clouds.yaml that openstacksdk finds has it",
        ),
        ({"public_key": "no key"}, "public_key is no SSH public key"),
        ({"ssh_networks": ["home"]}, "ssh_networks has 'home', which is no network"),
        ({"name": "Lab Test"}, "use lower-case letters, digits and -"),
    ],
)
def test_wrong_deployment(cloud: Cloud, change: dict[str, t.Any], sentence: str) -> None:
    cloud.refused(cloud.options(server("a"), **change), sentence)


def test_name_is_taken_by_somebody_else(cloud: Cloud) -> None:
    volume = cloud.conn.block_storage.create_volume(name=f"{NAME}-a-data", size=1)
    cloud.conn.block_storage.wait_for_status(volume, "available", failures=["error"], wait=120)
    try:
        cloud.refused(
            cloud.options(server("a")),
            f"already has a volume {NAME}-a-data that this deployment did not make",
        )
        cloud.remove().assert_done()
        assert cloud.conn.block_storage.get_volume(volume.id).status == "available"
    finally:
        cloud.conn.block_storage.delete_volume(volume)


def credentials(folder: Path, **change: t.Any) -> Path:
    """clouds.yaml with the lab's login and something else in it."""
    found = yaml.safe_load((LAB / "clouds.yaml").read_text())["clouds"]["lab"]
    file = folder / "clouds.yaml"
    file.write_text(json.dumps({"clouds": {"lab": {**found, **change}}}), encoding="utf-8")
    return file


def test_expired_credential(cloud: Cloud, tmp_path: Path) -> None:
    """An application credential that worked, until it expired."""
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=3)
    user = cloud.conn.current_user_id
    made = cloud.conn.identity.create_application_credential(
        user, "lab-test-expires", expires_at=ends.replace(tzinfo=None).isoformat()
    )
    try:
        time.sleep(5)
        auth = {
            "auth_url": cloud.conn.config.auth["auth_url"],
            "application_credential_id": made.id,
            "application_credential_secret": made.secret,
        }
        file = credentials(tmp_path, auth_type="v3applicationcredential", auth=auth)
        cloud.refused(
            cloud.options(server("a")), "the cloud refuses the credentials", OS_CLIENT_CONFIG_FILE=str(file)
        )
    finally:
        cloud.conn.identity.delete_application_credential(user, made.id)


def test_cloud_that_does_not_answer(cloud: Cloud, tmp_path: Path) -> None:
    auth = {**cloud.conn.config.auth, "auth_url": "http://127.0.0.1:9/v3"}
    file = credentials(tmp_path, auth=auth)
    cloud.refused(cloud.options(server("a")), "the cloud does not answer", OS_CLIENT_CONFIG_FILE=str(file))


def test_application_credential_is_enough(cloud: Cloud) -> None:
    cloud.call(cloud.options(server("a"), cloud="lab-app")).assert_done()
    cloud.call(cloud.options(server("a"), cloud="lab-app")).assert_unchanged()
    cloud.call(
        cloud.options(state="absent", cloud="lab-app", delete_volumes=True, release_addresses=True)
    ).assert_done()


def test_pool_of_addresses_is_empty(cloud: Cloud) -> None:
    """The quota allows more than the network has: only the attempt tells, and it leaves nothing behind."""
    admin = connect("lab-admin")
    network = next(admin.network.networks(name="public"))
    taken = []
    try:
        for _ in range(20):
            try:
                taken.append(admin.network.create_ip(floating_network_id=network.id))
            except openstack.exceptions.HttpException:
                break
        assert len(taken) < 20
        cloud.refused(
            cloud.options(server("a")),
            f"No floating IP could be allocated for server {NAME}-a: No more IP addresses",
        )
    finally:
        for one in taken:
            admin.network.delete_ip(one)
