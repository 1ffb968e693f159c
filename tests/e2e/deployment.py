# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""An instance of its own, deployed as people do: an inventory in an empty folder, and ansible-playbook."""

from __future__ import annotations

import atexit
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from admin_service import service

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = Path(__file__).resolve().parent / ".artifacts"
# Every task of a run is bounded by itself; this only keeps a hang from taking all of CI's time.
TIME_LIMIT = 1500

HOSTS = """\
hubs:
  hosts:
    {instance}:
      ansible_connection: local
      ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"
"""


def collection_tree(archive: bool = False) -> Path:
    """A folder for Ansible's collections with this one in it, until the tests end.

    archive: built and installed as an institution installs it; otherwise a link to the checkout, in no time.
    """
    tree = Path(tempfile.mkdtemp(prefix="galilean-hub-e2e-"))
    atexit.register(shutil.rmtree, tree, ignore_errors=True)
    if not archive:
        namespace = tree / "ansible_collections" / "galilean"
        namespace.mkdir(parents=True)
        (namespace / "hub").symlink_to(ROOT, target_is_directory=True)
        return tree
    galaxy = [str(Path(sys.executable).parent / "ansible-galaxy"), "collection"]
    subprocess.run(
        [*galaxy, "build", "--output-path", str(tree)], cwd=ROOT, stdout=subprocess.DEVNULL, check=True
    )
    # What it depends on is there, from the ansible package.
    options = ["--offline", "--no-deps", "--force", "--collections-path", str(tree)]
    subprocess.run(
        [*galaxy, "install", *options, *map(str, tree.glob("galilean-hub-*.tar.gz"))],
        cwd=tree,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return tree


@dataclass(frozen=True)
class Outcome:
    """What one run of ansible-playbook came to."""

    code: int
    text: str
    seconds: float

    def count(self, word: str) -> int:
        """Return a number of the recap, summed over the hosts: changed, failed, ..."""
        return sum(int(number) for number in re.findall(rf"\b{word}=(\d+)", self.text))

    def flat(self) -> str:
        """Return the output as one line: Ansible folds long messages where it likes, and doubles quotes."""
        return " ".join(self.text.split()).replace("''", "'")

    def assert_done(self) -> Outcome:
        """Fail with the end of the output unless the run succeeded."""
        assert self.code == 0, f"ansible-playbook ended with {self.code}:\n{self.text[-6000:]}"
        return self

    def changed_tasks(self) -> list[str]:
        """Return the names of the tasks that changed something, in their order."""
        return re.findall(r"^TASK \[(.*?)\][^\n]*\n(?:(?!^TASK ).*\n)*?changed: ", self.text, re.MULTILINE)

    def assert_unchanged(self) -> Outcome:
        """Fail with the tasks that changed something."""
        self.assert_done()
        assert self.count("changed") == 0, f"these tasks changed something: {self.changed_tasks()}"
        return self


def docker(*words: str, check: bool = True) -> str:
    """Run the Docker client and return what it prints."""
    done = subprocess.run(
        as_root(["docker", *words]), capture_output=True, text=True, timeout=120, check=False
    )
    assert not check or done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()


def server_of(instance: str, user: str) -> str:
    """Return the id of the container of a user's server, whose name does not say whose it is."""
    labels = {"instance": instance, "role": "user", "user": user}
    return docker("ps", "--quiet", *(f"--filter=label=galilean.hub.{key}={labels[key]}" for key in labels))


def as_root(argv: list[str]) -> list[str]:
    """Return the command as root runs it; a developer's own account needs sudo for Docker and for secrets."""
    return argv if os.geteuid() == 0 else ["sudo", "-n", *argv]


class Deployment:
    """One instance on this machine: its inventory, and runs of playbooks on it."""

    def __init__(self, folder: Path, collections: Path, instance: str, port: int) -> None:
        # The instance belongs to the inventory with this name: the same one in the next session.
        self.folder = folder / instance
        self.instance = instance
        self.url = f"http://127.0.0.1:{port}"
        # Of a service that may use everybody's servers.
        self.token = secrets.token_hex(16)
        self._collections = collections
        self._settings: dict[str, t.Any] = {
            "jupyterhub_instance": instance,
            "edge_bind_address": "127.0.0.1",
            "edge_port": port,
            "jupyterhub_config_extra": service(self.token),
        }
        variables = self.folder / "group_vars" / "all"
        variables.mkdir(parents=True)
        (self.folder / "hosts.yml").write_text(HOSTS.format(instance=instance), encoding="utf-8")
        # All in one; tokens are among them.
        self._file = variables / "secrets.yml"
        self.set()

    def set(self, **settings: t.Any) -> None:
        """Write the settings file: those of the instance, and the ones given now."""
        together = {**self._settings, **settings}
        extra = "jupyterhub_config_extra"
        # Trait by trait: the instance's own has the service whose token the tests use.
        ours, given = self._settings[extra], settings.get(extra, {})
        together[extra] = {**ours, **{name: {**ours.get(name, {}), **own} for name, own in given.items()}}
        # JSON is YAML.
        self._file.write_text(json.dumps(together, indent=1), encoding="utf-8")

    def command(self, playbook: str, *options: str) -> tuple[list[str], dict[str, str]]:
        """Return the command line, and the environment of somebody with nothing but the collection."""
        program = str(Path(sys.executable).parent / "ansible-playbook")
        env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(self._collections),
            # Only saves time: runs keep what Ansible makes of modules.
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/tools/callback"),
            "ANSIBLE_NOCOLOR": "true",
            "LC_ALL": "C.UTF-8",
        }
        return [program, "-i", str(self.folder / "hosts.yml"), f"galilean.hub.{playbook}", *options], env

    def run(self, playbook: str, *options: str, name: str = "") -> Outcome:
        """Run a playbook of the collection by its full name and keep its output."""
        argv, env = self.command(playbook, *options)
        begin = time.monotonic()
        done = subprocess.run(
            argv, env=env, cwd=self.folder, capture_output=True, text=True, timeout=TIME_LIMIT, check=False
        )
        outcome = Outcome(done.returncode, done.stdout + done.stderr, time.monotonic() - begin)
        ARTIFACTS.mkdir(exist_ok=True)
        label = name or "-".join(
            [playbook, *(option.strip("-") for option in options if option.startswith("--"))]
        )
        (ARTIFACTS / f"{self.instance}-{label}.log").write_text(outcome.text, encoding="utf-8")
        return outcome

    def teardown(self, *options: str, data: bool = False) -> Outcome:
        """Remove the instance."""
        more = ["-e", "teardown_delete_data=true"] if data else []
        return self.run("teardown", "-e", f"teardown_confirm={self.instance}", *more, *options)

    def secret(self, name: str) -> str:
        """Return one of the instance's secrets on the host."""
        argv = as_root(["cat", f"/srv/{self.instance}/secrets/{name}"])
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    def container(self, part: str) -> str:
        return f"{self.instance}-{part}"

    def owned(self, kind: str) -> list[str]:
        """Return the names of what Docker has of the instance: container, network or volume."""
        shown = "{{.Names}}" if kind == "container" else "{{.Name}}"
        every = ["--all"] if kind == "container" else []
        label = f"label=galilean.hub.instance={self.instance}"
        return sorted(docker(kind, "ls", *every, "--filter", label, "--format", shown).split())

    def left(self) -> bool:
        """Tell whether anything of the instance is on this machine."""
        paths = [f"/srv/{self.instance}", f"/etc/systemd/system/{self.instance}.service"]
        return any(map(self.owned, ("container", "network", "volume"))) or any(map(os.path.lexists, paths))

    def state(self) -> dict[str, t.Any]:
        """Return what a finished run leaves, as far as two runs can be compared."""
        containers = {}
        for name in self.owned("container"):
            model = json.loads(docker("inspect", name))[0]
            mounts = sorted(
                f"{mount.get('Source')}:{mount['Destination']}:{mount['RW']}" for mount in model["Mounts"]
            )
            containers[name] = {
                "image": model["Config"]["Image"],
                "running": model["State"]["Running"],
                "mounts": mounts,
                "networks": sorted(model["NetworkSettings"]["Networks"]),
                "labels": model["Config"]["Labels"],
            }
        listing = subprocess.run(
            as_root(["find", f"/srv/{self.instance}", "-printf", "%p %y %m %u\n"]),
            capture_output=True,
            text=True,
            check=True,
        )
        # Hub, backups and audit write while they run, and releases are called by their time.
        own = tuple(
            f"/srv/{self.instance}/{folder}/" for folder in ("hub", "disk", "backup", "releases", "audit")
        )
        files = [line for line in listing.stdout.splitlines() if not line.startswith(own)]
        return {"containers": containers, "networks": self.owned("network"), "files": sorted(files)}


def wait_until(condition: t.Callable[[], bool], seconds: float, what: str) -> float:
    """Wait until the condition holds and return how long it took; a refused connection means not yet."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        try:
            if condition():
                return time.monotonic() - begin
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds:g} seconds")
