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
import tempfile
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Beside the interpreter of the tests, whatever comes first in PATH.
ANSIBLE = Path(sys.executable).with_name("ansible")
LOADED = Path(__file__).with_name("loaded_ansible.py")
# Runs keep what Ansible makes of modules.
CALLBACKS = str(ROOT / "tests/tools/callback")


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
            "ANSIBLE_CALLBACK_PLUGINS": CALLBACKS,
            # The ansible command has none by itself.
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "true",
        }
        self._loaded: subprocess.Popen[str] | None = None

    def argv(
        self, module: str, params: dict[str, t.Any], check: bool = False, host: str = "localhost"
    ) -> list[str]:
        argv = [str(ANSIBLE), host, "--module-name", f"galilean.hub.{module}", "--args", json.dumps(params)]
        return [*argv, "--diff", *(["--check"] if check else [])]

    def __call__(self, module: str, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
        return self.run(self.argv(module, params, check))

    def run(self, argv: list[str]) -> dict[str, t.Any]:
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            status = self._ask({"argv": argv, "files": [str(out), str(err)]})
            printed, complaint = out.read_text(), err.read_text()
        # Above the result stands the diff.
        _head, arrow, body = printed.rpartition(" => {")
        assert arrow, f"no result from {argv}, but {status}: {printed}{complaint}"
        result: dict[str, t.Any] = json.JSONDecoder().raw_decode("{" + body)[0]
        # The minimal output says this on the line before.
        return {"failed": status != 0, "printed": printed, **result}

    def _ask(self, call: dict[str, t.Any]) -> int:
        """The exit status of a call of the ansible command."""
        if self._loaded is None:
            self._loaded = subprocess.Popen(
                [sys.executable, str(LOADED)],
                env=self.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._loaded.stdin
        assert self._loaded.stdout
        print(json.dumps(call), file=self._loaded.stdin, flush=True)
        status = self._loaded.stdout.readline()
        assert status, "the ansible command ended with its call"
        return int(status)

    def close(self) -> None:
        if self._loaded:
            self._loaded.terminate()
            self._loaded.communicate()

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
    def kill(process: subprocess.Popen[bytes], late: bool = False) -> None:
        """Kill ansible and the module with it, but nothing that the module has started.

        late: it may have ended by itself, all but ansible's own last words.
        """
        # Each of ansible's workers, and so the module in it, has a session of its own (ansible-core 2.19).
        ps = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=False
        )
        workers = ps.stdout.split()
        assert workers or late, f"{process.args!r} has no worker any more"
        for group in (process.pid, *map(int, workers)):
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                if not late:
                    raise
        process.wait()


def inventory_of_another_host(folder: Path) -> str:
    """The option that names one, called far: it is this machine, by a connection that is not local."""
    inventory = folder / "hosts"
    connection = "ansible_connection=community.general.chroot ansible_host=/"
    inventory.write_text(f"far {connection} ansible_python_interpreter={sys.executable}\n")
    return f"--inventory={inventory}"


@dataclasses.dataclass
class Applied:
    """How a run of the role images ended: its status, what it said, in one line, and what it left."""

    status: int
    said: str
    refs: dict[str, t.Any]


def apply_images(folder: Path, settings: dict[str, t.Any] | None = None, *argv: str) -> Applied:
    """Run the role images on this machine, by default with the settings of an ordinary deployment."""
    answer, extra = folder / "refs.json", folder / "settings.json"
    # Whatever instance there is on this machine: images are for a new one.
    own = {"images_refs_file": str(answer), "images_instance": "modules"}
    extra.write_text(json.dumps({**own, **(settings or {})}))
    inventories = [f"--inventory={ROOT}/inventories/{name}" for name in ("common", "local")]
    playbook = [str(ANSIBLE) + "-playbook", *inventories, str(ROOT / "tests" / "tools" / "images.yml")]
    done = subprocess.run(
        [*playbook, f"--extra-vars=@{extra}", *argv],
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_CALLBACK_PLUGINS": CALLBACKS,
            "ANSIBLE_NOCOLOR": "true",
        },
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
    done = subprocess.run(["docker", *args], capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, f"{done.stderr.strip()} (docker {' '.join(args)})"
    return done.stdout.strip()
