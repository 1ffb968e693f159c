# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""server_host_keys through a real ansible-playbook, with keys that are known already: that needs no cloud."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.action import server_host_keys as a
from ansible_collections.galilean.hub.plugins.module_utils.cloud.known_hosts import HEADER
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

REPO = Path(__file__).resolve().parents[4]
ED = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0c4xk2hN6E0b3WJ3dVtq0Jw7c0oC0qW2hJd1l5n9aB"
RSA = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7"
OTHERS = f"# of ours\ngate {ED} root@gate\n"
HUB, LAB = f"192.0.2.17 {ED} server s-1\n", f"192.0.2.18 {RSA} server s-2\n"


def task(
    file: str, servers: dict[str, tuple[str, list[str]]], check: bool = False, **more: str
) -> dict[str, t.Any]:
    listed = [{"id": id_, "name": name, "hosts": hosts} for name, (id_, hosts) in servers.items()]
    # A cloud that nobody has: whoever asks it fails.
    options = {"cloud": "nowhere", "path": f"{{{{ playbook_dir }}}}/{file}", "servers": listed, **more}
    return {"galilean.hub.server_host_keys": options, "check_mode": check, "ignore_errors": True}


# By the file: what it has, the task, what it has afterwards, and what the task says.
CASES: dict[str, tuple[str | None, dict[str, t.Any], str | None, dict[str, t.Any]]] = {
    "pinned": (
        OTHERS + HUB + LAB,
        task("pinned", {"hub": ("s-1", ["192.0.2.17"]), "lab": ("s-2", ["192.0.2.18"])}),
        OTHERS + HUB + LAB,
        {"changed": False, "keys": {"hub": [ED], "lab": [RSA]}},
    ),
    "moved": (
        OTHERS + HUB,
        task("moved", {"hub": ("s-1", ["192.0.2.99", "hub.example.org"])}),
        f"{OTHERS}192.0.2.99,hub.example.org {ED} server s-1\n",
        {"changed": True, "keys": {"hub": [ED]}},
    ),
    "swapped": (
        HUB + LAB,
        task("swapped", {"hub": ("s-1", ["192.0.2.18"]), "lab": ("s-2", ["192.0.2.17"])}),
        f"{HEADER}192.0.2.18 {ED} server s-1\n192.0.2.17 {RSA} server s-2\n",
        {"changed": True, "keys": {"hub": [ED], "lab": [RSA]}},
    ),
    "unsaved": (
        HUB,
        task("unsaved", {"hub": ("s-1", ["192.0.2.99"])}, check=True),
        HUB,
        {"changed": True, "keys": {"hub": [ED]}},
    ),
    "unknown": (
        HUB,
        task("unknown", {"new": ("s-9", ["192.0.2.17"])}, check=True),
        HUB,
        {"changed": False, "keys": {"new": []}},
    ),
    "no_cloud": (
        HUB,
        task("no_cloud", {"new": ("s-9", ["192.0.2.17"])}),
        HUB,
        {"changed": False, "failed": True},
    ),
    "missing": (None, task("missing", {}), None, {"changed": False, "keys": {}}),
    "gone": (
        OTHERS + HUB + LAB,
        task("gone", {"hub": ("s-1", ["192.0.2.17"])}, state="absent"),
        OTHERS + LAB,
        {"changed": True, "keys": {"hub": []}},
    ),
    "gone_already": (
        OTHERS + LAB,
        task("gone_already", {"hub": ("s-1", ["192.0.2.17"])}, state="absent"),
        OTHERS + LAB,
        {"changed": False, "keys": {"hub": []}},
    ),
    "no_id": (
        OTHERS + LAB,
        task("no_id", {"hub": ("", ["192.0.2.17"])}, state="absent"),
        OTHERS + LAB,
        {"changed": False},
    ),
    "never_there": (
        None,
        task("never_there", {"hub": ("s-1", ["x"])}, state="absent"),
        None,
        {"changed": False},
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, dict[str, t.Any]]:
    """All cases in one run, as starting Ansible takes longer than they do."""
    namespace = folder / "collections/ansible_collections/galilean"
    namespace.mkdir(parents=True)
    (namespace / "hub").symlink_to(REPO, target_is_directory=True)
    for name, (before, *_) in CASES.items():
        if before is not None:
            (folder / name).write_text(before)
    tasks = [{"name": name, **case[1]} for name, case in CASES.items()]
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]
    (folder / "play.yml").write_text(json.dumps(play))
    (folder / "clouds.yaml").write_text('{"clouds": {}}')
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "OS_"))},
        "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "OS_CLIENT_CONFIG_FILE": str(folder / "clouds.yaml"),
        "HOME": str(folder),
    }
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "play.yml"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    start = done.stdout.find("{")
    assert start >= 0, done.stdout + done.stderr
    ran = json.loads(done.stdout[start:])["plays"][0]["tasks"]
    return {one["task"]["name"]: one["hosts"]["localhost"] for one in ran}


@pytest.mark.parametrize("name", CASES)
def test_known_keys(name: str, folder: Path, results: dict[str, dict[str, t.Any]]) -> None:
    _before, _task, after, expected = CASES[name]
    result = results[name]
    assert {key: result.get(key) for key in expected} == expected, result
    assert "failed" in expected or not result.get("failed"), result
    file = folder / name
    assert (file.read_text() if file.exists() else None) == after
    assert list(folder.glob(f".{name}.*")) == [], "nothing half-written is left"


def test_an_unknown_cloud_is_one_sentence(results: dict[str, dict[str, t.Any]]) -> None:
    assert results["no_cloud"]["msg"].startswith("The cloud is 'nowhere', and no clouds.yaml")


def test_a_diff_is_the_file(results: dict[str, dict[str, t.Any]], folder: Path) -> None:
    diff = results["gone"]["diff"]
    diff = diff[0] if isinstance(diff, list) else diff
    assert (diff["before"], diff["after"]) == (OTHERS + HUB + LAB, OTHERS + LAB)


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "known_hosts"
    assert a.read(file) == ""
    a.save(file, HUB)
    assert a.read(file) == HUB
    assert stat.S_IMODE(file.stat().st_mode) == 0o644, "everybody's ssh may read it"
    a.save(file, LAB)
    assert [one.name for one in file.parent.iterdir()] == ["known_hosts"]


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path, tmp_path / "binary"):
        with pytest.raises(HubError, match="which cannot be read"):
            a.read(path)
    for path in (tmp_path, tmp_path / "binary" / "known_hosts"):
        with pytest.raises(HubError, match="which cannot be written"):
            a.save(path, HUB)
    assert [one.name for one in tmp_path.iterdir()] == ["binary"], "nothing half-written is left"
