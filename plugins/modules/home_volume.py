#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The home of one user of a hub."""

from __future__ import annotations

import os
import time
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.commands import locked
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli
from ansible_collections.galilean.hub.plugins.module_utils.engine.observed import ObservedVolume
from ansible_collections.galilean.hub.plugins.module_utils.homes import plan
from ansible_collections.galilean.hub.plugins.module_utils.homes.archive import (
    Box,
    check_image,
    forget_partial,
    homes,
    read_archives,
    room_problem,
    used_by,
    write_archive,
)
from ansible_collections.galilean.hub.plugins.module_utils.homes.owners import read_owners
from ansible_collections.galilean.hub.plugins.module_utils.homes.uid import recorded
from ansible_collections.galilean.hub.plugins.module_utils.shared.home_owners import made_for, user_today

DOCUMENTATION = r"""
module: home_volume
short_description: Archive, remove or restore the home of a user
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - A home is a Docker volume that the hub created for a user. Its labels name the user.
  - An archive is a compressed tar file with owners, permissions, times, links and holes of all files. It is written with a
    temporary name, compared with the volume entry by entry, and then renamed. Therefore a file with the name of an archive is
    complete. A C(.json) file next to it names the user.
  - A volume without changes since its newest archive is not archived again.
requirements:
  - C(tar), C(gzip) and C(find) of GNU, C(sh) and C(python3), in O(image).
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
  - galilean.hub.attributes.files
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  user:
    description: Username in the hub.
    type: str
    required: true
  instance:
    description: Name of the hub's instance.
    type: str
    required: true
  state:
    description:
      - V(archived) archives the volume and keeps it. It fails while a container uses the volume, because files could change, and
        if the disk has less free space than the size of the home. It does nothing for a user without a home.
      - V(absent) deletes the volume with all files, archived or not. It fails if a container uses the volume, running or not.
      - V(restored) restores into a new or empty volume, and fails if the volume has files. The files get the present UID of
        users' servers, also if the archive has another one.
    type: str
    choices: [archived, absent, restored]
    required: true
  archive_dir:
    description:
      - Folder of the archives. It is created with mode V(0700).
      - By default C(/srv/<instance>/archive).
    type: path
  hub_dir:
    description:
      - Folder with the hub's state, which records the owners of homes after users were renamed. The folder C(config) next to it
        has the UID of users' servers.
      - By default C(/srv/<instance>/hub).
    type: path
  archive:
    description: Name of the archive in O(archive_dir) to restore. By default the newest one of the user.
    type: str
  image:
    description: Image in which tar runs. Required for V(archived) and V(restored).
    type: str
  timeout:
    description: Timeout for reading or writing a volume in seconds.
    type: int
    default: 14400
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
seealso:
  - module: galilean.hub.home_info
  - module: galilean.hub.hub_user
"""

EXAMPLES = r"""
- name: Archive a home
  galilean.hub.home_volume:
    instance: hub
    user: anna
    state: archived
    image: galilean/hub:9e6cef771480

- name: Delete it, with all that is in it
  galilean.hub.home_volume:
    instance: hub
    user: anna
    state: absent

- name: Bring it back
  galilean.hub.home_volume:
    instance: hub
    user: anna
    state: restored
    image: galilean/hub:9e6cef771480
"""

RETURN = r"""
volumes:
  description: Names of the user's volumes.
  returned: success
  type: list
  elements: str
  sample: [hub-home-anna]
archives:
  description: For V(archived), the archive with the present content of each volume. For V(restored), the archive that was used.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: Path of the archive. In check mode it may not exist yet.
      type: str
    volume:
      description: Volume of the home.
      type: str
    bytes:
      description: Size of the archive, V(0) if it does not exist yet.
      type: int
    home_bytes:
      description: Disk usage of the home.
      type: int
    entries:
      description: Number of files, folders and links in it.
      type: int
  sample: [{path: /srv/hub/archive/hub-home-anna-20261122T031500Z.tar.gz, volume: hub-home-anna, bytes: 1048576, home_bytes: 4194304, entries: 211}]
actions:
  description: Actions that were done, or would be done in check mode, as text.
  returned: success
  type: list
  elements: str
  sample: [archive the volume hub-home-anna with 4.0 MiB in 211 entries]
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    "user": {"type": "str", "required": True},
    "instance": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["archived", "absent", "restored"], "required": True},
    "archive_dir": {"type": "path"},
    "hub_dir": {"type": "path"},
    "archive": {"type": "str"},
    "image": {"type": "str"},
    "timeout": {"type": "int", "default": 14400},
    "docker_cli": {"type": "list", "elements": "str"},
}


class Job:
    """One call of the module."""

    def __init__(self, params: dict[str, t.Any], check_mode: bool) -> None:
        self.params = params
        self.check_mode = check_mode
        self.user = str(params["user"])
        self.instance = str(params["instance"])
        self.folder = Path(params["archive_dir"] or f"/srv/{self.instance}/archive")
        hub_dir = Path(params["hub_dir"] or f"/srv/{self.instance}/hub")
        self.owners = read_owners(hub_dir)
        self.uid = recorded(hub_dir.parent)
        # Which all that is written names: a user may be renamed again.
        self.made_for = made_for(self.user, self.owners)
        self.engine = DockerCli(params["docker_cli"])
        self.box = Box(self.engine, params["image"] or "", params["timeout"])
        self.actions: list[str] = []
        self.archives: list[plan.Archive] = []

    def homes(self) -> list[ObservedVolume]:
        """The user's homes."""
        return homes(self.engine, self.instance, self.owners, self.user)

    def result(self, volumes: list[str], before: list[str], after: list[str]) -> dict[str, t.Any]:
        keys = ("volume", "bytes", "home_bytes", "entries")
        rows = [
            {"path": str(self.folder / one.name), **{key: getattr(one, key) for key in keys}}
            for one in self.archives
        ]
        return {
            "changed": bool(self.actions),
            "volumes": volumes,
            "archives": rows,
            "actions": self.actions,
            "diff": {
                "before": "".join(f"{line}\n" for line in before),
                "after": "".join(f"{line}\n" for line in after),
            },
        }

    def refuse_in_use(self, volume: str, doing: str) -> None:
        users = used_by(self.engine, volume)
        if users:
            raise HubError(
                f"The home of {self.user!r} cannot be {doing} while {', '.join(users)} uses the volume {volume}: stop the "
                "server first (hub_user with stop: true)."
            )

    def prepare_folder(self) -> None:
        """Homes are nobody's business but the operator's."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.folder.stat().st_mode & 0o077:
                self.folder.chmod(0o700)
        except OSError as exc:
            raise HubError(f"archive_dir is {self.folder}, which cannot be used: {exc.strerror}.") from exc

    def archive_one(self, volume: ObservedVolume) -> None:
        self.refuse_in_use(volume.name, "archived")
        measure = self.box.measure(volume.name)
        same = plan.same_home(read_archives(self.folder), volume.name, measure.fingerprint)
        if same is not None:
            self.archives.append(same)
            return
        problem = room_problem(self.folder, measure.bytes)
        if problem:
            raise HubError(
                f"The archive of the home of {self.user!r} {problem}: make room, or give another archive_dir."
            )
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        archive = plan.Archive(
            plan.archive_name(volume.name, now), volume.name, now, 0, self.made_for, self.instance,
            measure.bytes, measure.entries, measure.fingerprint,
        )  # fmt: skip
        size = f"{plan.in_units(measure.bytes)} in {measure.entries} entries"
        self.actions.append(f"archive the volume {volume.name} with {size}")
        if not self.check_mode:
            archive = write_archive(self.box, self.folder, archive)
        self.archives.append(archive)

    def archived(self) -> dict[str, t.Any]:
        check_image(self.engine, self.params["image"])
        volumes = self.homes()
        before = [one.name for one in read_archives(self.folder) if one.volume in {v.name for v in volumes}]
        if volumes and not self.check_mode:
            self.prepare_folder()
        for volume in volumes:
            if self.check_mode:
                self.archive_one(volume)
                continue
            with locked(self.folder / f".{volume.name}.lock"):
                forget_partial(self.folder, volume.name)
                self.archive_one(volume)
        after = sorted({*before, *(one.name for one in self.archives)})
        return self.result([volume.name for volume in volumes], before, after)

    def absent(self) -> dict[str, t.Any]:
        names = [volume.name for volume in self.homes()]
        for name in names:
            self.refuse_in_use(name, "removed")
        self.actions = [f"delete the volume {name} with all files in it" for name in names]
        if not self.check_mode:
            for name in names:
                self.engine.remove_volume(name)
        return self.result(names, names, [])

    def chosen(self) -> plan.Archive:
        """The archive to restore."""
        name = self.params["archive"]
        archives = read_archives(self.folder)
        if not name:
            return plan.choose(archives, self.instance, self.user, str(self.folder), self.owners)
        found = next((one for one in archives if one.name == name), None)
        if found is None:
            raise HubError(
                f"archive is {name!r}, which is no archive in {self.folder}: give the name of a file there."
            )
        user = user_today(found.user, self.owners)
        if user and (user, found.instance) != (self.user, self.instance):
            raise HubError(
                f"archive is {name!r}, which holds the home of {user!r} of the instance {found.instance!r}, not of {self.user!r} "
                f"of {self.instance!r}: its volume would not be this user's. Unpack it by hand."
            )
        return found

    def restored(self) -> dict[str, t.Any]:
        check_image(self.engine, self.params["image"])
        archive = self.chosen()
        self.archives = [archive]
        volume = self.engine.volumes([archive.volume]).get(archive.volume)
        if volume is None:
            self.actions = [f"create the volume {archive.volume}"]
        else:
            if volume.name not in [home.name for home in self.homes()]:
                raise HubError(f"The volume {volume.name} is no home of {self.user!r}: it is left alone.")
            ours = volume.labels.get(plan.LABEL_RESTORED) == archive.name
            broken_off = ours and self.box.is_unfinished(volume.name)
            if ours and not broken_off:
                self.give(volume.name)
                return self.result([volume.name], [volume.name], [volume.name])
            self.refuse_in_use(volume.name, "restored")
            if not broken_off and not self.box.is_empty(volume.name):
                raise HubError(
                    f"The home of {self.user!r} has files (volume {volume.name}), and restoring {archive.name} would mix them: archive it and "
                    "remove it first (state archived, then absent)."
                )
        self.actions.append(f"fill the volume {archive.volume} from {archive.name}")
        place = self.engine.free_bytes()
        if place is not None and place[1] <= archive.home_bytes:
            raise HubError(
                f"The home of {self.user!r} takes {plan.in_units(archive.home_bytes)}, but the disk of {place[0]} has "
                f"{plan.in_units(place[1])} free: make room first."
            )
        if not self.check_mode:
            with locked(self.folder / f".{archive.volume}.lock"):
                self.fill(archive)
        return self.result([archive.volume], [] if volume is None else [volume.name], [archive.volume])

    def fill(self, archive: plan.Archive) -> None:
        # Labels are given when a volume is made: an empty one that is there is made anew.
        self.engine.remove_volume(archive.volume)
        labels = {
            plan.LABEL_INSTANCE: self.instance, plan.LABEL_ROLE: "home", plan.LABEL_USER: self.made_for,
            plan.LABEL_RESTORED: archive.name,
        }  # fmt: skip
        self.engine.create_volume(archive.volume, labels)
        try:
            with open(os.open(self.folder / archive.name, os.O_RDONLY | os.O_NOFOLLOW), "rb") as stream:
                self.box.unpack(archive.volume, stream)
                self.box.compare(archive.volume, stream)
        except (HubError, OSError):
            # Nothing was in it before.
            self.engine.remove_volume(archive.volume)
            raise
        self.give(archive.volume)

    def give(self, volume: str) -> None:
        """Give a restored home to the number that servers run as today. Its topmost folder is given last, and tells."""
        old = self.box.owner(volume) if self.uid else 0
        if old not in (0, self.uid):
            self.actions.append(f"give the volume {volume} from the number {old} to {self.uid}")
            if not self.check_mode:
                self.box.own(volume, old, self.uid, lambda _count: None)


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        required_if=[("state", "archived", ("image",)), ("state", "restored", ("image",))],
        supports_check_mode=True,
    )
    try:
        job = Job(module.params, module.check_mode)
        result = getattr(job, module.params["state"])()
    except HubError as exc:
        module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
