# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of the modules share."""

from __future__ import annotations

import secrets
import typing as t

import pytest
from ansible.plugins.loader import init_plugin_loader
from engine import ROOT, ModuleRunner, apply_images, docker

init_plugin_loader([str(ROOT / ".ansible" / "collections")])


@pytest.fixture(scope="session")
def run_module(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[ModuleRunner]:
    collections = tmp_path_factory.mktemp("collections")
    namespace = collections / "ansible_collections" / "galilean"
    namespace.mkdir(parents=True)
    (namespace / "hub").symlink_to(ROOT, target_is_directory=True)
    runner = ModuleRunner(collections)
    yield runner
    runner.close()


@pytest.fixture(scope="session")
def prefix() -> t.Iterator[str]:
    """A random prefix for everything that a test run makes in the engine; all of it is removed at the end."""
    name = f"ght{secrets.token_hex(3)}"
    yield name
    containers = docker("ps", "--all", "--quiet", f"--filter=name={name}").split()
    if containers:
        docker("rm", "--force", *containers, check=False)
    volumes = docker("volume", "ls", "--quiet", f"--filter=name={name}").split()
    if volumes:
        docker("volume", "rm", *volumes, check=False)
    refs = docker("image", "ls", "--format={{.Repository}}:{{.Tag}}", f"--filter=reference={name}/*").split()
    if refs:
        docker("image", "rm", *refs, check=False)


@pytest.fixture(scope="session")
def base(run_module: ModuleRunner, prefix: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bootstrapped base, the first thing that every deployment makes."""
    logs = str(tmp_path_factory.mktemp("base-log"))
    result = run_module(
        "image", name="base", repository_prefix=prefix, source="bootstrap", suite="trixie", log_dir=logs
    )
    assert result.get("changed") is True, result
    return str(result["image"]["ref"])


@pytest.fixture(scope="session")
def refs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    """References of the images as a deployment has them, and the software volume; built where missing."""
    done = apply_images(tmp_path_factory.mktemp("refs"))
    assert done.status == 0, done.said
    return done.refs
