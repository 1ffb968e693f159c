#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What may be done with a disk for the data of a host."""

from __future__ import annotations

import dataclasses
import os
import time
import typing as t
import uuid

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.volumes import data_volume_host as host_io
from ansible_collections.galilean.hub.plugins.module_utils.volumes.data_volume_disk import mounts
from ansible_collections.galilean.hub.plugins.module_utils.volumes.data_volume_guard import Wanted, make_plan

DOCUMENTATION = r"""
module: data_volume_info
short_description: What may be done with a disk for the data of a host
version_added: 0.8.0
author: galilean.hub contributors (@galilean)
description:
  - Finds a disk, and says whether it may be formatted and what else the role C(data_volume) has to do, so that it is mounted, also
    after a reboot, with a file system as large as it.
  - RV(format) is true only when nothing is known to be on the disk, or an XFS of this role that C(mkfs) did not finish. The kernel
    never mounts one of these, so it never held a file. A file system that can be used is used as it is.
  - It fails for anything else on the disk, such as a partition table, LVM or swap space, and for a folder or a line of the table of
    mounts that is in the way.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.info_module
  - galilean.hub.attributes.actiongroup_hub
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
    description: Folder where it is to be mounted.
    type: path
    default: /srv
  fstype:
    description: File system to make on an empty disk. One that is there stays what it is.
    type: str
    choices: [ext4, xfs]
    default: ext4
  mount_options:
    description: Options of the mount. V(nofail) and a time limit for the disk are added in RV(fstab_line).
    type: list
    elements: str
    default: [noatime]
  timeout:
    description: Seconds to wait for the disk, and for a C(mkfs) of a stopped run that is still at work on it.
    type: int
    default: 60
  fstab:
    description: The table of mounts.
    type: path
    default: /etc/fstab
"""

EXAMPLES = r"""
- name: Look at a Cinder volume
  galilean.hub.data_volume_info:
    serial: 7a1f5d8e-2f7c-4f0e-9d7d-0d5a9a8f2b11
    path: /srv
  register: disk

- name: Ensure there is a file system
  when: disk.format
  community.general.filesystem:
    dev: "{{ disk.device }}"
    fstype: "{{ disk.fstype }}"
    opts: "{{ disk.mkfs_options }}"
    force: "{{ disk.unfinished }}"
"""

RETURN = r"""
device:
  description: Path of the disk.
  returned: success
  type: str
  sample: /dev/vdb
fstype:
  description: Kind of the file system that is there or is to be made.
  returned: success
  type: str
  sample: ext4
uuid:
  description: Its UUID. Where it is to be made, the one of RV(mkfs_options).
  returned: success
  type: str
  sample: 3539ec5f-3c02-45e0-8f5d-a3e835a8e132
format:
  description: Whether a file system may and must be made.
  returned: success
  type: bool
unfinished:
  description: Whether there is one of this role that C(mkfs) did not finish, which must be told to write over it.
  returned: success
  type: bool
mkfs_options:
  description:
    - Options of C(mkfs). The file system keeps limits for projects (C(prjquota)) where the kernel can do that, so that homes on it have theirs.
  returned: success
  type: str
  sample: -q -m 1 -L hub-data -U 3539ec5f-3c02-45e0-8f5d-a3e835a8e132
mounted:
  description: Whether the disk is mounted at the folder.
  returned: success
  type: bool
mount_options:
  description: Options to mount it with.
  returned: success
  type: str
  sample: noatime,prjquota
remount:
  description: Whether it is mounted, but not with these options as far as the table of mounts says.
  returned: success
  type: bool
grow:
  description:
    - Empty when the file system is as large as the disk. Otherwise V(mounted) or V(unmounted), how it can be grown.
    - In a container that lacks the capability C(SYS_RESOURCE), the kernel does not grow an ext4 that is mounted.
  returned: success
  type: str
fstab_line:
  description: Line that the table of mounts lacks. Empty when it is there.
  returned: success
  type: str
missing_packages:
  description: Debian packages that the file system needs and the host lacks.
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
    "fstab": {"type": "path", "default": "/etc/fstab"},
}
PACKAGES = {"ext4": "e2fsprogs", "xfs": "xfsprogs"}


def run(module: AnsibleModule) -> dict[str, t.Any]:
    """Look at the disk and the host; nothing is changed."""
    if os.geteuid() != 0:
        raise HubError("Disks can only be mounted by root: connect as root, or set ansible_become to true.")
    params = module.params
    wanted = Wanted(
        path=os.path.normpath(params["path"]),
        fstype=params["fstype"],
        options=tuple(params["mount_options"]),
    )
    given = params["device"] or ""
    device = host_io.find(given, params["serial"] or "", params["timeout"])

    def command(argv: t.Sequence[str]) -> tuple[int, str, str]:
        path = module.get_bin_path(argv[0], required=True)
        code, out, err = module.run_command([path, *argv[1:]], environ_update={"LC_ALL": "C"})
        return code, out, err

    end = time.monotonic() + params["timeout"]
    while True:
        seen = mounts(host_io.read("/proc/self/mountinfo"))
        disk = host_io.observe_disk(device, given, wanted, host_io.read(params["fstab"]), seen, command)
        # The mkfs of a run that was stopped may still be at work: it is let finish.
        if not (disk.busy and disk.blank) or time.monotonic() > end:
            break
        time.sleep(0.5)
    plan = make_plan(wanted, disk, host_io.observe_host(wanted, params["fstab"]), str(uuid.uuid4()))
    there = module.get_bin_path(f"mkfs.{plan.fstype}")
    return {**dataclasses.asdict(plan), "missing_packages": [] if there else [PACKAGES[plan.fstype]]}


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
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
