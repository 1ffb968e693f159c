# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Files of settings as people write them: what validate.yml says of each, with the line."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible import context
from ansible.errors import AnsibleParserError
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from cases import cases

Case = dict[str, t.Any]

ROOT = Path(__file__).resolve().parents[2]
PASSWORD, OTHER = (VaultSecret(word) for word in (b"of the site", b"of somebody else"))


def compare(said: list[str], wanted: dict[int, str | list[str]]) -> None:
    """Each sentence is expected, with its line (0 where none is told), and nothing else."""
    pairs = [
        (line, part)
        for line, parts in wanted.items()
        for part in (parts if isinstance(parts, list) else [parts])
    ]
    assert len(said) == len(pairs), said
    for line, part in pairs:
        place = re.compile(rf"/[\w.]+, line {line}\b" if line else r"^(?!.*, line \d)")
        assert [one for one in said if part in one and place.search(one)], (line, part, said)


# --- What Ansible could not read ----------------------------------------------------------------------------


def encrypted(text: str, secret: VaultSecret) -> str:
    return VaultLib([("default", secret)]).encrypt(text, secret).decode()


def written(case: Case) -> bytes:
    """The file's bytes; in its text, ENCRYPTED is what an encrypted value looks like."""
    if case.get("encrypted"):
        secret = OTHER if case["encrypted"] == "other" else PASSWORD
        lines = encrypted(case["content"], secret).splitlines(keepends=True)
        return ("".join(lines[: case.get("lines")]) + case.get("appended", "")).encode()
    value = encrypted("a secret", PASSWORD).replace("\n", "\n  ")
    text: str = case["content"].replace("ENCRYPTED", f"!vault |\n  {value}")
    return text.encode(case.get("encoding", "utf-8"))


def plugin() -> t.Any:
    """The vars plugin of the playbooks, anew: it looks at each folder once."""
    spec = importlib.util.spec_from_file_location(
        "settings_files", ROOT / "playbooks/vars_plugins/settings_files.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.VarsModule()


@pytest.mark.parametrize("case", cases("settings_files"))
def test_files(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / case.get("name", "group_vars/all/settings.yml")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(written(case))
    monkeypatch.setattr(context, "CLIARGS", ImmutableDict(inventory=[str(tmp_path)]))
    loader = DataLoader()
    if case.get("password", True):
        loader.set_vault_secrets([("default", PASSWORD)])
    if not case["said"]:
        assert plugin().get_vars(loader, str(tmp_path), []) == {}
        return
    with pytest.raises(AnsibleParserError) as refused:
        plugin().get_vars(loader, str(tmp_path), [])
    said = str(refused.value).splitlines()
    assert said[0] == "Files of settings cannot be read; nothing has been touched."
    assert all(line.startswith(f"- {file}") and line.endswith(".") for line in said[1:])
    compare(said[1:], case["said"])


# --- What the settings say ----------------------------------------------------------------------------------


def validate(folder: Path, playbook: str = "validate", *arguments: str) -> subprocess.CompletedProcess[str]:
    """The playbook as the installed collection has it, with nobody's ansible.cfg."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible/collections"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_NOCOLOR": "true",
    }
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    return subprocess.run(
        [program, "-i", "hosts.yml", f"galilean.hub.{playbook}", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, t.Any]]:
    """The answer for each case, all of one run: each case is a host."""
    folder = tmp_path_factory.mktemp("inventory")
    hosts = {}
    for number, param in enumerate(cases("settings"), 1):
        (case,) = param.values
        hosts[param.id] = {"ansible_host": f"192.0.2.{number}", "jupyterhub_instance": f"hub{number}"}
        for name, content in {"settings.yml": case["settings"], **case.get("files", {})}.items():
            place = "host_vars" if name.endswith(".yml") else "files"
            file = folder / place / str(param.id) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
    (folder / "hosts.yml").write_text(yaml.safe_dump({"hubs": {"hosts": hosts}}), encoding="utf-8")
    done = validate(folder)
    start = done.stdout.find("{")
    assert start >= 0, done.stdout + done.stderr
    result: dict[str, dict[str, t.Any]] = json.loads(done.stdout[start:])["plays"][1]["tasks"][0]["hosts"]
    return result


@pytest.mark.parametrize("case", cases("settings"))
def test_settings(case: Case, judged: dict[str, dict[str, t.Any]], request: pytest.FixtureRequest) -> None:
    answer = judged[request.node.callspec.id]
    lines = answer.get("msg", "").splitlines()
    if not case["said"]:
        assert not answer.get("failed"), lines
        return
    assert answer["failed"]
    assert lines[0].endswith("not right; nothing has been touched.")
    compare(lines[1:], case["said"])
    for secret in case.get("unsaid", []):
        assert secret not in answer["msg"]


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        (
            {"hub": {"hosts": {"one": None}}},
            "no host in the group hubs, only in hub: add the host of the hub",
        ),
        (
            {"hubs": {"host": {"one": None}}},
            "no host in the group hubs, which has no hosts: below it (not host:)",
        ),
        (
            {"hubs": {"hosts": None}},
            "no host in the group hubs, which has no hosts: below it (not host:): add",
        ),
    ],
)
def test_an_inventory_without_hubs(hosts: t.Any, said: str, tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(hosts), encoding="utf-8")
    done = validate(tmp_path)
    assert done.returncode != 0
    assert said in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("playbook", "given", "said"),
    [
        # The deployment would be removed instead.
        (
            "teardown",
            "teardown_scope=instnace",
            "teardown_scope is 'instnace': use one of deployment, instance.",
        ),
        ("teardown", "teardown_scop=instance", "teardown_scop is no variable of a playbook: did you mean"),
        ("hubctl", "hubctl_argument=status", "hubctl_argument is no variable of a playbook: did you mean"),
    ],
)
def test_a_playbook_is_given_what_it_does_not_take(
    playbook: str, given: str, said: str, tmp_path: Path
) -> None:
    hosts = {
        "one": {"ansible_connection": "local", "openstack_cloud": "lab" if playbook == "teardown" else ""}
    }
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"hubs": {"hosts": hosts}}), encoding="utf-8")
    done = validate(tmp_path, playbook, "-e", given, "-e", "teardown_confirm=galilean")
    assert done.returncode != 0
    assert said in done.stdout


def test_a_file_that_cannot_be_read_ends_the_run(tmp_path: Path) -> None:
    """Whatever Ansible itself would make of it."""
    (tmp_path / "hosts.yml").write_text("hubs:\n  hosts:\n    one:\n      ansible_connection: local\n")
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/hubs.yml").write_text("edge_port: 8000\nedge_port: 8001\n")
    done = validate(tmp_path)
    assert done.returncode != 0
    said = "group_vars/hubs.yml, line 2, has 'edge_port' again, which line 1 has already: keep one of them."
    assert said in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
