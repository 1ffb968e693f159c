# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Archives for hosts: what is in them, who shares them, and when they go."""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
import typing as t
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.runs import run_token
from ansible_collections.galilean.hub.plugins.module_utils.images import delivery_archive as archive
from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_engine import DeliveryEngine
from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_plan import (
    ExportedImage,
    chain_ids,
)

IMAGES = [
    ExportedImage("g/one:1", "sha256:1", ("a", "b"), 2000),
    ExportedImage("g/two:1", "sha256:2", ("a", "b", "c"), 3000),
]
MINE = run_token(os.getpid())


def write_archive(path: Path) -> None:
    """What `docker save` writes for these images."""
    files: dict[str, bytes] = {f"{layer}/layer.tar": layer.encode() * 1000 for layer in "abc"}
    manifest = []
    for image in IMAGES:
        config = f"{image.id[-1]}.json"
        files[config] = json.dumps({"rootfs": {"diff_ids": list(image.layers)}}).encode()
        manifest.append({"Config": config, "Layers": [f"{layer}/layer.tar" for layer in image.layers]})
    files["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


class Saving(DeliveryEngine):
    """An engine that can only save, and counts how often it does."""

    def __init__(self, fail: bool = False) -> None:
        super().__init__(["true"])
        self.saved, self.fail = 0, fail

    def call(self, *args: str, missing_ok: bool = False, timeout: float = 300) -> str | None:
        self.saved += 1
        target = Path(next(arg for arg in args if arg.startswith("--output=")).split("=", 1)[1])
        write_archive(target)
        if self.fail:
            raise HubError("docker image save failed: no space left on device")
        return ""


def names(path: str | Path) -> set[str]:
    with tarfile.open(path) as tar:
        return set(tar.getnames())


def export(engine: Saving, folder: Path, host: str, known: t.Collection[str] = ()) -> dict[str, t.Any]:
    return archive.export(engine, IMAGES, known, folder, MINE, host, os.getuid(), 10)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.name != archive.LOCK)


def test_thin_out(tmp_path: Path) -> None:
    whole, thin = tmp_path / "whole", tmp_path / "thin"
    write_archive(whole)
    size = archive.thin_out(whole, thin, set(chain_ids(["a", "b"])))
    assert names(whole) - names(thin) == {"a/layer.tar", "b/layer.tar"}
    with tarfile.open(thin) as tar:
        assert sum(member.size for member in tar) == size
        content = tar.extractfile("c/layer.tar")
        assert content is not None
        assert content.read() == b"c" * 1000


def test_hosts_share_an_archive(tmp_path: Path) -> None:
    engine = Saving()
    first, second = export(engine, tmp_path, "one"), export(engine, tmp_path, "two", ["unrelated"])
    third = export(engine, tmp_path, "three", chain_ids(["a", "b"]))
    assert engine.saved == 2
    assert first == second
    assert (first["whole"], third["whole"]) == (True, False)
    assert first["bytes"] == os.path.getsize(first["path"])
    assert third["unpacked"] == first["unpacked"] - 2000
    assert names(third["path"]) == names(first["path"]) - {"a/layer.tar", "b/layer.tar"}

    assert archive.release(tmp_path, MINE, "one")
    assert os.path.exists(first["path"]), "the other host needs it"
    archive.release(tmp_path, MINE, "two")
    assert not os.path.exists(first["path"])
    assert os.path.exists(third["path"])
    archive.release(tmp_path, MINE, "three")
    assert left(tmp_path) == []
    assert not archive.release(tmp_path, MINE, "three")


def test_what_a_killed_run_left(tmp_path: Path) -> None:
    over = "999999999-1"
    (tmp_path / over).mkdir()
    (tmp_path / over / "x.tar.gz").touch()
    (tmp_path / f"{over}.run").touch()
    export(Saving(), tmp_path, "one")
    assert [name for name in left(tmp_path) if name.startswith("999999999")] == []
    archive.release(tmp_path, MINE, "one")
    assert left(tmp_path) == []


def test_an_archive_that_could_not_be_made(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="no space left"):
        export(Saving(fail=True), tmp_path, "one")
    assert [name for name in left(tmp_path) if name.endswith((".whole", ".part", ".gz"))] == []
    # Another host tries again.
    assert export(Saving(), tmp_path, "two")["bytes"] > 0


def test_no_room(tmp_path: Path) -> None:
    huge = [ExportedImage("g/one:1", "sha256:1", ("a",), 10**18)]
    with pytest.raises(
        HubError, match=re.escape(f" free in {tmp_path}/{MINE}, but exporting the images may need ")
    ):
        archive.export(Saving(), huge, (), tmp_path, MINE, "one", os.getuid(), 10)
