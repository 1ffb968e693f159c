# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The list of images of a host, in the order in which they can be built. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.catalog.layers import (
    LAYER_KEYS,
    TOOLS,
    check_layers,
    dockerfile,
    has_layers,
    is_absolute,
    needs_tools,
    place_of,
    without_comments,
)
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

BASE = "base"
# What an entry becomes that has both a Dockerfile and layers: this image, and the layers on it.
PLAIN = "{}-plain"
_DEFAULTS: dict[str, t.Any] = {
    "path": "",
    "dockerfile": "Dockerfile",
    "image": "",
    "archive": "",
    "args": {},
    "target": "",
    "parent": BASE,
    "stack": False,
    "internal": False,
    "files": [],
    "conda_channels": ["conda-forge"],
    "user": "",
    **{key: kind() for key, kind in LAYER_KEYS.items()},
}
# What comes out beside these: see catalog_images().
_OUT = (
    "name",
    "path",
    "dockerfile",
    "image",
    "archive",
    "args",
    "target",
    "parent",
    "stack",
    "internal",
    "files",
)
Entry = dict[str, t.Any]


def _merged(
    catalog: t.Sequence[t.Mapping[str, t.Any]], extra: t.Sequence[t.Mapping[str, t.Any]]
) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
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
            unknown = sorted(set(item) - set(_DEFAULTS) - {"name"})
            if unknown:
                raise HubError(
                    f"{source} has {name!r} with {unknown[0]!r}, which is no key of an image: correct or remove it."
                )
            seen.add(name)
            given = {key: value for key, value in item.items() if value is not None}
            earlier = entries.get(name, {})
            # What a site adds to one of ours is added; anything else replaces.
            for key in ("args", "files", *LAYER_KEYS):
                if key in given and earlier.get(key):
                    named = isinstance(given[key], dict)
                    joined = {**earlier[key], **given[key]} if named else [*earlier[key], *given[key]]
                    given[key] = joined
            entries[name] = {**_DEFAULTS, **earlier, **given}
    return entries


def _is_reference(parent: str) -> bool:
    return ":" in parent or "/" in parent


def _needs(entry: t.Mapping[str, t.Any]) -> list[str]:
    """The images of the list that an entry is built from, and the base."""
    named = [entry["parent"], *entry["parents"].values()]
    return [name for name in dict.fromkeys(named) if name and not _is_reference(name)]


def _level(name: str, entries: t.Mapping[str, Entry], path: tuple[str, ...] = ()) -> int:
    if name in path:
        raise HubError(
            f"images_catalog has a circle: {' -> '.join([*path, name])}. Give one of them another parent."
        )
    level = 0
    for needed in _needs(entries[name]):
        if needed == BASE:
            level = max(level, 1)
            continue
        if needed not in entries:
            known = ", ".join([BASE, *sorted(entries)])
            what = "parent" if needed == entries[name]["parent"] else "image"
            raise HubError(
                f"images_catalog has {name!r} with {what} {needed!r}, which it does not have: use one of {known}, or a full reference."
            )
        level = max(level, _level(needed, entries, (*path, name)) + 1)
    return level


def _root(name: str, entries: t.Mapping[str, Entry]) -> str:
    """The oldest ancestor of an image that the list has; a circle is found elsewhere."""
    seen = {name}
    while entries[name]["parent"] in entries and entries[name]["parent"] not in seen:
        name = entries[name]["parent"]
        seen.add(name)
    return name


def _source(entry: Entry, files_path: str) -> Entry:
    """An entry with what its image is made from."""
    name = entry["name"]
    if entry["image"] and entry["archive"]:
        raise HubError(f"images_catalog has {name!r} with image and archive: leave one of them out.")
    if entry["image"] or entry["archive"]:
        source = "registry" if entry["image"] else "archive"
        return {**entry, "source": source, "parent": "", "path": "", "file": entry["archive"]}
    path = entry["path"] or f"{files_path.rstrip('/')}/{name}"
    return {**entry, "source": "build", "path": path, "file": f"{path}/{entry['dockerfile']}"}


def _written(entry: Entry, parent: str, root: str) -> Entry:
    """The layers of an entry as an image of its own on ``parent``."""
    name = entry["name"]
    includes = {f"INCLUDE_{number}": image for number, image in enumerate(entry["includes"])}
    text = dockerfile(name, entry, place_of(root, entry["stack"]))
    return {
        **entry,
        "source": "build",
        "parent": parent,
        "parents": {**includes, **({"TOOLS": TOOLS} if needs_tools(entry) else {})},
        "dockerfile": "Dockerfile",
        "dockerfile_inline": text,
        "files": [
            {"src": part["src"], "dest": f"files/{number}"} for number, part in enumerate(entry["files"])
        ],
        "path": "",
        "image": "",
        "archive": "",
        "args": {},
        "target": "",
        "file": "",
    }


def _expanded(entries: t.Mapping[str, Entry], files_path: str) -> dict[str, Entry]:
    """Entries as images: layers become Dockerfiles, on an image of their own where the entry has a Dockerfile, too."""
    out: dict[str, Entry] = {}
    for name, raw in entries.items():
        check_layers(name, raw)
        entry = {**without_comments(raw), "name": name, "parents": {}, "dockerfile_inline": None}
        laid = [part for part in entry["files"] if not is_absolute(part)]
        own = {**entry, "files": laid, **{key: kind() for key, kind in LAYER_KEYS.items()}}
        brought = entry["image"] or entry["archive"]
        if brought and laid:
            raise HubError(
                f"images_catalog has {name!r} with {laid[0]['dest']!r} in files, but no build context: give the full path in the image."
            )
        if not has_layers(entry):
            out[name] = _source(own, files_path)
            continue
        layers = {**entry, "files": [part for part in entry["files"] if is_absolute(part)]}
        root = _root(name, entries)
        if not (brought or entry["path"] or laid or entry["args"] or entry["target"]):
            out[name] = _written(layers, entry["parent"], root)
            continue
        plain = PLAIN.format(name)
        out[plain] = {**_source({**own, "name": name}, files_path), "name": plain, "internal": True}
        out[name] = _written(layers, plain, root)
    return out


def _closure(names: t.Iterable[str], entries: t.Mapping[str, Entry]) -> set[str]:
    wanted: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += [needed for needed in _needs(entries[name]) if needed != BASE]
    return wanted


def catalog_images(
    catalog: t.Sequence[t.Mapping[str, t.Any]],
    extra: t.Sequence[t.Mapping[str, t.Any]] = (),
    stack: str = "",
    files_path: str = "",
    base: t.Mapping[str, t.Any] | None = None,
) -> list[Entry]:
    """Return the images to build, parents first; HubError for an unknown stack.

    Entries of ``extra`` add to or change those of the same name. Of the software stacks only the chosen one is made, and
    of internal images only those that others need. ``base`` may name an ``image`` or an ``archive`` for the base, and has the
    settings of a bootstrap otherwise.

    An image that comes out has C(source), C(file) (what has to exist on the controller, or nothing), C(parents) (further
    images by build argument) and C(dockerfile_inline) (or None), beside the keys of its entry that do not make layers.
    """
    entries = _merged(catalog, extra)
    if stack and not entries.get(stack, {}).get("stack"):
        stacks = ", ".join(sorted(name for name, entry in entries.items() if entry["stack"])) or "none"
        raise HubError(
            f"images_software_stack is {stack!r}, which is no stack of images_catalog: use one of {stacks}, or '' for no software."
        )
    images = _expanded(entries, files_path)
    levels = {name: _level(name, images) for name in images}
    wanted = _closure(
        (
            name
            for name, entry in images.items()
            if (not entry["stack"] and not entry["internal"]) or name == stack
        ),
        images,
    )
    keys = (*_OUT, "source", "file", "parents", "dockerfile_inline")
    out = [
        {key: images[name][key] for key in keys} | {"name": name}
        for name in sorted(wanted, key=lambda name: (levels[name], name))
    ]
    return [_base(base or {}), *out] if any(BASE in _needs(images[name]) for name in wanted) else out


def _base(given: t.Mapping[str, t.Any]) -> Entry:
    entry = {key: _DEFAULTS.get(key, "") for key in _OUT}
    entry.update(name=BASE, parent="", parents={}, dockerfile_inline=None, internal=True, file="")
    image, archive = given.get("image", ""), given.get("archive", "")
    if image and archive:
        raise HubError("images_base_image and images_base_archive are both given: leave one of them empty.")
    if image or archive:
        source = "registry" if image else "archive"
        return {**entry, "source": source, "image": image, "archive": archive, "file": archive}
    settings = {key: value for key, value in given.items() if key not in ("image", "archive")}
    return {**entry, "source": "bootstrap", **settings}
