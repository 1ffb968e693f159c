# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Images that are not built but brought: from a registry, an archive or a root file system."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.commands import read_tail, run_logged
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli
from ansible_collections.galilean.hub.plugins.module_utils.images.archive import (
    holds_image,
    uncompressed,
    write_image,
)
from ansible_collections.galilean.hub.plugins.module_utils.images.plan import ImageSpec, label_argv

_LOADED = re.compile(r"^Loaded image(?: ID)?: (\S+)$", re.MULTILINE)


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in read_tail(log, 4000).splitlines() if line.strip()]
    return lines[-1] if lines else "no output"


def _label(engine: DockerCli, spec: ImageSpec, source: str, log: Path, timeout: float) -> None:
    """Give an image of the engine our labels and name; its layers stay as they are."""
    # A build knows names only, and an archive's image may have none.
    temporary = f"{spec.repository}:bring-{spec.digest[:12]}"
    engine.call("image", "tag", source, temporary)
    try:
        builder = engine.builder()
        argv = label_argv(builder.client, builder.kind, spec)
        if run_logged(argv, log, timeout, env=builder.env, stdin=f"FROM {temporary}\n"):
            raise HubError(f"The image {source} could not be labelled: {_last_line(log)}", log=str(log))
    finally:
        engine.call("image", "rm", temporary, missing_ok=True)


def pull_image(engine: DockerCli, spec: ImageSpec, image: str, log: Path, timeout: float) -> None:
    """Pull an image by digest within timeout seconds, and tag it; HubError if that fails."""
    there = engine.image(image) is not None
    if not there and run_logged([*engine.client, "pull", image], log, timeout):
        raise HubError(
            f"image is {image}, which could not be pulled ({_last_line(log)}): "
            "correct it, log in to the registry on this host with docker login, or use another source.",
            log=str(log),
        )
    _label(engine, spec, image, log, timeout)
    if not there:
        # Its layers live on in ours; the name would only keep them when ours is removed.
        engine.call("image", "rm", image, missing_ok=True)


def load_rootfs(
    engine: DockerCli,
    spec: ImageSpec,
    rootfs: Path,
    env: t.Mapping[str, str],
    log: Path,
    scratch: Path,
    timeout: float,
) -> None:
    """Create an image from a root file system's tar archive, with the same ID for the same archive; HubError if refused."""
    architecture = (engine.call("version", "--format={{.Server.Arch}}") or "amd64").strip()
    archive = scratch / "image.tar"
    write_image(rootfs, archive, spec.ref, architecture, env, spec.labels)
    if run_logged([*engine.client, "load", f"--input={archive}"], log, timeout):
        raise HubError(f"The engine refused the root file system: {_last_line(log)}", log=str(log))


def load_archive(
    engine: DockerCli,
    spec: ImageSpec,
    archive: Path,
    shown: str,
    env: t.Mapping[str, str],
    log: Path,
    scratch: Path,
    timeout: float,
) -> None:
    """Create an image from a tar archive of C(docker save) or of a root file system; HubError if refused.

    shown: name of the archive in messages; timeout: seconds.
    """
    plain = uncompressed(archive, scratch / "archive.tar")
    if not holds_image(plain):
        load_rootfs(engine, spec, plain, env, log, scratch, timeout)
        return
    if run_logged([*engine.client, "load", f"--input={plain}"], log, timeout):
        raise HubError(
            f"archive is {shown}, which the engine refuses: {_last_line(log)}. Make it again with docker save.",
            log=str(log),
        )
    loaded = _LOADED.findall(read_tail(log))
    if len(loaded) != 1:
        raise HubError(
            f"archive is {shown}, which holds {len(loaded)} images: save one image, with one name, into it.",
            log=str(log),
        )
    _label(engine, spec, loaded[0], log, timeout)
