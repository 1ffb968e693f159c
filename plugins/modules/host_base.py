#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Time zone, locale and swap of a host."""

from __future__ import annotations

import os
import tempfile
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.host import (
    digest,
    has_package_lists,
    missing_packages,
)
from ansible_collections.galilean.hub.plugins.module_utils.host import base_host as host_io
from ansible_collections.galilean.hub.plugins.module_utils.host.base_plan import (
    CLOCKS,
    GIB,
    Wanted,
    clock_of,
    clock_todo,
    make_plan,
)

DOCUMENTATION = r"""
module: host_base
short_description: Time zone, locale and swap of a host
version_added: 0.3.0
author: galilean.hub contributors (@galilean)
description:
  - Sets the time zone, the language of new logins, a swap file and how readily the kernel swaps, each where it is asked for.
  - Says which of a list of packages the host lacks, what keeps its clock, and the digests of a list of files, so that one task
    tells a role all that it has to know.
  - Installs nothing.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  timezone:
    description: Name of the time zone. Left alone when not given.
    type: str
  locale:
    description:
      - Value of C(LANG) for new logins, in UTF-8. Left alone when not given.
      - One that the host lacks is generated, which takes the package C(locales).
    type: str
  swap_path:
    description: Path of a swap file that this module makes and removes. Swap of other kinds is left alone, and all of it when not given.
    type: path
  swap_gib:
    description: Its size in GiB. V(0) removes it.
    type: int
    default: 0
  swappiness:
    description: How readily the kernel swaps from now on, from V(0) to V(200). After a reboot, C(/etc/sysctl.d) says so.
    type: int
  clock:
    description: Whether to look at what keeps the clock, and to count C(systemd-timesyncd) to O(packages) where nothing does.
    type: bool
    default: false
  packages:
    description: Debian packages to look for.
    type: list
    elements: str
    default: []
  files:
    description: Files to return the digest of.
    type: list
    elements: path
    default: []
  fstab:
    description: The table of mounts and swap.
    type: path
    default: /etc/fstab
seealso:
  - module: community.general.timezone
  - module: community.general.locale_gen
"""

EXAMPLES = r"""
- name: Set the time zone and the language
  galilean.hub.host_base:
    timezone: Europe/Rome
    locale: it_IT.UTF-8

- name: Give a small server some swap
  galilean.hub.host_base:
    swap_path: /var/lib/galilean-hub/swapfile
    swap_gib: 2
    swappiness: 10
"""

RETURN = r"""
actions:
  description: What was or would be done, with the reason.
  returned: success
  type: list
  elements: str
  sample: ["timezone: it is Etc/UTC"]
package_lists:
  description: Whether the distribution's package lists have been fetched.
  returned: success
  type: bool
missing_packages:
  description: Packages that are not installed, of those in O(packages).
  returned: success
  type: list
  elements: str
clock:
  description: What keeps the clock, as far as that is ours.
  returned: success
  type: dict
  contains:
    unit:
      description: The unit of systemd. Empty where something else keeps the clock, or systemd does not run.
      type: str
    todo:
      description: Whether it is there and has to be switched on.
      type: bool
  sample: {unit: systemd-timesyncd.service, todo: false}
files:
  description: SHA-256 of each of O(files), empty for one that is not there.
  returned: success
  type: dict
"""

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "timezone": {"type": "str"},
    "locale": {"type": "str"},
    "swap_path": {"type": "path"},
    "swap_gib": {"type": "int", "default": 0},
    "swappiness": {"type": "int"},
    "clock": {"type": "bool", "default": False},
    "packages": {"type": "list", "elements": "str", "default": []},
    "files": {"type": "list", "elements": "path", "default": []},
    "fstab": {"type": "path", "default": "/etc/fstab"},
}
SHOWN = ("LoadState", "UnitFileState", "ActiveState", "ConditionResult", "ConditionTimestampMonotonic")


class Setter:
    """Looks at the host, and changes it."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        params = module.params
        self.fstab: str = params["fstab"]
        self.wanted = Wanted(
            params["timezone"],
            params["locale"],
            params["swap_path"],
            params["swap_gib"] * GIB,
            params["swappiness"],
        )

    def command(self, argv: t.Sequence[str]) -> tuple[int, str, str]:
        """Run a command of the system, 127 where there is none."""
        path = self.module.get_bin_path(argv[0])
        if not path:
            return 127, "", f"{argv[0]} is not installed"
        code, out, err = self.module.run_command([path, *argv[1:]], environ_update={"LC_ALL": "C"})
        return code, out, err

    def place(self, path: str, text: str) -> None:
        """Put a text in the place of a file, in one step."""
        handle, temporary = tempfile.mkstemp(dir=self.module.tmpdir)
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        self.module.atomic_move(temporary, path)

    def packages(self) -> tuple[list[str], str]:
        """What is not installed, and the unit that keeps the clock."""
        names: list[str] = self.module.params["packages"]
        clocks = list(CLOCKS) if self.module.params["clock"] else []
        missing = missing_packages([*names, *clocks])
        if not clocks:
            return missing, ""
        unit, needed = clock_of(set(CLOCKS) - set(missing), os.path.isdir("/run/systemd/system"))
        return [*(name for name in names if name in missing), *needed], unit

    def clock(self, unit: str) -> bool:
        """Whether the unit has to be switched on."""
        if not unit:
            return False
        return clock_todo(self.command(["systemctl", "show", f"--property={','.join(SHOWN)}", "--", unit])[1])

    def run(self) -> dict[str, t.Any]:
        """Compare and, outside check mode, change."""
        base = host_io.observe(self.wanted, self.fstab, self.command)
        plan = make_plan(self.wanted, base)
        if plan.actions and not self.module.check_mode:
            if os.geteuid() != 0:
                raise HubError("These settings are root's: connect as root, or set ansible_become to true.")
            hands = host_io.Applier(self.wanted, self.fstab, self.command, self.place)
            for action in plan.actions:
                hands.take(action.kind, plan)
        missing, unit = self.packages()
        differences: list[dict[str, t.Any]] = [{"before": plan.before, "after": plan.after}]
        if plan.fstab != base.fstab:
            header = {"before_header": self.fstab, "after_header": self.fstab}
            differences.append({**header, "before": base.fstab, "after": plan.fstab})
        return {
            "changed": bool(plan.actions),
            "actions": [f"{action.kind}: {action.reason}" for action in plan.actions],
            "missing_packages": missing,
            "package_lists": has_package_lists(),
            "clock": {"unit": unit, "todo": self.clock(unit)},
            "files": {path: digest(path) for path in self.module.params["files"]},
            "diff": differences if plan.actions else [],
        }


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = Setter(module).run()
    except HubError as exc:
        module.fail_json(msg=exc.message)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
