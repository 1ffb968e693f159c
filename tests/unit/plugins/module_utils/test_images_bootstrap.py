# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.images import bootstrap

SPEC = bootstrap.BootstrapSpec("trixie", ("python3", "ca-certificates"))


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"packages": ("ca-certificates", "python3", "python3")}, False),
        ({"keyring": "/k.gpg"}, False),
        ({"suite": "forky"}, True),
        ({"packages": ("python3",)}, True),
        ({"mirror": "http://mirror.example"}, True),
        ({"serial": "2"}, True),
        ({"env": {"A": "1"}}, True),
        ({"env": {"LANG": "C"}}, True),
    ],
)
def test_inputs(change: dict[str, t.Any], differs: bool) -> None:
    made = bootstrap.BootstrapSpec(
        **{"suite": "trixie", "packages": ("python3", "ca-certificates"), **change}
    )
    assert (made.inputs() != SPEC.inputs()) is differs


def test_mmdebstrap_argv() -> None:
    argv = bootstrap.mmdebstrap_argv(SPEC, "/t/base.tar")
    assert argv[0] == "mmdebstrap"
    assert argv[-2:] == ["trixie", "/t/base.tar"]
    assert any("chmod a-s" in arg for arg in argv)
    assert "--include=ca-certificates,python3" in argv
    excludes = [arg for arg in argv if arg.startswith("--dpkgopt=path-exclude=")]
    includes = [arg for arg in argv if arg.startswith("--dpkgopt=path-include=")]
    # The last rule that matches a path wins in dpkg.
    assert argv.index(excludes[-1]) < argv.index(includes[0])
    full = bootstrap.BootstrapSpec("trixie", mirror="http://mirror.example", keyring="/k.gpg")
    argv = bootstrap.mmdebstrap_argv(full, "/t")
    assert argv[-3:] == ["trixie", "/t", "http://mirror.example"]
    assert "--keyring=/k.gpg" in argv
    assert not [arg for arg in argv if arg.startswith("--include")]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"suite": "http://x"}, "suite is 'http://x'"),
        ({"suite": "trixie", "packages": ("a b",)}, "packages has 'a b'"),
        ({"suite": "trixie", "env": {"a-b": "1"}}, "env has 'a-b'"),
    ],
)
def test_bad_input(params: dict[str, t.Any], message: str) -> None:
    with pytest.raises(HubError, match=f"^{re.escape(message)}"):
        bootstrap.BootstrapSpec(**params)


@pytest.mark.parametrize(
    ("log", "hint"),
    [
        ("W: ... NO_PUBKEY 0123", "install a newer debian-archive-keyring"),
        ("E: The repository 'x' is not signed.", "install a newer debian-archive-keyring"),
        ("E: Unable to locate package foo", "correct packages"),
        ("E: The repository 'x' does not have a Release file.", "correct suite or mirror"),
        ("Err: Could not resolve 'mirror.example'", "check its network"),
        ("dpkg: error: No space left on device", "The disk is full"),
        ("something else", ""),
    ],
)
def test_hint(log: str, hint: str) -> None:
    found = bootstrap.bootstrap_hint(SPEC, log)
    assert hint in found
    assert bool(found) is bool(hint)
