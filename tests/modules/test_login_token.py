# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The login token in a user's container, against a real JupyterHub that keeps and renews it."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest
from confined import confined
from login_hub import LoginHub, login_hub

# A token is nowhere but in what was printed.
ELSEWHERE = "grep -rls {token} /home /tmp /run /var /proc/self/environ 2>/dev/null; env | grep {token}; true"


@pytest.fixture(scope="module")
def notebook(refs: dict[str, t.Any]) -> str:
    return str(refs["notebook"])


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LoginHub]:
    with login_hub(tmp_path_factory.mktemp("login-hub")) as hub:
        yield hub


def run(image: str, environment: t.Mapping[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    options = [f"--env={key}={value}" for key, value in environment.items()]
    argv = ["docker", "run", "--rm", "--network=host", *confined(), "--volume=/home/jovyan", *options, image]
    return subprocess.run([*argv, *command], capture_output=True, text=True, check=False)


def test_the_token_is_the_one_that_is_valid_now(notebook: str, hub: LoginHub) -> None:
    hub.provide("first")
    server = hub.server("ada")
    done = run(notebook, server, "galilean-token")
    assert (done.stdout, done.stderr) == ("first\n", "")
    token = "tok-7c1e9a-second"
    hub.provide(token)
    done = run(notebook, server, "bash", "-c", f"galilean-token; {ELSEWHERE.format(token=token)}")
    assert (done.stdout, done.stderr) == (f"{token}\n", "")


@pytest.mark.parametrize("python", ["python3", "ipython"])
def test_python_shares_the_code(notebook: str, hub: LoginHub, python: str) -> None:
    hub.provide("third")
    code = (
        "from galilean_token import access_token;"
        "assert access_token() is access_token(); print(access_token())"
    )
    assert run(notebook, hub.server("ada"), python, "-c", code).stdout == "third\n"


def test_whoever_renews_no_more_is_told_to_log_in(notebook: str, hub: LoginHub) -> None:
    hub.provide("fourth")
    server = hub.server("bob")
    hub.provide("fourth", valid=False)
    done = run(notebook, server, "galilean-token")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith("galilean-token: The hub accepts your login no longer: log out")


def test_a_login_without_a_token(notebook: str, hub: LoginHub) -> None:
    hub.provide(None)
    done = run(notebook, hub.server("kay"), "galilean-token")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    assert "no token of your login" in done.stderr


def test_a_hub_that_gives_no_tokens(notebook: str, tmp_path: Path) -> None:
    """What a hub does that was not told otherwise: the server's own token does not reach the login's."""
    with login_hub(tmp_path, scopes=["users:activity!user", "access:servers!server"]) as closed:
        closed.provide("kept")
        done = run(notebook, closed.server("ada"), "galilean-token")
    assert (done.returncode, done.stdout) == (3, "")
    assert "gives no login tokens to servers" in done.stderr


def test_a_hub_that_is_away_and_no_hub(notebook: str, hub: LoginHub) -> None:
    away = {**hub.server("ada"), "JUPYTERHUB_API_URL": "http://127.0.0.1:1/hub/api"}
    done = run(notebook, away, "galilean-token")
    assert (done.returncode, done.stderr) == (
        4,
        "galilean-token: The hub does not answer; try again in a minute.\n",
    )
    done = run(notebook, {}, "galilean-token")
    assert (done.returncode, done.stdout) == (2, "")
    assert "This is no server of a hub" in done.stderr
