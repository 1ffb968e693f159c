# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The image_plan module against the real engine, and how often an unchanged list asks it."""

from __future__ import annotations

import shutil
import sys
import typing as t
from pathlib import Path

import pytest
from engine import ModuleRunner

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
    common: dict[str, t.Any] = {"repository_prefix": prefix, "docker_cli": [docker_cli]}
    plan = run_module("image_plan", images=images, **common)
    assert not plan["changed"], "it only asks"
    assert plan["missing"] == {
        item["name"]: [f"there is no image {prefix}/{item['name']} yet"] for item in images
    }
    for item in images:
        item = {**item, "parent": plan["refs"].get(item["parent"], item["parent"])}
        built = run_module("image", **item, **common, log_dir=str(tmp_path / "log"))
        assert built["image"]["ref"] == plan["refs"][item["name"]], built

    calls.unlink()
    again = run_module("image_plan", images=images, **common)
    assert again["missing"] == {}
    assert again["refs"] == plan["refs"]
    assert len(calls.read_text().splitlines()) == 1, "one question for the whole list"
    calls.unlink()
    first = {**images[0], **common}
    assert not run_module("image", **first)["changed"]
    assert calls.read_text() == f"image inspect {plan['refs']['plan-one']}\n"

    Path(images[0]["path"], "more").write_text("more")
    changed = run_module("image_plan", images=images, **common)
    assert changed["missing"]["plan-one"] == ["file more is new"]
    assert [reason[:20] for reason in changed["missing"]["plan-two"]] == ["parent changed from "]


def test_other_host(
    run_module: ModuleRunner, prefix: str, images: list[dict[str, t.Any]], tmp_path: Path
) -> None:
    inventory = tmp_path / "hosts"
    inventory.write_text(
        "far ansible_connection=community.general.chroot ansible_host=/"
        f" ansible_python_interpreter={sys.executable}\n"
    )
    params: dict[str, t.Any] = {"images": images, "repository_prefix": prefix}
    far = run_module.run([*run_module.argv("image_plan", params, host="far"), f"--inventory={inventory}"])
    assert far["refs"] == run_module("image_plan", **params)["refs"]


def test_engine_away(run_module: ModuleRunner, prefix: str, images: list[dict[str, t.Any]]) -> None:
    params: dict[str, t.Any] = {"images": images, "repository_prefix": prefix}
    there = run_module("image_plan", **params)
    away = run_module("image_plan", check=True, docker_cli=AWAY, **params)
    assert away["refs"] == there["refs"]
    assert set(away["missing"]) == {item["name"] for item in images}
    calls: list[tuple[str, dict[str, t.Any]]] = [
        ("image_plan", params),
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
