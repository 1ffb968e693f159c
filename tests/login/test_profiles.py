# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What those get who came in: environments, also past the form; shared folders; homes of their own."""

from __future__ import annotations

import json
import re
import typing as t
import urllib.parse
from pathlib import Path

import pytest
from accessibility import no_violations
from deployment import docker, wait_until
from homes import keep_names
from people import person_of
from playwright.sync_api import expect
from scenario import Scenario, in_lab, sign_in
from user_client import UserClient

from ansible_collections.galilean.hub.plugins.module_utils.shared.hub_api import HubApiError, HubClient

# Passwords of one's own: what is looked at here is what comes after a login.
WORKSHOP: dict[str, t.Any] = {
    "jupyterhub_authenticator": "shared_password",
    "jupyterhub_login_password": "of a workshop",
    "jupyterhub_allow_all": True,
    "jupyterhub_admin_users": ["ruth"],
    "jupyterhub_groups": [
        {"name": "genomics", "users": ["ada"], "cull_timeout": 0},
        {"name": "teaching", "users": ["bob"]},
        {"name": "pages", "users": ["paul"]},
    ],
    "jupyterhub_profiles": [
        {"name": "plain", "label": "Plain Python", "description": "For a first look."},
        {
            "name": "large",
            "label": "A lot of memory",
            "groups": ["genomics"],
            "memory_limit": "900M",
            "environment": {"LARGE": "yes"},
        },
        {"name": "classic", "groups": ["pages"], "default_url": "/tree"},
        {"name": "file", "groups": ["pages"], "default_url": "/lab/tree/ü b.txt"},
        {
            "name": "viewer",
            "groups": ["pages"],
            "default_url": "/viewer",
            "apps": [
                {"name": "viewer", "command": ["python3", "-m", "http.server", "--bind=127.0.0.1", "{port}"]}
            ],
        },
    ],
    "jupyterhub_shared_folders": [
        {"name": "lab", "groups": ["genomics"], "read_groups": ["teaching"]},
        {"name": "all"},
    ],
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "icgc"
    folder.mkdir()
    (folder / "samples.txt").write_text("one\n", encoding="utf-8")
    for path in (folder, folder / "samples.txt"):
        path.chmod(0o755)
    return folder


def start(story: Scenario, name: str, **options: t.Any) -> UserClient:
    """Start somebody's server through the API, with options of a request's own making."""
    somebody = person_of(story, name)
    if not somebody.state().exists:
        somebody.client.create_user(name)
    somebody.client.start_server(name, options)
    wait_until(lambda: somebody.state().ready, 120, f"the server of {name}")
    somebody.server = somebody.client.server_url(somebody.state())
    return somebody


def test_a_menu_of_what_is_offered(story: Scenario, data: Path) -> None:
    mounts = [{"name": "icgc", "source": str(data), "groups": ["genomics"]}]
    # Who was called so by the provider is called so from now on as well.
    same = keep_names(story)
    story.deploy(
        "offers", jupyterhub_data_mounts=mounts, jupyterhub_rename_map=same, **WORKSHOP
    ).assert_done()
    with story.visit() as ada:
        ada.go("/hub/login")
        ada.page.fill("#username_input", "ada")
        ada.page.fill("#password_input", "of a workshop")
        ada.page.click("#login_submit")
        expect(ada.page.get_by_text("Plain Python")).to_be_visible()
        ada.picture("offers-menu")
        no_violations(ada.page, narrow=True)
        ada.page.get_by_text("A lot of memory").click()
        # The hub passes the page over where the server is up already, and it leads on as soon as it is.
        with story.paused("broker"):
            submit = "#spawn_form input[type=submit], #spawn_form button[type=submit]"
            ada.page.locator(submit).first.click()
            expect(ada.page.get_by_role("heading", name="Starting your server")).to_be_visible()
            no_violations(ada.page, narrow=True)
        in_lab(ada)
    model = story.inspect("ada")
    assert model["HostConfig"]["Memory"] == model["HostConfig"]["MemorySwap"] == 900 * 2**20
    assert "LARGE=yes" in model["Config"]["Env"]


def test_one_environment_is_no_menu(story: Scenario) -> None:
    with story.visit() as bob:
        bob.log_in("bob", "of a workshop")
    assert "LARGE=yes" not in story.inspect("bob")["Config"]["Env"]


def test_start_pages(story: Scenario) -> None:
    paul = start(story, "paul", profile="plain")
    paul.client.ask(
        "PUT",
        f"{paul.server}/api/contents/%C3%BC%20b.txt",
        (201,),
        {"type": "file", "format": "text", "content": "a file of a name with odd letters"},
    )
    with story.visit() as visit:
        visit.log_in("paul", "of a workshop")
        for name, address, text in (
            ("classic", r"/user/paul/tree$", "ü b.txt"),
            ("file", r"/user/paul/lab/tree/%C3%BC%20b.txt$", "a file of a name with odd letters"),
            ("viewer", r"/user/paul/viewer/$", "Directory listing"),
        ):
            paul.stop()
            start(story, "paul", profile=name)
            visit.go("/hub/user-redirect/")
            visit.page.wait_for_url(re.compile(address))
            expect(visit.page.get_by_text(text).first).to_be_visible()
            visit.picture(f"start-page-{name}")
        # A link to another page leads there.
        visit.go("/hub/user-redirect/tree?file-browser-path=/")
        visit.page.wait_for_url(re.compile(r"/user/paul/tree"))
    paul.leave()


@pytest.mark.parametrize("name", ["large", "nothing", ["large"], {"name": "large"}])
def test_a_request_past_the_form_gets_no_more(story: Scenario, name: t.Any) -> None:
    carl = person_of(story, "carl")
    if not carl.state().exists:
        carl.client.create_user("carl")
    with pytest.raises(HubApiError, match="not open to you"):
        carl.client.start_server("carl", {"profile": name})
    assert "carl" not in story.servers()


def test_options_of_a_request_change_nothing_else(story: Scenario) -> None:
    start(story, "carl", profile="plain", mem_limit="64G", volumes={"/": "/host"}, environment={"A": "1"})
    model = story.inspect("carl")
    assert model["HostConfig"]["Memory"] < 64 * 2**30
    assert "/host" not in json.dumps(model["Mounts"])
    assert "A=1" not in model["Config"]["Env"]
    carl = person_of(story, "carl")
    carl.stop()
    with pytest.raises(HubApiError, match="image to launch is not allowed"):
        carl.client.start_server("carl", {"profile": "plain", "image": "other:latest"})
    carl.client.delete_user("carl")


def test_folders_that_are_shared(story: Scenario) -> None:
    # ada is of genomics, bob of teaching, dora of neither.
    start(story, "dora", profile="plain")
    story.inside("ada", "sh", "-c", "echo from ada > /shared/lab/paper.txt")
    assert story.inside("bob", "cat", "/shared/lab/paper.txt") == "from ada"
    assert "Read-only" in story.tries("bob", "sh", "-c", "echo bob >> /shared/lab/paper.txt")
    assert "No such file" in story.tries("dora", "ls", "/shared/lab")
    # Two who may write change each other's files, whatever their umask.
    story.inside("bob", "sh", "-c", "umask 077; echo from bob > /shared/all/notes.txt")
    story.inside("dora", "sh", "-c", "echo from dora >> /shared/all/notes.txt")
    assert story.inside("ada", "cat", "/shared/all/notes.txt") == "from bob\nfrom dora"
    # Data of the host: for a group, and only to read.
    assert story.inside("ada", "cat", "/data/icgc/samples.txt") == "one"
    assert "Read-only" in story.tries("ada", "touch", "/data/icgc/new")
    assert "No such file" in story.tries("bob", "ls", "/data/icgc")
    # Nobody else of the host looks into what is shared.
    mode = docker(
        "run",
        "--rm",
        "-v",
        f"/srv/{story.site.instance}/shared:/s",
        image(story),
        "stat",
        "-c",
        "%a %u",
        "/s/lab",
    )
    assert mode == f"700 {story.inside('ada', 'id', '-u')}"


def image(story: Scenario) -> str:
    return str(story.inspect("ada")["Config"]["Image"])


def test_no_file_of_one_home_is_anothers(story: Scenario) -> None:
    story.inside("ada", "sh", "-c", "echo mine > ~/private.txt")
    for name in ("bob", "dora"):
        assert "No such file" in story.tries(name, "cat", "/home/jovyan/private.txt")


HOSTILE = [
    "ada@example.org",
    "ada-40example-2eorg",
    "ada'; rm -rf ~; '",
    "..",
    "{username}",
    "zo\u0301łw",
    "x" * 250,
    "x" * 249 + "y",
    "ada.example",
    "ada_example",
    "ada%2fexample",
    "ada example",
    'ada"<b>',
    "$(id)",
    "żółw",
    "日本語",
    "-",
    "--",
]
# Among them two that look alike when they are written with signs that Docker takes, and two that are cut.
FIRST = HOSTILE[:8]


def container_of(story: Scenario, user: str) -> dict[str, t.Any]:
    """What Docker knows of the container that says it is this user's."""
    labels = (f"galilean.hub.instance={story.site.instance}", "galilean.hub.role=user")
    numbers = docker("ps", "--quiet", *(f"--filter=label={label}" for label in labels)).split()
    models = json.loads(docker("inspect", *numbers))
    (found,) = [model for model in models if f"JUPYTERHUB_USER={user}" in model["Config"]["Env"]]
    return dict(found)


def home_of(model: dict[str, t.Any]) -> str:
    """The volume at a container's home."""
    (home,) = [mount for mount in model["Mounts"] if mount["Destination"] == "/home/jovyan"]
    assert home["Type"] == "volume"
    return str(home["Name"])


def leave(hub: HubClient, address: str) -> None:
    """Stop a server and delete its account, by the address of the account in the hub's API."""
    hub.ask("DELETE", f"{address}/server", (202, 204, 400, 404))
    # As long as the server is about to end, the hub does not let its user go.
    wait_until(lambda: hub.ask("DELETE", address, (204, 400, 404)).status != 400, 60, f"the end of {address}")


@pytest.mark.parametrize("names", [FIRST, pytest.param(HOSTILE, marks=pytest.mark.slow)])
def test_names_that_are_hostile(story: Scenario, names: list[str]) -> None:
    """Each has a home and a container of its own, nothing lands elsewhere, and servers answer."""
    hub = person_of(story, "ada").client
    users = f"{story.site.url}/hub/api/users"
    homes: dict[str, str] = {}
    made: list[str] = []
    try:
        for name in names:
            address = f"{users}/{urllib.parse.quote(name, safe='')}"
            if hub.ask("POST", address, (201, 400, 404, 405)).status != 201:
                continue
            made.append(address)
            hub.ask("POST", f"{address}/server", (201, 202), {"user_options": {"profile": "plain"}})

            def server(address: str = address) -> dict[str, t.Any]:
                model: dict[str, t.Any] = hub.ask("GET", address).json()
                return dict(model["servers"].get("", {}))

            wait_until(lambda: bool(server().get("ready")), 120, f"the server of {name!r}")
            model = container_of(story, name)
            homes[name] = home_of(model)
            label = '{{index .Labels "galilean.hub.user"}}'
            assert docker("volume", "inspect", "--format", label, homes[name]) == name
            docker("exec", model["Id"], "sh", "-c", 'printf %s "$JUPYTERHUB_USER" > ~/whose')
            hub.ask("DELETE", f"{address}/server", (202, 204))
            wait_until(lambda: not server(), 60, f"the end of {name!r}")
        # JupyterHub itself takes no name that is nothing but dots in an address.
        assert set(names) - set(homes) <= {".."}
        assert len(set(homes.values())) == len(homes)
        for name, volume in homes.items():
            assert volume.startswith(f"{story.site.instance}-home-")
            shown = docker("run", "--rm", "-v", f"{volume}:/h:ro", image(story), "cat", "/h/whose")
            assert shown == name
    finally:
        for address in made:
            leave(hub, address)
        for volume in homes.values():
            docker("volume", "rm", volume)


def test_names_that_would_change_are_refused(story: Scenario) -> None:
    before = story.started("hub")
    outcome = story.with_provider("rename-refused", jupyterhub_allow_all=True)
    assert outcome.code != 0
    assert "give the new name of each in jupyterhub_rename_map" in outcome.flat()
    assert "bob" in outcome.flat()
    assert outcome.count("changed") == 0 or "Users would get other names" in outcome.flat()
    assert story.started("hub") == before


def test_a_renamed_user_keeps_the_home(story: Scenario) -> None:
    story.inside("ada", "sh", "-c", "echo before > ~/kept.txt")
    homes = docker(
        "volume", "ls", "--filter", f"label=galilean.hub.instance={story.site.instance}",
        "--filter", "label=galilean.hub.role=home", "--format", '{{.Label "galilean.hub.user"}}',
    ).split("\n")  # fmt: skip
    names = {home: "" for home in homes if home != "hub-check"} | {"bob": "ada"}
    del names["ada"]
    names |= {"ada": "ada@example.org"}
    # bob becomes ada, whose name is taken: such a chain is refused.
    outcome = story.with_provider("rename-chain", jupyterhub_allow_all=True, jupyterhub_rename_map=names)
    assert "rename in two runs" in outcome.flat()
    names["bob"] = "bob@example.org"
    oidc = {**story.provider.settings()["jupyterhub_login_oidc"], "username_claim": "email"}
    settings = {**story.provider.settings(), "jupyterhub_login_oidc": oidc, "jupyterhub_allow_all": True}
    story.deploy("rename", **settings, jupyterhub_rename_map=names).assert_done()
    story.deploy("rename-again", **settings, jupyterhub_rename_map=names).assert_unchanged()
    story.wait_for_end("ada", 60)
    with story.visit() as ada:
        sign_in(ada, "ada")
        in_lab(ada)
    assert story.inside("ada@example.org", "cat", "/home/jovyan/kept.txt") == "before"
    # Whom the settings of before had made an administrator, and these do not name.
    model = person_of(story, "ada").client.ask("GET", f"{story.site.url}/hub/api/users/ruth").json()
    assert model["admin"] is False
    assert "admin" not in model["roles"]


def test_who_comes_by_the_old_name_gets_another_home(story: Scenario) -> None:
    other = start(story, "ada")
    try:
        assert "No such file" in story.tries("ada", "cat", "/home/jovyan/kept.txt")
        volumes = [mount["Name"] for mount in story.inspect("ada")["Mounts"] if mount["Type"] == "volume"]
        assert f"{story.site.instance}-home-ada-2f2" in volumes
    finally:
        other.leave()


def test_the_home_is_found_without_the_map(story: Scenario) -> None:
    oidc = {**story.provider.settings()["jupyterhub_login_oidc"], "username_claim": "email"}
    settings = {**story.provider.settings(), "jupyterhub_login_oidc": oidc, "jupyterhub_allow_all": True}
    story.deploy("rename-later", **settings).assert_done()
    ada = person_of(story, "ada@example.org")
    ada.stop()
    ada.start()
    assert story.inside("ada@example.org", "cat", "/home/jovyan/kept.txt") == "before"
