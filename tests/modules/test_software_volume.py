# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The software_volume module against the real engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from engine import ModuleRunner, docker

DOCKERFILE = """\
ARG BASE
FROM ${BASE}
ARG VERSION=1
ARG MEGABYTES=1
RUN mkdir -p /opt/software/bin && cd /opt/software && echo "echo version $VERSION" > bin/tool && \\
    chmod 755 bin/tool && ln -s tool bin/link && ln bin/tool bin/hard && mkdir -m 700 private && \\
    head -c ${MEGABYTES}000000 /dev/urandom > big && chown 1000:1000 big
"""


class Stack:
    """A stack with as many versions as a test likes."""

    def __init__(self, run: ModuleRunner, prefix: str, base: str, folder: Path, name: str) -> None:
        self.run, self.name = run, name
        self.prefix = f"{prefix}-{name}"
        self.common: dict[str, t.Any] = {"log_dir": str(folder / "log")}
        self.build_params = {
            **self.common,
            "name": f"stack-{name}",
            "repository_prefix": prefix,
            "path": str(folder / "context"),
            "parent": base,
        }
        (folder / "context").mkdir()
        (folder / "context/Dockerfile").write_text(DOCKERFILE)

    def image(self, version: int, megabytes: int = 1) -> str:
        args = {"VERSION": version, "MEGABYTES": megabytes}
        result = self.run("image", **self.build_params, args=args)
        assert not result["failed"], result
        return str(result["image"]["ref"])

    def __call__(self, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
        return self.run("software_volume", check=check, prefix=self.prefix, **self.common, **params)

    def volumes(self) -> set[str]:
        return set(docker("volume", "ls", "--quiet", f"--filter=name={self.prefix}").split())


@pytest.fixture
def stack(
    run_module: ModuleRunner, prefix: str, base: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Stack:
    name = request.node.originalname.removeprefix("test_").replace("_", "-")
    return Stack(run_module, prefix, base, tmp_path, name)


def test_create_again_absent(stack: Stack, base: str) -> None:
    image = stack.image(1)
    name = f"{stack.prefix}-{image.rsplit(':', 1)[1]}"
    check = stack(check=True, image=image)
    assert check["changed"]
    assert check["volume"]["name"] == name
    assert stack.volumes() == set()

    first = stack(image=image)
    assert first["changed"], first
    assert first["actions"] == [{"action": "seed", "volume": name, "reason": "it does not exist"}]
    assert first["volume"]["files"] == 3
    assert first["volume"]["size_bytes"] > 1_000_000
    assert not stack(image=image)["changed"]
    again = stack(check=True, image=image)
    assert not again["changed"]
    assert again["volume"] == first["volume"]

    labels = json.loads(docker("volume", "inspect", name))[0]["Labels"]
    assert labels["galilean.hub.role"] == "software"
    assert labels["galilean.hub.digest"] == first["volume"]["digest"]
    mount = f"--mount=type=volume,src={name},dst=/opt/software,readonly,volume-nocopy"
    script = "cd /opt/software; sh bin/link; stat -c '%a %u %h %n' big bin/hard private .sealed; touch x 2>&1"
    seen = docker("run", "--rm", "--network=none", mount, base, "sh", "-c", script, check=False).splitlines()
    assert seen[0] == "version 1"
    assert seen[1:5] == ["644 1000 1 big", "755 0 2 bin/hard", "700 0 2 private", "444 0 1 .sealed"]
    assert "Read-only file system" in seen[5]

    assert stack(check=True, state="absent")["changed"]
    assert stack.volumes() == {name}
    assert stack(state="absent")["changed"]
    assert not stack(state="absent")["changed"]
    assert stack.volumes() == set()


def test_versions(stack: Stack, base: str) -> None:
    names = []
    for version in (1, 2, 3):
        result = stack(image=stack.image(version), keep=3)
        names.append(result["volume"]["name"])
        # The engine tells creation times in whole seconds.
        time.sleep(1)
    user = docker("create", "--name", f"{stack.prefix}-user", f"--volume={names[0]}:/opt/software:ro", base)
    check = stack(check=True, image=stack.image(3), keep=1)
    assert check["volume"]["pruned"] == [names[1]], "the first is in use"
    assert stack.volumes() == set(names)
    pruned = stack(image=stack.image(3), keep=1)
    assert pruned["changed"]
    assert pruned["volume"]["pruned"] == [names[1]]
    assert stack.volumes() == {names[0], names[2]}
    assert not stack(image=stack.image(3), keep=1)["changed"]

    used = stack(state="absent")
    assert used["failed"]
    assert f"{names[0]} by {stack.prefix}-user" in used["msg"]
    docker("rm", user)
    back = stack(digest=names[0].rsplit("-", 1)[1], keep=2)
    assert not back["changed"]
    assert back["volume"]["name"] == names[0]
    unknown = stack(digest="0123456789ab")
    assert unknown["failed"]
    assert names[0].rsplit("-", 1)[1] in unknown["msg"]


def kill_while(process: subprocess.Popen[bytes], condition: t.Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "the module ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("also", ["module", "container"])
def test_killed_seed(stack: Stack, also: str) -> None:
    """Killed with its container, it is done again; a container that lives on may have come to its end."""
    stack.prefix += f"-{also}"
    image = stack.image(1, megabytes=400)
    process = stack.run.start("software_volume", prefix=stack.prefix, image=image, **stack.common)
    kill_while(process, lambda: bool(docker("ps", "--quiet", f"--filter=name={stack.prefix}")))
    if also == "container":
        docker("kill", f"{stack.prefix}-{image.rsplit(':', 1)[1]}-seed")
        assert stack(check=True, image=image)["changed"], "an unfinished volume does not count"
        assert stack(image=image)["changed"]
    else:
        assert not stack(image=image)["failed"]
    result = stack(image=image)
    assert not result["changed"]
    assert result["volume"]["files"] == 3
    assert docker("ps", "--all", "--quiet", f"--filter=name={stack.prefix}") == ""
    assert len(stack.volumes()) == 1


def test_unfinished_volumes(stack: Stack, base: str) -> None:
    image = stack.image(1)
    digest = image.rsplit(":", 1)[1]
    name, older = f"{stack.prefix}-{digest}", f"{stack.prefix}-0123456789ab"
    for volume in (name, older):
        docker("volume", "create", f"--label=galilean.hub.stack={stack.prefix}", volume)
    docker("run", "--rm", f"--volume={name}:/v", base, "touch", "/v/half")
    user = docker("create", f"--volume={name}:/v", base)
    used = stack(image=image)
    assert used["failed"]
    assert "was not finished, and is in use by" in used["msg"]
    docker("rm", user)
    result = stack(image=image)
    reasons = {action["volume"]: action["reason"] for action in result["actions"]}
    assert reasons == {name: "it was not finished", older: "it was not finished"}
    assert stack.volumes() == {name}
    assert docker("run", "--rm", f"--volume={name}:/v:ro", base, "ls", "/v") == "big\nbin\nprivate"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"image": "nothing/here:0123456789ab"},
            "image is nothing/here:0123456789ab, which is not on this host",
        ),
        ({"image": "BASE", "source_path": "/opt/nothing"}, "The image has no folder /opt/nothing"),
        ({"digest": "short"}, "digest is 'short'"),
        ({}, "any of the following are missing: image, digest"),
    ],
)
def test_bad_input(stack: Stack, base: str, params: dict[str, t.Any], message: str) -> None:
    given: dict[str, t.Any] = {key: base if value == "BASE" else value for key, value in params.items()}
    result = stack(**given)
    assert result["failed"]
    assert message in result["msg"]
    assert stack.volumes() == set(), "a failed seeding leaves nothing"
