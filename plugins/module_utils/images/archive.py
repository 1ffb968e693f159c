# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Image archives as C(docker load) reads them.

The format is the one of the Docker Image Specification v1.2, which every engine reads: a manifest, a configuration and a
tar archive for each layer.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import shutil
import tarfile
import typing as t
from io import BytesIO
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.images.context_digest import file_sha256

# A fixed time: the same content makes the same image, down to its id.
CREATED = "1970-01-01T00:00:00Z"
# What an engine takes where an image says nothing; written down, because builders add it.
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OPENERS: list[tuple[bytes, t.Callable[..., t.Any]]] = [
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ", lzma.open),
]


def uncompressed(archive: Path, target: Path) -> Path:
    """The archive itself, or its content in ``target`` when it is compressed."""
    with open(archive, "rb") as stream:
        magic = stream.read(6)
    for start, opener in _OPENERS:
        if magic.startswith(start):
            with opener(archive, "rb") as source, open(target, "wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
            return target
    return archive


def holds_image(archive: Path) -> bool:
    """Whether a tar archive is one of C(docker save), and not that of a root file system; HubError when it is no tar archive."""
    try:
        with tarfile.open(archive, "r:") as tar:
            for entry in tar:
                if entry.name in ("manifest.json", "./manifest.json"):
                    # A root file system may hold such a file, too, but has no list of images in it.
                    stream = tar.extractfile(entry)
                    return stream is not None and isinstance(json.loads(stream.read()), list)
    except (tarfile.TarError, ValueError) as exc:
        raise HubError(
            f"archive is {archive}, which is no tar archive of an image or a root file system: {exc}."
        ) from exc
    return False


def image_config(
    diff_id: str, architecture: str, env: t.Mapping[str, str], labels: t.Mapping[str, str]
) -> str:
    """The configuration of an image with one layer, as JSON."""
    config = {
        "architecture": architecture,
        "os": "linux",
        "created": CREATED,
        "config": {
            # An engine creates no container from an image without a command.
            "Cmd": ["bash"],
            "Env": [f"{key}={value}" for key, value in sorted({"PATH": _PATH, **env}.items())],
            "Labels": dict(sorted(labels.items())),
        },
        "history": [{"created": CREATED, "created_by": "root file system"}],
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
    }
    return json.dumps(config, sort_keys=True, separators=(",", ":"))


def write_image(
    rootfs: Path,
    target: Path,
    ref: str,
    architecture: str,
    env: t.Mapping[str, str],
    labels: t.Mapping[str, str],
) -> None:
    """Make an image archive of a root file system's (uncompressed) tar archive."""
    diff_id = file_sha256(str(rootfs))
    config = image_config(f"sha256:{diff_id}", architecture, env, labels).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    layer_name = f"{diff_id}/layer.tar"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [ref], "Layers": [layer_name]}]).encode()
    with tarfile.open(target, "w") as tar:
        for name, data in ((config_name, config), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, BytesIO(data))
        tar.add(rootfs, arcname=layer_name)
