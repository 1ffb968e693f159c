#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A new release of a hub, tried on a copy of the database."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core import sqlite_copy
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.json_file import read_json
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli
from ansible_collections.galilean.hub.plugins.module_utils.hub import trial
from ansible_collections.galilean.hub.plugins.module_utils.hub.config_plan import parse, serialise
from ansible_collections.galilean.hub.plugins.module_utils.hub.releases import Releases, copy_folder

DOCUMENTATION = r"""
module: hub_trial
short_description: Start a new release of a hub on a copy of its database
version_added: 0.9.0
author: galilean.hub contributors (@galilean)
description:
  - Starts the hub that RV(ignore:next) describes beside the one that runs, on a copy of the database, with a broker, a proxy and a
    network of its own. So the migration of the database and the start are really tried.
  - Starts a server from each image of which it is not known whether it works with this JupyterHub, and runs code in it.
  - Users, their servers and their routes are not touched. Services with a command and the idle culler are not started.
  - Everything of the trial is removed at the end, also what a killed run has left. After a failure, logs and copy are kept.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  check_mode:
    support: none
  diff_mode:
    support: none
  idempotent:
    support: N/A
    details:
      - This module leaves nothing.
options:
  instance:
    description: Name of the hub's instance.
    type: str
    required: true
  folders:
    description: Paths of the instance, from P(galilean.hub.settings#lookup) for V(instance).
    type: dict
    required: true
  containers:
    description: The containers of the instance, as the role P(galilean.hub.jupyterhub#role) describes them.
    type: list
    elements: dict
    default: []
  images:
    description: References of the images by their names.
    type: dict
    default: {}
  user:
    description: UID and GID of the hub, with a colon between them.
    type: str
    default: '0:0'
  state:
    description: V(absent) only removes what a killed trial has left.
    type: str
    choices: [present, absent]
    default: present
  timeout:
    description: Timeout in seconds for the start of the hub, and for each server.
    type: int
    default: 120
  docker_cli:
    description: Docker client.
    type: str
    default: docker
seealso:
  - module: galilean.hub.hub_release
"""

EXAMPLES = r"""
- name: Try the new hub on a copy of the database
  galilean.hub.hub_trial:
    instance: hub
    folders: "{{ __jupyterhub_layout }}"
    containers: "{{ __jupyterhub_containers }}"
    images: "{{ images_refs }}"
    user: "995:995"
"""

RETURN = r"""
tried:
  description: Images from which a server was started.
  returned: success
  type: list
  elements: str
  sample: [galilean/notebook:2a134fc9516b]
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    "instance": {"type": "str", "required": True},
    "folders": {"type": "dict", "required": True},
    "containers": {"type": "list", "elements": "dict", "default": []},
    "images": {"type": "dict", "default": {}},
    "user": {"type": "str", "default": "0:0"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "timeout": {"type": "int", "default": 120},
    "docker_cli": {"type": "str", "default": "docker"},
}
# The login page is made with all that the authenticator says. No redirect is followed.
PROBE = """
import http.client
def ask(path):
    connection = http.client.HTTPConnection("127.0.0.1", 8081, timeout=20)
    connection.request("GET", path)
    return connection.getresponse().status
print(ask("{base}hub/login") if ask("{base}hub/health") == 200 else 0)
"""


class Trial:
    """One trial: its containers, and a folder that goes with them."""

    def __init__(self, params: dict[str, t.Any]) -> None:
        self.params, self.docker = params, DockerCli([params["docker_cli"]])
        self.name = trial.trial_name(params["instance"])
        self.releases = Releases(Path(params["folders"]["releases_dir"]))
        self.work = self.releases.root / ".trial"
        self.uid, self.gid = (int(number) for number in params["user"].split(":"))

    def remove(self) -> bool:
        """Remove all of it, by its label."""
        label = f"--filter=label=galilean.hub.instance={self.name}"
        found = False
        for kind, listed, removed in (
            ("container", ["ls", "--all"], ["rm", "--force", "--volumes"]),
            ("network", ["ls"], ["rm"]),
            ("volume", ["ls"], ["rm"]),
        ):
            names = (self.docker.call(kind, *listed, "--quiet", label) or "").split()
            if names:
                found = True
                self.docker.call(kind, *removed, *names, missing_ok=True)
        shutil.rmtree(self.work, ignore_errors=True)
        return found

    def folder(self, name: str, owner: int, mode: int) -> Path:
        path = self.work / name
        path.mkdir(exist_ok=True)
        os.chown(path, owner, self.gid)
        path.chmod(mode)
        return path

    def prepare(self, data: dict[str, t.Any], broker: int) -> dict[str, str]:
        """Make the folders of the trial; the instance's folder -> the trial's."""
        folders = self.params["folders"]
        self.work.mkdir(parents=True, mode=0o711)
        config, state = self.work / "config", self.work / "hub"
        copy_folder(Path(folders["config_dir"]), config)
        for name in ("config.json", "hooks.py"):
            staged = self.releases.next / name
            if staged.exists():
                shutil.copy2(staged, config / name)
            elif (config / name).exists():
                (config / name).unlink()
        (config / "config.json").write_text(serialise(data), encoding="utf-8")
        for path in (config / "config.json", config / "hooks.py"):
            if path.exists():
                os.chown(path, 0, self.gid)
                path.chmod(0o640)
        self.folder("hub", self.uid, 0o700)
        for source in Path(folders["hub_dir"]).iterdir():
            if source.is_file() and not source.is_symlink() and ".sqlite" not in source.name:
                shutil.copy2(source, state / source.name)
                os.chown(state / source.name, self.uid, self.gid)
        name = trial.database_name(data)
        if (Path(folders["hub_dir"]) / name).is_file():
            sqlite_copy.copy(Path(folders["hub_dir"]) / name, state / name)
        self.folder("broker", broker, 0o710)
        self.folder("disk", 0, 0o750)
        self.folder("disk/wanted", self.uid, 0o700)
        return {folders[f"{part}_dir"]: str(self.work / part) for part in ("config", "hub", "broker", "disk")}

    def network(self) -> dict[str, str]:
        """Make the network; the addresses of hub and proxy in it.

        Nothing gets out of it; the hub itself has the instance's own network to ask providers through.
        """
        create = ("network", "create", "--internal", f"--label=galilean.hub.instance={self.name}")
        self.docker.call(*create, self.name)
        # The engine finds a free one, and lets nobody choose addresses in what it has found itself.
        shown = self.docker.call(
            "network", "inspect", "--format={{(index .IPAM.Config 0).Subnet}}", self.name
        )
        subnet = (shown or "").strip()
        self.docker.call("network", "rm", self.name)
        self.docker.call(*create, f"--subnet={subnet}", self.name)
        return trial.addresses(subnet)

    def start(self, folders: dict[str, str], network: dict[str, str]) -> None:
        for part in self.params["containers"]:
            if part["role"] not in trial.PARTS:
                continue
            image = self.params["images"][part.get("image") or part["role"]]
            self.docker.call(
                *trial.run_argv(self.params["instance"], part, image, self.params["user"], folders, network)
            )
        self.docker.call("network", "connect", self.params["folders"]["core_network"], f"{self.name}-hub")

    def wait(self, base: str) -> None:
        """Return when the hub answers and shows its login; HubError with the reason when it does not."""
        hub = f"{self.name}-hub"
        end = time.monotonic() + self.params["timeout"]
        argv = [*self.docker.client, "exec", hub, "python3", "-c", PROBE.format(base=base)]
        said = ""
        while time.monotonic() < end:
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
            said = done.stdout.strip()
            if done.returncode == 0 and said not in ("", "0"):
                break
            state = (
                self.docker.call("container", "inspect", "--format={{.State.Running}}", hub) or ""
            ).strip()
            if state != "true":
                raise HubError(
                    f"the new hub does not start on a copy of the database: {trial.reason(self.docker.log(hub))}"
                )
            time.sleep(0.2)
        else:
            raise HubError(
                f"the new hub does not answer within {self.params['timeout']} s on a copy of the database"
            )
        if said >= "500":
            raise HubError(
                f"the login page of the new hub fails (HTTP {said}): {trial.reason(self.docker.log(hub))}"
            )

    def check(self, data: dict[str, t.Any], image: str, number: int, base: str) -> None:
        """Start a server from the image and run code in it, as the check of a hub does."""
        token = Path(self.params["folders"]["secrets_dir"], "check-token").read_text(encoding="utf-8").strip()
        request = {
            "url": f"http://{trial.PROXY}:8000{base.rstrip('/')}",
            "token": token,
            "validate_certs": True,
            "certificates": "",
            "settings": {
                "user": data.get("check_user", "hub-check"),
                "kernel": "python3",
                "code": "print(6 * 7)",
                "expect": "42",
                "timeout": self.params["timeout"],
                "answer_timeout": 30,
                "options": {"profile": str(number)},
            },
        }
        argv = [
            *("timeout", str(self.params["timeout"] + 60), *self.docker.client, "exec", "--interactive"),
            *(f"{self.name}-hub", "python3", "-m", "galilean_hub.check"),
        ]
        with subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin
            assert process.stdout
            assert process.stderr
            print(json.dumps(request), file=process.stdin, flush=True)
            line = process.stdout.readline()
            # It tidies up when it has nothing more to read.
            process.stdin.close()
            seen = json.loads(line or "{}")
            if "left" not in seen:
                said = str(seen.get("reason") or trial.reason(process.stderr.read())).rstrip(".")
                raise HubError(f"a server from the image {image} does not work with the new hub: {said}")

    def run(self) -> list[str]:
        folders = self.params["folders"]
        data = read_json(self.releases.next / "config.json")
        former = parse(Path(folders["config_dir"], "config.json").read_text(encoding="utf-8"))
        core = self.releases.record().get("images", {}).get("hub-core")
        images = trial.images_in_question(
            data, former, core is not None and core == self.params["images"].get("hub-core")
        )
        network = self.network()
        own = trial.trial_data(data, images, network)
        base = "/" + "/".join(own["traits"]["JupyterHub"]["public_url"].split("/")[3:])
        broker = next(int(one["user"]) for one in self.params["containers"] if one["role"] == "broker")
        self.start(self.prepare(own, broker), network)
        self.wait(base)
        for number, image in enumerate(images):
            self.check(own, image, number, base)
        return images

    def keep(self, why: str) -> str:
        """Keep what explains a failure; the folder."""
        kept = self.releases.failed()
        for part in trial.PARTS:
            self.releases.explain(kept, f"trial-{part}.log", self.docker.log(f"{self.name}-{part}"))
        self.releases.explain(kept, "reason.txt", f"{why}\n")
        for path in sorted(self.work.glob("hub/*.sqlite")):
            self.releases.move(path, kept / f"trial-{path.name}")
        return str(kept)


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC)
    try:
        one = Trial(module.params)
        changed = one.remove()
        if module.params["state"] == "absent":
            module.exit_json(changed=changed, tried=[])
        try:
            tried = one.run()
        except (HubError, sqlite_copy.SqliteError, OSError) as exc:
            said = str(exc).rstrip(".")
            kept = one.keep(said)
            said = f"Nothing was switched, because {said[:1].lower() + said[1:]}. Logs and the copy of the database are in {kept}."
            module.fail_json(msg=said, kept=kept)
        finally:
            one.remove()
    except HubError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=False, tried=tried)


if __name__ == "__main__":
    main()
