# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The role as the tests apply it again, and the hosts that it was applied to."""

from __future__ import annotations

import json
import os
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml

SCENARIO = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"])
PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])


class Site:
    """The hosts of the scenario."""

    def __init__(self) -> None:
        hosts = yaml.safe_load((EPHEMERAL / "hosts.yml").read_text())["all"]["hosts"]
        self.containers = {name: host["ansible_host"] for name, host in hosts.items()}

    def do(self, host: str, command: str, check: bool = True) -> str:
        """What a shell command on a host says."""
        argv = ["docker", "exec", self.containers[host], "sh", "-c", command]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def apply(self, *argv: str, **settings: t.Any) -> str:
        """Run the role again; what Ansible says, its exit code, and the changes of each host."""
        command = [
            "ansible-playbook",
            "--extra-vars",
            json.dumps(settings),
            *argv,
            str(SCENARIO / "converge.yml"),
        ]
        command += [
            f"--inventory={folder}/inventory" for folder in (PROJECT / "molecule/resources", SCENARIO)
        ]
        environment = dict(os.environ, ANSIBLE_CONFIG=str(EPHEMERAL / "ansible.cfg"), ANSIBLE_FORCE_COLOR="0")
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        said = done.stdout + done.stderr
        changed = sorted(re.findall(r"^(\w+) +: .*changed=(\d+)", said, re.MULTILINE))
        # Ansible wraps long lines of errors.
        counts = " ".join(f"{name}={count}" for name, count in changed)
        return f"{' '.join(said.split())} rc={done.returncode} {counts}"


@pytest.fixture(scope="session")
def site() -> Site:
    return Site()


# Each file goes on with what the one before it has left.
ORDER = ["new_server", "mounted", "changes"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files in this order, after those that every scenario has."""
    places = {f"test_{name}": place for place, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.path.stem, -1))
