#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The number that the servers of a hub's users run as."""

from __future__ import annotations

import contextlib
import grp
import json
import os
import pwd
import stat
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli, EngineAway
from ansible_collections.galilean.hub.plugins.module_utils.homes import uid as plan
from ansible_collections.galilean.hub.plugins.module_utils.homes.archive import Box, check_image, homes
from ansible_collections.galilean.hub.plugins.module_utils.homes.plan import LABEL_INSTANCE, LABEL_ROLE

DOCUMENTATION = r"""
module: home_uid
short_description: Manage the UID of users' servers and homes
version_added: 0.6.0
author: galilean.hub contributors (@galilean)
description:
  - All users' servers run with one UID and GID, which owns homes and shared folders. It is V(77000) for a new instance, and the
    owner of the existing homes for an existing instance.
  - The module refuses the number of an account or group on the host, a number outside of V(65536) to V(99999), and a change while
    users' servers run. Instances of older versions keep V(1000).
  - It changes the owner of homes and shared folders entry by entry. Only entries of the old owner are changed, links are not
    followed, and the topmost folder is last. Therefore the next run completes an interrupted one.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  instance:
    description: Name of the hub's instance.
    type: str
    required: true
  state:
    description:
      - V(decided) only returns the number, and fails if no number is possible.
      - V(moved) changes the owner of homes and shared folders. If a change is needed, it first stops and removes the hub's
        container, so that no server starts meanwhile.
    type: str
    choices: [decided, moved]
    default: decided
  uid:
    description: Desired number. V(0) for the owner of the existing homes, or the default of a new instance.
    type: int
    default: 0
  state_dir:
    description: Folder of the instance. By default C(/srv/<instance>).
    type: path
  images:
    description:
      - Images of users' servers. The module fails if one of them runs with another number.
      - Missing images are ignored.
    type: list
    elements: str
    default: []
  image:
    description: Image with C(python3) for the change of owners. Required for V(moved).
    type: str
  hub_container:
    description: Name of the hub's container. By default C(<instance>-hub).
    type: str
  log:
    description: Progress file of V(moved). By default C(move.log) in O(state_dir).
    type: path
  timeout:
    description: Timeout for one home in seconds.
    type: int
    default: 14400
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
seealso:
  - module: galilean.hub.home_volume
"""

EXAMPLES = r"""
- name: Look as whom servers run
  galilean.hub.home_uid:
    instance: hub
  register: servers

- name: Give all homes to another number
  galilean.hub.home_uid:
    instance: hub
    state: moved
    uid: 77000
    image: galilean/hub:9e6cef771480
"""

RETURN = r"""
uid:
  description: UID and GID of users' servers.
  returned: success
  type: int
  sample: 77000
to_move:
  description: Names of volumes and paths of shared folders with another owner. After V(moved), those that were changed.
  returned: success
  type: list
  elements: str
  sample: [hub-home-anna, /srv/hub/shared/team]
entries:
  description: Number of files, folders and links whose owner was changed.
  returned: state is moved
  type: int
  sample: 73211
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    "instance": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["decided", "moved"], "default": "decided"},
    "uid": {"type": "int", "default": 0},
    "state_dir": {"type": "path"},
    "images": {"type": "list", "elements": "str", "default": []},
    "image": {"type": "str"},
    "hub_container": {"type": "str"},
    "log": {"type": "path"},
    "timeout": {"type": "int", "default": 14400},
    "docker_cli": {"type": "list", "elements": "str"},
}


def account(uid: int) -> str:
    """Who of this host has a number."""
    with contextlib.suppress(KeyError):
        return f"the account {pwd.getpwuid(uid).pw_name}"
    with contextlib.suppress(KeyError):
        return f"the group {grp.getgrgid(uid).gr_name}"
    return ""


def owner(path: str) -> int:
    """Whose a folder is; 0 for root's, as one that no server has used yet, and where there is none."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return 0
    except OSError as exc:
        # Never guess: another number would keep users out of their homes.
        raise HubError(f"{path} cannot be looked at ({exc.strerror}): run this as root.") from exc
    return found.st_uid if stat.S_ISDIR(found.st_mode) else 0


def image_uid(engine: DockerCli, ref: str) -> int | None:
    """As which number an image runs; None where it is not there."""
    said = engine.call("image", "inspect", ref, missing_ok=True)
    if said is None:
        return None
    config: dict[str, t.Any] = json.loads(said)[0].get("Config") or {}
    user = str(config.get("User") or "0").split(":")[0]
    label = str((config.get("Labels") or {}).get(plan.LABEL_UID) or "")
    if user == plan.ACCOUNT and label.isdecimal():
        return int(label)
    if not user.isdecimal():
        # One that was not made from ours: only its list of accounts knows.
        user = (
            engine.call(
                "run",
                "--rm",
                "--network=none",
                "--cap-drop=ALL",
                "--pull=never",
                "--entrypoint=id",
                ref,
                "-u",
            )
            or ""
        ).strip()
    if not user.isdecimal():
        raise HubError(f"The image {ref} does not say as which number it runs: give it a numeric USER.")
    return int(user)


class Job:
    """One call of the module."""

    def __init__(self, params: dict[str, t.Any], check_mode: bool) -> None:
        self.params = params
        self.check_mode = check_mode
        self.instance = str(params["instance"])
        self.state_dir = Path(params["state_dir"] or f"/srv/{self.instance}")
        self.engine = DockerCli(params["docker_cli"])
        # Where each home and each shared folder is.
        self.places = {volume.name: volume.mountpoint for volume in homes(self.engine, self.instance, {})}
        with contextlib.suppress(FileNotFoundError):
            self.places.update(
                {str(path): str(path) for path in sorted((self.state_dir / "shared").iterdir())}
            )
        self.owners = {name: uid for name, path in self.places.items() if (uid := owner(path))}
        self.found: dict[int, list[str]] = {}
        for name, uid in self.owners.items():
            self.found.setdefault(uid, []).append(name)
        self.uid = plan.decide(params["uid"], self.found, plan.recorded(self.state_dir), account)
        self.to_move = [name for name, uid in self.owners.items() if uid != self.uid]

    def refuse_running(self) -> None:
        """Stop where a user works in what is to change hands."""
        if self.to_move:
            labels = (f"{LABEL_INSTANCE}={self.instance}", f"{LABEL_ROLE}=user")
            argv = ("ps", "--format={{.Names}}", *(f"--filter=label={label}" for label in labels))
            plan.refuse_running(self.uid, self.found, (self.engine.call(*argv) or "").split())

    def decided(self) -> dict[str, t.Any]:
        self.refuse_running()
        for ref in self.params["images"]:
            uid = image_uid(self.engine, ref)
            if uid not in (None, self.uid):
                raise HubError(
                    f"The image {ref} runs as {uid}, and homes and shared folders belong to {self.uid}: build it with the build argument "
                    f"NB_UID={self.uid}, or give its number with {plan.SETTING}."
                )
        return {"changed": False, "uid": self.uid, "to_move": self.to_move}

    def moved(self) -> dict[str, t.Any]:
        if not self.to_move:
            return {"changed": False, "uid": self.uid, "to_move": [], "entries": 0}
        check_image(self.engine, self.params["image"])
        self.refuse_running()
        entries = 0 if self.check_mode else self.move()
        return {"changed": True, "uid": self.uid, "to_move": self.to_move, "entries": entries}

    def move(self) -> int:
        hub = self.params["hub_container"] or f"{self.instance}-hub"
        self.engine.call("stop", hub, missing_ok=True)
        try:
            # One that started just before.
            self.refuse_running()
        except HubError:
            self.engine.call("start", hub, missing_ok=True)
            raise
        # It would start servers of the old number, after a reboot as well, where this run does not come to its end.
        self.engine.remove_container(hub)
        box = Box(self.engine, self.params["image"], self.params["timeout"])
        entries = 0
        path = Path(self.params["log"] or self.state_dir / "move.log")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as log:
            for number, name in enumerate(self.to_move, 1):
                about = f"{number} of {len(self.to_move)}, {name}"

                def tell(count: int, about: str = about) -> None:
                    print(f"{about}: {count} entries", file=log, flush=True)

                entries += box.own(name, self.owners[name], self.uid, tell)
        return entries


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        required_if=[("state", "moved", ("image",))],
        supports_check_mode=True,
    )
    try:
        job = Job(module.params, module.check_mode)
        result = getattr(job, module.params["state"])()
    except EngineAway as exc:
        if not module.check_mode:
            module.fail_json(msg=exc.message, **exc.details)
        # A host that is not set up yet.
        result = {"changed": False, "uid": module.params["uid"] or plan.NEW, "to_move": [], "entries": 0}
    except HubError as exc:
        module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
