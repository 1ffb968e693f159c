# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import json
import re
import shlex
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.catalog import layers
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

KERNEL = {"name": "own", "display_name": 'It\'s "own"', "argv": ["python", "-f", "{connection_file}"]}
KERNEL_AS_WRITTEN = {key: KERNEL[key] for key in ("argv", "display_name")}


def written(root: str = "base", stack: bool = False, **entry: t.Any) -> str:
    full = {"files": [], "stack": stack, **entry}
    layers.check_layers("x", full)
    return layers.dockerfile("x", layers.without_comments(full), layers.place_of(root, stack))


def test_arguments_stand_before_the_first_image() -> None:
    lines = written("notebook", pip=["a"], includes=["one", "two"]).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("FROM"))
    assert lines[:first] == ["ARG BASE", "ARG TOOLS", "ARG INCLUDE_0", "ARG INCLUDE_1"]
    assert [line for line in lines if line.startswith("FROM")][-1] == "FROM ${BASE}"
    assert [line for line in lines if line.startswith("ARG")] == lines[:first]


@pytest.mark.parametrize(
    ("root", "stack", "entry", "expected"),
    [
        ("base", False, {"apt": ["vim", "r-base=4.5-1"]}, "--no-install-recommends vim r-base=4.5-1"),
        (
            "hub-core",
            False,
            {"pip": ["a>=1,<2"]},
            "printf '%s\\n' 'a>=1,<2' | /opt/tools/bin/uv pip install -q --link-mode copy --cache-dir "
            "/var/cache/uv "
            "--python /opt/hub/bin/python --compile-bytecode -r -",
        ),
        ("notebook", False, {"pip": ["a==1"]}, "/dist-packages"),
        ("notebook", False, {"extensions": ["a"]}, "--python /opt/notebook/bin/python --compile-bytecode"),
        (
            "base",
            True,
            {"pip": ["a[extra]==1  # why", "# only this", "b==1 \\\n  --hash=sha256:" + 64 * "a"]},
            f"printf '%s\\n' 'a[extra]==1' 'b==1 --hash=sha256:{64 * 'a'}' |",
        ),
        ("base", True, {"extensions": ["a"]}, '--target "$target" -r -'),
        ("base", True, {"npm": ["a@1"]}, "--prefix /opt/software a@1"),
        ("notebook", False, {"npm": ["@scope/a"]}, "--prefix /usr/local @scope/a"),
        ("base", True, {"conda": ["x=3.9"]}, "--prefix /opt/software/conda --channel conda-forge x=3.9"),
        (
            "base",
            True,
            {"conda": ["x"], "conda_channels": ["https://c.org/a"]},
            "--channel https://c.org/a x",
        ),
        ("base", True, {"includes": ["r"]}, "COPY --from=include-0 /opt/software /opt/software"),
        ("base", False, {"env": {"A": 'x "$y"'}}, 'ENV A="x \\"\\$y\\""'),
        ("base", False, {"run": ["echo one > /two"]}, "echo one > /two"),
        ("base", False, {"files": [{"src": "/x", "dest": "/etc/a b"}]}, 'COPY ["files/0", "/etc/a b"]'),
        ("notebook", False, {"apt": ["vim"]}, "\nUSER jovyan\n"),
        ("notebook", False, {"apt": ["vim"], "user": "1001:1001"}, "\nUSER 1001:1001\n"),
        ("edge", False, {"apt": ["vim"]}, "\nUSER 61080:61080\n"),
    ],
)
def test_layers(root: str, stack: bool, entry: dict[str, t.Any], expected: str) -> None:
    assert expected in written(root, stack, **entry)


def test_user_stays_root_where_it_was() -> None:
    assert written(apt=["vim"]).count("USER ") == 1


@pytest.mark.parametrize("key", ["apt", "pip", "extensions", "npm", "conda"])
def test_a_failed_step_fails_the_build(key: str) -> None:
    """In a chain of commands, a bare "|| true" at its end forgives all of them."""
    text = written("base", stack=key != "apt", **{key: ["x"]})
    assert "|| true" not in re.sub(r"\{ [^{}]* \|\| true; \}", "", text)


def test_kernel() -> None:
    text = written(stack=True, kernels=[{**KERNEL, "env": {"A": 1}}])
    command = next(line for line in text.splitlines() if "kernel.json" in line)
    words = shlex.split(command.strip())
    assert words[-1] == "/opt/software/share/jupyter/kernels/own/kernel.json"
    spec = json.loads(words[2])
    assert spec == {**KERNEL_AS_WRITTEN, "language": "python", "env": {"A": "1"}}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"apt": "vim"}, "'vim' in apt: give a list"),
        ({"apt": ["vim; rm -rf /"]}, "'vim; rm -rf /' in apt: name one package of the distribution"),
        ({"apt": ["--reinstall"]}, "'--reinstall' in apt: options are not taken"),
        ({"pip": ["a", "--index-url=x"]}, "'--index-url=x' in pip: options are not taken"),
        ({"npm": ["a b"]}, "'a b' in npm: name one package"),
        ({"conda": [1]}, "1 in conda: give a text"),
        ({"conda": [None]}, "None in conda: give a text"),
        ({"env": {"a-b": 1}}, "'a-b' in env: use letters"),
        ({"env": ["a"]}, "['a'] in env: give names with values"),
        ({"run": ["a\nb"]}, "'a\\nb' in run: give one command a line"),
        ({"kernels": [{"name": "A"}]}, "{'name': 'A'} in kernels: give it a name"),
        ({"kernels": [{"name": "a"}]}, "'a' in kernels: give it argv"),
        ({"kernels": [{**KERNEL, "agrv": 1}]}, "'agrv' in kernels: a kernel has"),
        ({"apt": ["vim"], "stack": True}, "['vim'] in apt: users see /opt/software of a stack only"),
        ({"env": {"A": 1}, "stack": True}, "{'A': 1} in env: users see /opt/software"),
    ],
)
def test_bad_layers(entry: dict[str, t.Any], message: str) -> None:
    with pytest.raises(HubError, match=f"^images_catalog has 'x' with {re.escape(message)}"):
        layers.check_layers("x", entry)


def test_what_an_image_has_not() -> None:
    address = "git+https://example.org/a.git"
    with pytest.raises(HubError, match=f"^images_catalog has 'x' with '{re.escape(address)}', but no git in"):
        written(stack=True, pip=[address])
    with pytest.raises(HubError, match=r"^images_catalog has 'x' with extensions, but no JupyterLab in it"):
        written("hub-core", extensions=["a"])
