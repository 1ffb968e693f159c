# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Find files of an inventory that Ansible does not read, or takes for something else than they are.

Reads folders and files, does nothing else.
"""

from __future__ import annotations

import os
import typing as t
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.settings.spec import nearest

SETTINGS = (".yml", ".yaml", ".json")
# What Ansible looks for beside the name of a group or host: the first that it finds is the only one.
VARIANTS = ("", *SETTINGS)
# What may be an inventory by its name; ansible.cfg keeps Ansible from reading anything else.
INVENTORY_NAMES = ("hosts", "inventory")
INVENTORY_SUFFIXES = (*SETTINGS, ".ini", ".toml")
VARS_FOLDERS = {"group_vars": "group", "host_vars": "host"}
# How like one of these the name of a folder must be to be taken for it.
LIKENESS = 0.7
# What else belongs beside the hosts, and what nobody takes for a part of an inventory.
ELSEWHERE = frozenset(["files", "web", "known_hosts", *VARS_FOLDERS])
NOTES = (".md", ".rst", ".example", ".sample", ".bak", ".orig", ".retry", ".swp", ".cfg")
GROUP_KEYS = ("hosts", "vars", "children")
# What people put around settings, as in an inventory; in a file of settings they stand at the left margin.
AROUND = (*GROUP_KEYS, "all", "settings", "ungrouped")


@dataclass(frozen=True)
class Known:
    """What Ansible has read: groups with their hosts; and how to get a file of YAML, None where it is none."""

    groups: Mapping[str, Sequence[str]]
    settings: Collection[str]
    roles: Collection[str]
    load: t.Callable[[str], t.Any]
    # The folder of the collection.
    checkout: Path

    def names(self, kind: str) -> Collection[str]:
        return self.groups if kind == "group" else self.groups.get("all", ())

    def settings_below(self, key: object, value: object) -> list[str]:
        """Settings that stand below a key where nobody reads them, or a role's without its name."""
        if not isinstance(value, Mapping):
            return []
        found = [str(below) for below in value if below in self.settings]
        if key in self.roles:
            found += [f"{key}_{below}" for below in value if f"{key}_{below}" in self.settings]
        for below in value if not found else ():
            if below in AROUND or below in self.groups:
                found += self.settings_below(below, value[below])
        return found


def _shown(path: Path) -> str:
    """The path as the user would type it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _move(path: Path) -> str:
    return f"move it to {_shown(path.parent / 'files' / path.name)}, and name it so in the settings"


def _is_note(name: str) -> bool:
    return name.startswith(".") or name.endswith("~") or name.lower().endswith(NOTES)


def _entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not _is_note(path.name))


def _says_something(path: Path) -> bool:
    return not path.is_dir() or any(not _is_note(name) for _, _, names in os.walk(path) for name in names)


def _vars_file(path: Path, known: Known) -> list[str]:
    data = known.load(str(path)) if path.suffix in SETTINGS else None
    around = {*AROUND, *known.groups, *known.names("host"), *known.roles}
    return [
        f"{_shown(path)} has {found[0]} below {key}, where Ansible ignores it: write {found[0]} at the left margin."
        for key, value in (data.items() if isinstance(data, Mapping) else ())
        if key in around and key not in known.settings and (found := known.settings_below(key, value))
    ]


def _vars_of(path: Path, known: Known) -> list[str]:
    """What is wrong with the file of a group or host, or with the files in its folder."""
    if not path.exists():
        return [f"{_shown(path)} is a link to {os.readlink(path)}, which is not there: correct or remove it."]
    if not path.is_dir():
        return _vars_file(path, known)
    errors = []
    for part in _entries(path):
        if part.suffix in (("",) if part.is_dir() else VARIANTS):
            errors += _vars_of(part, known)
        elif part.is_dir() and _says_something(part):
            errors.append(f"{_shown(part)} is a folder with a dot in its name, which is not read: rename it.")
        elif not part.is_dir():
            errors.append(
                f"{_shown(part)} is not read, since its name does not end in .yml, .yaml or .json: rename it, or move it away."
            )
    return errors


def _unknown(path: Path, stem: str, kind: str, names: Collection[str], everybody: str) -> str:
    longer = [name for name in names if path.name.startswith(f"{name}.")]
    if longer:
        return f"is not read, since its name does not end in .yml, .yaml or .json: rename it to {max(longer, key=len)}.yml."
    near = nearest(stem, set(names) - {"all", "ungrouped"})
    said = f"is for the {kind} {stem}, which the inventory does not have"
    return f"{said}: did you mean {near}?" if near else f"{said}: put settings of all hosts into {everybody}."


def _vars_folder(folder: Path, known: Known) -> list[str]:
    """What is wrong in group_vars or host_vars."""
    kind = VARS_FOLDERS[folder.name]
    names = known.names(kind)
    everybody = _shown(folder.with_name("group_vars") / "all" / "settings.yml")
    if not folder.is_dir():
        return [f"{_shown(folder)} is not a folder, and not read: move its content into {everybody}."]
    shared = (known.checkout / "group_vars").resolve()
    errors = []
    for path in filter(_says_something, _entries(folder)):
        stem = path.stem if path.suffix in SETTINGS and path.name not in names else path.name
        if stem not in names:
            errors.append(f"{_shown(path)} {_unknown(path, stem, kind, names, everybody)}")
            continue
        first = next(one for end in VARIANTS if os.path.lexists(one := folder / (stem + end)))
        if first != path:
            errors.append(
                f"{_shown(path)} is not read, since there is {_shown(first)}: move its content there."
            )
        # What all inventories of a checkout share may be for groups of some of them.
        elif kind == "group" and not known.groups[stem] and folder.resolve() != shared:
            errors.append(
                f"{_shown(path)} is for the group {stem}, which has no host: give it one, or move the file to {everybody}."
            )
        else:
            errors += _vars_of(path, known)
    return errors


def _group(place: str, name: str, group: t.Any, known: Known) -> list[str]:
    """What Ansible skips in a group of an inventory with no more than a warning."""
    if not isinstance(group, Mapping):
        return []
    errors = [
        f"{place} has {key} in the group {name}, where Ansible ignores it: a group has hosts, vars and children; put variables of all its hosts below vars."
        for key in group
        if key not in GROUP_KEYS
    ]
    for host, own in (group.get("hosts") or {}).items() if isinstance(group.get("hosts"), Mapping) else ():
        errors += [
            f"{place} has {found[0]} below {key} of the host {host}, where Ansible ignores it: write it below the host."
            for key, value in (own.items() if isinstance(own, Mapping) else ())
            if key in (*AROUND, *known.roles) and (found := known.settings_below(key, value))
        ]
    for child, below in (
        (group.get("children") or {}).items() if isinstance(group.get("children"), Mapping) else ()
    ):
        errors += _group(place, child, below, known)
    return errors


def _inventory(path: Path, known: Known) -> list[str]:
    """What is wrong with a file that is an inventory by its name."""
    if path.suffix not in SETTINGS:
        return []
    data = known.load(str(path))
    if data is None:
        return []
    if not isinstance(data, Mapping):
        return [f"{_shown(path)} is not an inventory: {_move(path)}."]
    if "plugin" in data:
        return []
    settings = [key for key in data if key in known.settings]
    if settings:
        place = _shown(path.parent / "group_vars" / "all" / path.name)
        return [
            f"{_shown(path)} has settings ({settings[0]}), and is not read for them there: move it to {place}."
        ]
    return [error for name, group in data.items() for error in _group(_shown(path), name, group, known)]


def _beside(path: Path, known: Known) -> list[str]:
    """What is wrong with something that lies in the folder of an inventory."""
    near = nearest(path.name, VARS_FOLDERS, LIKENESS)
    if path.is_dir():
        meant = (
            f"did you mean {near}?"
            if near
            else f"files belong below {_shown(path.parent / 'files')}, settings into group_vars."
        )
        return (
            [f"{_shown(path)} is a folder with no meaning in an inventory: {meant}"]
            if _says_something(path)
            else []
        )
    if path.name in INVENTORY_NAMES or path.suffix in INVENTORY_SUFFIXES:
        return _inventory(path, known)
    return [f"{_shown(path)} is not an inventory: {_move(path)}."]


def _besides_one_file(path: Path, known: Known) -> list[str]:
    """Beside an inventory of one file anything may lie, but nothing that looks like settings of its hosts."""
    if path.is_dir():
        return _beside(path, known) if nearest(path.name, VARS_FOLDERS, LIKENESS) else []
    if path.suffix not in SETTINGS:
        return []
    data = known.load(str(path))
    return (
        _inventory(path, known)
        if isinstance(data, Mapping) and any(key in known.settings for key in data)
        else []
    )


def misplaced(sources: Sequence[str], known: Known) -> list[str]:
    """A sentence for each file of the inventories (as given with -i) that does not do what its author meant."""
    given = [path for source in sources if (path := Path(os.path.abspath(source))).exists()]
    errors = [error for path in given if path.is_file() for error in _inventory(path, known)]
    # True for those of which Ansible reads all.
    folders = {path.parent: False for path in given if path.is_file()} | {
        path: True for path in given if path.is_dir()
    }
    for folder, whole in folders.items():
        for path in _entries(folder):
            if path.name in VARS_FOLDERS:
                errors += _vars_folder(path, known)
            elif path.name not in ELSEWHERE and path not in given:
                errors += _beside(path, known) if whole else _besides_one_file(path, known)
    # Folders of settings that hold for some playbooks only, or for none.
    aside = [known.checkout / "host_vars"]
    aside += [known.checkout / one / name for one in ("playbooks", "inventories") for name in VARS_FOLDERS]
    errors += [
        f"{_shown(path)} is not read by all playbooks: move it into the folder of your inventory."
        for path in aside
        if path.parent not in folders and path.is_dir() and _says_something(path)
    ]
    return list(dict.fromkeys(errors))


def taken_for_hosts(sources: Sequence[str], origins: Mapping[str, str]) -> list[str]:
    """A sentence for each file below files/ whose lines became hosts: ``origins`` has the file of each host.

    With the ansible.cfg of the checkout that cannot be; an installed collection is run with any.
    """
    hosts: dict[Path, list[str]] = {}
    for host, origin in origins.items():
        hosts.setdefault(Path(origin), []).append(host)
    return [
        f"{_shown(path)} is taken for an inventory ({', '.join(sorted(names)[:3])} are hosts now): give -i {_shown(folder / 'hosts.yml')} instead "
        "of its folder, or set ignore_patterns = ^(files|web)$ below [inventory] in your ansible.cfg."
        for folder in (Path(os.path.abspath(source)) for source in sources)
        for path, names in sorted(hosts.items())
        if path.is_relative_to(folder) and path.relative_to(folder).parts[:1] in (("files",), ("web",))
    ]
