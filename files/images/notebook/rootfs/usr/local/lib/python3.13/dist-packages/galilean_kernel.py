# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A kernel that ships starts whatever a user has installed.

Read by sitecustomize.py when a kernel starts. What a kernel needs (ipykernel and all that it requires) is not
taken from the home where that is too old; all else is imported as ever, a user's packages first. A user's
version is passed over where another of these packages requires a newer one; of Jupyter's own, where it is
older than the one that ships: what they require of each other is not all that they need (traitlets 5.4 is
said to be enough, and is not). With $GALILEAN_KERNEL=pinned, all of them come from where they ship.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution
from typing import Any

NOTE = "galilean-note: "
OWN = frozenset(
    (
        *("comm", "debugpy", "ipykernel", "ipython", "jupyter-client", "jupyter-core"),
        *("matplotlib-inline", "pyzmq", "tornado", "traitlets"),
    )
)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def found(folders: Iterable[str]) -> dict[str, Distribution]:
    """The packages in these folders, the first of each. Only names are read, which is quick."""
    packages: dict[str, Distribution] = {}
    for folder in folders:
        for entry in sorted(listed(folder)):
            name, _, kind = entry.rpartition(".")
            if kind in ("dist-info", "egg-info"):
                packages.setdefault(
                    normal(re.split(r"-(?=\d)", name)[0]), Distribution.at(f"{folder}/{entry}")
                )
    return packages


def tops(folders: Iterable[str]) -> set[str]:
    return {entry.partition(".")[0] for folder in folders for entry in listed(folder)}


def listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def modules(package: Distribution) -> set[str]:
    """What can be imported of it, by the list of its files."""
    files = [line.split(",")[0].split("/") for line in (package.read_text("RECORD") or "").splitlines()]
    first = {parts[0] for parts in files if parts[-1].endswith((".py", ".so"))}
    return {name.partition(".")[0] for name in first if not name.startswith(".")}


def there(name: str, folders: Iterable[str]) -> str:
    """Where a module would be imported from, whatever it is; empty where it is in none of the folders."""
    places = (f"{folder}/{name}{end}" for folder in folders for end in ("/__init__.py", ".py", ".so"))
    return next(filter(os.path.exists, places), "")


def needed(ships: dict[str, Distribution], requirement: Any) -> dict[str, list[Any]]:
    """ipykernel and all that it requires: what is asked of each."""
    asked: dict[str, list[Any]] = {"ipykernel": []}
    todo = ["ipykernel"]
    while todo:
        for line in ships[todo.pop()].requires or []:
            one = requirement(line)
            name = normal(one.name)
            if name in ships and (one.marker is None or one.marker.evaluate({"extra": ""})):
                if name not in asked:
                    asked[name] = []
                    todo.append(name)
                asked[name].append(one.specifier)
    return asked


class Shipped:
    """Finds some modules where they ship, before anybody else is asked."""

    def __init__(self, names: set[str], folders: Sequence[str]) -> None:
        self.names, self.folders = names, list(folders)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return (
            PathFinder.find_spec(name, self.folders, target) if path is None and name in self.names else None
        )


def choose(folders: Sequence[str], theirs: Sequence[str], everything: bool) -> tuple[set[str], list[str]]:
    """Modules to take from where they ship, and what of the user's is passed over."""
    ships = found(folders)
    if "ipykernel" not in ships:
        return set(), []
    from packaging.requirements import Requirement
    from packaging.version import InvalidVersion, Version

    names: set[str] = set()
    passed = []
    users = found(theirs)
    for name, specifiers in needed(ships, Requirement).items():
        own = modules(ships[name])
        place = next(filter(None, (there(module, theirs) for module in sorted(own))), "")
        if not place:
            continue
        mine = ships[name].version
        version = users[name].version if name in users else ""
        try:
            good = bool(version) and all(one.contains(version, prereleases=True) for one in specifiers)
            good = good and (name not in OWN or Version(version) >= Version(mine))
        except InvalidVersion:
            good = False
        if everything or not good:
            names |= own
            passed.append(f"{name} {version} (they take {mine})" if version else place)
    return names, passed


def guard() -> None:
    """Have this process, which becomes a kernel, take what it needs from where it ships."""
    home = os.path.realpath(os.path.expanduser("~"))
    here = os.getcwd()
    # Beside the notebook: -m puts it first.
    path = [entry or here for entry in sys.path]
    theirs = [one for one in path if os.path.realpath(one).startswith(f"{home}/") or one == here]
    folders = [one for one in sys.path if one and one not in theirs]
    theirs = [here, *(one for one in dict.fromkeys(theirs) if one != here)]
    # Nearly always there is nothing to look at.
    ours = tops(folders)
    if not any(there(name, theirs) for name in ours & tops(theirs)):
        return
    before, plain = set(sys.modules), list(sys.path)
    sys.path[:] = folders
    try:
        names, passed = choose(folders, theirs, os.environ.get("GALILEAN_KERNEL") == "pinned")
    finally:
        sys.path[:] = plain
        for name in set(sys.modules) - before:
            if name.partition(".")[0] == "packaging":
                del sys.modules[name]
    if names:
        sys.meta_path.insert(0, Shipped(names, folders))
    if passed:
        print(
            f"{NOTE}This hub's kernels do not use {', '.join(passed)} of yours, they would not work with it."
            " This message ends with `pip uninstall`, or with another name for a file; an environment of"
            " your own as a kernel can use all versions.",
            file=sys.stderr,
        )
