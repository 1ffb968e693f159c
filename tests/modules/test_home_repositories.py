# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The repositories that a site has brought into its users' homes, from a real git server with real logins."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from confined import confined
from engine import ROOT, docker
from git_server import HOST, PORT, GitServer, git_server
from login_hub import LoginHub, login_hub

TOKEN = "glt-5b0e3c91"
BRING = "/opt/notebook/bin/repositories"
STATUS = ".local/share/galilean/repositories.json"
# What happened upstream and at home, one file for each story.
CASES = {
    file.stem: yaml.safe_load(file.read_text(encoding="utf-8"))
    for file in sorted((ROOT / "tests/inputs/repositories").glob("*.yml"))
}
CREDENTIALS = json.dumps({f"{HOST}:{PORT}": "oauth2"})


@pytest.fixture(scope="module")
def notebook(refs: dict[str, t.Any]) -> str:
    return str(refs["notebook"])


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LoginHub]:
    with login_hub(tmp_path_factory.mktemp("login-hub")) as hub:
        hub.provide(TOKEN)
        yield hub


@pytest.fixture(scope="module")
def server(notebook: str, prefix: str, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[GitServer]:
    with git_server(notebook, f"{prefix}-git", f"oauth2:{TOKEN}", tmp_path_factory.mktemp("tls")) as server:
        server.commit("course", {"lesson.txt": "one\ntwo\nthree\n", "data/a.txt": "a"})
        server.commit("private", {"secret.txt": "for members"})
        yield server


class Home:
    """One user's home, in one container after the other."""

    def __init__(self, image: str, volume: str, server: GitServer, login: t.Mapping[str, str]) -> None:
        self.image, self.volume, self.server = image, volume, server
        self.environment = {**login, "GALILEAN_GIT_CREDENTIALS": CREDENTIALS}
        self.options: list[str] = []

    def run(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        variables = {**self.environment, **environment}
        argv = [
            *("docker", "run", "--rm", "--init", "--network=host", f"--name={self.volume}-run", *confined()),
            *(f"--env={key}={value}" for key, value in variables.items()),
            *(f"--volume={self.volume}:/home/jovyan", *self.server.options, *self.options),
            *("--entrypoint=bash", self.image, "-c", script),
        ]
        return subprocess.run(argv, capture_output=True, text=True, check=False)

    def sh(self, script: str, **environment: str) -> str:
        done = self.run(script, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def bring(self, *repositories: t.Mapping[str, str], **environment: str) -> list[dict[str, t.Any]]:
        """What the start of a server does, and what became of each."""
        wanted = json.dumps([{"branch": "", **one} for one in repositories])
        done = self.run(f"{BRING}; cat ~/{STATUS}", GALILEAN_REPOSITORIES=wanted, **environment)
        assert done.returncode == 0, done.stderr
        assert TOKEN not in done.stdout + done.stderr
        state = json.loads(done.stdout)
        assert state["state"] == "done"
        return list(state["repositories"])


@pytest.fixture
def home(
    notebook: str, prefix: str, server: GitServer, hub: LoginHub, request: pytest.FixtureRequest
) -> t.Iterator[Home]:
    name = f"{prefix}-{request.node.name.removeprefix('test_').split('[')[0].replace('_', '-')[:40]}"
    yield Home(notebook, name, server, hub.server("ada"))
    docker("volume", "rm", "--force", name, check=False)


def test_what_users_changed_stays(home: Home, server: GitServer) -> None:
    course = {"url": server.url("course"), "branch": "main", "path": "teaching/course"}
    assert [one["state"] for one in home.bring(course)] == ["done"]
    assert home.sh("cat ~/teaching/course/data/a.txt") == "a"
    home.sh("cd ~/teaching/course && sed -i 1s/one/mine/ lesson.txt && echo own > notes.txt && rm data/a.txt")
    changed = {"lesson.txt": "theirs\ntwo\nthree\nfour\n", "new.txt": "new", "notes.txt": "upstream"}
    server.commit("course", changed)
    (one,) = home.bring(course)
    assert one["state"] == "done", one
    assert re.search(r": your notes\.txt is called notes__\d+\.txt now, since one of that ", one["message"])
    # The user's line wins, their own file has another name, what they had deleted is there again.
    shown = home.sh("cd ~/teaching/course && head -1 lesson.txt; cat new.txt notes.txt data/a.txt")
    assert shown == "mine\nnewupstreama"
    assert home.sh("cd ~/teaching/course && cat notes__*.txt") == "own"


def test_commits_at_start_are_not_the_users(home: Home, server: GitServer) -> None:
    course = {"url": server.url("course"), "path": "course"}
    names = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org"}
    committer = {"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org"}
    home.bring(course, **names, **committer)
    home.sh("echo more >> ~/course/lesson.txt")
    server.commit("course", {"again.txt": "again"})
    home.bring(course, **names, **committer)
    log = home.sh("cd ~/course && git log --format='%an %cn %s'")
    assert "Ada" not in log
    assert "Automatic commit by nbgitpuller" in log
    # A commit of the user's own is in their name.
    home.sh("cd ~/course && git commit --quiet --allow-empty --message=own", **names, **committer)
    assert home.sh("cd ~/course && git log -1 --format='%an <%ae>'") == "Ada <ada@example.org>"


def test_private_ones_come_with_the_users_token(home: Home, server: GitServer) -> None:
    private = {"url": server.url("private"), "path": "private"}
    (one,) = home.bring(private)
    assert one["state"] == "done", one
    assert home.sh("cat ~/private/secret.txt") == "for members"
    # Git that remembers passwords is not given ours.
    home.sh("git config --global credential.helper store && cd ~/private && git pull --quiet")
    assert home.sh(f"grep -rs {TOKEN} ~ /tmp; true") == ""
    assert home.sh("cd ~/private && git remote get-url origin") == server.url("private")


@pytest.mark.parametrize(
    "hosts", ["", json.dumps({HOST: "oauth2"}), json.dumps({f"sub.{HOST}:{PORT}": "oauth2"})]
)
def test_other_hosts_get_no_token(home: Home, server: GitServer, hosts: str) -> None:
    (one,) = home.bring({"url": server.url("private"), "path": "private"}, GALILEAN_GIT_CREDENTIALS=hosts)
    assert one["state"] == "failed"
    assert "cannot be read with your login" in one["message"]


def test_one_that_fails_does_not_keep_the_next_from_coming(home: Home, server: GitServer) -> None:
    home.sh("mkdir ~/taken && touch ~/taken/file && ln -s /tmp ~/way-out && mkdir ~/empty")
    course = server.url("course")
    cases = [
        ("https://git.test:1/gone.git", "away", "", "its server cannot be reached"),
        ("https://nowhere.invalid/x.git", "noname", "", "its server cannot be reached"),
        (server.url("nothing"), "nothing", "", "there is no such repository"),
        (course, "branch", "nope", "no branch 'nope'"),
        (course, "taken", "", "is there already and is no clone of it"),
        (course, "/etc/x", "", "does not lie in the home"),
        (course, "../x", "", "does not lie in the home"),
        (course, "a/../../x", "", "does not lie in the home"),
        (course, "way-out/x", "", "leads out of the home through a link"),
        (f"https://me:pass-83@{HOST}:1/x.git", "password", "", "cannot be reached"),
        ("ext::sh -c touch% /tmp/pwned", "ext", "", ""),
        (course, "empty", "", None),
    ]
    found = home.bring(*({"url": url, "path": path, "branch": branch} for url, path, branch, _ in cases))
    for one, (url, path, _, sentence) in zip(found, cases):
        assert one["state"] == ("done" if sentence is None else "failed"), one
        assert (sentence or "") in one["message"], (url, path, one)
        assert one["message"].count("\n") == 0
    assert "pass-83" not in json.dumps(found)
    assert home.sh("ls -A ~ ~/taken ~/empty | grep -c part; true") == "0"
    assert home.sh("cat ~/empty/data/a.txt") == "a"


def test_a_slow_one_is_given_up(home: Home, server: GitServer) -> None:
    slow, course = ({"url": server.url(name), "path": name} for name in ("slow", "course"))
    found = home.bring(slow, course, GALILEAN_REPOSITORY_TIMEOUT="3")
    assert [one["state"] for one in found] == ["failed", "done"]
    assert found[0]["message"].startswith("~/slow could not be updated: it was not complete within 3 s; ")
    assert found[0]["seconds"] < 8


def test_what_users_are_in_the_middle_of_is_left_alone(home: Home, server: GitServer) -> None:
    course = {"url": server.url("course"), "branch": "main", "path": "course"}
    home.bring(course)
    home.sh("cd ~/course && git checkout --quiet -b mine && echo x > lesson.txt && git add lesson.txt")
    before = home.sh("cd ~/course && git status --short --branch && git rev-parse HEAD")
    (one,) = home.bring(course)
    assert one["state"] == "kept"
    assert one["message"].startswith("~/course was not updated: you are on mine and not on main; ")
    assert home.sh("cd ~/course && git status --short --branch && git rev-parse HEAD") == before
    # A folder that belongs to another clone, or is no clone although one lies above it.
    home.sh(f"cd ~ && git init --quiet && mkdir inner && touch inner/x && git clone -q {course['url']} other")
    found = home.bring(
        {"url": server.url("private"), "path": "other"}, {"url": course["url"], "path": "inner"}
    )
    assert [one["state"] for one in found] == ["failed", "failed"]
    assert "is a clone of something else" in found[0]["message"]
    assert "is no clone of it" in found[1]["message"]


def test_a_full_home_says_so(home: Home, server: GitServer) -> None:
    user = home.sh("id -u")
    home.options = [f"--tmpfs=/full:size=256k,uid={user},gid={user},mode=0700"]
    server.commit("large", {"x": "x"})
    server.sh(
        "cd /srv/work/large && head -c 2000000 /dev/urandom > blob && git add blob"
        " && git -c user.name=u -c user.email=u@e commit -qm blob && git push -q /srv/git/large.git HEAD:main"
    )
    wanted = json.dumps([{"url": server.url("large"), "branch": "", "path": "large"}])
    done = home.run(
        f"export HOME=/full; {BRING}; cat /tmp/galilean/repositories.json; ls -A /full >&2",
        GALILEAN_REPOSITORIES=wanted,
    )
    (one,) = json.loads(done.stdout)["repositories"]
    assert one["message"].startswith("~/large could not be updated: your home is full; delete what ")
    assert "large" not in done.stderr.splitlines()


# Two that others have as submodules, and what one step of a story upstream is.
UPSTREAM = """
export GIT_AUTHOR_NAME=up GIT_AUTHOR_EMAIL=up@example.org
export GIT_COMMITTER_NAME=up GIT_COMMITTER_EMAIL=up@example.org
mkdir -p /srv/lfs
begin() {
  [ -d /srv/work/$1 ] || { git init -q --bare -b main /srv/git/$1.git; git init -q -b main /srv/work/$1; }
  cd /srv/work/$1; bare=/srv/git/$1.git
}
finish() {
  git -c advice.addEmbeddedRepo=false add --all; git diff --cached --quiet || git commit -qm change
  if git rev-parse -q --verify HEAD >/dev/null; then git push -q --no-verify --force $bare HEAD; fi
  [ -n "$1" ] || find .git/lfs/objects -type f -exec cp {} /srv/lfs/ \\; 2>/dev/null || true
}
"""
INNER = """
(begin innermost; echo innermost > innermost.txt; finish)
(begin inner; echo inner > inner.txt; git clone -q /srv/git/innermost.git innermost
git config --file .gitmodules submodule.x.path innermost
git config --file .gitmodules submodule.x.url ../innermost.git; finish)
"""


def for_each(key: str, default: str = "true") -> str:
    """One step of all stories upstream."""
    return "".join(
        f"(begin {name}\n{case.get(key, default)}\nfinish {'lost' if case.get('lost') else ''})\n"
        for name, case in CASES.items()
    )


def at_home(key: str) -> str:
    """One step of all stories at home; the names of those in which it fails."""
    return "".join(
        f"(cd ~/{name} && bash -ec {shlex.quote(case[key])} >/tmp/said 2>&1)"
        f" || {{ echo {name}; cat /tmp/said >&2; }}\n"
        for name, case in CASES.items()
        if key in case
    )


@pytest.fixture(scope="module")
def told(
    notebook: str, prefix: str, server: GitServer, hub: LoginHub
) -> t.Iterator[dict[str, list[dict[str, t.Any]]]]:
    """All stories at once, in one home: what was said at two starts, and what is wrong then."""
    home = Home(notebook, f"{prefix}-stories", server, hub.server("ada"))
    server.bash(UPSTREAM + INNER + for_each("upstream", "echo one > lesson.txt"))
    first = home.bring(
        *(
            {"url": server.url(name), "branch": case.get("branch", ""), "path": name}
            for name, case in CASES.items()
        )
    )
    done = home.run(at_home("home"))
    assert done.stdout == "", (
        done.stdout + done.stderr,
        [one for one in first if one["path"] in done.stdout.split()],
    )
    server.bash(
        UPSTREAM
        + for_each("changed")
        + "".join(
            f"bare=/srv/git/{name}.git; {case['moved']}\n" for name, case in CASES.items() if "moved" in case
        )
    )
    second = home.bring(
        *(
            {
                "url": server.url(case.get("url_then", name)),
                "branch": case.get("branch_then", case.get("branch", "")),
                "path": name,
            }
            for name, case in CASES.items()
        )
    )
    done = home.run(at_home("holds"))
    wrong = [{"path": name, "said": done.stderr} for name in done.stdout.split()]
    yield {"first": first, "second": second, "wrong": wrong}
    docker("volume", "rm", "--force", home.volume, check=False)


@pytest.mark.parametrize("name", CASES)
def test_stories(told: dict[str, list[dict[str, t.Any]]], name: str) -> None:
    """tests/inputs/repositories."""
    case = CASES[name]
    story = {step: [one for one in told[step] if one["path"] == name] for step in told}
    (first,), (second,) = story["first"], story["second"]
    again = {"home", "changed", "moved", "branch_then", "url_then"} & set(case)
    wanted = case.get("first") or ({"state": "done", "message": ""} if again else case)
    for one, expected in ((first, wanted), (second, case)):
        assert one["state"] == expected["state"], one
        assert fnmatch.fnmatchcase(one["message"], expected["message"]), one
        assert "\n" not in one["message"]
    assert not story["wrong"]


def test_the_helper_answers_only_its_own_questions(home: Home) -> None:
    """As git asks, and as somebody else might."""
    ask = "printf '{}' | git-credential-galilean {}; echo $?"
    host = f"{HOST}:{PORT}"
    plain = f"protocol=https\\nhost={host}\\n\\n"
    assert home.sh(ask.format(plain, "get")).split() == ["username=oauth2", f"password={TOKEN}", "0"]
    able = home.sh(ask.format(f"capability[]=authtype\\n{plain}", "get"))
    assert re.search(r"^ephemeral=1$", able, re.MULTILINE)
    assert TOKEN not in able
    silent = [
        (f"protocol=http\\nhost={host}\\n\\n", "get"),
        (f"protocol=https\\nhost={HOST}\\n\\n", "get"),
        (f"protocol=https\\nhost=evil-{host}\\n\\n", "get"),
        (f"protocol=https\\nhost={host}\\nusername=somebody\\n\\n", "get"),
        (plain, "store"),
        (plain, "erase"),
        ("", "get"),
    ]
    for question, operation in silent:
        done = home.run(ask.format(question, operation))
        assert (done.stdout, done.stderr) == ("0\n", ""), question


def test_the_server_starts_beside_it(home: Home, server: GitServer, tmp_path: Path) -> None:
    """The entry hands the work over at once, and leaves no dead process behind."""
    slow = json.dumps([{"url": server.url("slow"), "branch": "", "path": "slow"}])
    began = "date +%s%N"
    done = home.run(
        f"a=$({began}); /opt/notebook/bin/entry sh -c '{began}; sleep 2; cat /tmp/galilean/repositories.json"
        " >&2; ps -eo stat= | grep -c ^Z'; echo $a",
        GALILEAN_REPOSITORIES=slow,
    )
    ready, zombies, asked = done.stdout.split()
    assert int(ready) - int(asked) < 1_000_000_000
    assert zombies == "0"
    assert json.loads(done.stderr)["state"] == "running"
