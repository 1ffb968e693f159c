# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What of which images a host lacks, and how it gets there. Pure: no engine, no files, no clock."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

# What makes a layer even where it adds no bytes; everything else in a history without bytes is settings only.
_MAKES_LAYER = re.compile(
    r"^(?:RUN|COPY|ADD|WORKDIR)\b|^/bin/sh -c (?!#\(nop\))|^\|\d+ |#\(nop\) (?:ADD|COPY|WORKDIR)\b"
)
_CONTAINERD = "io.containerd.snapshotter.v1"
_SIZE = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


@dataclass(frozen=True)
class ExportedImage:
    """One image as the controller's engine has it: its layers by the digests of their content, the lowest first."""

    ref: str
    id: str
    layers: tuple[str, ...]
    size: int = 0


def human(size: float) -> str:
    """Format a size in bytes with a unit."""
    for unit, factor in _SIZE:
        if size >= factor:
            value = size / factor
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"
    return f"{size:.0f} bytes"


def chain_ids(layers: t.Sequence[str]) -> list[str]:
    """The names under which an engine keeps each layer: they stand for the layer with all that is below it."""
    out: list[str] = []
    for layer in layers:
        out.append("sha256:" + hashlib.sha256(f"{out[-1]} {layer}".encode()).hexdigest() if out else layer)
    return out


def keeps_single_layers(driver_status: t.Sequence[t.Sequence[str]]) -> bool:
    """Whether the engine takes an archive without the layers that it has. The image store of containerd wants all of them."""
    return not any(_CONTAINERD in str(value) for _key, value in driver_status)


def to_build(
    images: t.Sequence[t.Mapping[str, t.Any]], found: t.Container[str], only: t.Collection[str] | None = None
) -> list[str]:
    """The images that are not there and have to be: those named in ``only``, and what these are built on.

    ``images`` is in the order of building. Without ``only``, all that are not C(internal) have to be there.
    An image that is there needs no parent.
    """
    needed = set(only) if only is not None else {item["name"] for item in images if not item.get("internal")}
    for item in reversed(images):
        if item["name"] in needed and item["name"] not in found:
            needed |= {item.get("parent") or "", *(item.get("parents") or {}).values()}
    return [item["name"] for item in images if item["name"] in needed and item["name"] not in found]


def archive_key(images: t.Sequence[ExportedImage], known: t.Collection[str]) -> str:
    """A name for an archive: hosts that lack the same get the same one."""
    left_out = sorted({chain for image in images for chain in chain_ids(image.layers)} & set(known))
    text = json.dumps([sorted([image.ref, image.id] for image in images), left_out])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def layer_sizes(layers: int, history: t.Sequence[tuple[int, str]]) -> list[int]:
    """The size of each layer of an image, from its history (size and command of each step, oldest first).

    The history does not say which steps made a layer. Those with a size did; of the others the likely ones are taken.
    """
    likely = [number for number, (size, command) in enumerate(history) if size > 0]
    for test in (lambda command: bool(_MAKES_LAYER.search(command)), lambda _command: True):
        for number, (size, command) in enumerate(history):
            if len(likely) < layers and number not in likely and size == 0 and test(command):
                likely.append(number)
    sizes = [history[number][0] for number in sorted(likely)[:layers]]
    return sizes + [0] * (layers - len(sizes))


def unknown_size(
    sizes: t.Mapping[str, t.Sequence[int]], images: t.Sequence[ExportedImage], known: t.Collection[str]
) -> int:
    """About how many bytes the layers have that a host lacks."""
    lacking: dict[str, int] = {}
    for image in images:
        for chain, size in zip(chain_ids(image.layers), sizes[image.ref]):
            if chain not in known:
                lacking[chain] = size
    return sum(lacking.values())


def left_out_files(
    manifest: t.Sequence[t.Mapping[str, t.Any]],
    layers_of: t.Mapping[str, t.Sequence[str]],
    links: t.Mapping[str, str],
    known: t.Collection[str],
) -> set[str]:
    """Return the files of a C(docker save) archive whose layers a host has; HubError if the archive is inconsistent.

    ``layers_of`` has the digests of the layers by each configuration file's name. ``links`` are the archive's symbolic
    links: a layer that occurs twice on different parents is stored once. Its file stays when one of the two is needed.
    """

    def stored(path: str) -> str:
        seen = set()
        while path in links and path not in seen:
            seen.add(path)
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), links[path]))
        return path

    files: set[str] = set()
    needed: set[str] = set()
    for image in manifest:
        chains = chain_ids(layers_of[image["Config"]])
        paths = [stored(posixpath.normpath(path)) for path in image["Layers"] or []]
        if len(chains) != len(paths):
            raise HubError(
                f"The archive names {len(paths)} layers for an image with {len(chains)}: report this, and set images_delivery to host."
            )
        files.update(paths)
        needed.update(path for path, chain in zip(paths, chains) if chain not in known)
    return files - needed


def space_problem(
    host: str, needed: t.Mapping[str, int], free: t.Mapping[str, tuple[str, int]], what: str
) -> str:
    """One sentence where a host has no room, nothing where it has.

    ``needed`` has bytes by path, ``free`` the file system of each path and what is free there.
    """
    sums: dict[str, int] = {}
    for path, size in needed.items():
        sums[free[path][0]] = sums.get(free[path][0], 0) + size
    for path in needed:
        device, room = free[path]
        if sums[device] > room:
            return (
                f"{host} has {human(room)} free in {path}, but {what} needs {human(sums[device])} there for a moment: "
                "free some space on it (playbooks/prune.yml removes old images), or give it a larger disk. Nothing was sent."
            )
    return ""


def registry_problem(error: str, registry: str, host: str, image: str = "") -> str:
    """What an engine's answer about a registry means, in one sentence with what to do."""
    what = f"{image} of " if image else ""
    if re.search(
        r"unauthorized|authentication required|denied|incorrect username|no basic auth|401|403",
        error,
        re.IGNORECASE,
    ):
        return (
            f"The registry {registry} refuses {host} ({what}images_registry): correct images_registry_username and "
            "images_registry_password, or what that account may do."
        )
    if re.search(r"x509|certificate|tls:|server gave HTTP response to HTTPS", error, re.IGNORECASE):
        return (
            f"The engine of {host} does not trust the registry {registry}: put its CA certificate there into "
            f"/etc/docker/certs.d/{registry.split('/')[0]}/ca.crt. It said: {_last(error)}"
        )
    if re.search(r"manifest unknown|not found|no such manifest|does not exist", error, re.IGNORECASE):
        return (
            f"The registry {registry} has lost {image or 'an image'}, which {host} needs: run again, and it is pushed again; "
            "if that does not help, see whether the registry cleans up what it should keep."
        )
    if re.search(
        r"connection refused|no such host|i/o timeout|network is unreachable|no route to host|Client\.Timeout|deadline exceeded|"
        r"EOF|lookup .* on|temporary failure|502|503|504",
        error,
        re.IGNORECASE,
    ):
        return (
            f"The registry {registry} does not answer {host}: see that it runs and can be reached from there, or correct "
            f"images_registry. It said: {_last(error)}"
        )
    return f"{host} could not get {image or 'an answer'} from the registry {registry}: {_last(error)}"


def _last(error: str) -> str:
    lines = [line.strip() for line in error.strip().splitlines() if line.strip()]
    return (lines[-1] if lines else "nothing")[-300:]
