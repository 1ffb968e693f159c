# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What images are made of beside a folder with a Dockerfile, against the real engine and a real registry."""

from __future__ import annotations

import gzip
import json
import shutil
import typing as t
from pathlib import Path

import pytest
import registry
from engine import ModuleRunner, docker, inventory_of_another_host

PROBE = """\
ARG BASE
ARG OTHER
FROM ${OTHER} AS other
FROM ${BASE}
COPY --from=other /made /other
COPY . /context
"""


@pytest.fixture(scope="module")
def address(
    run_module: ModuleRunner, prefix: str, base: str, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[str]:
    with registry.serving(run_module, prefix, base, str(tmp_path_factory.mktemp("log"))) as found:
        yield found


class Maker:
    """The module with the options that all calls share."""

    def __init__(self, run: ModuleRunner, prefix: str, folder: Path) -> None:
        self.run, self.prefix = run, prefix
        self.log_dir = folder / "log"

    def params(self, name: str, **params: t.Any) -> dict[str, t.Any]:
        return {"name": name, "repository_prefix": self.prefix, "log_dir": str(self.log_dir), **params}

    def __call__(self, name: str, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
        return self.run("image", check=check, **self.params(name, **params))

    def left(self) -> list[str]:
        """What is in the folder for logs that should not be."""
        return [path.name for path in self.log_dir.iterdir() if path.suffix not in (".log", ".lock")]


@pytest.fixture
def make(run_module: ModuleRunner, prefix: str, tmp_path: Path) -> Maker:
    return Maker(run_module, prefix, tmp_path)


def twice(make: Maker, name: str, **params: t.Any) -> str:
    """Check, make, and again; returns the reference."""
    check, made, again = make(name, check=True, **params), make(name, **params), make(name, **params)
    assert check["changed"], check
    assert made["changed"], made
    assert check["image"]["ref"] == made["image"]["ref"]
    assert not again["failed"], again
    assert not again["changed"]
    assert make.left() == []
    labels = json.loads(docker("image", "inspect", made["image"]["ref"]))[0]["Config"]["Labels"]
    assert labels["galilean.hub.digest"] == made["image"]["digest"]
    return str(made["image"]["ref"])


def content(ref: str, path: str) -> str:
    return docker("run", "--rm", "--network=none", "--entrypoint=/bin/cat", ref, path)


def test_text_layers_and_parents(make: Maker, base: str, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, text in ((one, "one"), (two, "two")):
        folder.mkdir()
        (folder / "same").write_text(text)
        (folder / text).write_text(text)
    other = make("other", dockerfile_inline="ARG BASE\nFROM ${BASE}\nRUN echo one > /made\n", parent=base)
    params = {
        "dockerfile_inline": PROBE,
        "parent": base,
        "parents": {"OTHER": other["image"]["ref"]},
        "files": [{"src": str(one), "dest": "web"}, {"src": str(two), "dest": "web"}],
    }
    ref = twice(make, "probe", **params)
    assert content(ref, "/context/web/same") == "two"
    assert content(ref, "/context/web/one") == "one"
    assert content(ref, "/other") == "one"
    (one / "one").write_text("changed")
    newer = make("other", dockerfile_inline="ARG BASE\nFROM ${BASE}\nRUN echo two > /made\n", parent=base)
    changed = make("probe", check=True, **{**params, "parents": {"OTHER": newer["image"]["ref"]}})
    (action,) = changed["actions"]
    assert action["reasons"][0] == "file web/one changed"
    assert action["reasons"][1].startswith("parent OTHER changed from ")


def test_layers_from_the_controller(make: Maker, base: str, tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "part/tool").write_text("tool")
    far_host = inventory_of_another_host(tmp_path)
    params = make.params(
        "far",
        dockerfile_inline="ARG BASE\nFROM ${BASE}\nCOPY part /part\n",
        parent=base,
        files=[{"src": str(tmp_path / "part"), "dest": "part"}],
    )
    far = make.run.run([*make.run.argv("image", params, host="far"), far_host])
    assert far["changed"], far
    assert content(far["image"]["ref"], "/part/tool") == "tool"
    assert not make.run("image", **params)["changed"], "the same image on the controller itself"
    archive = tmp_path / "saved.tar"
    docker("save", f"--output={archive}", far["image"]["ref"])
    params = make.params("far-archive", source="archive", archive=str(archive))
    far = make.run.run([*make.run.argv("image", params, host="far"), far_host])
    assert far["changed"], far
    assert content(far["image"]["ref"], "/part/tool") == "tool"
    assert make.left() == []


@pytest.mark.slow
def test_archives(make: Maker, base: str, tmp_path: Path) -> None:
    saved, rootfs, packed = tmp_path / "saved.tar", tmp_path / "rootfs.tar", tmp_path / "rootfs.tar.gz"
    docker("save", f"--output={saved}", base)
    ref = twice(make, "saved", source="archive", archive=str(saved))
    same = "--format={{json .RootFS.Layers}} {{json .Config.Env}}"
    assert docker("image", "inspect", same, ref) == docker("image", "inspect", same, base)
    container = docker("create", base)
    docker("export", f"--output={rootfs}", container)
    docker("rm", container)
    ref = twice(make, "rootfs", source="archive", archive=str(rootfs), env={"SITE": "here"})
    env = json.loads(docker("image", "inspect", "--format={{json .Config.Env}}", ref))
    assert {"SITE=here", "LANG=C.UTF-8"} <= set(env)
    with open(rootfs, "rb") as source, gzip.open(packed, "wb", compresslevel=1) as target:
        shutil.copyfileobj(source, target)
    ref = twice(make, "packed", source="archive", archive=str(packed))
    assert "trixie" in content(ref, "/etc/os-release")


def test_an_archive_that_is_not_there(make: Maker, tmp_path: Path) -> None:
    failed = make("bad", source="archive", archive=f"{tmp_path}/x.tar")
    assert failed["failed"]
    assert f"archive is {tmp_path}/x.tar, which is not a file: name the tar archive" in failed["msg"]


@pytest.mark.slow
def test_registry(make: Maker, base: str, address: str) -> None:
    pushed = f"{address}/library/base:1"
    docker("tag", base, pushed)
    docker("push", pushed)
    (by_digest,) = [
        name
        for name in json.loads(docker("image", "inspect", "--format={{json .RepoDigests}}", pushed))
        if name.startswith(address)
    ]
    docker("image", "rm", pushed)
    ref = twice(make, "pulled", source="registry", image=by_digest)
    layers = "--format={{json .RootFS.Layers}}"
    assert docker("image", "inspect", layers, ref) == docker("image", "inspect", layers, base)
    assert docker("image", "ls", "--quiet", f"{address}/library/base") == "", "only our own name stays"
    by_tag = make("pulled", source="registry", image=pushed)
    assert f"image is '{pushed}': name a registry's image with its digest" in by_tag["msg"]
    nowhere = make("pulled", source="registry", image=f"{address}/library/none@sha256:{'0' * 64}")
    assert "could not be pulled" in nowhere["msg"]
    assert "not found" in nowhere["msg"] or "unknown" in nowhere["msg"]


@pytest.mark.slow
def test_bootstrap_is_reproducible(make: Maker, base: str) -> None:
    again = make("base", repository_prefix=f"{make.prefix}/again", source="bootstrap", suite="trixie")
    assert again["changed"], again
    assert again["image"]["id"] == docker("image", "inspect", "--format={{.Id}}", base)
