#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Homes of users from other systems."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.atomic_file import replace_file
from ansible_collections.galilean.hub.plugins.module_utils.core.commands import locked
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli
from ansible_collections.galilean.hub.plugins.module_utils.homes import plan, sources, transfer
from ansible_collections.galilean.hub.plugins.module_utils.homes.archive import check_image, homes
from ansible_collections.galilean.hub.plugins.module_utils.homes.limits import limit_of, read_limits
from ansible_collections.galilean.hub.plugins.module_utils.homes.names_table import names_of
from ansible_collections.galilean.hub.plugins.module_utils.homes.owners import read_owners
from ansible_collections.galilean.hub.plugins.module_utils.homes.uid import recorded
from ansible_collections.galilean.hub.plugins.module_utils.shared.home_owners import made_for

DOCUMENTATION = r"""
module: home_migration
short_description: Copy homes from other systems into the homes of a hub
version_added: 0.9.0
author: galilean.hub contributors (@galilean)
description:
  - Copies the files of users from The Littlest JupyterHub, jupyterhub-deploy-docker, containers of Jukebox, or a tree of folders, into the
    home volumes of a hub, with C(rsync). The files get the number that users' servers run as.
  - All names are checked first. If one of them leads to no user, nothing is copied.
  - It can run again and again, while users still work in the other system. It copies what is new there. A file that was changed in the new
    home is never replaced. It is in RV(homes) as C(changed_in_both) if the other system has a different one.
  - Homes of users whose server runs, and homes that would be larger than their limit, are left out and named.
requirements:
  - C(rsync) and C(bwrap) on the host, and C(rsync) on the host with the other system.
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
  source:
    description:
      - V(tljh), folders V(/home/jupyter-*) of The Littlest JupyterHub.
      - V(deploy_docker), volumes V(jupyterhub-user-*) of jupyterhub-deploy-docker.
      - V(jukebox), containers V(jupyter-*) with the files in their writable layer (overlay2).
      - V(folders), a folder for each user in O(root), such as a mounted NFS export.
    type: str
    choices: [tljh, deploy_docker, jukebox, folders]
    required: true
  root:
    description:
      - Folder with the homes. For V(jukebox) the path of the home in the container. Required for V(folders).
      - By default V(/home), for V(jukebox) V(/home/jovyan).
    type: path
  prefix:
    description: What the names of the homes begin with, if it is not the usual one of O(source).
    type: str
  into:
    description: Folder of the new home for the files. By default V(work) for V(deploy_docker), which had its volumes there, otherwise the home.
    type: str
  names:
    description: Users by the names of the other system, with or without O(prefix). An empty user leaves the home out.
    type: dict
    default: {}
  names_table:
    description: The same as a table with the columns C(old) and C(new), encoded in Base64. Names in O(names) come first.
    type: str
  users:
    description: Users whose homes are copied, by their names in the hub. By default all.
    type: list
    elements: str
    default: []
  known:
    description: Names of all users that the hub has or lists.
    type: list
    elements: str
    default: []
  unlisted:
    description: Whether to copy homes of users who are not in O(known).
    type: bool
    default: false
  over_limit:
    description: Whether to copy homes that are larger than their limit.
    type: bool
    default: false
  host:
    description: Host with the other system, as V(user@host), where C(ssh) leads to. A user other than root needs C(sudo) without a password.
    type: str
  ssh_key:
    description: Private key for O(host).
    type: str
  known_hosts:
    description: Line of C(known_hosts) with the host key of O(host).
    type: str
  state_dir:
    description: Folder of the instance. By default C(/srv/<instance>).
    type: path
  home_prefix:
    description: What names of home volumes begin with. By default C(<instance>-home).
    type: str
  image:
    description: Image of the hub, which names the volumes.
    type: str
    required: true
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
seealso:
  - module: galilean.hub.home_volume
"""

EXAMPLES = r"""
- name: Copy all homes of The Littlest JupyterHub from another host
  galilean.hub.home_migration:
    instance: hub
    source: tljh
    host: root@old.example.org
    ssh_key: "{{ migrate_ssh_key }}"
    known_hosts: old.example.org ssh-ed25519 AAAA...
    unlisted: true
    image: galilean/hub:9e6cef771480
"""

RETURN = r"""
homes:
  description: What was copied for each user, or would be in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    user:
      description: Name of the user in the hub.
      type: str
    source:
      description: Name in the other system.
      type: str
    volume:
      description: Volume of the home.
      type: str
    files:
      description: Number of files.
      type: int
    bytes:
      description: Size of these files.
      type: int
    seconds:
      description: Duration.
      type: float
    changed_in_both:
      description: Files that differ, and stay as they are in the new home.
      type: list
      elements: str
    skipped:
      description: Why nothing was copied, empty if it was.
      type: str
    problem:
      description: Error that ended the copy, empty for none.
      type: str
  sample: [{user: anna, source: jupyter-anna, volume: hub-home-anna, files: 211, bytes: 1048576, seconds: 0.4, changed_in_both: [], skipped: "", problem: ""}]
report:
  description: The same, a sentence for each user.
  returned: success
  type: list
  elements: str
  sample: ["anna (from jupyter-anna): 211 files, 1.0 MiB in 0.4 s."]
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    "instance": {"type": "str", "required": True},
    "source": {"type": "str", "choices": ["tljh", "deploy_docker", "jukebox", "folders"], "required": True},
    "root": {"type": "path"},
    "prefix": {"type": "str"},
    "into": {"type": "str"},
    "names": {"type": "dict", "default": {}},
    "names_table": {"type": "str"},
    "users": {"type": "list", "elements": "str", "default": []},
    "known": {"type": "list", "elements": "str", "default": []},
    "unlisted": {"type": "bool", "default": False},
    "over_limit": {"type": "bool", "default": False},
    "host": {"type": "str"},
    "ssh_key": {"type": "str", "no_log": True},
    "known_hosts": {"type": "str"},
    "state_dir": {"type": "path"},
    "home_prefix": {"type": "str"},
    "image": {"type": "str", "required": True},
    "docker_cli": {"type": "list", "elements": "str"},
}

# The hub's own function gives homes their names.
NAMES = """
import json, sys
from galilean_hub.spawner.names import safe_name
print(json.dumps({name: safe_name(name) for name in json.loads(sys.argv[1])}))
"""
AT_ONCE = 500
SHOWN = 5


def ssh_command(folder: str, key: str | None, known_hosts: str | None) -> list[str]:
    """How the other host is reached. No file of root's own is read."""
    files = {"key": key, "known_hosts": known_hosts}
    for name, text in files.items():
        replace_file(os.path.join(folder, name), f"{(text or '').strip()}\n", mode=0o600)
    options = [
        "BatchMode=yes", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "ConnectTimeout=30", "ServerAliveInterval=30",
        "GlobalKnownHostsFile=/dev/null", f"UserKnownHostsFile={folder}/known_hosts",
    ]  # fmt: skip
    words = ["ssh", "-F", "/dev/null", *[word for option in options for word in ("-o", option)]]
    return [*words, "-i", f"{folder}/key"] if key else words


class Target:
    """One user's home, and what is to come into it."""

    def __init__(self, user: str, home: sources.Home, volume: str, place: str, into: str) -> None:
        self.user, self.home, self.volume, self.place, self.into = user, home, volume, place, into
        self.changes = transfer.Changes()
        self.copied: dict[str, list[list[int]]] = {}
        self.notes = Path()
        self.skipped = self.problem = ""
        self.seconds = 0.0

    @property
    def folder(self) -> str:
        return os.path.join(self.place, self.into) if self.into else self.place

    def row(self) -> dict[str, t.Any]:
        done = not (self.skipped or self.problem)
        return {
            "user": self.user, "source": self.home.name, "volume": self.volume,
            "files": self.changes.files if done else 0, "bytes": self.changes.bytes if done else 0,
            "seconds": round(self.seconds, 1), "changed_in_both": self.changes.kept,
            "skipped": self.skipped, "problem": self.problem,
        }  # fmt: skip


def in_words(row: t.Mapping[str, t.Any], check_mode: bool) -> str:
    """A row of the result for people."""
    kept = row["changed_in_both"]
    more = f" Kept as they are in the new home, as both differ: {', '.join(kept[:SHOWN])}" if kept else ""
    more += f" and {len(kept) - SHOWN} more" if kept[SHOWN:] else ""
    if row["skipped"] or row["problem"]:
        said = f"left out, {row['skipped']}" if row["skipped"] else f"failed, {row['problem']}"
    elif not row["files"]:
        said = "nothing new"
    else:
        took = "to copy" if check_mode else f"in {row['seconds']} s"
        said = f"{row['files']} files, {plan.in_units(row['bytes'])} {took}"
    return f"{row['user']} (from {row['source']}): {said}.{more}"


class Job:
    """One call of the module."""

    def __init__(self, params: dict[str, t.Any], check_mode: bool, folder: str) -> None:
        self.params, self.check_mode, self.folder = params, check_mode, folder
        self.instance = str(params["instance"])
        self.state_dir = Path(params["state_dir"] or f"/srv/{self.instance}")
        self.engine = DockerCli(params["docker_cli"])
        self.uid = recorded(self.state_dir)
        if not self.uid:
            raise HubError(f"There is no hub {self.instance} in {self.state_dir}: run site.yml first.")
        check_image(self.engine, params["image"])
        usual = sources.KINDS[params["source"]]
        self.root = params["root"] or usual.root
        if not self.root and params["source"] == "folders":
            raise HubError("root is empty: give the folder that has a folder for each user.")
        self.prefix = usual.prefix if params["prefix"] is None else params["prefix"]
        self.into = usual.into if params["into"] is None else params["into"]
        if "/" in self.into or self.into in (".", ".."):
            raise HubError(
                f"into is {self.into!r}: give the name of one folder, or nothing for the home itself."
            )
        ssh = ssh_command(folder, params["ssh_key"], params["known_hosts"]) if params["host"] else []
        self.host = sources.Host(params["host"] or "", ssh)
        self.here = sources.Host()
        self.owners = read_owners(self.state_dir / "hub")
        self.work = self.state_dir / "migrate"

    # -- who

    def names(self) -> dict[str, t.Any]:
        """Users by the names of the other system."""
        if not self.params["names_table"]:
            return dict(self.params["names"])
        return {**names_of(base64.b64decode(self.params["names_table"])), **self.params["names"]}

    def targets(self) -> list[Target]:
        """The homes in question, all names checked."""
        # Where the engine is another host's, its client is the usual one.
        docker = ["docker"] if self.params["host"] else self.engine.client
        found = sources.homes(
            self.params["source"], self.host, docker, self.root, self.prefix, self.params["known"]
        )
        if not found:
            where = f" on {self.params['host']}" if self.params["host"] else ""
            raise HubError(
                f"There is no home of {self.params['source']}{where} whose name begins with {self.prefix!r}"
                f"{' in ' + self.root if self.params['source'] in ('tljh', 'folders') else ''}: look at source, root and prefix."
            )
        users = sources.assign(
            found, self.names(), self.params["known"], self.prefix, self.params["unlisted"]
        )
        wanted = set(self.params["users"]) or set(users)
        strange = sorted(wanted - set(users))
        if strange:
            raise HubError(f"users has {', '.join(strange)}, of whom the other system has no home.")
        volumes = self.volumes(sorted(wanted))
        places = {
            volume.name: volume.mountpoint for volume in self.engine.volumes(list(volumes.values())).values()
        }
        own = {volume.name for volume in homes(self.engine, self.instance, self.owners)}
        for user, volume in volumes.items():
            if volume in places and volume not in own:
                raise HubError(
                    f"The volume {volume} is no home of {self.instance}, and {user} would get it: rename or remove it."
                )
        return [
            Target(user, users[user], volume, places.get(volume, ""), self.into)
            for user, volume in volumes.items()
        ]

    def volumes(self, users: list[str]) -> dict[str, str]:
        """The volume of each user's home, there or not."""
        names = {user: made_for(user, self.owners) for user in users}
        safe: dict[str, str] = {}
        asked = sorted(set(names.values()))
        for start in range(0, len(asked), AT_ONCE):
            said = self.engine.call(
                *(
                    "run",
                    "--rm",
                    "--network=none",
                    "--pull=never",
                    "--entrypoint=python3",
                    self.params["image"],
                ),
                *("-c", NAMES, json.dumps(asked[start : start + AT_ONCE])),
            )
            safe.update(json.loads(said or "{}"))
        prefix = self.params["home_prefix"] or f"{self.instance}-home"
        return {user: f"{prefix}-{safe[name]}" for user, name in names.items()}

    def running(self, volume: str) -> bool:
        return bool((self.engine.call("ps", "--quiet", f"--filter=volume={volume}") or "").strip())

    # -- what

    def read(self, one: Target) -> None:
        """What was copied into a home, by path; also by a run that was broken off."""
        digest = hashlib.sha256(
            f"{self.params['source']}\0{self.params['host']}\0{one.home.path}\0{one.into}".encode()
        )
        one.notes = self.work / f"{one.volume}-{digest.hexdigest()[:12]}.json"
        with contextlib.suppress(FileNotFoundError):
            one.copied = json.loads(one.notes.read_text(encoding="utf-8"))

    def note(self, one: Target, *signs: t.Mapping[str, transfer.Sign]) -> None:
        """Note further signs of what is copied: those of before may still be in the home."""
        for some in signs:
            for path, sign in some.items():
                one.copied[path] = [*one.copied.get(path, [])[-1:], list(sign)]
        replace_file(str(one.notes), json.dumps(one.copied) + "\n", mode=0o600)

    def look(self, one: Target) -> None:
        """What a copy would bring, and whether it may."""
        if one.place and self.running(one.volume):
            one.skipped = "the server runs"
            return
        target = one.folder
        if not one.place:
            # Against nothing.
            target = os.path.join(self.folder, "empty")
            os.makedirs(target, exist_ok=True)
        elif os.path.islink(target):
            one.skipped = f"{self.into} is a link in the new home"
            return
        copy = transfer.Transfer(self.host.rsync(one.home.path), self.uid)
        self.read(one)
        try:
            one.changes = copy.plan(target, lambda path, sign: list(sign) in one.copied.get(path, []))
        except HubError as exc:
            one.problem = exc.message
            return
        self.judge_limit(one)

    def judge_limit(self, one: Target) -> None:
        limit = self.limits.get(one.volume, self.limit)
        if not limit or self.params["over_limit"]:
            return
        has = transfer.usage(self.here.run, one.place) if one.place else 0
        size = one.changes.bytes
        if has + size > limit:
            # Holes and hard links count once.
            size = min(size, transfer.usage(self.host.run, one.home.path))
        if has + size > limit:
            one.skipped = (
                f"it would take {plan.in_units(has + size)}, and its limit is {plan.in_units(limit)} "
                "(jupyterhub_disk_limit, or migrate_over_limit: true)"
            )

    def check_room(self, found: t.Sequence[Target]) -> None:
        place = self.engine.free_bytes()
        needed = sum(one.changes.bytes for one in found if not one.skipped)
        if place is not None and needed > place[1]:
            needed = sum(
                min(one.changes.bytes, transfer.usage(self.host.run, one.home.path))
                for one in found
                if not one.skipped
            )
        if place is not None and needed > place[1]:
            raise HubError(
                f"The homes take {plan.in_units(needed)}, and the disk of {place[0]} has {plan.in_units(place[1])} free: give it "
                "a larger one, or some users at a time. Nothing has been touched."
            )

    def fill(self, one: Target) -> None:
        """Copy one home."""
        if not one.place:
            labels = {
                plan.LABEL_INSTANCE: self.instance, plan.LABEL_ROLE: "home", plan.LABEL_USER: made_for(one.user, self.owners)
            }  # fmt: skip
            self.engine.create_volume(one.volume, labels)
            one.place = self.engine.volumes([one.volume])[one.volume].mountpoint
        if not os.stat(one.place).st_uid:
            # Nobody has used it yet.
            os.chown(one.place, self.uid, self.uid)
        self.note(one, one.changes.brought)
        copy = transfer.Transfer(self.host.rsync(one.home.path), self.uid)
        # A file may have changed meanwhile.
        self.note(one, copy.copy(one.place, one.folder, one.changes.kept))

    def run(self) -> dict[str, t.Any]:
        with contextlib.ExitStack() as stack:
            if not self.check_mode:
                self.work.mkdir(mode=0o700, exist_ok=True)
                stack.enter_context(locked(self.work / ".lock"))
            self.limits = read_limits(self.state_dir / "disk")
            self.limit = limit_of(self.state_dir, (self.engine.free_bytes() or ("/", 0))[0])
            found = self.targets()
            for one in found:
                self.look(one)
            self.check_room(found)
            todo = [one for one in found if one.changes.brought and not one.skipped and not one.problem]
            if not self.check_mode:
                self.copy(todo)
        rows = [one.row() for one in found]
        return {
            "changed": bool(todo),
            "homes": rows,
            "report": [in_words(row, self.check_mode) for row in rows],
        }

    def copy(self, todo: t.Sequence[Target]) -> None:
        with open(self.work / "progress.log", "w", encoding="utf-8") as log:
            for number, one in enumerate(todo, 1):
                began = time.monotonic()
                size = f"{one.changes.files} files, {plan.in_units(one.changes.bytes)}"
                print(f"{number} of {len(todo)}, {one.user}: {size}", file=log, flush=True)
                if one.place and self.running(one.volume):
                    one.skipped = "the server runs"
                    continue
                try:
                    self.fill(one)
                except (HubError, OSError) as exc:
                    one.problem = str(exc)
                one.seconds = time.monotonic() - began


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        required_by={"host": ("known_hosts",)},
        supports_check_mode=True,
    )
    for name in ("rsync", "bwrap"):
        if not shutil.which(name):
            package = {"bwrap": "bubblewrap"}.get(name, name)
            module.fail_json(msg=f"There is no {name} on this host: install the package {package}.")
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = Job(module.params, module.check_mode, folder).run()
        except HubError as exc:
            module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
