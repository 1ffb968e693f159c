#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A disk that holds the data of a host."""

from __future__ import annotations

import os
import time
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.atomic_file import replace_file
from ansible_collections.galilean.hub.plugins.module_utils.core.commands import locked
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.volumes import data_volume_host as host_io
from ansible_collections.galilean.hub.plugins.module_utils.volumes.data_volume_disk import Disk, gib, mounts
from ansible_collections.galilean.hub.plugins.module_utils.volumes.data_volume_plan import (
    PACKAGES,
    Host,
    Plan,
    Wanted,
    make_plan,
)

DOCUMENTATION = r"""
module: data_volume
short_description: A disk of its own for the data of a host
version_added: 0.3.0
author: galilean.hub contributors (@galilean)
description:
  - Finds a disk, makes a file system on it once, mounts it by its UUID, also after a reboot, and lets the file system grow
    with the disk.
  - A disk is formatted only when nothing is known to be on it. A file system that can be used is used as it is. Anything
    else on it, such as a partition table, LVM or swap space, is an error, and nothing is touched.
  - A file system that is being made carries the label C(hub-new) until it is complete. Only one that carries it, and
    that its own first block calls unfinished, is made anew. The kernel never mounts one of these, so it never held a file.
  - A new file system keeps limits for projects (C(prjquota)) where the kernel can do that, so that homes on it have theirs. One that was
    made without stays as it is.
  - Nothing is mounted over files or over another mount.
  - A host boots without the disk. O(units) do not start there, and so do not write to the disk below.
  - A run that is stopped anywhere is finished by the next one.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  check_mode:
    support: full
    details:
      - The disk must be there. The UUID of a file system that is not made yet is null.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  device:
    description:
      - Path of the disk or partition, such as C(/dev/disk/by-id/...). Names like C(/dev/vdb) may be another disk's after a reboot.
      - Either this or O(serial) must be given.
    type: path
  serial:
    description:
      - Serial number of the disk, or a beginning of it that has 8 letters at least.
      - A volume of OpenStack has its id as serial number, of which virtio shows the first 20 letters. The whole id fits both.
    type: str
  path:
    description: Folder where it is mounted. It is made when it is missing.
    type: path
    default: /srv
  fstype:
    description: File system to make on an empty disk. One that is there stays what it is.
    type: str
    choices: [ext4, xfs]
    default: ext4
  mount_options:
    description: Options of the mount. V(nofail) and a time limit for the disk are added in O(fstab).
    type: list
    elements: str
    default: [noatime]
  timeout:
    description: Seconds to wait for the disk. At boot, those that need it wait for 300 seconds.
    type: int
    default: 60
  units:
    description:
      - Units of systemd that must not start while the disk is not mounted. Each gets a drop-in with C(RequiresMountsFor).
      - No sockets, because a host starts nothing else, such as its SSH server, before all of its sockets.
      - Without meaning on a host without systemd.
    type: list
    elements: str
    default: []
  fstab:
    description: The table of mounts. Only with V(/etc/fstab) systemd is told of changes.
    type: path
    default: /etc/fstab
seealso:
  - module: ansible.posix.mount
  - module: community.general.filesystem
"""

EXAMPLES = r"""
- name: Keep the data on a Cinder volume
  galilean.hub.data_volume:
    serial: 7a1f5d8e-2f7c-4f0e-9d7d-0d5a9a8f2b11
    path: /srv
    units: [docker.service]

- name: Keep the data on a certain disk
  galilean.hub.data_volume:
    device: /dev/disk/by-id/ata-EXAMPLE_0123456789
    fstype: xfs
    mount_options: [noatime, nodev]
"""

RETURN = r"""
device:
  description: Path of the disk.
  returned: success
  type: str
  sample: /dev/vdb
uuid:
  description: UUID of the file system. Null in check mode where it would be made.
  returned: success
  type: str
  sample: 3539ec5f-3c02-45e0-8f5d-a3e835a8e132
fstype:
  description: Its kind.
  returned: success
  type: str
  sample: ext4
path:
  description: Where it is mounted.
  returned: success
  type: str
  sample: /srv
size_gib:
  description: Size of the file system. In check mode, the size that it would have.
  returned: success
  type: float
  sample: 100.0
size_before_gib:
  description: Its size before, 0 where there was none.
  returned: success
  type: float
  sample: 80.0
free_gib:
  description: What of it is free. Null in check mode where it is not mounted.
  returned: success
  type: float
  sample: 97.2
formatted:
  description: Whether the file system was made.
  returned: success
  type: bool
grown:
  description: Whether the file system became larger.
  returned: success
  type: bool
actions:
  description: What was or would be done, with the reason.
  returned: success
  type: list
  elements: str
  sample: ["grow: the disk has 100.0 GiB, its file system 80.0 GiB"]
missing_packages:
  description: Debian packages that this file system needs and the host lacks. Outside check mode, that is an error.
  returned: success
  type: list
  elements: str
  sample: [xfsprogs]
"""

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "device": {"type": "path"},
    "serial": {"type": "str"},
    "path": {"type": "path", "default": "/srv"},
    "fstype": {"type": "str", "choices": ["ext4", "xfs"], "default": "ext4"},
    "mount_options": {"type": "list", "elements": "str", "default": ["noatime"]},
    "timeout": {"type": "int", "default": 60},
    "units": {"type": "list", "elements": "str", "default": []},
    "fstab": {"type": "path", "default": "/etc/fstab"},
}
# Two runs at the same time, as of two people, are one after the other.
LOCK = "/run/galilean-data-volume.lock"


class Volume:
    """The disk and the host, looked at again after each step."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module, params = module, module.params
        self.fstab: str = params["fstab"]
        self.wanted = Wanted(
            path=os.path.normpath(params["path"]),
            fstype=params["fstype"],
            options=tuple(params["mount_options"]),
            units=tuple(params["units"]),
        )
        self.given: str = params["device"] or ""
        self.timeout: int = params["timeout"]
        self.device = host_io.find(self.given, params["serial"] or "", self.timeout)

    def command(self, argv: t.Sequence[str]) -> tuple[int, str, str]:
        """Run a command of the system, 127 where there is none."""
        path = self.module.get_bin_path(argv[0])
        if not path:
            return 127, "", f"{argv[0]} is not installed"
        code, out, err = self.module.run_command([path, *argv[1:]], environ_update={"LC_ALL": "C"})
        return code, out, err

    def place(self, path: str, text: str) -> None:
        """Put a text in the place of a file, in one step."""
        replace_file(path, text, self.module.atomic_move)

    def observe(self) -> tuple[Disk, Host, Plan]:
        """What is, and what is to be done."""
        seen = mounts(host_io.read("/proc/self/mountinfo"))
        table = host_io.read(self.fstab)
        disk = host_io.observe_disk(self.device, self.given, self.wanted, table, seen, self.command)
        end = time.monotonic() + self.timeout
        while disk.busy and disk.blank and time.monotonic() < end:
            # The mkfs of a run that was stopped may still be at work: it is let finish.
            time.sleep(0.5)
            disk = host_io.observe_disk(self.device, self.given, self.wanted, table, seen, self.command)
        host = host_io.observe_host(self.wanted, self.fstab, self.command)
        return disk, host, make_plan(self.wanted, disk, host)

    def missing(self, plan: Plan) -> list[str]:
        """Packages without which the plan cannot be carried out, or the next one not."""
        tools = {
            "ext4": ["mkfs.ext4", "tune2fs", "resize2fs", "e2fsck"],
            "xfs": ["mkfs.xfs", "xfs_admin", "xfs_growfs"],
        }
        there = all(self.module.get_bin_path(tool) for tool in tools[plan.kind])
        return [] if there else [PACKAGES[plan.kind]]

    def carry_out(self) -> list[str]:
        """Take step after step, each of a new plan, so that a run which was stopped and its next one are no other case."""
        hands = host_io.Applier(self.wanted, self.fstab, self.command, self.place)
        taken: dict[str, str] = {}
        while True:
            disk, _host, plan = self.observe()
            # What was just mounted has its options.
            done = {*taken, *(["remount"] if "mount" in taken else [])}
            left = [action for action in plan.actions if action.kind not in done]
            if not left:
                return [f"{kind}: {reason}" for kind, reason in taken.items()]
            missing = self.missing(plan)
            if missing:
                raise HubError(
                    f"{plan.kind} needs the package {missing[0]}, which the host lacks: install it."
                )
            hands.take(left[0].kind, disk, plan)
            taken[left[0].kind] = left[0].reason


def run(module: AnsibleModule) -> dict[str, t.Any]:
    """Compare and, outside check mode, change."""
    if os.geteuid() != 0:
        raise HubError("Disks can only be mounted by root: connect as root, or set ansible_become to true.")
    volume = Volume(module)
    disk, host, plan = volume.observe()
    first = plan
    missing = volume.missing(plan)
    actions = [f"{action.kind}: {action.reason}" for action in plan.actions]
    if actions and not module.check_mode:
        with locked(Path(LOCK)):
            actions = volume.carry_out()
            disk, _host, plan = volume.observe()
    kinds = {action.split(":")[0] for action in actions}
    known = disk.filesystem if disk.filesystem and not disk.filesystem.interrupted else None
    size = gib(known.size) if known and not module.check_mode else first.after["size_gib"]
    free = host_io.free(volume.wanted.path) if plan.before["mounted"] else None
    after = {**first.after, "size_gib": size}
    differences: list[dict[str, t.Any]] = [{"before": first.before, "after": after}]
    if "fstab" in kinds:
        table = first.fstab if module.check_mode else plan.fstab
        differences.append(
            {
                "before_header": volume.fstab,
                "after_header": volume.fstab,
                "before": host.fstab,
                "after": table,
            }
        )
    for path, text in first.dropins.items():
        differences.append(
            {"before_header": path, "after_header": path, "before": host.dropins[path], "after": text}
        )
    return {
        "changed": bool(actions),
        "actions": actions,
        "device": volume.device,
        "uuid": known.uuid if known else None,
        "fstype": plan.kind,
        "path": volume.wanted.path,
        "size_gib": size,
        "size_before_gib": first.before["size_gib"],
        "free_gib": None if free is None else gib(free),
        "formatted": "format" in kinds,
        "grown": bool(kinds & {"grow", "grow_offline"}),
        "missing_packages": missing if module.check_mode else [],
        "diff": differences if actions else [],
    }


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        mutually_exclusive=[("device", "serial")],
        required_one_of=[("device", "serial")],
        supports_check_mode=True,
    )
    try:
        result = run(module)
    except HubError as exc:
        module.fail_json(msg=exc.message)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
