# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the client's answers mean; the answers of a real engine are in tests/modules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine import docker_cli


def client(folder: Path, script: str, name: str = "docker") -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


BUILDX = 'case "$1" in buildx) exit 0;; *) echo 28.2.2;; esac'
OLD = 'case "$1" in buildx) exit 1;; *) echo 20.10.24+dfsg1;; esac'
NEW = 'case "$1" in buildx) exit 1;; *) echo 28.2.2;; esac'
ANCIENT = 'case "$1" in buildx) exit 1;; *) echo 18.06.1;; esac'


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (BUILDX, OLD, ("first", "buildx")),
        (OLD, BUILDX, ("first", "builtin")),
        (NEW, OLD, ("second", "builtin")),
        (NEW, BUILDX, ("second", "buildx")),
        (NEW, ANCIENT, None),
        (NEW, "exit 1", None),
    ],
)
def test_builder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, second: str, expected: tuple[str, str] | None
) -> None:
    mine = client(tmp_path, first, "first")
    monkeypatch.setattr(docker_cli, "FALLBACK_CLIENT", client(tmp_path, second, "second"))
    engine = docker_cli.DockerCli([mine])
    if expected is None:
        with pytest.raises(HubError, match=r"^No docker client .* \(tried .*first 28\.2\.2.*docker-buildx"):
            engine.builder()
        return
    builder = engine.builder()
    assert (Path(builder.client[0]).name, builder.kind) == expected
    assert ("DOCKER_BUILDKIT" in builder.env) is (builder.kind == "builtin")


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        ("Cannot connect to the Docker daemon at unix:///", docker_cli.EngineAway, "The Docker engine does"),
        (
            "permission denied while trying to connect to /x/docker.sock",
            docker_cli.EngineAway,
            "The Docker engine",
        ),
        ("something else", HubError, "docker image inspect failed: something else"),
    ],
)
def test_errors(tmp_path: Path, error: str, kind: type[HubError], message: str) -> None:
    engine = docker_cli.DockerCli([client(tmp_path, f"echo '{error}' >&2; exit 1")])
    for call in (lambda: engine.image("x:1"), lambda: engine.images(["x:1", "x:2"])):
        with pytest.raises(kind, match=f"^{re.escape(message)}"):
            call()


@pytest.mark.parametrize(
    "error", ["Error: No such image: x:1", "Error response from daemon: no such image: x:1"]
)
def test_nothing_there(tmp_path: Path, error: str) -> None:
    engine = docker_cli.DockerCli([client(tmp_path, f"echo '[]'; echo '{error}' >&2; exit 1")])
    assert engine.image("x:1") is None
    assert engine.images(["x:1"]) == {}


def test_some_are_there(tmp_path: Path) -> None:
    row = '[{"Id": "sha256:1", "RepoTags": ["x:1", "y:1"], "Config": {"Labels": null}, "Size": 5}]'
    engine = docker_cli.DockerCli([client(tmp_path, f"echo '{row}'; echo 'No such image: x:2' >&2; exit 1")])
    assert engine.images(["x:1", "x:2"]) == {"x:1": docker_cli.ObservedImage("sha256:1", {}, 5)}
    assert engine.images([]) == {}


def test_image_in_use(tmp_path: Path) -> None:
    engine = docker_cli.DockerCli([client(tmp_path, "echo 'conflict: container 1 is using it' >&2; exit 1")])
    with pytest.raises(HubError, match=r"^x:1 is in use by a container"):
        engine.remove_image("x:1")


def test_no_client() -> None:
    with pytest.raises(docker_cli.EngineAway, match=r"^There is no docker client /nonexistent on this host"):
        docker_cli.DockerCli(["/nonexistent"])


def test_a_list_is_asked_for_again(tmp_path: Path) -> None:
    """The engine fails it where something of it is removed at that moment."""
    asked = tmp_path / "asked"
    script = (
        f"[ -e {asked} ] && echo hub-edge && exit; touch {asked}; echo 'imagedb: no such file' >&2; exit 1"
    )
    assert docker_cli.DockerCli([client(tmp_path, script)]).volume_users("home") == ["hub-edge"]
