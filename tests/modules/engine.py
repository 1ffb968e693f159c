# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the collection's modules as a playbook would, against the real engine on this machine."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Beside the interpreter of the tests, whatever comes first in PATH.
ANSIBLE = Path(sys.executable).with_name("ansible")


class ModuleRunner:
    """Calls modules of the collection through the ansible command."""

    def __init__(self, collections: Path) -> None:
        # Nothing of the checkout's or the user's settings.
        config = collections / "ansible.cfg"
        config.write_text("[defaults]\n")
        self.env = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_CONFIG": str(config),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
        }

    def argv(
        self, module: str, params: dict[str, t.Any], check: bool = False, host: str = "localhost"
    ) -> list[str]:
        argv = [str(ANSIBLE), host, "--module-name", f"galilean.hub.{module}", "--args", json.dumps(params)]
        return [*argv, "--diff", *(["--check"] if check else [])]

    def __call__(self, module: str, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
        return self.run(self.argv(module, params, check))

    def run(self, argv: list[str]) -> dict[str, t.Any]:
        done = subprocess.run(argv, env=self.env, capture_output=True, text=True, check=False, timeout=900)
        # Above the result stands the diff.
        _head, arrow, body = done.stdout.rpartition(" => {")
        assert arrow, f"no result from {argv}: {done.stdout}{done.stderr}"
        result: dict[str, t.Any] = json.JSONDecoder().raw_decode("{" + body)[0]
        # The minimal output says this on the line before.
        return {"failed": done.returncode != 0, "printed": done.stdout, **result}

    def start(self, module: str, **params: t.Any) -> subprocess.Popen[bytes]:
        """Start a module in a session of its own, to be killed with ``kill``."""
        return subprocess.Popen(
            self.argv(module, params),
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @staticmethod
    def kill(process: subprocess.Popen[bytes]) -> None:
        """Kill ansible and the module with it, but nothing that the module has started."""
        # Each of ansible's workers, and so the module in it, has a session of its own (ansible-core 2.19).
        ps = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=False
        )
        workers = ps.stdout.split()
        assert workers, f"{process.args!r} has no worker any more"
        for group in (process.pid, *map(int, workers)):
            os.killpg(group, signal.SIGKILL)
        process.wait()


@dataclasses.dataclass
class Applied:
    """How a run of the role images ended: its status, what it said, in one line, and what it left."""

    status: int
    said: str
    refs: dict[str, t.Any]


def apply_images(folder: Path, settings: dict[str, t.Any] | None = None, *argv: str) -> Applied:
    """Run the role images on this machine, by default with the settings of an ordinary deployment."""
    answer, extra = folder / "refs.json", folder / "settings.json"
    extra.write_text(json.dumps({"images_refs_file": str(answer), **(settings or {})}))
    inventories = [f"--inventory={ROOT}/inventories/{name}" for name in ("common", "local")]
    playbook = [str(ANSIBLE) + "-playbook", *inventories, str(ROOT / "tests" / "tools" / "images.yml")]
    done = subprocess.run(
        [*playbook, f"--extra-vars=@{extra}", *argv],
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "true"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    refs = dict(json.loads(answer.read_text())) if answer.exists() else {}
    # Ansible wraps long lines of errors.
    return Applied(done.returncode, " ".join((done.stdout + done.stderr).split()), refs)


def docker(*args: str, check: bool = True) -> str:
    """The output of a docker command."""
    done = subprocess.run(["docker", *args], capture_output=True, text=True, check=check)
    return done.stdout.strip()
