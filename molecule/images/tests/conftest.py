# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The role as the tests apply it again, and what it has left in the engine."""

from __future__ import annotations

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


class Images:
    """What the last run left: `refs` by name, `software`, and `missing`, which is what it found to build."""

    def __init__(self) -> None:
        self.refs: dict[str, str] = {}
        self.software: dict[str, str] = {}
        self.missing: dict[str, list[str]] = {}
        self.prefix = ""
        self.read()

    def read(self) -> None:
        self.__dict__.update(json.loads((EPHEMERAL / "left.json").read_text()))

    @property
    def container(self) -> str:
        return f"{self.prefix}-user"

    @property
    def volumes(self) -> set[str]:
        return set(self.docker("volume", "ls", "--quiet", f"--filter=name=^{self.prefix}-").split())

    def docker(self, *argv: str, check: bool = True) -> str:
        done = subprocess.run(["docker", *argv], capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout

    def inspect(self, name: str, template: str) -> str:
        return self.docker("image", "inspect", f"--format={template}", self.refs[name]).strip()

    def in_image(self, name: str, *command: str) -> str:
        return self.docker("run", "--rm", "--network=none", self.refs[name], *command)

    def volume_mount(self) -> str:
        """As the hub mounts it into the servers of users."""
        return f"{self.software['volume']}:{self.software['path']}:ro,nocopy"

    def in_volume(self, *command: str, user: str = "1000:1000") -> subprocess.CompletedProcess[str]:
        """Run something where users see the software: in an image of another kind, with the volume in it."""
        options = [f"--user={user}", f"--volume={self.volume_mount()}", self.refs["one"]]
        argv = ["docker", "run", "--rm", *options, *command]
        return subprocess.run(argv, capture_output=True, text=True, check=False)

    def apply(self, *argv: str, playbook: str = "converge.yml", **settings: t.Any) -> str:
        """Run the role again; returns what Ansible says, with its exit code and changes at the end."""
        command = ["ansible-playbook", "--extra-vars", json.dumps(settings), *argv, str(SCENARIO / playbook)]
        command += [
            f"--inventory={folder}/inventory" for folder in (PROJECT / "molecule/resources", SCENARIO)
        ]
        environment = dict(os.environ, ANSIBLE_CONFIG=str(EPHEMERAL / "ansible.cfg"), ANSIBLE_FORCE_COLOR="0")
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        self.read()
        said = done.stdout + done.stderr
        changed = re.search(r"^images +: .*changed=(\d+)", said, re.MULTILINE)
        # Ansible wraps long lines of errors.
        return f"{' '.join(said.split())} rc={done.returncode} changed={changed[1] if changed else '?'}"


@pytest.fixture(scope="session")
def images() -> Images:
    return Images()


# Each file goes on with what the one before it has left.
ORDER = ["built", "changes", "keep", "software", "removal"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files in this order, after those that every scenario has."""
    places = {f"test_{name}": place for place, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.path.stem, -1))
