# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The list of images of a host, in the order in which they can be built. Pure. PRIVATE to the collection: may change at any time."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils._errors import HubError

BASE = "base"
_DEFAULTS: dict[str, t.Any] = {
    "path": "",
    "dockerfile": "Dockerfile",
    "args": {},
    "target": "",
    "parent": BASE,
    "stack": False,
}


def _merged(
    catalog: t.Sequence[t.Mapping[str, t.Any]], extra: t.Sequence[t.Mapping[str, t.Any]]
) -> dict[str, dict[str, t.Any]]:
    entries: dict[str, dict[str, t.Any]] = {}
    for source, items in (("images_catalog", catalog), ("images_catalog_extra", extra)):
        seen = set()
        for item in items:
            name = item.get("name")
            if not isinstance(name, str) or not name:
                raise HubError(f"{source} has an entry without a name: {dict(item)}. Give it one.")
            if name == BASE:
                raise HubError(
                    f"{source} has an entry {BASE!r}: the base is made from the images_base_* settings; choose another name."
                )
            if name in seen:
                raise HubError(f"{source} has {name!r} twice: remove or rename one.")
            seen.add(name)
            entries[name] = {
                **_DEFAULTS,
                **entries.get(name, {}),
                **{key: value for key, value in item.items() if value is not None},
            }
    return entries


def _is_reference(parent: str) -> bool:
    return ":" in parent or "/" in parent


def _level(name: str, entries: t.Mapping[str, t.Mapping[str, t.Any]], path: tuple[str, ...] = ()) -> int:
    if name in path:
        raise HubError(
            f"images_catalog has a circle: {' -> '.join([*path, name])}. Give one of them another parent."
        )
    parent = entries[name]["parent"]
    if parent == BASE:
        return 1
    if _is_reference(parent):
        return 0
    if parent not in entries:
        known = ", ".join([BASE, *sorted(entries)])
        raise HubError(
            f"images_catalog has {name!r} with parent {parent!r}, which it does not have: use one of {known}, or a full reference."
        )
    return _level(parent, entries, (*path, name)) + 1


def image_levels(
    catalog: t.Sequence[t.Mapping[str, t.Any]],
    extra: t.Sequence[t.Mapping[str, t.Any]] = (),
    stack: str = "",
    files_path: str = "",
) -> list[list[dict[str, t.Any]]]:
    """The images to have, level by level: each needs only images of the levels before it.

    Entries of ``extra`` add to or change those of the same name. Of the software stacks only the chosen one is made.
    """
    entries = _merged(catalog, extra)
    if stack and not entries.get(stack, {}).get("stack"):
        stacks = ", ".join(sorted(name for name, entry in entries.items() if entry["stack"])) or "none"
        raise HubError(
            f"images_software_stack is {stack!r}, which is no stack of images_catalog: use one of {stacks}, or '' for no software."
        )
    levels = {name: _level(name, entries) for name in entries}
    wanted = {name for name, entry in entries.items() if not entry["stack"] or name == stack}
    for name in list(wanted):
        while not _is_reference(entries[name]["parent"]) and entries[name]["parent"] != BASE:
            name = entries[name]["parent"]
            wanted.add(name)
    parents = {entries[name]["parent"] for name in wanted}
    out: list[list[dict[str, t.Any]]] = [
        [] for _level in range(max([0, *(levels[name] for name in wanted)]) + 1)
    ]
    if BASE in parents:
        out[0].append(
            {**_DEFAULTS, "name": BASE, "source": "bootstrap", "parent": "", "file": "", "awaited": True}
        )
    for name in sorted(wanted):
        entry = dict(entries[name])
        entry["path"] = entry["path"] or f"{files_path.rstrip('/')}/{name}"
        entry["file"] = f"{entry['path']}/{entry['dockerfile']}"
        out[levels[name]].append({**entry, "source": "build", "awaited": name in parents})
    return [level for level in out if level]
