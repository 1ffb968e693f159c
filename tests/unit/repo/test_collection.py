# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The collection as others get it: built, installed, run where nothing but an inventory is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from . import tree

BIN = Path(sys.executable).parent
INVENTORY = """---
hubs:
  hosts:
    # Documentation addresses: nobody answers there, so whatever connects would fail.
    hub.example.org:
      ansible_host: 192.0.2.10
"""


def run(
    command: list[str], cwd: Path, collections: Path, expect: int | None = 0
) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=cwd,
        env={**environment, "ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if expect is not None:
        assert done.returncode == expect, done.stdout + done.stderr
    return done


# What the archive has of the checkout, beside all of some folders.
SHIPPED = ("docs", "files", "inventories/template", "meta", "playbooks", "plugins", "roles")
SINGLE = {"CHANGELOG.md", "LICENSE", "README.md", "changelogs/changelog.yaml", "changelogs/config.yaml"}
SINGLE |= {"requirements.txt", "requirements.yml"}

# What an institution's checkout holds besides, and what people leave lying about.
PRIVATE = """
    secrets.yml secrets.yaml my-secrets.yml vault.yml vault.json passwords.txt passwords.yml
    .vault-password arcetri.vault-password .vault_pass.txt vault_pass .env .env.local hub.env
    hub.pem hub.key hub.crt hub.p12 id_ed25519 id_rsa known_hosts .netrc .htpasswd
    people.csv people.xlsx people.ods people.tsv people.json approved.txt clouds.yaml openrc.sh
    settings.yml settings.json hosts.yml hosts.ini inventory.yml hub.sqlite backup.tar.gz notes.md~
"""
# What git keeps of an inventory, and what it ignores.
KEPT = """
    hosts.yml group_vars/all/settings.yml group_vars/all/secrets.example.yml known_hosts
    host_vars/hub/settings.yml openstack_hosts.yml files/hub.crt files/hooks.py web/hub/site.css
"""
IGNORED = """
    group_vars/all/secrets.yml host_vars/hub/secrets.yml group_vars/all/secrets.yaml files/hub.key
    files/people.csv files/people.xlsx .vault-password arcetri.vault-password .vault_pass.txt
    files/hub.pem files/id_ed25519 .env clouds.yaml openrc.sh files/passwords.txt
"""


def shipped() -> set[str]:
    """What a clean checkout brings into the archive."""
    return SINGLE | {tree.name(file) for folder in SHIPPED for file in tree.files(under=folder)}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy that has such files in every folder, and an institution's inventory."""
    folder = tmp_path_factory.mktemp("build")
    copy = folder / "checkout"
    for file in tree.files():
        place = copy / tree.name(file)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, place)
    shutil.copytree(copy / "inventories" / "local", copy / "inventories" / "arcetri" / "files")
    known = shipped()
    for below, _, _ in list(os.walk(copy)):
        for name in PRIVATE.split():
            place = Path(below, name)
            if str(place.relative_to(copy)) not in known:
                place.write_text("PRIVATE\n")
    run(["ansible-galaxy", "collection", "build", "--output-path", str(folder)], copy, folder)
    return next(folder.glob("galilean-hub-*.tar.gz"))


@pytest.fixture(scope="module")
def collections(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    # What it depends on is there already, from the ansible package: nothing is fetched.
    folder = tmp_path_factory.mktemp("collections")
    run(["ansible-galaxy", "collection", "install", "-p", str(folder), str(archive)], folder, folder)
    return folder


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    (tmp_path / "hosts.yml").write_text(INVENTORY)
    return tmp_path


def test_archive_holds_what_runs_a_site_and_nothing_else(archive: Path) -> None:
    with tarfile.open(archive) as packed:
        members = packed.getmembers()
        private = [
            one.name
            for one in members
            if (file := packed.extractfile(one)) is not None and file.read() == b"PRIVATE\n"
        ]
    assert private == []
    files = {one.name for one in members if not one.isdir()}
    assert files - {"FILES.json", "MANIFEST.json"} == shipped()
    # Every file that an image's folder only links to comes into the image another way.
    values, role = tree.load("roles/images/vars/main.yml"), str(tree.REPO / "roles" / "images")
    for image, name in (("hub", "__images_shared"), ("notebook", "__images_shared_notebook")):
        context = tree.REPO / "files" / "images" / image
        links = {
            str(file.relative_to(context)): file.resolve() for file in context.rglob("*") if file.is_symlink()
        }
        assert {
            one["dest"]: Path(one["src"].replace("{{ role_path }}", role)).resolve() for one in values[name]
        } == links


PROGRAMS = sorted(file.parent for file in tree.REPO.glob("roles/*/files/*/__main__.py"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_program_of_the_host_has_what_its_folder_links_to(program: Path) -> None:
    """The archive has no links, so the role installs the files themselves."""
    links = {file.resolve() for file in program.iterdir() if file.is_symlink()}
    values = tree.load(f"roles/{program.parents[1].name}/vars/main.yml")
    shared = [one for name, value in values.items() if name.endswith("_shared") for one in value]
    assert {tree.REPO / "plugins" / "module_utils" / one for one in shared} == links


def test_git_ignores_secrets_and_people_and_nothing_else(tmp_path: Path) -> None:
    """In a fork, and in an inventory that is a repository of its own."""
    template = tree.REPO / "inventories" / "template"
    for rules, folder in ((tree.REPO, "inventories/arcetri/"), (template, "")):
        repository = tmp_path / f"of-{rules.name}"
        subprocess.run(["git", "init", "-q", str(repository)], check=True)
        shutil.copy(rules / ".gitignore", repository)
        paths = [folder + name for name in (KEPT + IGNORED).split()]
        done = subprocess.run(
            ["git", "-C", str(repository), "check-ignore", "--no-index", *paths],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.split() == [folder + name for name in IGNORED.split()]


def test_playbooks_run_by_their_full_name(empty: Path, collections: Path) -> None:
    """From the archive, in an empty folder."""
    names = ("site", "validate", "configure", "verify", "teardown", "web_dev")
    command = ["ansible-playbook", "-i", "hosts.yml", *(f"galilean.hub.{name}" for name in names)]
    run([*command, "--syntax-check"], empty, collections)
    listed = run([*command, "--list-tasks"], empty, collections).stdout
    assert "galilean.hub.docker : " in listed
    assert "galilean.hub.jupyterhub : " in listed


def test_right_settings_pass_without_a_connection(empty: Path, collections: Path) -> None:
    done = run(["ansible-playbook", "-i", "hosts.yml", "galilean.hub.validate"], empty, collections)
    assert "unreachable=0" in done.stdout


def test_wrong_settings_stop_the_site(empty: Path, collections: Path) -> None:
    # Only on a data volume Docker's folder lies beside those of instances.
    (empty / "hosts.yml").write_text(f"{INVENTORY}    twin: {{ansible_host: 192.0.2.10}}\n")
    wrong = "edge_port=eighty jupterhub_instance=proto jupyterhub_instance=docker data_volume_serial=7a1f5d8e"
    command = ["ansible-playbook", "-i", "hosts.yml", "galilean.hub.site", "-e", wrong]
    done = run(command, empty, collections, expect=None)
    assert done.returncode != 0
    for sentence in (
        "edge_port is 'eighty': give a whole number.",
        "jupterhub_instance (it is 'proto') is not a setting: did you mean jupyterhub_instance?",
        "jupyterhub_instance is 'docker', whose folder /srv/docker would share files with /srv/docker,",
        "hub.example.org and twin are the same machine (192.0.2.10) and both have jupyterhub_instance",
    ):
        assert sentence in done.stdout + done.stderr
    # It ends in the stage that connects to no host.
    assert "unreachable=0" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_an_inventory_without_hubs_is_refused(tmp_path: Path, collections: Path) -> None:
    (tmp_path / "hosts.yml").write_text("---\nhups:\n  hosts:\n    hub.example.org:\n")
    done = run(
        ["ansible-playbook", "-i", "hosts.yml", "galilean.hub.site"], tmp_path, collections, expect=None
    )
    assert done.returncode != 0
    assert "The inventory has no host in the group hubs" in done.stdout + done.stderr


SENTENCES = (
    "- people.csv is not an inventory: move it to files/people.csv, and name it so in the settings.",
    "- files/people.csv is taken for an inventory (emil,course, name,groups are hosts now): ",
    "- etc is a folder with no meaning in an inventory: files belong below files, settings into group_vars.",
    "- hooks.py is not an inventory: move it to files/hooks.py, and name it so in the settings.",
    "- settings.yml has settings (jupyterhub_instance), and is not read for them there: move it to ",
    "- group_vars/hub is for the group hub, which the inventory does not have: did you mean hubs?",
    "- host_vars/hub.example.com.yml is for the host hub.example.com, which the inventory does not have: ",
)


def test_files_in_the_wrong_place_are_refused(tmp_path: Path, collections: Path) -> None:
    """Without the checkout's ansible.cfg, Ansible takes each of these for hosts; with it, for nothing."""
    files = {
        "hosts.yml": INVENTORY,
        "people.csv": "name,groups\nemil lee,course\n",
        "files/people.csv": "name,groups\nemil,course\n",
        "etc/motd": "Good morning\n",
        "hooks.py": "def pre_spawn_hook(spawner):\n    pass\n",
        "settings.yml": "jupyterhub_instance: proto\n",
        "group_vars/hub/settings.yml": "jupyterhub_authenticator: shared_password\n",
        "host_vars/hub.example.com.yml": "edge_port: 8001\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for playbook in ("site", "teardown"):
        done = run(
            ["ansible-playbook", "-i", ".", f"galilean.hub.{playbook}"], tmp_path, collections, expect=2
        )
        said = [line.strip() for line in done.stdout.replace("\\n", "\n").splitlines()]
        for sentence in SENTENCES:
            assert any(line.startswith(sentence) for line in said), done.stdout
        assert "unreachable=0" in done.stdout


def test_checkout_inventory_is_right(collections: Path) -> None:
    """The inventories of the checkout, with the collection of the archive."""
    for name in ("local", "template"):
        inventories = ["-i", "inventories/common", "-i", f"inventories/{name}"]
        run(["ansible-playbook", *inventories, "playbooks/validate.yml"], tree.REPO, collections)


def test_what_it_uses_of_others_is_installed_with_it() -> None:
    """ansible-core alone has no other collection."""
    files = [path for part in ("roles", "playbooks") for path in (tree.REPO / part).rglob("*.yml")]
    words = re.compile(r"(?m)^\s*(?:- )?((?:ansible\.posix|community\.\w+|openstack\.\w+))\.\w+:")
    used = {name for path in files for name in words.findall(path.read_text(encoding="utf-8"))}
    named = yaml.safe_load((tree.REPO / "galaxy.yml").read_text(encoding="utf-8"))["dependencies"]
    assert used == set(named)
    rows = yaml.safe_load((tree.REPO / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    assert {row["name"]: row["version"] for row in rows} == named
