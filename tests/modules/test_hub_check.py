# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""hub_check against a real JupyterHub, run as Ansible runs it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from engine import ANSIBLE, ModuleRunner, docker
from kill import descendants
from loopback_hub import LoopbackHub, free_ports, run_hub, wait_until

Run = t.Callable[..., dict[str, t.Any]]
STEPS = ["answer", "spawn", "kernel_start", "execute", "stop", "total"]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LoopbackHub]:
    yield from run_hub(tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="module")
def hub_container(prefix: str, refs: dict[str, t.Any]) -> t.Iterator[str]:
    """A container of the hub's image, as the one that this hub would run in."""
    name = f"{prefix}-hub"
    docker("create", f"--name={name}", f"--label=galilean.hub.instance={prefix}", refs["hub"])
    yield name
    # Other files have one of this name.
    docker("rm", name)


@pytest.fixture
def command(run_module: ModuleRunner) -> tuple[list[str], dict[str, str]]:
    """The command line and environment that run a play on this machine."""
    argv = [str(ANSIBLE) + "-playbook", "-i", "localhost,", "-c", "local"]
    return argv, {**run_module.env, "ANSIBLE_PYTHON_INTERPRETER": sys.executable}


def write_play(folder: Path, params: dict[str, t.Any]) -> str:
    """Write a play (JSON is YAML) that runs the module and keeps its result; return its path."""
    tasks = [
        {"galilean.hub.hub_check": params, "register": "result", "ignore_errors": True},
        {
            "ansible.builtin.copy": {
                "content": "{{ result | to_json }}",
                "dest": str(folder / "result.json"),
            },
            "check_mode": False,
        },
    ]
    play = folder / "play.yml"
    play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    return str(play)


@pytest.fixture
def check(
    hub: LoopbackHub,
    hub_container: str,
    run_module: ModuleRunner,
    command: tuple[list[str], dict[str, str]],
    tmp_path: Path,
) -> Run:
    """Run the module and return its result, the text that Ansible printed under "printed".

    With options it runs in a play, which takes longer.
    """
    argv, env = command

    def run(*options: str, **params: t.Any) -> dict[str, t.Any]:
        if "token_path" not in params:
            params.setdefault("token", hub.token)
        params = {"url": hub.url, "hub_container": hub_container, **params}
        if not options:
            result = run_module("hub_check", **params)
            # Above a failure stands what was asked: Ansible shows that of this command, of no playbook.
            return {**result, "printed": result["printed"].partition("localhost | ")[2]}
        done = subprocess.run(
            [*argv, write_play(tmp_path, params), *options],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
        return {"failed": False, "changed": False, **result, "printed": done.stdout + done.stderr}

    return run


def test_success(hub: LoopbackHub, check: Run, tmp_path: Path) -> None:
    kept = tmp_path / "check.json"
    result = check(expect="42", result_path=str(kept))
    assert not result["failed"], result["msg"]
    assert not result["changed"]
    assert sorted(result["timings"]) == sorted(STEPS)
    assert result["timings"]["total"] >= sum(result["timings"][step] for step in STEPS[:-1])
    assert result["output"] == "42\n"
    assert result["kernels"] == ["python3"]
    assert result["versions"]["hub"] == "6.1.1"
    assert {"server", "ipython", "python"} <= set(result["versions"])
    assert hub.api("/users/hub-check") == 404
    seen = json.loads(kept.read_text(encoding="utf-8"))
    assert (seen["ok"], seen["timings"]) == (True, result["timings"])


def test_a_token_for_one_user_is_enough(hub: LoopbackHub, check: Run) -> None:
    """The check's own servers see its token: it opens nobody else's."""
    result = check(user="nina", token=hub.nina_token)
    assert not result["failed"], result["msg"]
    result = check(user="otto", token=hub.nina_token)
    assert "the hub refuses the token" in result["msg"]
    assert "for otto it needs the scopes admin:users, admin:servers and access:servers" in result["msg"]


def test_account_that_existed_stays(hub: LoopbackHub, check: Run, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(f"{hub.token}\n", encoding="utf-8")
    assert hub.api("/users/anna", "POST") == 201
    result = check(user="anna", token_path=str(token), code="6 * 7", expect="42")
    assert not result["failed"], result["msg"]
    assert hub.api("/users/anna") == 200
    assert hub.api("/users/anna", "DELETE") == 204


def test_a_persons_server_is_left_alone(hub: LoopbackHub, check: Run) -> None:
    hub.api("/users/berta", "POST")
    hub.api("/users/berta/server", "POST")
    result = check(user="berta")
    assert "it has a running server that no check started" in result["msg"]
    # It still runs: stopping it is a change.
    assert hub.api("/users/berta/server", "DELETE") in (202, 204)
    wait_until(lambda: hub.api("/users/berta", "DELETE") == 204, 20, "the end of berta's server")


# settings, step that fails, part of the sentence
FAILURES: list[tuple[str, dict[str, t.Any], str, str]] = [
    ("wrong token", {"token": "nobodys-token"}, "account", "the hub refuses the token: Missing or invalid"),
    ("unknown kernel", {"kernel": "julia"}, "kernel", "the server does not offer it; it offers: python3."),
    ("code raises", {"code": "1 / 0"}, "execute", "the code raised ZeroDivisionError: division by zero."),
    ("kernel ends", {"code": "import os; os._exit(1)"}, "execute", "the kernel died."),
    ("other output", {"expect": "43"}, "execute", "its output '42' does not contain '43'."),
    ("server cannot start", {"user": "broken"}, "spawn", "/nonexistent/singleuser"),
    (
        "server never answers",
        {"user": "silent", "timeout": 5},
        "spawn",
        "the time limit of 5 seconds is over.",
    ),
]


# One of them shows how a failure is told; the others need as long.
@pytest.mark.parametrize(
    ("settings", "phase", "sentence"),
    [
        pytest.param(*case, id=name, marks=[] if name == "code raises" else pytest.mark.slow)
        for name, *case in FAILURES
    ],
)
def test_failure_says_which_step_and_why(
    hub: LoopbackHub, check: Run, settings: dict[str, t.Any], phase: str, sentence: str
) -> None:
    result = check(**settings)
    assert result["failed"]
    assert result["phase"] == phase, result["msg"]
    assert sentence in result["msg"]
    assert result["msg"].startswith("The check failed while ")
    assert hub.api(f"/users/{settings.get('user', 'hub-check')}") == 404
    assert hub.token not in result["printed"]
    assert "nobodys-token" not in result["printed"]


def test_token_without_access_to_servers(hub: LoopbackHub, check: Run) -> None:
    result = check(token=hub.reader_token)
    assert result["phase"] == "kernel"
    assert "it needs the scope access:servers" in result["msg"]
    assert hub.api("/users/hub-check") == 404


def test_hub_is_down(check: Run) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    result = check(url=url, answer_timeout=1)
    assert result["phase"] == "answer"
    assert f"{url} does not answer as a hub: Connection refused." in result["msg"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"url": "hub.example.org"}, "url is 'hub.example.org': give the public address of the hub"),
        (
            {"token_path": "/nonexistent/token"},
            "token_path is '/nonexistent/token': the token cannot be read",
        ),
        ({"token_path": os.devnull}, "token_path is '/dev/null': the file is empty"),
        ({"ca_content": "none"}, "the certificates to trust cannot be read: "),
        (
            {"hub_container": "nobodys"},
            "The image of the hub is not known from its container nobodys: ",
        ),
    ],
)
def test_wrong_setting(check: Run, settings: dict[str, str], sentence: str) -> None:
    result = check(**settings)
    assert result["failed"]
    assert sentence in result["msg"]


def test_check_mode_starts_nothing(hub: LoopbackHub, check: Run) -> None:
    result = check("--check", token_path="/nonexistent/token")
    assert (result["failed"], result["skipped"], result["changed"]) == (False, True, False)
    assert result["msg"].startswith(f"JupyterHub 6.1.1 answers at {hub.url};")
    result = check("--check", url=f"http://127.0.0.1:{free_ports(1)[0]}")
    assert (result["failed"], result["skipped"]) == (False, True)
    assert "yet (Connection refused)" in result["msg"]
    assert hub.api("/users/hub-check") == 404


def test_logs_are_quoted_without_secrets(hub: LoopbackHub, check: Run, tmp_path: Path) -> None:
    client = tmp_path / "client"
    # Stands in for the Docker client only: what a hub's container writes is up to this test.
    client.write_text(
        f"#!{sys.executable}\n"
        "import os, sys\n"
        "if sys.argv[1] != 'logs': os.execvp('docker', ['docker', *sys.argv[1:]])\n"
        "if sys.argv[-1] == 'gone': sys.exit(1)\n"
        f"print('[E 1 JupyterHub] ERROR with token={hub.token}')\n"
        "print('quiet')\n",
        encoding="utf-8",
    )
    client.chmod(0o755)
    # In a play that shows all that it has.
    result = check("-vvv", code="1 / 0", containers=["a-hub", "gone"], docker_cli=str(client))
    assert result["logs"] == {"a-hub": ["[E 1 JupyterHub] ERROR with token=********"]}
    assert "Last lines of a-hub:\n  [E 1 JupyterHub] ERROR" in result["msg"]
    assert hub.token not in result["printed"]


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        (signal.SIGTERM, "ready"),
        (signal.SIGKILL, "ready"),
        pytest.param(None, "pending", marks=pytest.mark.slow),
        pytest.param(None, "ready", marks=pytest.mark.slow),
    ],
    ids=["run ended", "run killed", "container killed early", "container killed late"],
)
def test_killed_check(
    hub: LoopbackHub,
    hub_container: str,
    check: Run,
    command: tuple[list[str], dict[str, str]],
    tmp_path: Path,
    ending: signal.Signals | None,
    state: str,
) -> None:
    """A check tidies up when its run has ended, too; the next one does it for one that was killed itself."""
    argv, env = command
    params = {"url": hub.url, "token": hub.token, "hub_container": hub_container}
    play = write_play(tmp_path, {**params, "code": "import time; time.sleep(60)"})
    process = subprocess.Popen([*argv, play], env=env, cwd=tmp_path, stdout=subprocess.DEVNULL)
    wait_until(lambda: bool(hub.server("hub-check").get(state)), 60, "the check's server")
    if ending is None:
        labels = (f"galilean.hub.instance={hub_container.removesuffix('-hub')}", "galilean.hub.role=check")
        docker("kill", *docker("ps", "--quiet", *(f"--filter=label={label}" for label in labels)).split())
        process.wait(60)
        assert hub.api("/users/hub-check") == 200
    else:
        pids = [*descendants(process.pid), process.pid]
        # Twice, as Ansible's worker passes it on as well: the second one finds the check tidying up.
        for pause in (0.2, 0):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, ending)
            time.sleep(pause)
        process.wait(60)
        wait_until(lambda: hub.api("/users/hub-check") == 404, 30, "the end of the check's account")
    result = check(expect="42")
    assert not result["failed"], result["msg"]
    assert hub.api("/users/hub-check") == 404
