# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""After a whole run no secret of hub, provider or approvals is where somebody else could read it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from deployment import as_root, docker, server_of
from homes import keep_names
from people import person_of
from scenario import Scenario, in_lab, sign_in
from source import TOKEN, Source

# Where programs and people leave things that others read.
PLACES = ("/srv", "/etc", "/var/log", "/var/tmp", "/run", "/tmp", "/dev/shm")


@dataclass(frozen=True)
class Run:
    """What was to be seen of a run: its output, and the command lines on this machine while it went on."""

    output: str
    commands: set[str]


def commands() -> t.Iterator[str]:
    """The command lines of all processes, as everybody sees them."""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield process.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue


@contextlib.contextmanager
def watched() -> t.Iterator[set[str]]:
    """All command lines from here to the end of the block, but for those of the shortest life."""
    seen: set[str] = set()
    ended = threading.Event()

    def observe() -> None:
        while not ended.wait(0.2):
            seen.update(commands())

    thread = threading.Thread(target=observe)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


@pytest.fixture(scope="module")
def run(story: Scenario, source: Source) -> Run:
    """A run that says all it can."""
    # Everybody has another name now.
    approval = {"source": "url", "url": f"{source.url}/list", "insecure": True, "max_removed": 100}
    oidc = {**story.provider.settings()["jupyterhub_login_oidc"], "username_claim": "email"}
    settings: dict[str, t.Any] = {
        "jupyterhub_login_oidc": oidc,
        "jupyterhub_allow_all": True,
        "jupyterhub_user_tokens": True,
        "jupyterhub_approval": approval,
        "jupyterhub_approval_token": TOKEN,
        # Whoever has a home keeps the name.
        "jupyterhub_rename_map": keep_names(story),
    }
    source.list = "ada@example.org\nruth@example.org\n"
    with watched() as seen:
        outcome = story.with_provider("secrets", verbosity=3, **settings).assert_done()
    story.wait_for_hub()
    return Run(outcome.text, seen)


@pytest.fixture(scope="module")
def secrets(story: Scenario, run: Run) -> dict[str, str]:
    """Every secret of the instance by its name, with the tokens of somebody who has logged in."""
    # A server that was started before tokens were given has none.
    person = person_of(story, "ada@example.org")
    if person.state().running:
        person.stop()
    with story.visit() as ada:
        sign_in(ada, "ada")
        in_lab(ada)
    folder = f"/srv/{story.site.instance}/secrets"
    names = subprocess.run(as_root(["ls", folder]), capture_output=True, text=True, check=True).stdout.split()
    found = {name: story.site.secret(name) for name in names}
    token = story.inside("ada@example.org", "galilean-token")
    assert story.provider.accepts(token)
    found |= {"approval": TOKEN, "client": story.provider.client_secret, "access token": token}
    assert {"crypt-key", "cookie-secret", "proxy-token", "check-token", "accounts-token"} <= set(found)
    # This site has neither.
    assert [found.pop(name) for name in ("outgoing-proxy", "service-tokens")] == ["{}", "{}"]
    return {name: value for name, value in found.items() if value}


def in_text(secrets: dict[str, str], text: str) -> list[str]:
    return sorted(name for name, value in secrets.items() if value in text)


def test_not_in_ansibles_output(secrets: dict[str, str], run: Run) -> None:
    assert len(run.output) > 50_000
    assert in_text(secrets, run.output) == []


def test_not_in_the_list_of_processes(secrets: dict[str, str], run: Run) -> None:
    assert any("ansible-playbook" in command for command in run.commands)
    assert in_text(secrets, "\n".join([*run.commands, *commands()])) == []


def test_not_in_what_docker_tells_of_containers(story: Scenario, secrets: dict[str, str]) -> None:
    for name in story.site.owned("container"):
        assert in_text(secrets, docker("inspect", name)) == [], name
    user = json.dumps(story.inspect("ada@example.org"))
    assert "JUPYTERHUB_API_TOKEN" in user
    assert in_text(secrets, user) == []


def test_the_checks_own_opens_nothing_of_others(story: Scenario, secrets: dict[str, str]) -> None:
    """The server that it visits sees it, whatever is in the image."""
    ada = "ada@example.org"
    story.keep_token("check", secrets["check-token"])
    status, seen = story.request("check", "GET", "/hub/api/users")
    assert ada not in seen, status
    for method, path in (
        ("GET", f"/hub/api/users/{ada}"),
        ("POST", f"/hub/api/users/{ada}/tokens"),
        ("DELETE", f"/hub/api/users/{ada}/server"),
        ("POST", "/hub/api/users/somebody"),
        ("GET", f"/user/{ada}/api/contents"),
    ):
        assert story.request("check", method, path, follow=False)[0] in (302, 403, 404), path
    assert "ada@example.org" in story.servers()


def test_not_in_logs(story: Scenario, secrets: dict[str, str]) -> None:
    containers = [story.site.container(part) for part in ("hub", "broker", "proxy", "edge")]
    for container in [*containers, server_of(story.site.instance, "ada@example.org")]:
        argv = as_root(["docker", "logs", container])
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
        assert in_text(secrets, done.stdout.decode(errors="replace")) == [], container


def test_not_in_the_users_server(story: Scenario, secrets: dict[str, str]) -> None:
    """Neither in its environment nor in the home: the token is told on demand."""
    environment = story.inside(
        "ada@example.org", "sh", "-c", "cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'"
    )
    assert in_text(secrets, environment) == []
    for name, value in secrets.items():
        command = ["grep", "-rlF", "--", value, "/home/jovyan", "/tmp"]
        assert story.inside("ada@example.org", *command, check=False) == "", name


def test_not_in_a_file_that_anybody_reads(story: Scenario, secrets: dict[str, str]) -> None:
    """Looked for by somebody who has no right to anything: what that account can read, anybody can."""
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    folder = f"/srv/{story.site.instance}/secrets"
    # Before the first of them was made there was none to write down.
    made = subprocess.run(
        as_root(["stat", "--format=%Y", f"{folder}/cookie-secret"]),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    listing = subprocess.run(
        as_root([*nobody, "find", *PLACES, "-type", "f", "-newermt", f"@{made}", "-print0"]),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        errors="surrogateescape",
        check=False,
    )
    files = [name for name in listing.stdout.split("\0") if name]
    assert f"/srv/{story.site.instance}/config/config.json" in files
    words = "\n".join(line for value in secrets.values() for line in value.split()) + "\n"
    found = []
    for start in range(0, len(files), 5000):
        command = [*nobody, "grep", "-lIsF", "-f", "/dev/stdin", "--", *files[start : start + 5000]]
        done = subprocess.run(as_root(command), input=words, capture_output=True, text=True, check=False)
        found += done.stdout.splitlines()
    assert found == []
