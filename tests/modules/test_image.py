# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The image module against the real engine."""

from __future__ import annotations

import json
import os
import time
import typing as t
from pathlib import Path

import pytest
from engine import ModuleRunner, docker

DOCKERFILE = """\
ARG BASE
FROM ${BASE}
ARG WORD=none
COPY data /data
RUN echo "word is $WORD" > /word
"""


class Site:
    """One build context and the image of it."""

    def __init__(self, run: ModuleRunner, prefix: str, base: str, folder: Path, name: str) -> None:
        self.run, self.folder = run, folder / "context"
        self.repository = f"{prefix}/{name}"
        self.params: dict[str, t.Any] = {
            "name": name,
            "repository_prefix": prefix,
            "path": str(self.folder),
            "parent": base,
            "log_dir": str(folder / "log"),
        }
        (self.folder / "data").mkdir(parents=True)
        self.write("Dockerfile", DOCKERFILE)
        self.write("data/hello.txt", "hello\n")

    def write(self, path: str, text: str) -> None:
        (self.folder / path).write_text(text)

    def __call__(self, check: bool = False, **more: t.Any) -> dict[str, t.Any]:
        return self.run("image", check=check, **{**self.params, **more})

    def tags(self) -> list[str]:
        return docker("image", "ls", "--format={{.Tag}}", f"--filter=reference={self.repository}").split()


@pytest.fixture
def site(
    run_module: ModuleRunner, prefix: str, base: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Site:
    return Site(
        run_module, prefix, base, tmp_path, request.node.originalname.removeprefix("test_").replace("_", "-")
    )


def reasons(result: dict[str, t.Any]) -> list[str]:
    return [reason for action in result["actions"] for reason in action["reasons"]]


def test_bootstrapped_base(base: str) -> None:
    data = json.loads(docker("image", "inspect", base))[0]
    env = dict(item.split("=", 1) for item in data["Config"]["Env"])
    assert env["PIP_CERT"] == env["NODE_EXTRA_CA_CERTS"] == "/etc/ssl/certs/ca-certificates.crt"
    assert data["Config"]["Labels"]["galilean.hub.image"] == "base"
    script = "test -s /etc/ssl/certs/ca-certificates.crt && python3 -c 'import ssl' && ls /var/lib/apt/lists"
    assert docker("run", "--rm", "--network=none", base, "sh", "-c", script).split() == ["lock", "partial"]
    assert data["Size"] < 200_000_000


def test_create_again_change_absent(site: Site) -> None:
    first_check = site(check=True)
    assert first_check["changed"]
    assert site.tags() == []
    first = site()
    assert first["changed"]
    assert first["image"]["size"] > 0
    assert first["image"]["ref"] == first_check["image"]["ref"]
    assert docker("run", "--rm", "--network=none", first["image"]["ref"], "cat", "/word") == "word is none"

    again_check, again = site(check=True), site()
    assert not again_check["changed"]
    assert not again["changed"]
    assert again["image"] == first["image"] == again_check["image"]
    os.utime(site.folder / "data/hello.txt", (1, 1))
    assert not site()["changed"], "times are not an input"

    site.write("data/hello.txt", "hello again\n")
    change_check, change = site(check=True, args={"WORD": "two"}), site(args={"WORD": "two"})
    assert change_check["changed"]
    assert change["changed"]
    assert reasons(change) == reasons(change_check) == ["argument WORD is new", "file data/hello.txt changed"]
    assert '+    "argument WORD": "two"' in change_check["printed"]
    assert docker("run", "--rm", "--network=none", change["image"]["ref"], "cat", "/word") == "word is two"
    assert len(site.tags()) == 2, "the older image stays"

    absent_check = site(check=True, state="absent")
    assert absent_check["changed"]
    assert len(site.tags()) == 2
    assert site(state="absent")["changed"]
    assert site.tags() == []
    assert not site(state="absent")["changed"]


def test_permissions_and_ignored_files(site: Site) -> None:
    site.write(".dockerignore", "**/*.log\n__pycache__\n")
    first = site()
    site.write("data/noise.log", "noise\n")
    (site.folder / "__pycache__").mkdir()
    site.write("__pycache__/x.pyc", "x")
    assert not site()["changed"]
    (site.folder / "data/hello.txt").chmod(0o755)
    changed = site()
    assert changed["changed"]
    assert reasons(changed) == ["file data/hello.txt changed"]
    assert docker("run", "--rm", first["image"]["ref"], "ls", "/data") == "hello.txt"


def test_failing_build(site: Site) -> None:
    good = site()
    site.write("Dockerfile", DOCKERFILE + "RUN echo about to fail; exit 7\n")
    bad = site()
    assert bad["failed"]
    assert "RUN echo about to fail" in bad["step"]
    assert "\nabout to fail\n" in bad["msg"]
    assert "exit code: 7" in bad["msg"]
    assert "about to fail" in Path(bad["log"]).read_text()
    assert site.tags() == [good["image"]["ref"].rsplit(":", 1)[1]], "a failed build leaves the old tag alone"


def test_secret(site: Site, tmp_path: Path) -> None:
    site.write(
        "Dockerfile", DOCKERFILE + "RUN --mount=type=secret,id=word wc -c < /run/secrets/word > /count\n"
    )
    secret = tmp_path / "secret"
    missing = site(secrets={"word": str(secret)})
    assert missing["failed"]
    assert "not a readable file" in missing["msg"]
    secret.write_text("a-first-secret")
    first = site(secrets={"word": str(secret)})
    assert docker("run", "--rm", first["image"]["ref"], "cat", "/count") == "14"
    secret.write_text("another-secret-altogether")
    assert not site(secrets={"word": str(secret)})["changed"], "secrets are not an input"
    assert "first-secret" not in docker("image", "inspect", first["image"]["ref"])
    assert "first-secret" not in docker("history", "--no-trunc", first["image"]["ref"])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"parent": "nothing/here:000000000000"},
            "parent is nothing/here:000000000000, which is not on this host",
        ),
        ({"path": "/nonexistent"}, "path is /nonexistent, which is not a folder"),
    ],
)
def test_bad_input(site: Site, params: dict[str, t.Any], message: str) -> None:
    result = site(**params)
    assert result["failed"]
    assert message in result["msg"]


def test_killed_build(site: Site) -> None:
    # The builder must not know this step from an earlier run.
    step = f"RUN echo sleeping; sleep 5; echo slept > /slept # {time.time()}\n"
    site.write("Dockerfile", DOCKERFILE + step)
    process = site.run.start("image", **site.params)
    log = Path(site.params["log_dir"]) / f"{site.repository.replace('/', '-')}.log"
    deadline = time.monotonic() + 60
    while not (log.exists() and " sleeping" in log.read_text()):
        assert time.monotonic() < deadline, "the build did not start"
        time.sleep(0.2)
    site.run.kill(process)
    # The build ends with the module, instead of going on unseen until it is done.
    time.sleep(6)
    assert site.tags() == []
    result = site()
    assert result["changed"]
    assert docker("run", "--rm", result["image"]["ref"], "cat", "/slept") == "slept"
    assert not site()["changed"]
