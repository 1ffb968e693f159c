# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""An engine of a test's own, in a container of this machine's, for what must not touch anything else."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from engine import ROOT, ModuleRunner, docker

# With capabilities instead of --privileged, which needs one that small machines do not have.
OPTIONS = [
    "--network=none",
    "--cap-add=ALL",
    "--cap-drop=SYS_RESOURCE",
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
    "--security-opt=systempaths=unconfined",
    "--device-cgroup-rule=a *:* rwm",
    "--cgroupns=host",
    "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw",
    "--tmpfs=/run",
    "--tmpfs=/run/lock",
    "--tmpfs=/tmp:exec",
    # Without a name: removed with the container.
    "--volume=/var/lib/docker",
    "--stop-signal=SIGRTMIN+3",
]


class InnerEngine:
    """A small server with an engine, and modules that run on it."""

    def __init__(self, name: str, run: ModuleRunner, folder: Path) -> None:
        self.name, self._run = name, run
        argv = [sys.executable, str(ROOT / "molecule/resources/host_image.py"), "bookworm", "docker"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        docker("run", "--detach", f"--name={name}", *OPTIONS, done.stdout.strip(), "/sbin/init")
        self._inventory = folder / "hosts"
        self._inventory.write_text(
            f"{name} ansible_connection=community.docker.docker ansible_python_interpreter=/usr/bin/python3\n"
        )
        deadline = time.monotonic() + 60
        while not docker("exec", name, "docker", "info", "--format={{.ID}}", check=False):
            assert time.monotonic() < deadline, docker(
                "exec", name, "journalctl", "-u", "docker", check=False
            )
            time.sleep(0.5)

    def __call__(self, module: str, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
        argv = self._run.argv(module, params, check, host=self.name)
        return self._run.run([*argv, f"--inventory={self._inventory}"])

    def docker(self, *argv: str) -> str:
        return docker("exec", self.name, "docker", *argv)

    def shell(self, script: str) -> str:
        return docker("exec", self.name, "sh", "-ec", script)

    def inspect(self, *argv: str) -> t.Any:
        return json.loads(self.docker(*argv))

    def remove(self) -> None:
        docker("rm", "--force", "--volumes", self.name, check=False)
