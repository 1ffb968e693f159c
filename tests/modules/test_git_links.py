# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Links that bring repositories into a home: a person follows one, and a stranger makes them."""

from __future__ import annotations

import json
import time
import typing as t
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from browser import Visit, visit
from engine import docker
from environments import BASE, TOKEN, Server, running
from git_server import HOST, PORT, GitServer, git_server
from playwright.sync_api import expect

LOGIN = ("ada", "own-token-of-ada-5b0e")
# Commits what is in the index of a working copy of the repository "hostile".
PUSH = (
    "git -c user.name=u -c user.email=u@x commit --quiet -m x"
    " && git push --quiet /srv/git/hostile.git HEAD:main"
)
# Leaves a mark wherever git is called by a name without a path.
WATCHED = '#!/bin/sh\ntouch /tmp/git-was-run\nexec /usr/bin/git "$@"\n'


class Linked(Server):
    """A server whose user follows links to the git server."""

    upstream: GitServer

    def sh(self, script: str) -> str:
        return docker("exec", self.container, "bash", "-ec", script).strip()

    def _ask(self, query: str, body: t.Any = None) -> tuple[int, dict[str, t.Any]]:
        request = urllib.request.Request(f"{self.url}{BASE}/git-pull/api{query}")
        request.add_header("Authorization", f"token {TOKEN}")
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as exc:
            return exc.code, json.load(exc)

    def follow(self, link: t.Mapping[str, str], **more: t.Any) -> tuple[int, dict[str, t.Any]]:
        """What the page asks for, without the page: the status, and what became of it in the end."""
        status, found = self._ask("", {"link": link, **more})
        if status == 202:
            query = f"?id={found['id']}"
            found = {"state": "running"}
            while found["state"] == "running":
                _, found = self._ask(query)
        return status, found

    def brought(self, name: str, **more: t.Any) -> dict[str, t.Any]:
        status, found = self.follow({"repo": self.upstream.url(name)}, agreed=True, **more)
        assert status == 202, found
        return found

    def open(self, person: Visit, **link: str) -> None:
        person.go(f"{BASE}/git-pull?{urllib.parse.urlencode({**link, 'token': TOKEN})}")


@pytest.fixture(scope="module")
def server(
    refs: dict[str, t.Any], prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[Linked]:
    image, tls = str(refs["notebook"]), tmp_path_factory.mktemp("tls")
    with git_server(image, f"{prefix}-git-links", ":".join(LOGIN), tls) as upstream:
        upstream.commit("course", {"lesson.txt": "one\ntwo\n", "n/first.txt": "first"})
        allowed = json.dumps([f"{HOST}:{PORT}"])
        options = [*upstream.options, f"--env=GALILEAN_GIT_LINKS={allowed}"]
        with running(image, f"{prefix}-links", *options) as plain:
            linked = Linked(plain.container)
            linked.upstream = upstream
            linked.sh(
                f"mkdir -p ~/.local/bin && cd ~/.local/bin && printf %s '{WATCHED}' >git && chmod +x git"
            )
            yield linked


def test_a_person_follows_a_link(server: Linked, tmp_path: Path) -> None:
    link = {"repo": server.upstream.url("course"), "branch": "main", "urlpath": "lab/tree/course/n/first.txt"}
    with visit(server.url, tmp_path) as person:
        server.open(person, **link)
        expect(person.page.get_by_role("heading")).to_have_text("Bring this repository into your home?")
        person.picture("asks")
        # Whoever says nothing has nothing.
        assert server.sh("ls ~") == ""
        person.page.get_by_role("button", name="Bring it into my home").click()
        person.page.wait_for_url("**/lab/tree/course/n/first.txt")
        expect(person.page.get_by_role("tab", name="first.txt")).to_be_visible()
        server.sh("cd ~/course && sed -i 1s/one/mine/ lesson.txt")
        server.upstream.commit("course", {"lesson.txt": "one\ntwo\nthree\n"})
        # The second time nobody is asked, and what the user has changed stays.
        server.open(person, **link)
        person.page.wait_for_url("**/lab/tree/course/n/first.txt")
        assert server.sh("cat ~/course/lesson.txt") == "mine\ntwo\nthree"
        # The hub would serve the look.
        assert [error for error in person.errors if "/hub/static/site/" not in error] == []


def test_another_branch_is_asked_for(server: Linked) -> None:
    server.upstream.sh("cd /srv/git/course.git && git branch -f other main")
    server.brought("course")
    asked = {"repo": server.upstream.url("course"), "branch": "other"}
    assert server.follow(asked) == (202, {"state": "asks"})
    assert server.sh("git -C ~/course branch --show-current") == "main"


REFUSED = [
    ({"repo": "https://evil.org/course"}, "evil.org/course is not there"),
    ({"repo": f"https://{HOST}:{PORT}@evil.org/course"}, "take it out"),
    ({"repo": f"ssh://{HOST}:{PORT}/course"}, "https://"),
    ({"repo": "file:///home/jovyan"}, "https://"),
    ({"repo": "ext::sh -c touch% /tmp/pwned"}, "letters"),
    ({"targetpath": "../etc"}, "hidden"),
    ({"targetpath": ".local/share/jupyter/kernels/python3"}, "hidden"),
    ({"targetpath": "bin"}, "programs"),
    ({"urlpath": "../../hub/logout"}, "not on your server"),
    ({"branch": "--upload-pack=touch /tmp/pwned"}, "no name of a branch"),
]


def test_a_strangers_link_is_refused_before_git_runs(server: Linked, tmp_path: Path) -> None:
    server.sh("rm -f /tmp/git-was-run")
    for change, why in REFUSED:
        link = {"repo": server.upstream.url("course"), **change}
        status, found = server.follow(link, agreed=True)
        assert (status, why in found["message"]) == (403, True), (link, found)
    with visit(server.url, tmp_path) as person:
        server.open(person, repo="https://evil.org/<b>course")
        expect(person.page.get_by_role("heading")).to_have_text("This link is not followed")
        expect(person.page.get_by_text("evil.org/%3Cb%3Ecourse is not there")).to_be_visible()
        person.picture("refused")
    assert server.sh("ls /tmp/git-was-run /tmp/pwned 2>&1 || true").count("No such file") == 2
    # Nobody else asks for anything.
    assert "/login" in server.get("git-pull?repo=x", token=False)[1]


def test_nothing_is_written_over(server: Linked) -> None:
    server.sh("mkdir -p ~/thesis ~/own && echo mine >~/thesis/lesson.txt && git -C ~/own init --quiet")
    repo = server.upstream.url("course")
    for place, why in (
        ("thesis", "is no clone of it"),
        ("own", "is a clone of something else"),
        ("own/x", "in the repo"),
    ):
        _, found = server.follow({"repo": repo, "targetpath": place}, agreed=True)
        assert found["state"] == "failed", found
        assert why in found["message"]
    assert server.sh("cat ~/thesis/lesson.txt; ls ~/own") == "mine"


def test_a_repository_leads_nowhere_else(server: Linked) -> None:
    """Redirects, submodules and large files of other hosts, and files beyond a link in it."""
    up = server.upstream
    found = server.brought("redirected")
    assert "its server leads to another address" in found["message"]
    up.commit("page", {"a.txt": "a"})
    _, found = server.follow({"repo": up.url("page").removesuffix(".git")}, agreed=True)
    assert (found["state"], server.sh("cat ~/page/a.txt")) == ("done", "a"), found
    up.commit(
        "hostile",
        {
            ".gitmodules": f'[submodule "s"]\npath = s\nurl = https://evil.org:{PORT}/course\n',
            ".gitattributes": "*.bin filter=lfs\n",
            ".lfsconfig": "[lfs]\nurl = https://evil.org/lfs\n",
        },
    )
    pointer = "version https://git-lfs.github.com/spec/v1\\noid sha256:%064d\\nsize 9\\n"
    up.sh(
        "cd /srv/work/hostile && export GIT_LFS_SKIP_SMUDGE=1"
        " && git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),s"
        f" && printf '{pointer}' 1 | git hash-object -w --stdin >/tmp/oid"
        " && git update-index --add --cacheinfo 100644,$(cat /tmp/oid),a.bin"
        f" && ln -s /home/jovyan out && git add out && {PUSH}"
    )
    server.sh("echo mine >~/diary.txt")
    found = server.brought("hostile")
    assert found["message"].count("evil.org") == 2, found
    up.sh(
        "cd /srv/work/hostile && git rm --quiet --cached out && rm out"
        f" && mkdir out && echo theirs >out/diary.txt && git add out && {PUSH}"
    )
    server.sh("cd ~/hostile && echo own >own.txt && git add own.txt")
    server.brought("hostile")
    assert server.sh("cat ~/diary.txt ~/hostile/out/diary.txt") == "mine\ntheirs"


def test_a_private_one_comes_with_a_token_that_is_kept(server: Linked, tmp_path: Path) -> None:
    server.upstream.commit("private", {"secret.txt": "for members"})
    link = {"repo": server.upstream.url("private"), "urlpath": "lab/tree/private/secret.txt"}
    with visit(server.url, tmp_path) as person:
        server.open(person, **link)
        person.page.get_by_role("button", name="Bring it into my home").click()
        name, token = LOGIN
        for secret in ("wrong", token):
            person.page.get_by_label("Name").fill(name)
            person.page.get_by_label("Access token").fill(secret)
            expect(person.page.get_by_role("alert")).to_contain_text("it cannot be read with your login")
            person.picture("login")
            person.page.get_by_role("button", name="Keep them and try again").click()
        person.page.wait_for_url("**/lab/tree/private/secret.txt")
    assert server.sh("stat -c %a ~/.git-credentials; cat ~/private/secret.txt") == "600\nfor members"
    # git in a terminal has it, too, and the wrong one is gone.
    server.sh("GIT_TERMINAL_PROMPT=0 git -C ~/private fetch --quiet")
    assert server.sh("grep -c . ~/.git-credentials") == "1"
    assert not [secret for secret in (token, "wrong") if secret in server.logs()]
    assert token not in server.sh("cat ~/private/.git/config /tmp/galilean/* 2>/dev/null || true")


def test_a_page_that_goes_away_leaves_nothing_behind(server: Linked) -> None:
    """A server that keeps git waiting: others still come, and not without end."""
    waiting = [
        server._ask("", {"link": {"repo": server.upstream.url(f"slow{n}")}, "agreed": True}) for n in range(5)
    ]
    assert [status for status, _ in waiting] == [202, 202, 202, 202, 429]
    assert "Try again in a moment" in waiting[-1][1]["message"]
    end = time.monotonic() + 60
    while server._ask("", {"link": {"repo": server.upstream.url("course")}})[0] != 202:
        docker("exec", server.container, "pkill", "-f", "/slow", check=False)
        assert time.monotonic() < end
        time.sleep(0.5)
