# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The role as the tests apply it again, the hosts that it brought images to, and the registry."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import typing as t
from pathlib import Path

import pytest

SCENARIO = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"])
PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
CONTEXTS = EPHEMERAL / "contexts"
HOSTS = ("near", "far", "alone")


def run(*argv: str, check: bool = True) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout.strip()


class Machine:
    """One host after the last run: `refs` by name, `software`, and what the run found `missing`."""

    def __init__(self, name: str) -> None:
        self.name, self.host, self.prefix = name, "", ""
        self.refs: dict[str, str] = {}
        self.software: dict[str, str] = {}
        self.missing: dict[str, list[str]] = {}

    def do(self, *argv: str, check: bool = True) -> str:
        return run("docker", "exec", self.host, *argv, check=check)

    def docker(self, *argv: str, check: bool = True) -> str:
        return self.do("docker", *argv, check=check)

    def ids(self) -> dict[str, str]:
        """The images under the scenario's prefix."""
        rows = self.docker("image", "ls", "--no-trunc", "--format={{.Repository}}:{{.Tag}} {{.ID}}")
        return dict(t.cast("tuple[str, str]", tuple(row.split())) for row in rows.splitlines())

    def says(self, name: str, *command: str) -> str:
        return self.docker("run", "--rm", "--network=none", self.refs[name], *command)

    def transferred(self) -> list[str]:
        """What of archives lies on the host."""
        return self.do("find", "/var/cache/galilean-hub", "-mindepth", "1", check=False).split()


def descendants(process: int) -> list[int]:
    """A process and all that it started. Ansible gives its workers sessions of their own."""
    found = [process]
    rows = [row.split() for row in run("ps", "-e", "-o", "pid=,ppid=").splitlines()]
    for parent in found:
        found += [int(child) for child, of in rows if int(of) == parent]
    return found


class Delivery:
    """The hosts, this machine's engine as the controller's, and the registry."""

    def __init__(self) -> None:
        self.hosts = {name: Machine(name) for name in HOSTS}
        self.container = ""

    @property
    def prefix(self) -> str:
        return self.hosts["near"].prefix

    def ids(self) -> dict[str, str]:
        """The images that this machine has under the scenario's prefix."""
        layout = "--format={{.Repository}}:{{.Tag}} {{.ID}}"
        rows = run("docker", "image", "ls", "--no-trunc", layout, f"--filter=reference={self.prefix}/*")
        return dict(t.cast("tuple[str, str]", tuple(row.split())) for row in rows.splitlines())

    def archives(self) -> list[Path]:
        """What of archives lies on this machine."""
        folder = EPHEMERAL / "controller"
        return sorted(
            path
            for path in folder.rglob("*")
            if re.match(r"\d+-\d+", path.name) or path.suffix in (".gz", ".whole")
        )

    def command(self, *argv: str, **settings: t.Any) -> list[str]:
        command = [
            "ansible-playbook",
            "--extra-vars",
            json.dumps(settings),
            *argv,
            str(SCENARIO / "converge.yml"),
        ]
        return [
            *command,
            *(f"--inventory={folder}/inventory" for folder in (PROJECT / "molecule/resources", SCENARIO)),
        ]

    @property
    def environment(self) -> dict[str, str]:
        return dict(os.environ, ANSIBLE_CONFIG=str(EPHEMERAL / "ansible.cfg"), ANSIBLE_FORCE_COLOR="0")

    def apply(self, *argv: str, **settings: t.Any) -> str:
        """Run the role again; returns what Ansible says, with the changes of each host at the end."""
        done = subprocess.run(
            self.command(*argv, **settings), capture_output=True, text=True, check=False, env=self.environment
        )
        said = done.stdout + done.stderr
        for name, left in re.findall(r"LEFT (\w+) (\S+) LEFT", said):
            facts = json.loads(base64.b64decode(left))
            self.container = facts.pop("registry")
            self.hosts[name].__dict__.update(facts)
        changed = re.findall(r"^(\w+) +: .*changed=(\d+)", said, re.MULTILINE)
        counts = " ".join(f"{name}={count}" for name, count in sorted(changed) if name in HOSTS)
        # Ansible wraps long lines of errors.
        return f"{' '.join(said.split())} rc={done.returncode} {counts}"

    def registry(self, *argv: str, check: bool = True) -> str:
        return run("docker", "exec", self.container, *argv, check=check)

    def module(self, machine: str, name: str, **params: t.Any) -> str:
        """What one module says on a host of the inventory."""
        inventories = [argument for argument in self.command() if argument.startswith("--inventory=")]
        command = [
            "ansible",
            machine,
            f"--module-name=galilean.hub.{name}",
            f"--args={json.dumps(params)}",
            *inventories,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=self.environment)
        return " ".join((done.stdout + done.stderr).split())

    def requests(self) -> list[tuple[str, str, int]]:
        """What the registry was asked and did not refuse: method, path, and the bytes of the answer."""
        log = self.registry("cat", "/var/log/registry.log")
        found = re.findall(r'"([A-Z]+) (/v2/\S+) HTTP/[\d.]+" 2\d\d (\d+)', log)
        return [(method, path, int(size)) for method, path, size in found]


@pytest.fixture(scope="session")
def delivery() -> Delivery:
    """After a second run, in which there is nothing to do, however the images would come."""
    made = Delivery()
    way = "{{ 'registry' if inventory_hostname == 'near' else 'controller' }}"
    said = made.apply(images_delivery=way)
    assert said.endswith("rc=0 alone=0 far=0 near=0"), said
    return made


# Each file goes on with what the one before it has left.
ORDER = ["connection", "registry"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files in this order, after those that every scenario has."""
    places = {f"test_{name}": place for place, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.path.stem, -1))
