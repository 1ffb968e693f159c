# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A list of images in one call, against the real engine: built together, and what an unchanged one costs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from engine import ModuleRunner, inventory_of_another_host

AWAY = ["docker", "--host=unix:///nonexistent/docker.sock"]


@pytest.fixture
def counted(tmp_path: Path) -> tuple[str, Path]:
    """A docker command that counts its calls."""
    real = shutil.which("docker")
    calls, script = tmp_path / "calls", tmp_path / "docker"
    script.write_text(f'#!/bin/sh\necho "$*" >> {calls}\nexec {real} "$@"\n')
    script.chmod(0o755)
    return str(script), calls


@pytest.fixture
def images(tmp_path: Path, base: str) -> list[dict[str, t.Any]]:
    contexts = []
    for name, parent in (("plan-one", base), ("plan-two", "plan-one"), ("plan-three", "plan-one")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "Dockerfile").write_text(f"ARG BASE\nFROM ${{BASE}}\nLABEL x={name}\n")
        contexts.append({"name": name, "parent": parent, "path": str(folder)})
    return contexts


def test_plan_and_build(
    run_module: ModuleRunner,
    prefix: str,
    images: list[dict[str, t.Any]],
    counted: tuple[str, Path],
    tmp_path: Path,
) -> None:
    docker_cli, calls = counted
    common: dict[str, t.Any] = {
        "repository_prefix": prefix,
        "docker_cli": [docker_cli],
        "log_dir": str(tmp_path / "log"),
    }
    plan = run_module("image", images=images, state="planned", **common)
    assert not plan["changed"], "it only asks"
    assert plan["missing"] == {
        item["name"]: [f"there is no image {prefix}/{item['name']} yet"] for item in images
    }
    check = run_module("image", check=True, images=images, **common)
    assert (check["changed"], check["missing"], check["refs"]) == (True, plan["missing"], plan["refs"])
    built = run_module("image", images=images, **common)
    assert built["changed"], built
    assert built["refs"] == plan["refs"]
    assert set(built["seconds"]) == set(plan["missing"])
    # An operator sees what runs, in the order in which it does.
    said = re.findall(r"^\[localhost\] (building|built) plan-(\w+)", built["printed"], re.MULTILINE)
    assert said[:2] == [("building", "one"), ("built", "one")]
    assert sorted(said[2:]) == sorted(
        (event, name) for event in ("building", "built") for name in ("two", "three")
    )
    left = [path.name for path in (tmp_path / "log").iterdir() if path.suffix not in (".log", ".lock")]
    assert left == ["jobs"]
    assert list((tmp_path / "log/jobs").iterdir()) == []

    for state in ("planned", "present"):
        calls.unlink()
        again = run_module("image", images=images, state=state, **common)
        assert not again["changed"]
        assert (again["missing"], again["refs"]) == ({}, plan["refs"])
        assert len(calls.read_text().splitlines()) == 1, "one question for the whole list"
    calls.unlink()
    first = {**images[0], **common}
    assert not run_module("image", **first)["changed"]
    assert calls.read_text() == f"image inspect {plan['refs']['plan-one']}\n"

    Path(images[0]["path"], "more").write_text("more")
    changed = run_module("image", images=images, state="planned", **common)
    assert changed["missing"]["plan-one"] == ["file more is new"]
    assert [reason[:20] for reason in changed["missing"]["plan-two"]] == ["parent changed from "]


def rewrite(image: dict[str, t.Any], step: str) -> None:
    # The builder must not know the step from an earlier run.
    Path(image["path"], "Dockerfile").write_text(f"ARG BASE\nFROM ${{BASE}}\nRUN {step} # {time.time()}\n")


def test_builds_run_together_and_a_failure_stops_its_children_only(
    run_module: ModuleRunner, prefix: str, base: str, images: list[dict[str, t.Any]], tmp_path: Path
) -> None:
    one, two, three = images
    two["parent"] = base
    rewrite(one, "sleep 4")
    rewrite(two, "echo a telling line; sleep 4; false")
    three["parent"] = "plan-two"
    four = {"name": "plan-four", "parent": "plan-one", "path": one["path"], "args": {"N": 4}}
    common: dict[str, t.Any] = {"repository_prefix": prefix, "log_dir": str(tmp_path / "log")}
    failed = run_module("image", images=[one, two, three, four], **common)
    assert failed["failed"]
    assert f"The build of {prefix}/plan-two failed at step" in failed["msg"]
    assert "a telling line" in failed["msg"]
    assert "Not built, because a parent failed: plan-three." in failed["msg"]
    assert "building plan-two" in failed["printed"].split("built plan-one")[0], "both run at the same time"
    assert "failed plan-two after" in failed["printed"]
    plan = run_module("image", images=[one, two, three, four], state="planned", **common)
    assert set(plan["missing"]) == {"plan-two", "plan-three"}


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["ansible", "module"])
def test_killed_builds_are_finished_by_the_next_run(
    run_module: ModuleRunner, prefix: str, images: list[dict[str, t.Any]], tmp_path: Path, victim: str
) -> None:
    rewrite(images[0], "echo sleeping; sleep 5")
    common: dict[str, t.Any] = {"repository_prefix": prefix, "log_dir": str(tmp_path / "log")}
    process = run_module.start("image", images=images, **common)
    log = tmp_path / "log" / f"{prefix}-plan-one.log"
    deadline = time.monotonic() + 60
    while not (log.exists() and " sleeping" in log.read_text()):
        assert time.monotonic() < deadline, "the build did not start"
        time.sleep(0.2)
    if victim == "ansible":
        run_module.kill(process)
    else:
        pgrep = ["pgrep", "-f", "--", f"--tag={prefix}/plan-one"]
        builds = subprocess.run(pgrep, capture_output=True, text=True, check=True)
        parents = {Path(f"/proc/{pid}/stat").read_text().split()[3] for pid in builds.stdout.split()}
        for pid in parents - {"1"}:
            os.kill(int(pid), signal.SIGKILL)
        assert process.wait(timeout=60) != 0, "it is seen that something has ended the builds"
    result = run_module("image", images=images, **common)
    assert not result["failed"], result
    assert run_module("image", images=images, state="planned", **common)["missing"] == {}


def test_other_host(
    run_module: ModuleRunner, prefix: str, images: list[dict[str, t.Any]], tmp_path: Path
) -> None:
    far_host = inventory_of_another_host(tmp_path)
    params: dict[str, t.Any] = {
        "images": images,
        "repository_prefix": prefix,
        "log_dir": str(tmp_path / "log"),
    }

    def far(**more: t.Any) -> dict[str, t.Any]:
        argv = run_module.argv("image", {**params, **more}, host="far")
        return run_module.run([*argv, far_host])

    assert far(state="planned")["refs"] == run_module("image", state="planned", **params)["refs"]
    # Contexts are sent, and nothing of them stays.
    rewrite(images[0], "true")
    built = far()
    assert built["changed"], built
    assert "[far] built plan-one after" in built["printed"]
    assert not run_module("image", **params)["changed"], "the same images on the controller itself"
    left = [path.name for path in (tmp_path / "log").iterdir() if path.suffix not in (".log", ".lock")]
    assert left == ["jobs"]
    gone = far(state="absent")
    assert gone["changed"]
    assert set(run_module("image", state="planned", **params)["missing"]) == {item["name"] for item in images}


def test_engine_away(run_module: ModuleRunner, prefix: str, images: list[dict[str, t.Any]]) -> None:
    params: dict[str, t.Any] = {"images": images, "repository_prefix": prefix}
    there = run_module("image", state="planned", **params)
    away = run_module("image", check=True, docker_cli=AWAY, **params)
    assert away["refs"] == there["refs"]
    assert set(away["missing"]) == {item["name"] for item in images}
    calls: list[tuple[str, dict[str, t.Any]]] = [
        ("image", {**params, "state": "planned"}),
        ("image", {**images[0], "repository_prefix": prefix}),
        ("software_volume", {"prefix": prefix, "image": f"{prefix}/x:0123456789ab"}),
    ]
    for module, given in calls:
        check = run_module(module, check=True, docker_cli=AWAY, **given)
        assert not check["failed"], check
        failed = run_module(module, docker_cli=AWAY, **given)
        assert "The Docker engine does not answer" in failed["msg"]
        nothing = run_module(module, docker_cli=["/nonexistent/docker"], **given)
        assert "There is no docker client /nonexistent/docker" in nothing["msg"]
