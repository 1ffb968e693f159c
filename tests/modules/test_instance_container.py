# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A container that is replaced: the one before runs until the next one works, and its log stays."""

from __future__ import annotations

import gzip
import json
import os
import socket
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine import ModuleRunner, docker

Call = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def name(prefix: str) -> str:
    return f"{prefix}-one"


@pytest.fixture
def call(run_module: ModuleRunner, name: str, refs: dict[str, t.Any], tmp_path: Path) -> Iterator[Call]:
    def ensure(script: str, check: bool = False, **more: t.Any) -> dict[str, t.Any]:
        container = {"name": name, "image": refs["hub"], "pull": "never", "restart_policy": "unless-stopped"}
        container |= {
            "command": ["bash", "-c", script],
            "healthcheck": {"test": ["CMD", "test", "-e", "/tmp/up"]},
        }
        params = {"container": {**container, **more}, "log_dir": str(tmp_path / "log"), "patience": 10}
        return run_module("instance_container", check, **params)

    yield ensure
    docker("rm", "--force", name, f"{name}-before", check=False)


def one(name: str) -> tuple[str, str]:
    """The container's number and whether it runs; nothing is beside it."""
    assert docker("ps", "--all", "--format={{.Names}}", f"--filter=name={name}").split() == [name]
    state = json.loads(docker("inspect", name))[0]
    return state["Id"], state["State"]["Status"]


FIRST, SECOND = (f"echo {word}; touch /tmp/up; exec sleep 600" for word in ("first", "second"))


def test_what_works_stays_until_the_next_one_does(call: Call, name: str, tmp_path: Path) -> None:
    assert call(FIRST, check=True)["changed"] is True
    assert call(FIRST)["changed"] is True
    assert call(FIRST)["changed"] is False
    before = one(name)
    # It ends at once; it runs and never gets well; its port is taken.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [f"127.0.0.1:{taken.getsockname()[1]}:80"]
        for script, more, said in (
            ("echo broken; exit 3", {}, "broken"),
            ("echo waiting; exec sleep 600", {}, "within 10 s. Its last lines: waiting"),
            (SECOND, {"published_ports": ports}, "address already in use"),
        ):
            result = call(script, **more)
            assert result["failed"] is True, result
            assert f"The new container {name} does not work, the one before it runs again." in result["msg"]
            assert said in result["msg"]
            assert one(name) == before
    assert call(FIRST)["changed"] is False
    log = tmp_path / "log"
    log.mkdir()
    for number in range(7):
        (log / f"{name}-2020010{number}.log.gz").write_bytes(b"")
        os.utime(log / f"{name}-2020010{number}.log.gz", (number, number))
    assert call(SECOND, check=True)["changed"] is True
    # One that the run would have built, and there is none to start with.
    assert call(SECOND, check=True, image="ght-nothing:here")["changed"] is True
    assert "Cannot find image" in call(SECOND, image="ght-nothing:here")["msg"]
    assert one(name) == before
    assert call(SECOND)["changed"] is True
    assert one(name)[0] != before[0]
    kept = sorted(log.iterdir())
    assert len(kept) == 5
    assert gzip.decompress(kept[-1].read_bytes()).decode().count("first") > 0


def test_a_run_that_was_killed_is_finished(call: Call, name: str) -> None:
    call(FIRST)
    # Nothing is in its place yet.
    docker("stop", "--time=0", name)
    docker("rename", name, f"{name}-before")
    assert call(SECOND)["changed"] is True
    second = one(name)
    # What came next runs, and was not looked at.
    docker(
        "run",
        "--detach",
        f"--name={name}-before",
        "--entrypoint=/usr/bin/env",
        json.loads(docker("inspect", name))[0]["Image"],
        "sleep",
        "600",
    )
    assert call(SECOND)["changed"] is True
    assert one(name) == second
    # What came next does not start.
    docker("stop", "--time=0", name)
    docker("rename", name, f"{name}-before")
    assert "the one before it runs again" in call("exit 1")["msg"]
    assert one(name) == (second[0], "running")
