# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Builds and hub behind a proxy, and with indexes of the site's own, all with a password."""

from __future__ import annotations

import json
import subprocess
import threading
import typing as t
from pathlib import Path

import pytest
from engine import ModuleRunner, apply_images, docker
from outside import FORMS, VERSION, Outside, serving
from pip._internal.models.index import PyPI

ASK = """
import asyncio, json, sys
from galilean_hub.http import outgoing
outgoing.use()
from galilean_hub.authorization.access import with_access
from galilean_hub.authorization.approval_source import fetch
login = with_access("generic-oauth")(client_id="id", client_secret="s", oauth_callback_url="https://hub/callback")
async def ask_provider(url):
    answer = await login.httpfetch(url, "asking", method="GET", parse_json=False)
    return answer.code, answer.body
for url in sys.argv[1:]:
    try:
        if url.startswith("provider:"):
            status, content = asyncio.run(ask_provider(url.partition(":")[2]))
        else:
            status, content = asyncio.run(fetch(url, 20, "token"))
        print(json.dumps([status, len(content)]))
    except Exception as exc:
        print(json.dumps([type(exc).__name__, str(exc)]))
"""


@pytest.fixture(scope="module")
def outside(
    run_module: ModuleRunner, prefix: str, base: str, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[Outside]:
    with serving(run_module, prefix, base, tmp_path_factory.mktemp("outside")) as found:
        yield found


def ask(image: str, folder: Path, variables: dict[str, str], *urls: str) -> list[list[t.Any]]:
    """What the hub's code for approvals, or for logins (provider:), gets from these addresses."""
    (folder / "outgoing-proxy").write_text(json.dumps(variables))
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    argv = ["run", "--rm", f"--volume={folder}:/run/secrets:ro", f"--volume={bundle}:{bundle}:ro", image]
    return [json.loads(line) for line in docker(*argv, "python3", "-c", ASK, *urls).splitlines()]


def test_the_hub_asks_through_the_proxy(refs: dict[str, t.Any], outside: Outside, tmp_path: Path) -> None:
    """With encryption and without; what is near is asked directly; a wrong password is told, not shown."""
    variables = {"http_proxy": outside.proxy, "https_proxy": outside.proxy, "no_proxy": "localhost,hub"}
    index = f"http://{outside.address}:8080/simple/"
    pypi = f"{PyPI.simple_url}/pip/"
    answers = ask(refs["hub"], tmp_path, variables, pypi, index, f"provider:{pypi}")
    assert [answer[0] for answer in answers] == [200, 401, 200], answers
    lines = outside.log("squid")
    assert len([line for line in lines if f" CONNECT {PyPI.netloc}:443 ada " in line]) == 2, lines
    assert any(f" GET {index} ada " in line for line in lines), lines
    near = {**variables, "no_proxy": f"localhost,{outside.address}/32"}
    assert ask(refs["hub"], tmp_path, near, index)[0][0] == 401
    assert outside.log("squid") == lines
    wrong = {**variables, "https_proxy": outside.proxy.replace("ada:", "eve:")}
    (refused,) = ask(refs["hub"], tmp_path, wrong, pypi)
    assert "407" in refused[1], refused
    assert not any(form in refused[1] for form in FORMS)
    assert ask(refs["hub"], tmp_path, {}, index)[0][0] == 401


class Processes:
    """Command lines of all processes of this machine, as long as something goes on."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self.seen: set[str] = set()
        self._thread = threading.Thread(target=self._observe)

    def _observe(self) -> None:
        while not self._done.wait(0.1):
            listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=False)
            self.seen.update(listed.stdout.splitlines())

    def __enter__(self) -> t.Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


@pytest.mark.slow
def test_builds_go_through_the_proxy_and_use_the_indexes(
    outside: Outside, prefix: str, tmp_path: Path
) -> None:
    """From the bootstrap to a site's own list: three indexes, and no password left anywhere."""
    own = {
        "name": "mine",
        "apt": ["tree"],
        "pip": [f"galilean-proof=={VERSION}", "cowsay==6.1"],
        "npm": [f"galilean-proof@{VERSION}"],
        "run": ["python3 -c 'import galilean_proof'"],
    }
    files = str(Path(__file__).resolve().parents[2] / "files/images")
    settings = {
        "images_prefix": f"{prefix}/outside",
        "images_catalog": [{"name": "tools", "path": f"{files}/tools", "internal": True}, own],
        "images_software_stack": "",
        "images_keep": 0,
        # This machine's engine is everybody's: it keeps its own way out.
        "docker_engine": "existing",
        "images_log_dir": str(tmp_path / "log"),
        "images_base_mirror": outside.index("debian"),
        "images_pypi_index": outside.index("simple/"),
        "images_npm_registry": outside.index("npm"),
        "bootstrap_http_proxy": outside.proxy,
        "bootstrap_no_proxy": [f"{outside.address}/32"],
    }
    before = len(outside.log("squid"))
    with Processes() as processes:
        done = apply_images(tmp_path, settings, "-vv", "--diff")
    assert done.status == 0, done.said
    ref = done.refs["mine"]
    observe = "python3 -c 'import galilean_proof as p; print(p.WORD)'; ls /usr/local/lib/node_modules"
    said = docker("run", "--rm", ref, "sh", "-c", f"command -v tree; {observe}")
    assert said.split("\n") == ["/usr/bin/tree", "from the site", "galilean-proof"]
    asked = outside.log("indexes")
    for path in (
        "/debian/dists/trixie/InRelease",
        "/simple/galilean-proof/",
        "/npm/galilean-proof",
    ):
        assert any(f'"GET {path}' in line and f" {'ada'} [" in line for line in asked), (path, asked[-20:])
    # The files that PyPI's index names are elsewhere.
    fetched = f" CONNECT {PyPI.file_storage_domain}:443 ada "
    assert any(fetched in line for line in outside.log("squid")[before:])
    assert not [line for line in processes.seen if any(form in line for form in FORMS)]
    assert not any(form in done.said for form in FORMS)
    logs = "".join(
        file.read_text(errors="replace") for file in (tmp_path / "log").rglob("*") if file.is_file()
    )
    assert not any(form in logs for form in FORMS)
    assert not list((tmp_path / "log").rglob("secrets"))
    for image in done.refs.values():
        if not isinstance(image, str):
            continue
        told = docker("history", "--no-trunc", image) + docker("inspect", image)
        assert not any(form in told for form in (*FORMS, ":3128")), image
        saved = subprocess.run(["docker", "save", image], capture_output=True, check=True).stdout
        assert not any(form.encode() in saved for form in FORMS), image
    # A password is no input: another one builds nothing.
    again = apply_images(
        tmp_path, {**settings, "images_pypi_index": "", "bootstrap_http_proxy": ""}, "--check"
    )
    assert again.status == 0, again.said
    assert again.refs == done.refs or "changed=0" in again.said
