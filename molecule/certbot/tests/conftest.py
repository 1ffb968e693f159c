# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The public hub as the tests reach it: by its name, its host's shell, and further runs."""

from __future__ import annotations

import base64
import json
import os
import shlex
import socket
import ssl
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.plugins.loader import init_plugin_loader
from testinfra.host import Host

SCENARIO = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"])
PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
MACHINE = yaml.safe_load((EPHEMERAL / "hosts.yml").read_text())["all"]["hosts"]["bookworm"]["ansible_host"]
NAME = "hub.example.test"
PROGRAM = "/data/hubs/hub/bin/certificate"
CERTBOT = (
    "REQUESTS_CA_BUNDLE=/data/hubs/hub/certbot/ca.pem certbot {} --config /data/hubs/hub/certbot/cli.ini"
)
LOCAL_ROOT = "/data/hubs/hub/certificate/ca.crt"

# A person is the same here as in the end-to-end tests.
sys.path.insert(0, str(PROJECT / "tests/e2e"))
init_plugin_loader([os.environ["ANSIBLE_COLLECTIONS_PATH"]])


class Served(t.NamedTuple):
    """What is shown to a browser: serial number, whether the chain leads to a trusted root, names."""

    serial: str
    names: set[str]


class Site:
    """The instance `hub` on the test's host, known to the world as hub.example.test."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.address = subprocess.run(
            ["docker", "inspect", "--format", "{{.NetworkSettings.IPAddress}}", MACHINE],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        self.url = f"https://{NAME}"

    def sh(self, command: str) -> str:
        run = self.host.run(command)
        assert run.succeeded, f"{command}: {run.stdout}{run.stderr}"
        return str(run.stdout).strip()

    def certificate(self, *arguments: str, works: bool = True) -> dict[str, t.Any]:
        """Call the program on the host; its answer, with what it complains about."""
        run = self.host.run(shlex.join([PROGRAM, *arguments]))
        assert run.succeeded == works, run.stdout + run.stderr
        answer = json.loads(run.stdout)
        return {**answer, "complaint": run.stderr.strip()}

    def force(self) -> None:
        """Renew as a person would who does not want to wait for a month."""
        assert self.certificate("issue", "--force")["changed"]

    def root(self) -> str:
        """File with the authority's present root."""
        text = self.sh("curl --silent --fail --cacert /etc/pebble.crt https://127.0.0.1:15000/roots/0")
        file = EPHEMERAL / "root.crt"
        file.write_text(text + "\n")
        return str(file)

    def local_root(self) -> str:
        """File with the root of the instance's own authority."""
        file = EPHEMERAL / "local-root.crt"
        file.write_text(self.sh(f"cat {LOCAL_ROOT}") + "\n")
        return str(file)

    def served(self, root: str, name: str = NAME) -> Served:
        """What a browser sees that trusts this root; fails as the browser would."""
        context = ssl.create_default_context(cafile=root)
        with (
            socket.create_connection((self.address, 443), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=name) as wrapped,
        ):
            shown = t.cast("dict[str, t.Any]", wrapped.getpeercert())
        return Served(shown["serialNumber"].lower(), {value for _kind, value in shown["subjectAltName"]})

    def pebble(self, **changes: object) -> None:
        """Start the authority anew with other settings: it forgets accounts and has another root."""
        settings = json.loads((SCENARIO / "files/pebble.json").read_text())
        settings["pebble"].update(changes)
        text = base64.b64encode(json.dumps(settings).encode()).decode()
        self.sh(f"echo {text} | base64 -d >/etc/pebble.json; systemctl restart pebble")
        self.sh(
            "for i in $(seq 50); do curl -s --cacert /etc/pebble.crt https://127.0.0.1:14000/dir >/dev/null"
            " && exit; sleep 0.2; done; exit 1"
        )

    def play(self, playbook: Path, *argv: str, **settings: object) -> str:
        """Run a playbook; what Ansible says, in one line."""
        command = ["ansible-playbook", "--extra-vars", json.dumps(settings), *argv, str(playbook)]
        command += [
            f"--inventory={folder}/inventory" for folder in (PROJECT / "molecule/resources", SCENARIO)
        ]
        environment = dict(os.environ, ANSIBLE_CONFIG=str(EPHEMERAL / "ansible.cfg"), ANSIBLE_FORCE_COLOR="0")
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        # Ansible wraps long lines of errors.
        return " ".join((done.stdout + done.stderr).split()) + f" rc={done.returncode}"

    def converge(self, *argv: str, **settings: object) -> str:
        """Run edge and certbot again with other settings."""
        return self.play(SCENARIO / "converge.yml", "--tags", "certbot", *argv, **settings)

    def certbot(self, *argv: str, **settings: object) -> str:
        """Run certbot again with other settings, where they are none of the edge's: a third of the time."""
        return self.converge("--skip-tags", "edge", *argv, **settings)

    def record(self, name: str, address: str) -> None:
        """Have a name lead somewhere else."""
        lines = f"server 127.0.0.1\nupdate delete {name} A\nupdate add {name} 1 A {address}\nsend\n"
        key = "hmac-sha256:certbot:Z2FsaWxlYW4taHViLXRlc3Qta2V5LW5vLXNlY3JldCE="
        self.sh(f"printf {shlex.quote(lines)} | nsupdate -y {key}")


@pytest.fixture(scope="session")
def site() -> Site:
    import testinfra

    found = Site(testinfra.get_host(f"docker://{MACHINE}"))
    real = socket.getaddrinfo

    def ask(host: t.Any, *rest: t.Any, **more: t.Any) -> t.Any:
        # The only name server that knows it is on the test's host.
        return real(found.address if host == NAME else host, *rest, **more)

    socket.getaddrinfo = ask
    return found


def wait_until(check: t.Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s"
        time.sleep(0.2)


# Each file goes on with what the one before it has left.
ORDER = ["first_certificate", "renewal", "failures", "modes", "browser"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files in this order, after those that every scenario has."""
    places = {f"test_{name}": place for place, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.path.stem, -1))
