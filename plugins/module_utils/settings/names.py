# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Find settings whose name is misspelled, and instances that would get in each other's way on one machine."""

from __future__ import annotations

import dataclasses
import ipaddress
import itertools
import os
import re
import shlex
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.settings.renamed import RENAMED
from ansible_collections.galilean.hub.plugins.module_utils.settings.spec import (
    Spec,
    check_value,
    is_secret,
    nearest,
    show,
)

# What roles leave for later roles (their READMEs say so). Not settings, but they carry a role's prefix.
LEFT_FACTS = frozenset(
    [
        "docker_cli",
        "docker_engine_ready",
        "docker_ipv6_ready",
        "docker_socket_gid",
        "images_refs",
        "images_software",
        "openstack_server_id",
    ]
)

TEXT: Spec = {"type": "str"}
SWITCH: Spec = {"type": "bool"}
# A list or mapping, which -e gives as text, and which the module judges that takes it.
ANY: Spec = {"type": "raw"}

# What playbooks take with -e, by what all of it begins with. The head of each playbook explains its own.
PLAYBOOK_VARIABLES: dict[str, dict[str, Spec]] = {
    "hubctl": {"hubctl_arguments": TEXT},
    "migrate": {
        "migrate_from": {"type": "str", "choices": ["tljh", "deploy_docker", "jukebox", "folders"]},
        "migrate_host": TEXT,
        "migrate_into": TEXT,
        "migrate_known_hosts": TEXT,
        "migrate_names": ANY,
        "migrate_names_file": TEXT,
        "migrate_over_limit": SWITCH,
        "migrate_prefix": TEXT,
        "migrate_root": TEXT,
        "migrate_ssh_key": TEXT,
        "migrate_unlisted": SWITCH,
        "migrate_users": ANY,
    },
    "move": {
        "move_address": TEXT,
        "move_confirm": TEXT,
        "move_from": TEXT,
        "move_notice": {"type": "int", "default": 15},
    },
    "rebuild": {"rebuild_confirm": TEXT, "rebuild_lose_data": SWITCH},
    "restore": {
        "restore_archive": TEXT,
        "restore_beside": SWITCH,
        "restore_confirm": TEXT,
        "restore_name": TEXT,
        "restore_path": TEXT,
        "restore_remove_drill": SWITCH,
        "restore_snapshot": TEXT,
        "restore_user": TEXT,
    },
    "rollback": {"rollback_database": SWITCH, "rollback_release": TEXT},
    "takeover": {"takeover_confirm": TEXT},
    "teardown": {
        "teardown_confirm": TEXT,
        "teardown_delete_data": SWITCH,
        "teardown_delete_images": SWITCH,
        "teardown_release_addresses": SWITCH,
        "teardown_scope": {"type": "str", "choices": ["deployment", "instance"]},
    },
}
ALL_PLAYBOOK_VARIABLES = {name: spec for taken in PLAYBOOK_VARIABLES.values() for name, spec in taken.items()}
# What a drill takes begins like what it is about.
DRILL = ("backup_drill_homes", "restore_name", "restore_remove_drill", "restore_snapshot")

# Variables that Ansible itself brings, or that a role keeps to itself.
NOT_SETTINGS = re.compile(
    r"^(__|ansible_|inventory_|group_names$|groups$|hostvars$|role_name$|role_path$|playbook_dir$|omit$|vars$|environment$)"
)

# How like a known setting an unknown variable must be to be taken for it. Lower, and variables that sites make for
# themselves ("my_edge_port") would be refused.
LIKENESS = 0.88

SECRET_WORDS = re.compile(r"token|secret|passw|key|credential", re.IGNORECASE)


def _shown(name: str, value: t.Any, spec: Spec) -> str:
    """The value behind the name, where that helps to find it and gives nothing away."""
    if is_secret(spec) or SECRET_WORDS.search(name) or not isinstance(value, (str, int, float, bool)):
        return ""
    return f" (it is {show(value)})"


def _meant(name: str, role: str | None, specs: t.Mapping[str, Spec]) -> str | None:
    """The setting that this name was probably meant to be."""
    if role is None:
        return nearest(name, specs, LIKENESS)
    # The prefix is right, and long: only what follows it tells how alike two names are.
    after = len(role) + 1
    own = {known[after:]: known for known in specs if known.startswith(f"{role}_")}
    found = nearest(name[after:], own)
    return own[found] if found else None


def _taken(name: str) -> t.Collection[str]:
    """What playbooks take that begins as this name does; empty where nothing does."""
    begin = name.partition("_")[0]
    return DRILL if name.startswith("drill_") else PLAYBOOK_VARIABLES.get(begin, {})


def playbook_name(name: str) -> list[str]:
    """A sentence where a variable is meant for a playbook, and none takes it."""
    if name in ALL_PLAYBOOK_VARIABLES or NOT_SETTINGS.match(name):
        return []
    taken = _taken(name)
    # The beginning is right: only what follows it tells how alike two names are.
    by_end = {one.partition("_")[2]: one for one in taken}
    near = by_end.get(nearest(name.partition("_")[2], by_end) or "") or (
        nearest(name, ALL_PLAYBOOK_VARIABLES, LIKENESS) if not taken else None
    )
    if not taken and not near:
        return []
    fix = f"did you mean {near}?" if near else f"use one of {', '.join(taken)}."
    return [f"{name} is no variable of a playbook: {fix}"]


def playbook_value(name: str, value: t.Any) -> list[str]:
    """What is wrong with a value that was given to a playbook: nobody may mean what Jinja makes of '15m' or 'ture'."""
    problems = check_value(name, value, ALL_PLAYBOOK_VARIABLES[name])
    if name == "hubctl_arguments" and not problems:
        try:
            shlex.split(str(value or ""))
        except ValueError:
            problems.append(
                f"{name} is {show(value)}, with one quotation mark: write the other one, or a backslash before it."
            )
    return problems


def misspelled(
    variables: t.Mapping[str, t.Any],
    specs: t.Mapping[str, Spec],
    roles: t.Iterable[str],
) -> list[str]:
    """One sentence for each variable that looks like a setting and is none.

    variables: all variables of a host, by name (values as written, not templated); specs: all settings;
    roles: names of the roles: what begins with one of them is meant to be a setting.
    """
    prefixes = {f"{role}_": role for role in roles}
    errors = []
    for name in sorted(variables):
        if name in specs or name in LEFT_FACTS or NOT_SETTINGS.match(name):
            continue
        if name in RENAMED:
            errors.append(f"{name} is called {RENAMED[name]} now: rename it (docs/upgrading.md).")
            continue
        role = next((role for prefix, role in prefixes.items() if name.startswith(prefix)), None)
        if name in ALL_PLAYBOOK_VARIABLES:
            continue
        unknown = [] if role else playbook_name(name)
        if unknown:
            errors += unknown
            continue
        near = _meant(name, role, specs)
        if near:
            shown = _shown(name, variables[name], specs[near])
            errors.append(f"{name}{shown} is not a setting: did you mean {near}?")
        elif role:
            errors.append(
                f"{name} is not a setting of the role {role}: remove it, or see docs/roles/{role}.md."
            )
    return errors


@dataclasses.dataclass(frozen=True)
class Placed:
    """Where one inventory host puts its instance."""

    host: str
    machine: str
    instance: str
    address: str
    ports: t.Mapping[str, str]  # by the name of the setting; 0 means that nothing listens
    subnet: str = ""
    shared: bool = False  # behind the SNI router of its address
    names: tuple[str, ...] = ()
    subdomains: bool = False  # names below the first one are of its users


def _same_address(one: str, other: str) -> bool:
    everywhere = {"0.0.0.0", "::", "*", ""}
    return one == other or one in everywhere or other in everywhere


def _overlap(one: str, other: str) -> bool:
    try:
        return ipaddress.ip_network(one).overlaps(ipaddress.ip_network(other))
    except (TypeError, ValueError):
        return False  # not a network: the check of that setting says so


def _name_clashes(both: str, one: Placed, other: Placed) -> list[str]:
    """Names that would lead to two instances behind the same SNI router, or to a user of one and to the other."""
    mine, theirs = (tuple(dict.fromkeys(map(str.lower, placed.names))) for placed in (one, other))
    return [
        f"{both} have the name {name} (edge_server_name, edge_server_aliases) while edge_sni_routing is true: give one of them another."
        for name in theirs
        if name in mine
    ] + [
        f"{both} have the names {above[0]} and {name} while jupyterhub_subdomains is true: names below the first belong to its "
        "users, so give the other another."
        for placed, above, names in ((one, mine, theirs), (other, theirs, mine))
        for name in names
        if placed.subdomains and above and name.endswith(f".{above[0]}")
    ]


def _port_clashes(both: str, one: Placed, other: Placed) -> list[str]:
    if not _same_address(one.address, other.address):
        return []
    fix = ""
    if one.shared and other.shared:
        if one.address == other.address:
            return _name_clashes(both, one, other)
        # Each address has an SNI router of its own, and two of them cannot have the same port.
        fix = ", or both the same edge_bind_address"
    elif one.shared or other.shared:
        fix = ", or both edge_sni_routing"
    return [
        f"{both} use port {port} of {one.address or 'every address'} ({setting} and {other_setting}): "
        f"give one of them another {setting}{fix}."
        for (setting, port), (other_setting, other_port) in itertools.product(
            one.ports.items(), other.ports.items()
        )
        if port == other_port and port not in ("", "0")
    ]


def clashes(placed: t.Sequence[Placed], host: str) -> list[str]:
    """What keeps this host's instance from living beside the others on the same machine."""
    errors = []
    for one, other in itertools.combinations(placed, 2):
        if one.machine != other.machine or host not in (one.host, other.host):
            continue
        both = f"{one.host} and {other.host} are the same machine ({one.machine}) and both"
        if one.instance == other.instance:
            errors.append(
                f"{both} have jupyterhub_instance {show(one.instance)}: give one of them another name (and edge_port)."
            )
            continue
        errors += _port_clashes(both, one, other)
        if one.subnet and _overlap(one.subnet, other.subnet):
            errors.append(
                f"{both} use the network {one.subnet} for user servers: give one of them another "
                "jupyterhub_users_subnet."
            )
    return errors


def shared_folder(instance: str, state_dir: str, data_root: str) -> list[str]:
    """A sentence where the instance's own folder and that of the engine's data are the same, or one is in the other."""
    state, data = (os.path.normpath(path) + "/" for path in (state_dir, data_root))
    if not data_root or not (state.startswith(data) or data.startswith(state)):
        return []
    return [
        f"jupyterhub_instance is {show(instance)}, whose folder {state_dir} would share files with {data_root}, where Docker "
        "keeps its data (docker_data_root): give the instance another name, or set docker_data_root to another folder."
    ]
