# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import multiprocessing
import os
import platform
import subprocess
import typing as t
from pathlib import Path

from ansible.plugins.lookup import LookupBase

DOCUMENTATION = r"""
name: run
short_description: Tell one run of a playbook from another
version_added: 0.9.0
author: galilean.hub contributors (@galilean)
description:
  - Names the process of this run, so that hosts can say whose switch to another release is not finished.
options:
  _terms:
    description: Nothing, or the name of a run that was found on a host.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Say who this is
  ansible.builtin.debug:
    msg: "{{ lookup('galilean.hub.run') }}"
"""

RETURN = r"""
_raw:
  description: The name of this run, or, for each given name, whether it was a run of this controller and has ended.
  type: list
  elements: raw
"""

AT = " at "


def name_of(pid: int) -> str:
    """A process of this machine; empty words where there is none, or nothing tells when it began."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8")[:8]
        # Not all of its processes are seen from a container.
        boot += "-" + os.readlink("/proc/self/ns/pid")[len("pid:[") : -1]
    except OSError:
        boot = ""
    argv = ["ps", "-o", "lstart=", "-p", str(pid)]
    try:
        env = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
        began = subprocess.run(argv, capture_output=True, text=True, check=False, env=env).stdout.strip()
    except OSError:
        began = ""
    return f"{platform.node()} {boot}, process {pid}, since {began} UTC"


def has_ended(name: str) -> bool:
    """Whether it is a run of this controller, and not of a process that is there."""
    place, _, rest = name.partition(AT)[2].partition(", process ")
    pid = rest.partition(",")[0]
    return (
        pid.isdecimal()
        and place == name_of(0).partition(",")[0]
        and name_of(int(pid)) != name.partition(AT)[2]
    )


class LookupModule(LookupBase):
    """Ansible's entry point."""

    def run(
        self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[t.Any]:
        if terms:
            return [has_ended(str(term).strip()) for term in terms]
        # Tasks are carried out by children of the run.
        process = multiprocessing.parent_process() or multiprocessing.current_process()
        who = os.environ.get("SUDO_USER") or os.environ.get("USER") or f"user {os.getuid()}"
        return [f"{who}{AT}{name_of(process.pid or 0)}"]
