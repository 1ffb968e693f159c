# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What delivery asks of an engine, on the controller and on hosts."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli
from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_plan import (
    chain_ids,
    keeps_single_layers,
)
from ansible_collections.galilean.hub.plugins.module_utils.images.plan import LABEL_DIGEST, addressed_digest


class DeliveryEngine(DockerCli):
    """An engine that gives and takes images."""

    def inspect_images(self, refs: t.Sequence[str]) -> list[dict[str, t.Any]]:
        return self.existing("image", refs)

    def info(self) -> dict[str, t.Any]:
        data: dict[str, t.Any] = json.loads(self.call("info", "--format={{json .}}") or "{}")
        return data

    def known_layers(self) -> list[str]:
        """The layers that an archive may leave out, with all that is below each of them."""
        if not keeps_single_layers(self.info().get("DriverStatus") or []):
            return []
        ids = self._rows("image", "ls", "--all", "--quiet", "--no-trunc")
        known: set[str] = set()
        for data in self.existing("image", ids):
            known.update(chain_ids((data.get("RootFS") or {}).get("Layers") or []))
        return sorted(known)

    def history(self, ref: str) -> list[tuple[int, str]]:
        """Size and command of each step of an image, the oldest first."""
        out = self.call("history", "--no-trunc", "--human=false", "--format={{json .}}", ref) or ""
        rows = [json.loads(line) for line in out.splitlines()]
        return [(int(row["Size"]), str(row["CreatedBy"])) for row in reversed(rows)]

    def present(self, refs: t.Sequence[str]) -> dict[str, str]:
        """The ids of those images that are there, with the content that their names promise."""
        found = {}
        for ref, image in self.images(refs).items():
            promised, carried = addressed_digest(ref), image.labels.get(LABEL_DIGEST)
            if not promised or not carried or carried.startswith(promised):
                found[ref] = image.id
        return found

    def load(self, archive: Path, timeout: float) -> str:
        """Load an archive, and remove it; returns the engine's complaint, or nothing."""
        with open(archive, "rb") as stream:
            # Whatever happens from here on, nothing of it is left behind.
            archive.unlink()
            try:
                done = subprocess.run(
                    [*self.client, "image", "load", "--quiet"],
                    stdin=stream,
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=timeout,
                )
            except subprocess.TimeoutExpired:
                raise HubError(
                    f"The engine did not load the images within {timeout:.0f} s: raise images_build_timeout."
                ) from None
        return (done.stderr.strip() or done.stdout.strip() or "no reason given") if done.returncode else ""


def free_space(paths: t.Iterable[str]) -> dict[str, tuple[str, int]]:
    """The file system of each path, or of the nearest folder that exists, and what is free there."""
    out = {}
    for path in paths:
        place = Path(path)
        while not place.exists() and place != place.parent:
            place = place.parent
        stats = os.statvfs(place)
        out[path] = (str(place.stat().st_dev), stats.f_bavail * stats.f_frsize)
    return out
