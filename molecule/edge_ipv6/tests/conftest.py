# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hosts, and somebody who comes to them from their network."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

SCENARIO = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"])
PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
HOSTS = yaml.safe_load((EPHEMERAL / "hosts.yml").read_text())["all"]["hosts"]


def docker(*argv: str) -> str:
    done = subprocess.run(["docker", *argv], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def network_of(container: str) -> dict[str, t.Any]:
    said = docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", container)
    ((name, found),) = json.loads(said).items()
    return {"Name": name, **found}


@dataclasses.dataclass
class Machine:
    """A host, or the client: a container of this machine with an address of each kind."""

    name: str
    container: str

    def __post_init__(self) -> None:
        self.network = network_of(self.container)
        self.ipv4 = self.network["IPAddress"]
        self.ipv6 = self.network["GlobalIPv6Address"]

    def run(self, command: str) -> str:
        return docker("exec", self.container, "sh", "-c", command)

    def observe(self, *addresses: str) -> list[dict[str, t.Any]]:
        said = docker("exec", self.container, "python3", "/client.py", *addresses)
        return [json.loads(line) for line in said.splitlines()]


@pytest.fixture(scope="session", params=HOSTS)
def server(request: pytest.FixtureRequest) -> Machine:
    return Machine(request.param, HOSTS[request.param]["ansible_host"])


@pytest.fixture(scope="session")
def client() -> Iterator[Machine]:
    image = docker("inspect", "--format", "{{.Config.Image}}", HOSTS["bookworm"]["ansible_host"])
    network = network_of(HOSTS["bookworm"]["ansible_host"])["Name"]
    name = docker(
        *("run", "--detach", "--rm", "--network", network, "--cap-add", "NET_ADMIN"),
        *("--volume", f"{SCENARIO}/files/client.py:/client.py:ro", image, "sleep", "infinity"),
    )
    yield Machine("client", name)
    docker("rm", "--force", name)


def converge(server: Machine, *argv: str, **settings: object) -> str:
    """Apply the roles to one host again with other settings; returns what Ansible says."""
    command = ["ansible-playbook", f"--limit={server.name}", "--extra-vars", json.dumps(settings)]
    command += [f"--inventory={folder}/inventory" for folder in (PROJECT / "molecule/resources", SCENARIO)]
    environment = dict(os.environ, ANSIBLE_CONFIG=str(EPHEMERAL / "ansible.cfg"), ANSIBLE_FORCE_COLOR="0")
    command += [*argv, str(SCENARIO / "converge.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    # Ansible wraps long lines of errors.
    return " ".join((done.stdout + done.stderr).split()) + f" rc={done.returncode}"
