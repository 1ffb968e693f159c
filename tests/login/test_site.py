# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A site with all it may want: a table of people, hooks, repositories, support, idle times, a new key."""

from __future__ import annotations

import json
import os
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
from deployment import Outcome, as_root, docker, wait_until
from git_host import USER, GitHost
from people import person_of
from playwright.sync_api import expect
from scenario import Scenario, in_lab, sign_in
from user_client import UserClient

HOOKS = """
def pre_spawn_hook(spawner):
    spawner.environment = {**spawner.environment, "INSTITUTE": f"greets {spawner.user.name}"}
"""
# What a program of the user's gets.
TOKEN = ["galilean-token"]


class Institute:
    """The hub, and what its operators keep beside the settings."""

    def __init__(self, story: Scenario, git: GitHost, folder: Path) -> None:
        self.story, self.git = story, git
        self.table, hooks = folder / "people.csv", folder / "hooks.py"
        hooks.write_text(HOOKS, encoding="utf-8")
        story.trust(git.certificate)
        self.settings: dict[str, t.Any] = {
            "jupyterhub_users_file": str(self.table),
            "jupyterhub_hooks_file": str(hooks),
            "jupyterhub_admin_users": ["ruth"],
            "jupyterhub_admin_access": False,
            "jupyterhub_support_users": ["sam"],
            "jupyterhub_groups": [{"name": "guests", "cull_timeout": 600}],
            "jupyterhub_cull_every": 5,
            "jupyterhub_user_tokens": True,
            "jupyterhub_login_refresh": 10,
            "jupyterhub_git_hosts": {git.name: USER},
            "jupyterhub_git_links": [git.name],
            "jupyterhub_repositories": [
                {"url": git.url("course"), "path": "course"},
                {"url": git.url("private"), "path": "work/private"},
                {"url": git.url("nowhere"), "path": "nowhere"},
            ],
        }

    def people(self, *rows: str) -> None:
        self.table.write_text("\n".join(["name,groups,blocked,state", *rows, ""]), encoding="utf-8")

    def person(self, name: str) -> UserClient:
        return person_of(self.story, name)

    def account(self, name: str) -> dict[str, t.Any]:
        hub = self.person(name).client
        answer = hub.ask("GET", f"{self.story.site.url}/hub/api/users/{name}", (200, 404))
        return dict(answer.json()) if answer.status == 200 else {}

    def in_hub(self, code: str) -> str:
        """Run Python in the hub's container."""
        return docker("exec", self.story.site.container("hub"), "python3", "-c", code)

    def in_database(self, statement: str) -> None:
        """Change the hub's database; the hub itself reads it when it starts."""
        database = "sqlite3.connect('/srv/jupyterhub/jupyterhub.sqlite', isolation_level=None, timeout=20)"
        self.in_hub(f"import sqlite3; {database}.execute({statement!r})")

    def restart(self) -> None:
        docker("restart", self.story.site.container("hub"))
        wait = ["sh", f"/srv/{self.story.site.instance}/bin/service", "wait", "60"]
        subprocess.run(as_root(wait), check=True)

    def keys(self) -> dict[str, t.Any]:
        """Which logins need which key."""
        hub = self.story.site.container("hub")
        report: dict[str, t.Any] = json.loads(
            docker("exec", hub, "python3", "-m", "galilean_hub.state.key_rotation")
        )
        return report

    def rotate(self, *options: str) -> Outcome:
        return self.story.site.run("rotate_key", *options)


@pytest.fixture(scope="module")
def institute(story: Scenario, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Institute]:
    # Those of other files have homes by other names.
    if not os.environ.get("LOGIN_KEEP"):
        story.begin()
    story.provider.know(sam={"name": "Sam", "email": "sam@example.org", "groups": []})
    git = GitHost(tmp_path_factory.mktemp("git"), story.provider, f"{story.site.instance}-git")
    yield Institute(story, git, tmp_path_factory.mktemp("operators"))
    git.stop()


def test_a_table_of_people(institute: Institute) -> None:
    institute.people("ada,staff,,", "dan,,,", "eve,guests,,", "gus,,,")
    story = institute.story
    settings = {**story.provider.settings(), **institute.settings}
    # All of it: there is nothing of the hub yet.
    story.deploy("site", **settings).assert_done()
    assert institute.account("ada")["groups"] == ["staff"]
    assert institute.account("eve")["groups"] == ["guests"]
    # An administrator who may not enter servers is none for JupyterHub, which would let them in.
    assert set(institute.account("ruth")["roles"]) == {"user", "manager"}
    assert not institute.account("fay")


def notebook_image(institute: Institute) -> str:
    text = institute.in_hub("print(open('/etc/jupyterhub/config.json').read())")
    return str(json.loads(text)["traits"]["DockerSpawner"]["image"])


def test_repositories_come_with_the_users_own_token(institute: Institute) -> None:
    institute.git.start(notebook_image(institute))
    institute.git.commit("course", lesson="one\ntwo\n")
    institute.git.commit("private", secret="for members")
    story = institute.story
    with story.visit() as ada:
        sign_in(ada, "ada")
        in_lab(ada)
        # One of them is nowhere: the server starts, and says so.
        notice = ada.page.get_by_text(re.compile(r"~/nowhere could not be updated"))
        expect(notice.first).to_be_visible()
        # It comes in from the side.
        ada.page.wait_for_timeout(1000)
        ada.picture("site-repositories")
    assert story.inside("ada", "cat", "/home/jovyan/course/lesson.txt") == "one\ntwo"
    assert story.inside("ada", "cat", "/home/jovyan/work/private/secret.txt") == "for members"
    token = story.inside("ada", *TOKEN)
    assert token not in story.inside("ada", "cat", "/home/jovyan/work/private/.git/config")


def test_the_sites_own_hook_acts(institute: Institute) -> None:
    assert "INSTITUTE=greets ada" in institute.story.inspect("ada")["Config"]["Env"]


def test_what_users_changed_stays(institute: Institute) -> None:
    course = "cd /home/jovyan/course"
    institute.story.inside("ada", "sh", "-c", f"{course} && echo mine > lesson.txt")
    institute.git.commit("course", lesson="one\nTWO\n", more="more")
    ada = institute.person("ada")
    ada.stop()
    ada.start()

    def updated() -> bool:
        said = institute.story.inside("ada", "cat", "/tmp/galilean/repositories.json", check=False)
        return bool(said) and json.loads(said)["state"] == "done"

    wait_until(updated, 60, "the update")
    assert institute.story.inside("ada", "sh", "-c", f"{course} && cat lesson.txt more.txt") == "mine\nmore"
    # On a branch of the user's own nothing is done, and that is told.
    institute.story.inside("ada", "sh", "-c", f"{course} && git checkout -q -b mine")
    ada.stop()
    with institute.story.visit() as visit:
        sign_in(visit, "ada")
        in_lab(visit)
        notice = visit.page.get_by_text(
            re.compile("~/course was not updated: you are on mine and not on main")
        )
        expect(notice.first).to_be_visible()


def test_a_link_brings_a_private_repository(institute: Institute) -> None:
    """Made on the hub's page, and followed by somebody who has not logged in and has no server."""
    story, git = institute.story, institute.git
    git.commit("private-lab", plan="for members")
    with story.visit() as ruth:
        sign_in(ruth, "ruth", "/hub/git-links")
        ruth.page.get_by_label("Address of the repository").fill(
            f"https://{git.name}/private-lab/blob/main/plan.txt"
        )
        ruth.page.get_by_role("button", name="Make the link").click()
        link = ruth.page.get_by_label("For e-mail").input_value()
        assert ruth.page.get_by_label("File or folder").input_value() == "plan.txt"
        ruth.picture("site-git-links")
        ruth.page.get_by_label("Address of the repository").fill("https://elsewhere.example.org/course")
        ruth.page.get_by_role("button", name="Make the link").click()
        expect(ruth.page.get_by_role("alert")).to_contain_text("elsewhere.example.org/course is not there")
    institute.person("eve").stop()
    with story.visit() as eve:
        sign_in(eve, "eve", link.removeprefix(story.site.url))
        eve.page.get_by_role("button", name="Bring it into my home").click()
        expect(eve.page.get_by_role("tab", name="plan.txt")).to_be_visible()
        eve.picture("site-git-pull")
    assert story.inside("eve", "cat", "/home/jovyan/private-lab/plan.txt") == "for members"
    assert story.inside("eve", "sh", "-c", "ls ~/.git-credentials 2>&1 || true").endswith(
        "No such file or directory"
    )


def token_of(story: Scenario, name: str) -> None:
    with story.visit() as somebody:
        sign_in(somebody, name, "/hub/token")
        story.keep_token(name, somebody.new_token("test"))


def test_administrators_stay_out(institute: Institute) -> None:
    story = institute.story
    token_of(story, "ruth")
    assert story.request("ruth", "GET", "/hub/api/users")[0] == 200
    status, text = story.request("ruth", "GET", "/user/ada/api/contents", follow=False)
    assert status == 403, text
    assert story.request("ruth", "POST", "/hub/api/users/ada/tokens")[0] == 403


def test_support_stops_servers_and_enters_none(institute: Institute) -> None:
    story = institute.story
    institute.person("gus").start()
    token_of(story, "sam")
    status, text = story.request("sam", "GET", "/hub/api/users")
    assert status == 200
    assert {"ada", "gus"} <= {user["name"] for user in json.loads(text)}
    assert story.request("sam", "GET", "/user/gus/api/contents", follow=False)[0] == 403
    assert story.request("sam", "DELETE", "/hub/api/users/gus")[0] == 403
    assert story.request("sam", "POST", "/hub/api/users/gus/tokens")[0] == 403
    assert story.request("sam", "DELETE", "/hub/api/users/gus/server")[0] in (202, 204)
    story.wait_for_end("gus", 60)


def test_idle_servers_end_by_group(institute: Institute) -> None:
    institute.person("eve").start()
    # Nobody waits for ten minutes: both were last seen longer ago than that.
    seen = "datetime('now', '-700 seconds')"
    institute.in_database(f"UPDATE spawners SET last_activity = {seen} WHERE server_id")
    institute.restart()
    institute.story.wait_for_end("eve", 60)
    assert re.search(r"Culling server \S*eve", institute.story.log())
    # The time of everybody else is an hour.
    assert "ada" in institute.story.servers()


def test_a_key_of_the_inventory_is_the_operators(institute: Institute) -> None:
    before = institute.story.site.secret("crypt-key")
    outcome = institute.rotate("-e", f"jupyterhub_crypt_key={'ab' * 32}")
    assert outcome.code != 0
    assert "jupyterhub_crypt_key is set in the inventory, where only you can change it" in outcome.flat()
    assert institute.story.site.secret("crypt-key") == before


def kill_in(institute: Institute, task: str) -> None:
    """Begin a rotation, and kill it where it comes to a task."""
    argv, env = institute.story.site.command("rotate_key")
    process = subprocess.Popen(argv, env=env, cwd=institute.table.parent, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert any(task in line for line in process.stdout), f"it did not come to {task}"
    process.kill()
    process.wait(60)
    process.stdout.close()


@pytest.mark.slow
def test_a_new_key(institute: Institute) -> None:
    """A running notebook keeps its token, nobody logs in again, and the old key is of no use any more."""
    story, old = institute.story, institute.story.site.secret("crypt-key")
    running = institute.person("ada").container(story.site.instance)
    kernel = institute.person("ada")
    kernel.start()
    kernel.open_kernel("python3")
    ask = "from galilean_token import access_token; print(access_token())"
    assert story.provider.accepts(kernel.run(ask))
    proxy = story.started("proxy")
    # The key of sam's is lost.
    institute.in_database("UPDATE users SET encrypted_auth_state = x'00' WHERE name = 'sam'")
    assert institute.keys() == {"keys": 1, "newest": 2, "older": [], "lost": ["sam"]}
    with story.visit() as ada:
        sign_in(ada, "ada", "/hub/home")
        checked = institute.rotate("--check").assert_done()
        assert "A new key would be made; logins that it would encrypt: 2." in checked.flat()
        assert story.site.secret("crypt-key") == old
        kill_in(institute, "Restart the hub with both keys")
        assert len(story.site.secret("crypt-key").split()) == 2
        done = institute.rotate().assert_done()
        new = story.site.secret("crypt-key")
        assert (len(new), new == old) == (64, False)
        assert "The new key is the only one; logins that it encrypts: 2." in done.flat()
        assert "the login of sam: they have to log in again" in done.flat()
        assert not [key for key in (old, new) if key in done.text + story.log()]
        assert institute.keys() == {"keys": 1, "newest": 2, "older": [], "lost": ["sam"]}
        ada.go("/hub/home")
        expect(ada.page.get_by_text("My Server").first).to_be_visible()
    assert kernel.container(story.site.instance) == running
    assert story.started("proxy") == proxy
    # Over the websocket of before.
    assert story.provider.accepts(kernel.run(ask))
    token_of(story, "sam")
    assert institute.keys()["lost"] == []


@pytest.fixture
def held_home(institute: Institute) -> t.Iterator[tuple[str, str]]:
    """A home of dan's that an operator's container uses, so it cannot be archived; and that container."""
    instance = institute.story.site.instance
    volume, container = f"{instance}-home-dan", f"{instance}-operator"
    labels = {"instance": instance, "role": "home", "user": "dan"}
    docker("volume", "create", *(f"--label=galilean.hub.{key}={labels[key]}" for key in labels), volume)
    docker(
        "create", "--name", container, f"--volume={volume}:/home/jovyan", notebook_image(institute), "true"
    )
    yield volume, container
    docker("rm", "--force", container, check=False)


def archives(story: Scenario) -> list[str]:
    """Whose homes are archived."""
    command = as_root(["ls", f"/srv/{story.site.instance}/archive"])
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return sorted(re.findall(rf"^{story.site.instance}-home-(\w+)-\S+\.tar\.gz$", listed, re.MULTILINE))


def test_people_come_and_go(institute: Institute, held_home: tuple[str, str]) -> None:
    """A home that cannot be archived keeps nobody else here; the next run does only what is left."""
    story, (volume, container) = institute.story, held_home
    homes = [f"{story.site.instance}-home-gus", volume]
    assert set(homes) <= set(story.site.owned("volume"))
    institute.person("eve").start()
    institute.people("ada,staff,,", "dan,,,absent", "eve,guests,yes,", "fay,guests,,", "gus,,,absent")
    delete = ("-e", "jupyterhub_removed_homes=delete")
    outcome = story.site.run("users", *delete, name="users-changed")
    assert outcome.code != 0
    assert "All others are done. The home of 'dan' cannot be archived" in outcome.flat()
    assert f"{container} uses the volume {volume}" in outcome.flat()
    assert institute.account("fay")["groups"] == ["guests"]
    assert institute.account("eve")["servers"] == {}
    assert story.servers() == ["ada"]
    assert (institute.account("gus"), institute.account("dan")["servers"]) == ({}, {})
    assert archives(story) == ["gus"]
    assert set(homes) & set(story.site.owned("volume")) == {volume}
    with story.visit() as eve:
        sign_in(eve, "eve")
        expect(eve.page.get_by_text("This account is blocked.")).to_be_visible()
    docker("rm", container)
    outcome = story.site.run("users", *delete, name="users-changed-again").assert_done()
    assert outcome.changed_tasks() == [
        f"galilean.hub.jupyterhub : {task}"
        for task in (
            "Archive the homes of those who leave",
            "Delete the accounts of those who leave",
            "Delete the archived homes of those who leave",
        )
    ]
    assert institute.account("dan") == {}
    assert archives(story) == ["dan", "gus"]
    assert not set(homes) & set(story.site.owned("volume"))
