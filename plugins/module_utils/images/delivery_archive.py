# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Archives of images without the layers that a host has."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import typing as t
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.commands import locked
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.runs import ended_runs
from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_engine import DeliveryEngine
from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_plan import (
    ExportedImage,
    archive_key,
    chain_ids,
    human,
    layer_sizes,
    left_out_files,
    unknown_size,
)

# Compressing is for slow lines; more than the first level costs more time than it saves on a quick one.
LEVEL = 1
LOCK = "delivery.lock"


def observe_images(engine: DeliveryEngine, refs: t.Sequence[str]) -> list[ExportedImage]:
    """Return the images to export; HubError if one is missing."""
    found = {}
    for data in engine.inspect_images(refs):
        for ref in data.get("RepoTags") or []:
            found[ref] = ExportedImage(
                ref,
                data["Id"],
                tuple((data.get("RootFS") or {}).get("Layers") or []),
                int(data.get("Size") or 0),
            )
    missing = [ref for ref in refs if ref not in found]
    if missing:
        raise HubError(
            f"The controller's engine has no {', '.join(missing)}: its build failed or was done for another host; run again."
        )
    return [found[ref] for ref in refs]


def estimate(engine: DeliveryEngine, images: t.Sequence[ExportedImage], known: t.Collection[str]) -> int:
    """About how many bytes a host lacks of the images."""
    sizes = {image.ref: layer_sizes(len(image.layers), engine.history(image.ref)) for image in images}
    return unknown_size(sizes, images, known)


def _read(tar: tarfile.TarFile, name: str) -> t.Any:
    stream = tar.extractfile(name)
    if stream is None:
        raise HubError(f"The engine's archive has no {name}: report this, and set images_delivery to host.")
    with stream:
        return json.load(stream)


def thin_out(whole: Path, target: Path, known: t.Collection[str]) -> int:
    """Write an archive again without the layers that are known, compressed; return the size of what is in it."""
    unpacked = 0
    with tarfile.open(whole) as source:
        members = source.getmembers()
        manifest = _read(source, "manifest.json")
        layers_of = {
            image["Config"]: _read(source, image["Config"])["rootfs"]["diff_ids"] for image in manifest
        }
        links = {member.name: member.linkname for member in members if member.issym()}
        left_out = left_out_files(manifest, layers_of, links, known)
        with tarfile.open(target, "w:gz", compresslevel=LEVEL) as out:
            for member in members:
                if member.isreg() and member.name in left_out:
                    continue
                unpacked += member.size if member.isreg() else 0
                out.addfile(member, source.extractfile(member) if member.isreg() else None)
    return unpacked


def _check_room(folder: Path, images: t.Sequence[ExportedImage]) -> None:
    # All images together, once as the engine gives them and once more as they are sent.
    needed, free = 2 * sum(image.size for image in images), shutil.disk_usage(folder).free
    if free < needed:
        raise HubError(
            f"The controller has {human(free)} free in {folder}, but exporting the images may need {human(needed)}: "
            "free some space there, or name another folder in images_controller_dir."
        )


def export(
    engine: DeliveryEngine,
    images: t.Sequence[ExportedImage],
    known: t.Collection[str],
    folder: Path,
    run: str,
    user: str,
    owner: int,
    timeout: float,
) -> dict[str, t.Any]:
    """Create the archive with the layers that a host lacks, within timeout seconds; hosts of one run share equal ones."""
    known = {chain for image in images for chain in chain_ids(image.layers)} & set(known)
    key = archive_key(images, known)
    home = folder / run
    # The mark comes first: an archive with a mark is removed by no other host that is done with it.
    with locked(folder / LOCK):
        remove_ended(folder)
        # Seen from outside without looking into folders.
        (folder / f"{run}.run").touch()
        home.mkdir(mode=0o700, exist_ok=True)
        _give(home, owner)
        (home / f"{key}.for-{user}").touch()
    with locked(home / f"{key}.lock"):
        archive, facts = home / f"{key}.tar.gz", home / f"{key}.json"
        if not facts.exists():
            _check_room(home, images)
            whole, part = home / f"{key}.whole", home / f"{key}.part"
            try:
                engine.call(
                    "image", "save", f"--output={whole}", *[image.ref for image in images], timeout=timeout
                )
                unpacked = thin_out(whole, part, known)
            finally:
                whole.unlink(missing_ok=True)
            _give(part, owner)
            part.rename(archive)
            facts.write_text(
                json.dumps({"bytes": archive.stat().st_size, "unpacked": unpacked}), encoding="utf-8"
            )
        result: dict[str, t.Any] = json.loads(facts.read_text(encoding="utf-8"))
    return {**result, "path": str(archive), "whole": not known}


def _give(path: Path, owner: int) -> None:
    # Ansible sends it, which may be another account than the one that asks the engine.
    if owner != os.getuid() and os.getuid() == 0:
        os.chown(path, owner, -1)


def release(folder: Path, run: str, user: str) -> bool:
    """Remove a host's archives of this run unless another host still needs them."""
    home = folder / run
    if not home.is_dir():
        return False
    with locked(folder / LOCK):
        for mark in sorted(home.glob(f"*.for-{user}")):
            key = mark.name.split(".", 1)[0]
            mark.unlink()
            if not list(home.glob(f"{key}.for-*")):
                for path in home.glob(f"{key}.*"):
                    path.unlink()
        if not list(home.glob("*.for-*")):
            _remove_run(folder, run)
    return True


def remove_ended(folder: Path) -> list[str]:
    """Remove what killed runs have left."""
    gone = []
    for path in ended_runs(folder):
        _remove_run(folder, path.stem)
        gone.append(path.stem)
    return gone


def _remove_run(folder: Path, run: str) -> None:
    shutil.rmtree(folder / run, ignore_errors=True)
    (folder / f"{run}.run").unlink(missing_ok=True)
