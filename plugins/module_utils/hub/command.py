# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The command that does something more with the hub of this run, and with no other. Pure."""

from __future__ import annotations

import os
import shlex
import typing as t

COMMON = "inventories/common"
# The Makefile's own.
DEFAULT = "inventories/local"
# What the Makefile calls a variable of Ansible's.
CONFIRMED = ("teardown_confirm", "rebuild_confirm")


def hub_command(
    target: str, sources: t.Sequence[str], root: str, given: t.Mapping[str, str], limit: str = ""
) -> str:
    """What to type for a playbook of the collection: with make in a checkout, else with ansible-playbook.

    sources: the inventories of the run, absolute; root: folder of the checkout, empty for an installed collection.
    """
    shown = [
        os.path.relpath(path, root) if root and path.startswith(f"{root}/") else path for path in sources
    ]
    own = [path.rstrip("/") for path in shown if path.rstrip("/") != COMMON]
    if not root or len(own) != 1:
        words = ["ansible-playbook", f"galilean.hub.{target.replace('-', '_')}"]
        words += [word for path in shown for word in ("-i", path)]
        words += [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
        return shlex.join([*words, *(["--limit", limit] if limit else [])])
    words = ["make", target] + ([f"INVENTORY={own[0]}"] if own != [DEFAULT] else [])
    words += [f"CONFIRM={given[name]}" for name in CONFIRMED if name in given]
    rest = [f"-e {name}={value}" for name, value in given.items() if name not in CONFIRMED]
    rest += [f"--limit {limit}"] if limit else []
    return " ".join([shlex.join(words), *([f'ARGS="{" ".join(rest)}"'] if rest else [])])
