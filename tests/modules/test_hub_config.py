# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub's data file, checked in the real hub image."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from engine import ModuleRunner

LOADER = Path(__file__).resolve().parents[2] / "files/images/hub/galilean_hub/loader.py"
(SCHEMA,) = map(int, re.findall(r"^SCHEMA = (\d+)$", LOADER.read_text(encoding="utf-8"), re.MULTILINE))

Run = t.Callable[..., dict[str, t.Any]]


def data(refs: dict[str, t.Any], **classes: t.Any) -> dict[str, t.Any]:
    traits = {"JupyterHub": {"active_server_limit": 5}, **classes}
    return {"schema": SCHEMA, "instance": "t", "image": refs["hub"], "culler": None, "traits": traits}


@pytest.fixture
def write(run_module: ModuleRunner, refs: dict[str, t.Any], tmp_path: Path) -> Run:
    def call(check: bool = False, hooks: str = "", **classes: t.Any) -> dict[str, t.Any]:
        options = {"path": str(tmp_path / "config.json"), "image": refs["hub"], "mode": "0640"}
        return run_module("hub_config", check, data=data(refs, **classes), hooks=hooks, **options)

    return call


def test_create_again_change_and_check(write: Run, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    planned = write(check=True)
    assert planned["changed"] is True
    assert planned["checked"] is True
    assert not path.exists()
    assert write()["changed"] is True
    assert path.stat().st_mode & 0o777 == 0o640
    again = write()
    assert (again["changed"], again["checked"], again["drift"]) == (False, False, [])
    changed = write(JupyterHub={"active_server_limit": 6})
    assert changed["drift"] == [{"name": "traits.JupyterHub.active_server_limit", "current": 5, "desired": 6}]
    assert json.loads(path.read_text())["traits"]["JupyterHub"] == {"active_server_limit": 6}


REFUSED = {
    "DockerSpawner": {"allowed_imagez": [], "remove_containers": True},
    "GoogleOAuthenticator": {"allowed_domains": ["x"]},
    "DokerSpawner": {"image": "x"},
    "JupyterHub": {"active_server_limit": "many"},
}
SENTENCES = [
    "DockerSpawner has no such trait, did you mean allowed_images?",
    "this is an old name, use remove",
    "GoogleOAuthenticator has no such trait",
    "no such class is installed, did you mean DockerSpawner?",
    "JupyterHub.active_server_limit is 'many': ",
]


def test_hooks_of_a_site_are_read_in_the_image(write: Run, tmp_path: Path) -> None:
    file, good = tmp_path / "hooks.py", "def pre_spawn_hook(spawner):\n    spawner.cpu_limit = 1"
    assert write(True, good)["changed"] is True
    assert not file.exists()
    assert write(hooks=good)["changed"] is True
    assert (file.read_text(), file.stat().st_mode & 0o777) == (f"{good}\n", 0o640)
    again = write(hooks=good)
    assert (again["changed"], again["checked"]) == (False, False)
    for hooks, sentence in (
        (
            "\nimport nothing_of_that_name",
            "ModuleNotFoundError: No module named 'nothing_of_that_name' (hooks.py, line 2)",
        ),
        ("def pre_spawn_hook(:", "SyntaxError: invalid syntax (hooks.py, line 1)"),
    ):
        for check in (True, False):
            told = f"jupyterhub_hooks_file cannot be read: {sentence}"
            assert write(check, hooks)["msg"].endswith(f"nothing was changed: {told}")
    said = write(hooks="def before_start(spawner):\n    pass")["msg"]
    assert "jupyterhub_hooks_file defines none of post_auth_hook," in said
    assert file.read_text() == f"{good}\n"
    # A site that has none any more.
    assert write(True)["changed"] is True
    assert file.exists()
    assert write()["changed"] is True
    assert not file.exists()


def test_what_the_image_would_not_take_changes_nothing(write: Run, tmp_path: Path) -> None:
    write()
    before = (tmp_path / "config.json").read_text()
    result = write(**REFUSED)
    assert result["failed"] is True
    for sentence in SENTENCES:
        assert sentence in result["msg"], result["msg"]
    assert (tmp_path / "config.json").read_text() == before


def test_a_server_that_the_broker_would_deny(
    run_module: ModuleRunner, refs: dict[str, t.Any], tmp_path: Path
) -> None:
    """It is better known before the old hub ends."""
    spawner: dict[str, t.Any] = {
        "image": "x:1",
        "extra_create_kwargs": {"labels": {"galilean.hub.instance": "t", "galilean.hub.role": "user"}},
        "extra_host_config": {"security_opt": ["no-new-privileges"]},
    }
    path = tmp_path / "config.json"

    def write(**options: t.Any) -> dict[str, t.Any]:
        host = {**spawner["extra_host_config"], **options}
        content = data(refs, DockerSpawner={**spawner, "extra_host_config": host})
        content["broker"] = {"state_dir": "/srv/t", "allow": {}}
        return run_module("hub_config", path=str(path), data=content, image=refs["hub"], mode="0644")

    assert "PidMode 'host': no server may have that" in write(pid_mode="host")["msg"]
    assert not path.exists()
    assert write(shm_size="1g")["changed"] is True


def test_an_image_that_is_not_there_is_named(
    run_module: ModuleRunner, refs: dict[str, t.Any], tmp_path: Path
) -> None:
    result = run_module(
        "hub_config", path=str(tmp_path / "c.json"), data=data(refs), image="ght-nothing:here"
    )
    assert result["failed"] is True
    assert "could not be checked in the image ght-nothing:here" in result["msg"]
