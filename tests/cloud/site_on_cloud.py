# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The deployment of inventories/lab: runs of playbooks on it, and what project and server have of it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import openstack
import yaml
from admin_service import service
from deployment import Outcome

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = Path(__file__).resolve().parent / ".artifacts"
LAB = Path(os.environ.get("LAB_STATE") or ROOT / ".cache" / "lab")
INVENTORY = ROOT / "inventories" / "lab"
HOST, DEPLOYMENT = "lab-hub", "lab"
# Guests are slow where the processor does not help.
TIME_LIMIT = 4800
KINDS = ("servers", "volumes", "floating IPs", "ports", "networks", "routers", "security groups", "key pairs")


def environment(**more: str) -> dict[str, str]:
    """That of somebody who has read docs/lab.md."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "OS_"))}
    return {
        **kept,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "true",
        "LC_ALL": "C.UTF-8",
        "OS_CLIENT_CONFIG_FILE": str(LAB / "clouds.yaml"),
        **more,
    }


def connect(cloud: str = "lab") -> t.Any:
    """A login of the lab, to look at its projects from outside."""
    clouds = openstack.config.OpenStackConfig(config_files=[str(LAB / "clouds.yaml")])
    return openstack.connection.Connection(config=clouds.get_one(cloud))


def contents(conn: t.Any) -> dict[str, list[str]]:
    """The names of all that a project has, by kind."""
    project = {"project_id": conn.current_project_id}
    found: dict[str, t.Iterable[str]] = {
        "servers": (one.name for one in conn.compute.servers()),
        "volumes": (one.name for one in conn.block_storage.volumes()),
        "floating IPs": (one.floating_ip_address for one in conn.network.ips(**project)),
        # Those of routers and of DHCP come and go with these.
        "ports": (
            one.name for one in conn.network.ports(**project) if not one.device_owner.startswith("network:")
        ),
        "networks": (one.name for one in conn.network.networks(**project)),
        "routers": (one.name for one in conn.network.routers(**project)),
        "security groups": (
            one.name for one in conn.network.security_groups(**project) if one.name != "default"
        ),
        "key pairs": (one.name for one in conn.compute.keypairs()),
    }
    return {kind: sorted(names) for kind, names in found.items()}


class SiteOnCloud:
    """One deployment on the lab."""

    def __init__(self) -> None:
        self.conn = connect()
        self.seconds: dict[str, float] = {}
        # Of a service that may use everybody's servers.
        self.token = secrets.token_hex(16)
        # Beside those of the inventory.
        self.settings: dict[str, t.Any] = {"jupyterhub_config_extra": service(self.token)}

    def command(self, playbook: str, *options: str) -> list[str]:
        program = str(Path(sys.executable).parent / "ansible-playbook")
        inventories = ["-i", str(ROOT / "inventories" / "common"), "-i", str(INVENTORY)]
        more = ["-e", json.dumps(self.settings)]
        return [program, *inventories, str(ROOT / "playbooks" / f"{playbook}.yml"), *more, *options]

    def run(self, playbook: str, *options: str, name: str = "", **env: str) -> Outcome:
        """Run a playbook as the docs say, and keep its output and how long it took."""
        begin = time.monotonic()
        done = subprocess.run(
            self.command(playbook, *options),
            env=environment(**env),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT,
            check=False,
        )
        outcome = Outcome(done.returncode, done.stdout + done.stderr, time.monotonic() - begin)
        label = name or playbook
        ARTIFACTS.mkdir(exist_ok=True)
        (ARTIFACTS / f"{label}.log").write_text(outcome.text, encoding="utf-8")
        self.note(label, outcome.seconds)
        return outcome

    def note(self, what: str, seconds: float) -> None:
        """Keep how long something took."""
        self.seconds[what] = round(seconds, 1)
        (ARTIFACTS / "seconds.json").write_text(json.dumps(self.seconds, indent=1) + "\n", encoding="utf-8")

    def remove_all(self) -> Outcome:
        """Remove the deployment with its data; there may be nothing of it."""
        more = ["-e", "teardown_delete_data=true", "-e", "teardown_release_addresses=true"]
        return self.run("teardown", "-e", f"teardown_confirm={DEPLOYMENT}", *more, name="remove-all")

    def known(self) -> dict[str, t.Any]:
        """What ansible-inventory says of the host, with no cloud in reach."""
        program = str(Path(sys.executable).parent / "ansible-inventory")
        argv = [program, "-i", str(ROOT / "inventories" / "common"), "-i", str(INVENTORY), "--host", HOST]
        env = environment(OS_CLIENT_CONFIG_FILE="/nowhere")
        done = subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, text=True, check=True)
        found: dict[str, t.Any] = json.loads(done.stdout)
        return found

    @property
    def address(self) -> str:
        """The server's address, as provisioning has written it."""
        hosts = yaml.safe_load((INVENTORY / "openstack_hosts.yml").read_text())["all"]["hosts"]
        return str(hosts[HOST]["ansible_host"])

    @property
    def url(self) -> str:
        return f"https://{self.address}"

    def ssh(self, command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command on the server, trusting what was pinned and nothing else."""
        options = {
            "UserKnownHostsFile": LAB / "known_hosts",
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": "20",
            "ControlPath": "none",
        }
        words = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        argv = ["ssh", "-i", str(LAB / "id_ed25519"), *words, f"debian@{self.address}", command]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
        assert not check or done.returncode == 0, f"{command!r} on the server: {done.stderr}"
        return done

    def secret(self, name: str) -> str:
        """One of the instance's secrets."""
        return self.ssh(f"sudo cat /srv/hub/secrets/{name}").stdout.strip()

    def server_id(self) -> str:
        return str(next(one.id for one in self.conn.compute.servers() if one.name == HOST))
