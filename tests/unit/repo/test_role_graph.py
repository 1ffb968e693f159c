# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which roles name variables of which others. What several need, the lookup `settings` works out."""

from __future__ import annotations

import graphlib
import re
from collections import defaultdict

from ansible_collections.galilean.hub.plugins.module_utils.settings.names import LEFT_FACTS

from . import tree

# Named in a message, for people.
SAID = {"images_web_site_path"}


def owners() -> dict[str, str]:
    """The role of each setting, internal variable and fact that a role leaves."""
    found = {name: role for name in LEFT_FACTS for role in tree.ROLES if name.startswith(f"{role}_")}
    for role in tree.ROLES:
        names = {**tree.options(role), **(tree.load(f"roles/{role}/vars/main.yml") or {})}
        found.update(dict.fromkeys(set(names) - {"ansible_managed"}, role))
    return found


def reads() -> dict[str, dict[str, set[str]]]:
    """By role and by the role that it reads of, the names."""
    owner = owners()
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for role in tree.ROLES:
        for part in ("defaults", "handlers", "tasks", "templates", "vars"):
            for file in tree.files(under=f"roles/{role}/{part}"):
                lines = [one for one in file.read_text().splitlines() if not one.lstrip().startswith("#")]
                # A key of a mapping is none, nor is a module: .users_subnet, community.docker.docker_engine.
                for name in re.findall(r"(?<![\w.])\w+", "\n".join(lines)):
                    if owner.get(name, role) != role:
                        found[role][owner[name]].add(name)
    return found


def test_roles_make_no_circle() -> None:
    # Raises CycleError, which names the circle.
    graphlib.TopologicalSorter({role: set(others) for role, others in reads().items()}).prepare()


def test_a_role_reads_of_others_only_what_they_leave() -> None:
    named = {name for others in reads().values() for names in others.values() for name in names}
    assert named - SAID <= LEFT_FACTS
