# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The deployed hub, as the tests reach it: by its address, its host's shell, and further runs."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from testinfra.host import Host

SCENARIO = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"])
PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
# The container that is the host, in this machine's engine.
MACHINE = yaml.safe_load((EPHEMERAL / "hosts.yml").read_text())["all"]["hosts"]["bookworm"]["ansible_host"]

# Says of every "address:port" how an attempt to connect ends.
PROBE = """
import json, socket, sys
def probe(target):
    address, port = target.rsplit(":", 1)
    try:
        socket.create_connection((address, int(port)), 1).close()
    except OSError as exc:
        return type(exc).__name__
    return "open"
print(json.dumps({target: probe(target) for target in sys.argv[1:]}))
"""


class Hub:
    """The instance `hub` on the test's host."""

    containers = ("hub-edge", "hub-proxy", "hub-hub", "hub-disk", "hub-broker")

    def __init__(self, host: Host) -> None:
        self.host = host

    def sh(self, command: str) -> str:
        run = self.host.run(command)
        assert run.succeeded, f"{command}: {run.stdout}{run.stderr}"
        return str(run.stdout).strip()

    def inspect(self, container: str, template: str) -> str:
        return self.sh(f"docker inspect --format '{template}' {container}")

    def running(self) -> set[str]:
        return set(self.sh("docker ps --format '{{.Names}}'").split())

    def started(self, container: str) -> str:
        return self.inspect(container, "{{.Id}} {{.State.StartedAt}}")

    def address(self, container: str, network: str = "hub-users") -> str:
        return self.inspect(container, f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}')

    def talk(self, *words: str) -> t.Any:
        return json.loads(self.sh(shlex.join(["python3", "/root/talk.py", *words])))

    def api(self, method: str, path: str) -> tuple[int, t.Any]:
        answer = self.talk("api", method, f"/hub/api{path}")
        return answer["status"], json.loads(answer["body"] or "null")

    def wait(self, path: str = "/hub/api/info", seconds: int = 60) -> float:
        """Seconds until the path answers 200."""
        return float(self.talk("wait", path, str(seconds)))

    def start_server(self, name: str) -> str:
        """Start a user's server; returns the name of its container."""
        assert self.api("POST", f"/users/{name}")[0] in (201, 409)
        deadline = time.monotonic() + 120
        # Asked again while an earlier one is on its way out: the hub notices late after a reboot.
        while (asked := self.api("POST", f"/users/{name}/server"))[0] in (201, 202, 400):
            answer = self.talk("api", "GET", f"/user/{name}/api/status")
            if answer["status"] == 200:
                labels = {"instance": "hub", "role": "user", "user": name}
                filters = " ".join(f"--filter label=galilean.hub.{key}={labels[key]}" for key in labels)
                return self.sh(f"docker ps --format '{{{{.Names}}}}' {filters}")
            assert time.monotonic() < deadline, f"{name}'s server answers {answer}, the hub {asked}"
            time.sleep(0.5)
        raise AssertionError(f"the hub answers {asked} to a start of {name}'s server")

    def probe(self, container: str, *targets: str) -> dict[str, str]:
        """How attempts of a container to connect end; from the host itself where it is empty."""
        inside = ["docker", "exec", container] if container else []
        answer: dict[str, str] = json.loads(self.sh(shlex.join([*inside, "python3", "-c", PROBE, *targets])))
        return answer

    def play(self, playbook: Path, *argv: str, **settings: t.Any) -> str:
        """Run a playbook on the host; returns what Ansible says, with its exit code at the end."""
        command = ["ansible-playbook", "--extra-vars", json.dumps(settings), *argv, str(playbook)]
        command += [
            f"--inventory={folder}/inventory" for folder in (PROJECT / "molecule/resources", SCENARIO)
        ]
        environment = dict(os.environ, ANSIBLE_CONFIG=str(EPHEMERAL / "ansible.cfg"), ANSIBLE_FORCE_COLOR="0")
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        # Ansible wraps long lines of errors.
        return f"{' '.join((done.stdout + done.stderr).split())} rc={done.returncode}"

    def reboot(self) -> None:
        """Switch the host off, as its systemd wants to be, and on again."""
        subprocess.run(["docker", "restart", "--time=90", MACHINE], check=True, capture_output=True)
        for _ in range(120):
            state = self.host.run("systemctl is-system-running").stdout.strip()
            if state in ("running", "degraded"):
                return
            time.sleep(0.5)
        raise AssertionError(f"the host is {state!r} after a minute")


@pytest.fixture(scope="module")
def hub(host: Host) -> Hub:
    return Hub(host)


@pytest.fixture(scope="module")
def alice(hub: Hub) -> str:
    """Her server, started if it does not run."""
    return hub.start_server("alice")


# Each file goes on with what the one before it has left.
ORDER = ["deployed", "isolation", "restarts"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files in this order, after those that every scenario has."""
    places = {f"test_{name}": place for place, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.path.stem, -1))
