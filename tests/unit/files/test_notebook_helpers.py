# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the helpers of the notebook image decide: tokens, git's questions, repositories, apps.

What they do is tested in the image (tests/modules).
"""

from __future__ import annotations

import base64
import json
import math
import os
import typing as t
from pathlib import Path

import pytest

Module = t.Callable[[str], t.Any]


def jwt(claims: t.Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


@pytest.mark.parametrize(
    ("state", "token", "expected"),
    [
        ({}, "opaque", math.inf),
        ({}, jwt({"exp": 1000}), 1000),
        ({}, jwt({"exp": "soon"}), math.inf),
        ({}, jwt([1]), math.inf),
        ({}, "a.!!.c", math.inf),
        ({"expires_at": 900}, jwt({"exp": 1000}), 900),
        ({"expires_at": True}, "opaque", math.inf),
        ({"token_response": {"expires_at": 800}}, "opaque", 800),
        ({"token_response": {"created_at": 500, "expires_in": 60}}, "opaque", 560),
        ({"token_response": {"expires_in": 60}}, "opaque", math.inf),
        ({"token_response": None}, "opaque", math.inf),
    ],
)
def test_when_a_token_ends(module: Module, state: dict[str, t.Any], token: str, expected: float) -> None:
    assert module("galilean_token").expiry(state, token) == expected


@pytest.mark.parametrize(
    ("model", "status"),
    [
        (None, 3),
        ({"name": "ada"}, 3),
        ({"auth_state": None}, 3),
        ({"auth_state": {"access_token": ""}}, 3),
        ({"auth_state": {"access_token": 7}}, 3),
        ({"auth_state": {"access_token": "old", "expires_at": 900}}, 5),
    ],
)
def test_why_there_is_no_token(module: Module, model: t.Any, status: int) -> None:
    galilean_token = module("galilean_token")
    with pytest.raises(galilean_token.TokenError) as caught:
        galilean_token.token_of(model, now=1000)
    assert caught.value.status == status
    assert str(caught.value).endswith(".")


def test_a_token_within_the_difference_of_clocks(module: Module) -> None:
    model = {"auth_state": {"access_token": "new", "expires_at": 990}}
    assert module("galilean_token").token_of(model, now=1000) == "new"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("nonsense", {}),
        ("[]", {}),
        ('{"Git.Example.org:8443": "oauth2"}', {"git.example.org:8443": "oauth2"}),
        ('{"a": "x\\npassword=y", "b": "", "c": 3, "d": "ok"}', {"d": "ok"}),
    ],
)
def test_hosts_for_git(module: Module, text: str, expected: dict[str, str]) -> None:
    assert module("galilean_git").hosts_of(text) == expected


def test_a_token_with_a_line_break_is_no_answer(module: Module) -> None:
    request = {"protocol": "https", "host": "a"}
    assert module("galilean_git").answer(request, set(), {"a": "x"}, lambda: "to\nken") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fatal: unable to access 'https://me:pw@h/x'", "fatal: unable to access 'https://h/x'"),
        ("https://tok@h:1/a and https://u:p@i/b", "https://h:1/a and https://i/b"),
        ("ssh://git@h/x", "ssh://h/x"),
        ("https://h/a@b", "https://h/a@b"),
    ],
)
def test_messages_have_no_secrets(module: Module, text: str, expected: str) -> None:
    assert module("homerepos").without_secrets(text) == expected


INSIDE = ("course", "a/b c/d", "linked/x")
OUTSIDE = ("", ".", "..", "a/../..", "a//b", "/etc", "~/x", "x/.git", "out/x", "file/x", "x\0y")


@pytest.mark.parametrize("path", [*INSIDE, *OUTSIDE])
def test_places_in_the_home(module: Module, tmp_path: Path, path: str) -> None:
    homerepos, home = module("homerepos"), tmp_path / "home"
    (home / "folder").mkdir(parents=True)
    (home / "file").touch()
    (home / "linked").symlink_to("folder")
    (home / "out").symlink_to("..")
    if path in INSIDE:
        assert homerepos.place_of(home, path).is_relative_to(home)
    else:
        with pytest.raises(homerepos.Problem, match=r"home|is a file"):
            homerepos.place_of(home, path)


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("", []),
        ("[]", []),
        ('[{"url": "https://h/a/course.git"}]', [("course", "waiting")]),
        ('[{"url": "git@h:a/b.git", "branch": null, "path": "p"}]', [("p", "waiting")]),
        ("nonsense", [("", "failed")]),
        ('[{"path": "x"}]', [("", "failed")]),
        ("{}", []),
        ("7", [("", "failed")]),
        # Two for one folder, one in the other's, and the same one twice.
        (
            '[{"url": "https://h/a/x"}, {"url": "https://h/b/X"}, {"url": "https://h/c", "path": "x/y"}]',
            [("x", "waiting"), ("X", "failed"), ("x/y", "failed")],
        ),
        ('[{"url": "https://h/x"}, {"url": "https://h/x"}]', [("x", "waiting")]),
        ('[{"url": "https://h/x"}, {"url": "https://h/xy"}]', [("x", "waiting"), ("xy", "waiting")]),
    ],
)
def test_what_is_wanted(module: Module, text: str, states: list[tuple[str, str]]) -> None:
    assert [(one.path, one.state) for one in module("homerepos").wanted(text)] == states


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://h/a/b.git", "https://me:pw@H/a/b/", True),
        ("https://h/a/b", "https://h/a/c", False),
        ("", "https://h/a/b", False),
    ],
)
def test_whether_it_is_the_same(module: Module, one: str, other: str, same: bool) -> None:
    assert module("homeclone").same_repository(one, other) is same


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["fatal: write error: No space left on device"], "your home is full"),
        (
            ["galilean-token: The hub does not answer.", "fatal: could not read Username for 'https://h'"],
            "it wants a login, and there is no token: The hub does not answer",
        ),
        (["fatal: Authentication failed for 'https://h/x'"], "it cannot be read with your login"),
        (["fatal: repository 'https://h/x/' not found"], "there is no such repository"),
        (["fatal: unable to access 'x': Could not resolve host: h"], "its server cannot be reached"),
        (["CONFLICT (rename/rename): x"], "what has changed there does not fit your changes"),
        (["hint: y", "fatal: something else."], "fatal: something else"),
        ([], "git gave no reason"),
    ],
)
def test_reasons_in_words(module: Module, lines: list[str], expected: str) -> None:
    why, advice = module("homeclone").reason(lines)
    assert why.startswith(expected)
    assert advice


@pytest.mark.parametrize(
    ("listed", "default"),
    [
        ("ref: refs/heads/trunk\tHEAD\n1\tHEAD\n1\trefs/heads/trunk\n2\trefs/heads/main", "trunk"),
        # HEAD names no branch, or one that is not there.
        ("1\tHEAD\n2\trefs/heads/a\n1\trefs/heads/b", "b"),
        ("1\tHEAD\n1\trefs/heads/a\n1\trefs/heads/main", "main"),
        ("2\trefs/heads/main\n1\trefs/tags/v1", "main"),
        ("1\trefs/heads/a\n1\trefs/heads/b", ""),
        ("", ""),
    ],
)
def test_the_branch_that_a_repository_names(module: Module, listed: str, default: str) -> None:
    assert module("homeclone").parse_remote(listed).default == default


def test_what_an_annotated_tag_is_for(module: Module) -> None:
    assert module("homeclone").parse_remote("1\trefs/tags/v1\n2\trefs/tags/v1^{}").tags == {"v1": "2"}


def test_git_never_asks_and_commits_are_nobodys(module: Module) -> None:
    given = {"GIT_AUTHOR_NAME": "Ada", "GIT_COMMITTER_EMAIL": "a@b", "GIT_ASKPASS": "x", "HOME": "/h"}
    made = module("homerepos").environment({**given, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b"})
    assert (made["HOME"], made["GIT_TERMINAL_PROMPT"]) == ("/h", "0")
    assert not {"GIT_AUTHOR_NAME", "GIT_COMMITTER_EMAIL", "GIT_ASKPASS"} & set(made)
    # What the user has set for commits of their own does not count, and what the site has set does.
    count = int(made["GIT_CONFIG_COUNT"])
    assert {made[f"GIT_CONFIG_KEY_{number}"] for number in range(count)} >= {"a.b", "commit.gpgSign"}


def test_apps_as_the_proxy_takes_them(module: Module, tmp_path: Path) -> None:
    icon = tmp_path / "icon.svg"
    icon.touch()
    apps: list[t.Any] = [
        {"name": "a", "title": "A", "command": ["x", "{port}"], "icon_path": str(icon), "start_timeout": 5},
        {"name": "b", "command": ["x", "{unix_socket}"], "environment": {"N": 1}, "icon_path": "/none.svg"},
        {"name": "a", "command": ["again"]},
        {"name": "lab", "command": ["x"]},
        {"name": "Up/per", "command": ["x"]},
        {"name": "c", "command": []},
        {"name": "d", "command": ["x"], "start_timeout": "soon"},
        {"command": ["x"]},
        "text",
    ]
    found = module("hubapps").servers_of(json.dumps(apps))
    assert found == {
        "a": {
            "command": ["x", "{port}"],
            "environment": {},
            "timeout": 5.0,
            "launcher_entry": {"title": "A", "icon_path": str(icon)},
        },
        "b": {
            "command": ["x", "{unix_socket}"],
            "environment": {"N": "1"},
            "timeout": 60.0,
            "launcher_entry": {"title": "b"},
            "unix_socket": True,
        },
    }
    for mistake in ("nonsense", "{}", "7"):
        assert module("hubapps").servers_of(mistake) == {}


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("gzip, deflate, br, zstd", {"gzip", "deflate", "br", "zstd"}),
        ("GZIP;q=0.5,br;q=0", {"gzip"}),
        ("br; q=0.000, identity", {"identity"}),
        ("", {""}),
    ],
)
def test_encodings_that_a_browser_takes(
    module: t.Callable[[str], t.Any], header: str, names: set[str]
) -> None:
    assert module("precompressed").taken(header) == names


def test_a_file_that_was_changed_is_not_sent_as_it_was(
    module: t.Callable[[str], t.Any], tmp_path: Path
) -> None:
    is_copy, file, copy = module("precompressed").is_copy, tmp_path / "a.js", tmp_path / "a.js.br"
    file.touch()
    assert not is_copy(str(file), str(copy))
    copy.touch()
    for age, sent in ((0, True), (10, False)):
        os.utime(copy, (0, file.stat().st_mtime - age))
        assert is_copy(str(file), str(copy)) is sent


@pytest.mark.parametrize(
    ("given", "folder", "page"),
    [
        ({}, "course", "lab/tree/course"),
        ({"urlpath": "/notebooks/course/a.ipynb"}, "course", "notebooks/course/a.ipynb"),
        ({"urlPath": "lab/tree/a%20b.ipynb?x=1"}, "course", "lab/tree/a%20b.ipynb?x=1"),
        ({"targetpath": "2026/course/"}, "2026/course", "lab/tree/2026/course"),
        ({"subPath": "n/1 x.ipynb", "app": "notebook"}, "course", "notebooks/course/n/1%20x.ipynb"),
        # Below the server's own address, whatever it is.
        ({"urlpath": "//evil.org/x"}, "course", "evil.org/x"),
        ({"urlpath": "https://evil.org/"}, "course", "https://evil.org/"),
    ],
)
def test_what_a_link_asks_for(module: Module, given: dict[str, str], folder: str, page: str) -> None:
    link = module("homelink").link_of({"repo": "https://git.test/course.git", **given}, ["git.test"])
    assert (link.path, link.page) == (folder, page)


@pytest.mark.parametrize(
    "given",
    [
        {"repo": ""},
        {"repo": "https://evil.org/course"},
        {"branch": "--upload-pack=x"},
        *(
            {"targetpath": path}
            for path in (".", "..", "../x", "a/../../x", "/etc", ".ssh", "a/.git", "a//b")
        ),
        *(
            {"targetpath": path}
            for path in (".local/share/jupyter/kernels/x", "bin", "bin/x", "x\n", "x" * 250)
        ),
        {"repo": "https://git.test/.ipython"},
        *({"urlpath": page} for page in ("../bob/lab", "lab/%2e%2e/%2e%2e/hub/logout", "a\\b", "a\nb")),
    ],
    ids=str,
)
def test_links_that_are_not_followed(module: Module, given: dict[str, str]) -> None:
    homelink = module("homelink")
    with pytest.raises(homelink.Problem, match=r"\.$"):
        homelink.link_of({"repo": "https://git.test/course.git", **given}, ["git.test"])


def test_links_stay_in_the_home_and_out_of_repositories(module: Module, tmp_path: Path) -> None:
    homelink, home = module("homelink"), tmp_path / "home"
    (home / "own" / ".git").mkdir(parents=True)
    (home / "out").symlink_to(tmp_path)
    for path in ("own/sub/course", "out/course"):
        link = homelink.link_of({"repo": "https://git.test/course", "targetpath": path}, ["git.test"])
        with pytest.raises(homelink.Problem, match=r"in the repository ~/own|leads out of the home"):
            homelink.place_for(home, link)


def test_features_and_languages_that_an_image_has(
    module: Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = module("labfeatures")
    monkeypatch.setattr(features, "PACKAGES", tmp_path)
    monkeypatch.setattr(features, "SHELF", tmp_path)
    for folder in ("jupyter_archive", "jupyterlab_git", "languages/fr_FR"):
        (tmp_path / folder).mkdir(parents=True)
    # git is only there in part.
    told = {"NOTEBOOK_FEATURES": " archive,debugger,git,,magic", "NOTEBOOK_LANGUAGES": "fr_FR, xx_XX"}
    assert features.wanted(told) == ["archive"]
    assert features.languages(told) == [f"{tmp_path}/languages/fr_FR"]
    assert features.without_debugger(told) is features.without_debugger({}) is False
    assert features.without_debugger({"NOTEBOOK_FEATURES": "archive"}) is True
