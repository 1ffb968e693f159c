# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
import typing as t
from io import BytesIO
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.images import archive as archives


def tar_of(path: Path, files: dict[str, str]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, BytesIO(text.encode()))
    return path


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"etc/os-release": "x"}, False),
        ({"etc/os-release": "x", "manifest.json": '{"name": "an application of its own"}'}, False),
        ({"a.json": "{}", "manifest.json": "[]"}, True),
        ({"./manifest.json": "[]"}, True),
        ({"sub/manifest.json": "[]"}, False),
    ],
)
def test_holds_image(tmp_path: Path, files: dict[str, str], expected: bool) -> None:
    assert archives.holds_image(tar_of(tmp_path / "x.tar", files)) is expected


def test_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_text("this is text " * 100)
    with pytest.raises(HubError, match=f"^archive is {path}, which is no tar archive"):
        archives.holds_image(path)


def test_uncompressed(tmp_path: Path) -> None:
    plain = tar_of(tmp_path / "x.tar", {"a": "1"})
    assert archives.uncompressed(plain, tmp_path / "out") == plain
    packed = tmp_path / "x.tar.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert archives.uncompressed(packed, tmp_path / "out").read_bytes() == plain.read_bytes()


def test_write_image(tmp_path: Path) -> None:
    rootfs = tar_of(tmp_path / "rootfs.tar", {"etc/os-release": "x"})
    parts: dict[str, t.Any] = {
        "ref": "site/base:1",
        "architecture": "amd64",
        "env": {"A": 'x "y" $z'},
        "labels": {"k": '{"a":"b"}'},
    }
    archives.write_image(rootfs, tmp_path / "one.tar", **parts)
    with tarfile.open(tmp_path / "one.tar") as tar:
        content = {entry.name: tar.extractfile(entry) for entry in tar}
        data = {name: stream.read() for name, stream in content.items() if stream}
    (manifest,) = json.loads(data["manifest.json"])
    assert manifest["RepoTags"] == ["site/base:1"]
    config = json.loads(data[manifest["Config"]])
    assert manifest["Config"] == hashlib.sha256(data[manifest["Config"]]).hexdigest() + ".json"
    layer = data[manifest["Layers"][0]]
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(layer).hexdigest()]
    assert layer == rootfs.read_bytes()
    assert config["config"]["Env"][0] == 'A=x "y" $z'
    assert config["config"]["Env"][1].startswith("PATH=/usr/local/sbin:")
    assert config["config"]["Labels"] == {"k": '{"a":"b"}'}
