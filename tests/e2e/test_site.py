# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""From nothing to an executed notebook, what may happen to a hub on the way, and back to nothing.

The tests of this file are steps of one story and run in their order.
"""

from __future__ import annotations

import copy
import json
import shutil
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from browser import visit
from deployment import Deployment, as_root, docker, wait_until
from kill import kill_in
from own_kernels import (
    EAT,
    ENVIRONMENT,
    PACKAGES,
    UPLOAD,
    dismiss_ends,
    printed,
    put,
    run,
    start_notebook,
    told,
    upload,
)
from person import Person
from user_client import UserClient

from ansible_collections.galilean.hub.plugins.module_utils.shared.hub_api import HubApiError

WELCOME = "Welcome.ipynb"


@pytest.fixture(scope="module")
def ada(site: Deployment) -> UserClient:
    """Somebody at work while things happen to the hub."""
    person = UserClient(site.url, site.token, "ada")
    person.start()
    return person


def test_check_mode_before_anything_is_there(site: Deployment) -> None:
    outcome = site.run("site", "--check", "--diff", name="check-before").assert_done()
    assert outcome.count("failed") == 0
    assert site.owned("container") == []


def test_a_run_that_is_killed(site: Deployment) -> None:
    """The next one finishes it: what follows is the proof. test_killed_run.py compares, in more places."""
    kill_in(site, "galilean.hub.jupyterhub : Write the configuration, checked in the hub's image")
    assert site.left()


def test_site(site: Deployment, artifacts: Path) -> None:
    outcome = site.run("site").assert_done()
    text = outcome.flat()
    assert f"is ready at {site.url}/" in text
    assert "Log in any name, any password" in text
    assert f"galilean.hub.teardown -i {site.folder}/hosts.yml -e teardown_confirm={site.instance}" in text
    assert sorted(site.owned("container")) == sorted(
        site.container(part) for part in ("broker", "disk", "edge", "hub", "proxy")
    )
    (artifacts / "seconds.json").write_text(json.dumps({"site": round(outcome.seconds, 1)}), encoding="utf-8")


def test_second_run_changes_nothing(site: Deployment, artifacts: Path) -> None:
    outcome = site.run("site", name="site-again").assert_unchanged()
    figures = json.loads((artifacts / "seconds.json").read_text(encoding="utf-8"))
    figures["again"] = round(outcome.seconds, 1)
    (artifacts / "seconds.json").write_text(json.dumps(figures), encoding="utf-8")


def test_what_the_host_cannot_do_is_told_before_any_change(site: Deployment) -> None:
    """In one message, in seconds; a missing folder used to be found after minutes and nine changes."""
    before = site.state()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        site.set(
            edge_port=port,
            jupyterhub_memory_limit="9000G",
            jupyterhub_groups=[{"name": "staff", "cpu_limit": 500}],
            jupyterhub_data_mounts=[{"name": "survey", "source": "/nowhere/survey"}],
        )
        outcome = site.run("site", name="refused-by-the-host")
    site.set()
    assert outcome.code != 0
    assert outcome.count("changed") == 0
    assert "Nothing has been changed on" in outcome.text
    for said in (
        f"- edge_port is {port} on 127.0.0.1: the process ",
        "- jupyterhub_memory_limit is '9000G', more than the ",
        "- the group 'staff' in jupyterhub_groups has cpu_limit 500",
        "- jupyterhub_data_mounts has the source /nowhere/survey, which is no folder on ",
    ):
        assert said in outcome.flat()
    assert site.state() == before


def test_verify_alone(site: Deployment) -> None:
    outcome = site.run("verify").assert_unchanged()
    assert "Kernels python-science, python3" in outcome.flat()
    assert [name for name in site.owned("container") if "user" in name] == []


def test_person_at_a_browser(site: Deployment, artifacts: Path) -> None:
    with visit(site.url, artifacts) as seen:
        seen.page.goto(f"{site.url}/")
        seen.page.wait_for_selector("#username_input")
        seen.picture("1-login")
        seen.log_in("galileo", "any password")
        seen.picture("2-lab")
        seen.open_notebook(WELCOME)
        seen.picture("3-welcome")
        assert seen.kernel_name() == "Python 3 (science)"
        outputs = seen.run_all()
        seen.picture("4-executed")
        assert "Kepler's third law says 1.50" in outputs[-1]
        assert seen.page.locator(".jp-NotebookPanel .jp-OutputArea-output img").count() >= 1
        assert seen.errors == []
    UserClient(site.url, site.token, "galileo").stop()


def test_kernels_of_a_person(site: Deployment, artifacts: Path, tmp_path: Path) -> None:
    """Own environments, packages in the way, ends that are explained, large messages."""
    with visit(site.url, artifacts) as seen:
        seen.log_in("tycho", "any password")
        dismiss_ends(seen)
        put(site.instance, "tycho", ENVIRONMENT + PACKAGES)
        seen.page.reload()
        assert "broken/kernel.json cannot be read" in told(seen, "A kernel of your own is left out")
        # One that ships, with what would keep it from starting.
        start_notebook(seen, "Python 3")
        run(seen, "import traitlets, only_mine; print(traitlets.__file__, only_mine.kept)")
        printed(seen, "/opt/notebook/lib/python3.13/site-packages/traitlets/__init__.py mine")
        assert "traitlets 4.3.3" in told(seen, "This hub's kernels do not use")
        seen.picture("kernel-packages")
        run(seen, EAT)
        said = told(seen, 'The kernel "Python 3" of Untitled.ipynb was stopped: all memory of your server (')
        assert "an environment with more memory" in said
        seen.picture("kernel-memory")
        # Theirs, also the one with the name of one that ships.
        start_notebook(seen, "Python 3 (your own)")
        start_notebook(seen, "My own")
        run(seen, "import sys; print(sys.prefix)")
        printed(seen, "/home/jovyan/envs/own")
        run(seen, "import os; os._exit(9)")
        assert 'The kernel "My own"' in told(seen, 'The kernel "My own" of Untitled2.ipynb ended with code 9')
        start_notebook(seen, "Python 3 (science)")
        run(seen, UPLOAD)
        for name, size in (("fits", 12), ("large", 1100)):
            with (tmp_path / name).open("wb") as file:
                file.truncate(size * 2**20)
        upload(seen, tmp_path / "fits")
        seen.page.locator("button", has_text="Upload (1)").wait_for()
        run(seen, "print(len(u.value[0].content))")
        printed(seen, str(12 * 2**20))
        upload(seen, tmp_path / "large")
        assert "file browser" in told(seen, "This is too large for one message to the kernel")
        seen.picture("kernel-upload")
        # It is connected as before.
        run(seen, "print('still', 'here')")
        printed(seen, "still here")


def test_a_start_without_what_is_in_the_way(site: Deployment) -> None:
    tycho = UserClient(site.url, site.token, "tycho")
    tycho.stop()
    tycho.client.start_server("tycho", {"clean": True})
    tycho.start()
    assert docker("exec", tycho.container(site.instance), "printenv", "GALILEAN_CLEAN") == "1"
    tycho.open_kernel("python3")
    assert tycho.run("import importlib.util as u; print(u.find_spec('only_mine'))") == "None"
    # For that once.
    tycho.stop()
    tycho.start()
    assert docker("exec", tycho.container(site.instance), "printenv", "GALILEAN_CLEAN", check=False) == ""
    tycho.leave()


def test_software_is_read_only_even_for_root(site: Deployment, ada: UserClient) -> None:
    container = ada.container(site.instance)
    writing = ["docker", "exec", "--user", "root", container, "touch", "/opt/software/mine"]
    done = subprocess.run(as_root(writing), capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Read-only file system" in done.stderr


def test_hub_restart_leaves_a_running_kernel_alone(site: Deployment, ada: UserClient) -> None:
    ada.open_kernel("python-science")
    ada.run("import numpy; kept = numpy.arange(9).sum()")
    docker("restart", site.container("hub"))
    # The same websocket: it goes through edge and proxy, not through the hub.
    assert ada.run("print(kept)") == "36"
    wait_until(lambda: answers(ada), 60, "the hub after its restart")
    assert ada.state().ready
    assert ada.run("print(kept + 1)") == "37"


def test_proxy_restart_heals_at_once(site: Deployment, ada: UserClient) -> None:
    docker("restart", site.container("proxy"))
    seconds = wait_until(lambda: answers(ada, through_server=True), 15, "the route to a running server")
    assert seconds < 10
    ada.open_kernel("python3")
    assert ada.run("print(6 * 7)") == "42"


def hubctl(site: Deployment, *words: str, status: int = 0) -> str:
    """What a command of operators says on the host."""
    argv = as_root([f"/srv/{site.instance}/bin/hubctl", *words])
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == status, done.stdout + done.stderr
    # Logs of containers come on both.
    return done.stdout + done.stderr


def test_operators_see_how_the_hub_is(site: Deployment, ada: UserClient) -> None:
    found = json.loads(hubctl(site, "status", "--json"))
    assert found["attention"] == []
    assert {one["state"] for one in found["containers"].values()} == {"running"}
    assert [one["differs"] for one in found["containers"].values()] == [[]] * 5
    assert found["versions"]["jupyterhub"] == "6.1.1"
    assert found["users"]["servers"] == 1
    assert found["disk"]["homes"] >= 1
    assert found["check"]["ok"]
    known = {one["name"]: one for one in json.loads(hubctl(site, "users", "--json"))["users"]}
    assert [one["name"] for one in known["ada"]["servers"]] == [""]
    assert "/user/ada/" in hubctl(site, "logs", "--user", "ada", "--tail", "50")
    docker("stop", site.container("disk"))
    said = hubctl(site, "status", status=1)
    docker("start", site.container("disk"))
    assert "Attention   The container of the disk is exited: start it with " in said


def test_a_drained_hub_starts_no_servers(site: Deployment, ada: UserClient) -> None:
    """Whatever asks for one, also after a restart; who works goes on, and the check runs."""
    hubctl(site, "announce", "Talk <b>at 5</b>")
    hubctl(site, "drain", "--at", "2h", "--message", "New disks")
    ada.open_kernel("python3")
    ada.run("kept = 42")
    hubctl(site, "restart")
    # A login leads to a start.
    kepler = Person(site.url, "kepler")
    page = kepler.session.get(f"{site.url}/hub/spawn", timeout=60)
    assert page.status_code == 503
    for said in ("Your server was not started", "New disks. It begins on", "Talk &lt;b&gt;at 5&lt;/b&gt;"):
        assert said in page.text
    answer = kepler.post("/hub/api/users/kepler/server")
    assert answer.status_code == 503
    assert answer.json()["message"].startswith("New disks. It begins on ")
    assert ada.run("print(kept)") == "42"
    assert "A user can work: " in hubctl(site, "check")
    assert "The hub is drained by " in hubctl(site, "status", status=1)
    assert {"time", "what", "user"} == json.loads(hubctl(site, "logs", "--logins", "--json"))["logins"][
        -1
    ].keys()


def test_check_mode_after_while_a_websocket_outlives_its_first_pings(
    site: Deployment, ada: UserClient
) -> None:
    """The server asks every 30 seconds whether anybody is there, and must wait for the answer."""
    ada.open_kernel("python3")
    numbers = "import time\nfor number in range(35):\n    print(number, flush=True)\n    time.sleep(1)"
    with ThreadPoolExecutor(1) as beside:
        printed = beside.submit(ada.run, numbers)
        outcome = site.run("site", "--check", "--diff", name="check-after").assert_unchanged()
        assert printed.result().split() == [str(number) for number in range(35)]
    # What operators have done on the host is told, and stays.
    for said in ("The hub is drained by ", "in place of jupyterhub_web_announcement."):
        assert said in outcome.flat()


def test_servers_are_stopped_at_the_time_of_a_drain(site: Deployment, ada: UserClient) -> None:
    at = time.strftime("%F %T", time.localtime(time.time() + 4))
    hubctl(site, "drain", "--at", at, "--stop")
    assert ada.state().ready
    wait_until(lambda: not ada.state().running, 60, "the end of all servers")
    # Administrators and services that may start everybody's servers.
    ada.start()
    outcome = site.run("hubctl", "-e", "hubctl_arguments=undrain").assert_done()
    assert "Servers start again. The hub was drained since " in outcome.flat()
    hubctl(site, "announce", "--clear")
    page = Person(site.url, "kepler").session.get(f"{site.url}/hub/home", timeout=60)
    assert (page.status_code, "Talk" in page.text) == (200, False)
    other = UserClient(site.url, site.token, "kepler")
    other.start()
    other.stop()
    assert ada.state().ready


def test_mistakes_are_refused_and_the_hub_stays_up(site: Deployment, ada: UserClient) -> None:
    """In one answer. The unit tests have every kind of mistake; a misspelled trait is among the role's."""
    before = docker("inspect", "--format", "{{.State.StartedAt}}", site.container("hub"))
    site.set(jupyterhub_authenticatr="dummy", edge_port="eighty")
    outcome = site.run("site", name="mistake")
    site.set()
    assert outcome.code != 0
    assert outcome.count("changed") == 0
    for part in ("did you mean jupyterhub_authenticator", "edge_port is 'eighty'"):
        assert part in outcome.flat(), outcome.text[-3000:]
    assert answers(ada)
    assert docker("inspect", "--format", "{{.State.StartedAt}}", site.container("hub")) == before


def test_another_inventory_is_refused(site: Deployment, tmp_path: Path) -> None:
    """Before, a copy whose name of the instance was forgotten set up a hub of its own over a colleague's."""
    before = site.state()
    stranger = copy.copy(site)
    stranger.folder = shutil.copytree(site.folder, tmp_path / "stranger")
    said = f"belongs to the inventory '{site.instance}', and this is the inventory 'stranger'"
    for outcome in (stranger.run("site", name="stranger"), stranger.teardown(data=True)):
        assert outcome.code != 0
        assert outcome.count("changed") == 0
        assert said in outcome.flat(), outcome.text[-3000:]
        # Nobody is given a command that takes a colleague's hub away.
        assert f"takeover_confirm={site.instance}" not in outcome.flat()
    takeover = stranger.run(
        "hub", "--check", "--diff", "-e", f"takeover_confirm={site.instance}"
    ).assert_done()
    assert takeover.changed_tasks() == ["galilean.hub.jupyterhub : Ensure the instance's folders"]
    assert "+stranger" in takeover.text
    assert site.state() == before


@pytest.mark.slow
def test_two_instances_side_by_side(site: Deployment, ada: UserClient, prototype: Deployment) -> None:
    before = site.state()
    prototype.run("site").assert_done()
    assert site.state() == before
    assert answers(ada)
    eve = UserClient(prototype.url, prototype.token, "eve")
    assert not eve.state().exists
    refused = prototype.run("teardown", "-e", f"teardown_confirm={site.instance}", name="teardown-wrong")
    assert refused.code != 0
    assert f"runs the instance '{prototype.instance}'" in refused.flat()
    # Nobody is told how to remove the one that was not meant.
    assert f"teardown_confirm={prototype.instance}" not in refused.flat()
    assert f"CONFIRM={prototype.instance}" not in refused.flat()
    prototype.teardown(data=True).assert_done()
    assert [prototype.owned(kind) for kind in ("container", "network", "volume")] == [[], [], []]
    assert site.state() == before
    assert answers(ada, through_server=True)


def test_another_network_while_somebody_works(site: Deployment, ada: UserClient) -> None:
    """One that is taken is refused before anything is touched; to a free one everybody moves."""
    stranger, server, network = "e2e-stranger", ada.container(site.instance), f"{site.instance}-users"
    subnet = "{{(index .IPAM.Config 0).Subnet}}"
    before = docker("network", "inspect", "--format", subnet, network)
    docker("network", "create", "--subnet=10.223.250.0/24", stranger)
    try:
        site.set(jupyterhub_users_subnet="10.223.240.0/20")
        outcome = site.run("hub", name="subnet-taken")
    finally:
        docker("network", "rm", stranger)
    assert outcome.code != 0
    assert outcome.count("changed") == 0
    said = "jupyterhub_users_subnet is '10.223.240.0/20', which overlaps 10.223.250.0/24, of the network"
    assert f"{said} {stranger}: give" in outcome.flat(), outcome.text[-3000:]
    assert docker("network", "inspect", "--format", subnet, network) == before
    assert answers(ada, through_server=True)
    site.set(jupyterhub_users_subnet="10.223.240.0/20", jupyterhub_memory_limit="900M")
    outcome = site.run("hub", name="subnet-free").assert_done()
    # A running server keeps its limits, and people are told.
    assert "1 of 1 running servers (ada) still have the settings of their start (limits)" in outcome.flat()
    assert docker("network", "inspect", "--format", subnet, network) == "10.223.240.0/20"
    wait_until(lambda: answers(ada, through_server=True), 60, "the server in its new network")
    assert ada.container(site.instance) == server
    assert site.owned("network") == sorted(f"{site.instance}-{part}" for part in ("core", "users"))
    # What the hub said that was replaced is there, too.
    told = subprocess.run(
        as_root([f"/srv/{site.instance}/bin/hubctl", "logs"]), capture_output=True, text=True, check=True
    )
    assert (told.stdout + told.stderr).count("Running JupyterHub version") > 1
    site.set()


def test_teardown_keeps_the_users_data(site: Deployment, ada: UserClient) -> None:
    ada.write("kept.txt", "still here")
    site.teardown().assert_done()
    assert site.owned("container") == []
    assert site.owned("network") == []
    assert f"{site.instance}-home-ada" in site.owned("volume")
    site.teardown().assert_unchanged()
    site.run("site", name="site-after-teardown").assert_done()
    ada.start()
    assert ada.read("kept.txt")["content"] == "still here"


def test_teardown_with_data_leaves_nothing(site: Deployment) -> None:
    site.teardown(data=True).assert_done()
    assert [site.owned(kind) for kind in ("container", "network", "volume")] == [[], [], []]
    gone = subprocess.run(as_root(["test", "!", "-e", f"/srv/{site.instance}"]), check=False)
    assert gone.returncode == 0


def answers(person: UserClient, through_server: bool = False) -> bool:
    """Tell whether the hub, or the person's server, answers through the public address."""
    try:
        if through_server:
            person.client.kernels(person.server)
        else:
            person.client.version()
    except HubApiError:
        return False
    return True
