# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""From a list of packages, kernels and files to a Dockerfile. Pure.

An institution says what it wants in an image; how that is installed, without leaving package lists, caches or a site's CA
behind, is written here once.
"""

from __future__ import annotations

import json
import re
import shlex
import typing as t
from dataclasses import dataclass

from ansible_collections.galilean.hub.plugins.module_utils.catalog import packages
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

# The keys of an entry that make layers, with what each of them holds.
LAYER_KEYS: dict[str, type] = {
    "apt": list,
    "conda": list,
    "pip": list,
    "extensions": list,
    "npm": list,
    "includes": list,
    "kernels": list,
    "env": dict,
    "run": list,
}
SOFTWARE = "/opt/software"
TOOLS = "tools"

_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]*\Z")
_VARIABLE = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*\Z")

_CA = "--mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt"
# Where each tool finds a site's own index; a secret that is not given is not mounted.
_APT_AUTH = "--mount=type=secret,id=apt,target=/etc/apt/auth.conf.d/galilean-hub.conf"
_PIP_INDEX = "--mount=type=secret,id=pip,target=/etc/pip.conf"
_UV_INDEX = "--mount=type=secret,id=uv,target=/etc/uv/uv.toml"
_NPM_INDEX = "--mount=type=secret,id=npm,target=/root/.npmrc"
_APT_CACHE = "--mount=type=cache,target=/var/cache/apt,sharing=locked"
_TOOLS = "--mount=type=bind,from=tools,source=/opt/tools,target=/opt/tools"
_UV_CACHE = "--mount=type=cache,target=/var/cache/uv"
_NPM_CACHE = "--mount=type=cache,target=/root/.npm"
_CONDA_CACHE = "--mount=type=cache,target=/var/cache/conda"


@dataclass(frozen=True)
class Place:
    """Where things go in the images of one kind, and as whom their containers run.

    ``python`` is the interpreter of the packages; ``packages`` the folder for them, where they do not go into the
    interpreter's own; ``extensions`` the interpreter of JupyterLab, where there is one; ``prefix`` the root of the rest.
    """

    python: str = "/usr/bin/python3"
    packages: str = ""
    extensions: str = ""
    prefix: str = "/usr/local"
    user: str = ""
    # Whether git is there, for packages that are fetched with it.
    git: bool = False


# By the image at the root of an entry's ancestors; the base stands for all others.
_SYSTEM = '"$(/usr/bin/python3 -c \'import sys; print("/usr/local/lib/python%d.%d/dist-packages" % sys.version_info[:2])\')"'
_SHARED = f'"{SOFTWARE}/lib/$(/usr/bin/python3 -c \'import sys; print("python%d.%d" % sys.version_info[:2])\')/packages"'
PLACES: dict[str, Place] = {
    "base": Place(packages=_SYSTEM),
    "hub-core": Place(python="/opt/hub/bin/python"),
    "notebook": Place(packages=_SYSTEM, extensions="/opt/notebook/bin/python", user="jovyan", git=True),
    "edge": Place(packages=_SYSTEM, user="61080:61080"),
}
STACK = Place(packages=_SHARED, prefix=SOFTWARE)


def check_layers(name: str, entry: t.Mapping[str, t.Any]) -> None:
    """Refuse what would fail later, less clearly, or do something else than it says; HubError names entry and value."""

    def refuse(key: str, value: t.Any, fix: str) -> t.NoReturn:
        raise HubError(f"images_catalog has {name!r} with {value!r} in {key}: {fix}.")

    for key, kind in LAYER_KEYS.items():
        if not isinstance(entry.get(key, kind()), kind):
            refuse(key, entry[key], "give a list" if kind is list else "give names with values")
    for key in packages.KINDS:
        for value in packages.lines(entry.get(key) or []):
            fix = packages.problem_of(key, value)
            if fix:
                refuse(key, value, fix)
    for value in entry.get("includes") or []:
        if not isinstance(value, str) or not _NAME.match(value):
            refuse("includes", value, "name an image of the list")
    for command in entry.get("run") or []:
        if not isinstance(command, str) or "\n" in command:
            refuse("run", command, "give one command a line; put a longer one into a file")
    for variable in entry.get("env") or {}:
        if not _VARIABLE.match(str(variable)):
            refuse("env", variable, "use letters, digits and underscores")
    if entry.get("stack") and not entry.get("run"):
        for key in ("apt", "env"):
            if entry.get(key):
                refuse(
                    key,
                    entry[key],
                    f"users see {SOFTWARE} of a stack only; use an image with the parent notebook",
                )
    for kernel in entry.get("kernels") or []:
        if not isinstance(kernel, dict) or not _NAME.match(str(kernel.get("name", ""))):
            refuse(
                "kernels",
                kernel,
                "give it a name of lower-case letters, digits, dots, dashes and underscores",
            )
        if not kernel.get("argv") or not kernel.get("display_name"):
            refuse("kernels", kernel["name"], "give it argv, the command that starts it, and display_name")
        unknown = set(kernel) - {"name", "argv", "display_name", "language", "env"}
        if unknown:
            refuse("kernels", sorted(unknown)[0], "a kernel has name, argv, display_name, language and env")


def without_comments(entry: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """An entry whose lists of packages have one package in each place."""
    return {**entry, **{key: packages.lines(entry[key]) for key in packages.KINDS if entry.get(key)}}


def has_layers(entry: t.Mapping[str, t.Any]) -> bool:
    """Whether something of an entry has to be written as a Dockerfile."""
    return any(entry.get(key) for key in LAYER_KEYS) or any(is_absolute(part) for part in entry["files"])


def is_absolute(part: t.Mapping[str, t.Any]) -> bool:
    """Whether a part of ``files`` names a place in the image, rather than one in the build context of a Dockerfile."""
    return str(part.get("dest", "")).startswith("/")


def needs_tools(entry: t.Mapping[str, t.Any]) -> bool:
    """Whether the build borrows a package manager from the image with the tools."""
    return any(entry.get(key) for key in ("pip", "extensions", "npm", "conda"))


def _quoted(words: t.Iterable[str]) -> str:
    return " ".join(shlex.quote(word) for word in words)


def _run(mounts: t.Sequence[str], commands: t.Sequence[str]) -> str:
    joined = " && \\\n    ".join(commands)
    return " \\\n    ".join([f"RUN {' '.join(mounts)}".rstrip(), joined])


def _apt(packages: t.Sequence[str]) -> str:
    return _run(
        [_CA, _APT_AUTH, _APT_CACHE],
        [
            # The base has no manual pages, and packages such as Java's fail without a folder for theirs.
            "mkdir -p /usr/share/man/man1",
            "apt-get update -q",
            f"DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends {_quoted(packages)}",
            # No program gives rights that its user has not.
            "find / -xdev -perm /6000 -type f -exec chmod a-s {} +",
            "rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/debconf/*-old /var/lib/dpkg/*-old",
        ],
    )


def _pip(place: Place, packages: t.Sequence[str], python: str, target: str) -> str:
    # Only in a file may a package have hashes.
    listed = f"printf '%s\\n' {_quoted(packages)} |"
    uv = "/opt/tools/bin/uv pip install -q --link-mode copy --cache-dir /var/cache/uv --python"
    if not target:
        return _run(
            [_CA, _UV_INDEX, _TOOLS, _UV_CACHE],
            [f"{listed} {uv} {python} --compile-bytecode -r -"],
        )
    return _run(
        [_CA, _UV_INDEX, _TOOLS, _UV_CACHE],
        [
            f"target={target}",
            'mkdir -p "$target"',
            f'{listed} {uv} {python} --target "$target" -r -',
            # Commands, kernels and the interface's extensions belong where they are looked for.
            f'for part in bin share etc; do if [ -d "$target/$part" ]; then mkdir -p {place.prefix}/$part && '
            f'cp -a "$target/$part/." {place.prefix}/$part/ && rm -rf "$target/$part"; fi; done',
            # Some packages ship templates that are no Python; that, and nothing before it, may fail.
            f'{{ {python} -m compileall -q -j 0 --invalidation-mode unchecked-hash "$target" || true; }}',
        ],
    )


def _npm(place: Place, packages: t.Sequence[str]) -> str:
    home = f"{place.prefix}/lib/nodejs"
    return _run(
        [_CA, _NPM_INDEX, _TOOLS, _NPM_CACHE],
        [
            f"if [ ! -e {home} ]; then mkdir -p {place.prefix}/lib {place.prefix}/bin && cp -a /opt/tools/nodejs {home} && "
            f"ln -s {home}/bin/node {place.prefix}/bin/node; fi",
            # Not all images have root's home for HOME.
            f"NPM_CONFIG_USERCONFIG=/root/.npmrc PATH={home}/bin:$PATH node {home}/lib/node_modules/npm/bin/npm-cli.js install --global --no-audit --no-fund "
            f"--prefix {place.prefix} {_quoted(packages)}",
        ],
    )


def _conda(place: Place, packages: t.Sequence[str], channels: t.Sequence[str]) -> str:
    chosen = " ".join(f"--channel {shlex.quote(channel)}" for channel in channels)
    return _run(
        [_CA, _TOOLS, _CONDA_CACHE],
        [f"/opt/tools/bin/conda-env --prefix {place.prefix}/conda {chosen} {_quoted(packages)}"],
    )


def _kernel(place: Place, kernel: t.Mapping[str, t.Any]) -> str:
    spec = {
        "argv": [str(word) for word in kernel["argv"]],
        "display_name": str(kernel["display_name"]),
        "language": str(kernel.get("language") or "python"),
        **({"env": {key: str(value) for key, value in kernel["env"].items()}} if kernel.get("env") else {}),
    }
    folder = f"{place.prefix}/share/jupyter/kernels/{kernel['name']}"
    text = shlex.quote(json.dumps(spec, indent=1, ensure_ascii=True).replace("\n", ""))
    return _run([], [f"mkdir -p {folder}", f"printf '%s\\n' {text} > {folder}/kernel.json"])


def place_of(root: str, stack: bool) -> Place:
    """Where things go in an image, by the oldest of its ancestors that the list has, or because it is a stack."""
    return STACK if stack else PLACES.get(root, PLACES["base"])


def dockerfile(name: str, entry: t.Mapping[str, t.Any], place: Place) -> str:
    """Return the Dockerfile of an entry that check_layers() has checked; the context holds part N of ``files`` at files/N.

    HubError if the image cannot take the entry: extensions without JupyterLab, git addresses without git.
    """
    if entry.get("extensions") and not place.extensions and place is not STACK:
        raise HubError(
            f"images_catalog has {name!r} with extensions, but no JupyterLab in it: give it the parent notebook, or stack: true."
        )
    fetched = packages.needs_git([*(entry.get("pip") or []), *(entry.get("extensions") or [])])
    if fetched and not place.git:
        raise HubError(
            f"images_catalog has {name!r} with {fetched[0]!r}, but no git in it: give the address of an archive, as in "
            "name @ https://example.org/name/archive/v1.0.tar.gz, or use an image with the parent notebook."
        )
    lines = ["ARG BASE"]
    if needs_tools(entry):
        lines += ["ARG TOOLS", "FROM ${TOOLS} AS tools"]
    includes = entry.get("includes") or []
    for number in range(len(includes)):
        lines += [f"ARG INCLUDE_{number}", f"FROM ${{INCLUDE_{number}}} AS include-{number}"]
    # Every argument that a FROM uses has to stand before the first of them.
    lines = [line for line in lines if line.startswith("ARG")] + [
        line for line in lines if not line.startswith("ARG")
    ]
    lines += ["FROM ${BASE}", "USER root"]
    lines += [f"COPY --from=include-{number} {SOFTWARE} {SOFTWARE}" for number in range(len(includes))]
    if entry.get("apt"):
        lines.append(_apt(entry["apt"]))
    if entry.get("conda"):
        lines.append(_conda(place, entry["conda"], entry.get("conda_channels") or ["conda-forge"]))
    if entry.get("pip"):
        lines.append(_pip(place, entry["pip"], place.python, place.packages))
    if entry.get("extensions"):
        target = "" if place.extensions else place.packages
        lines.append(_pip(place, entry["extensions"], place.extensions or place.python, target))
    if entry.get("npm"):
        lines.append(_npm(place, entry["npm"]))
    lines += [_kernel(place, kernel) for kernel in entry.get("kernels") or []]
    for number, part in enumerate(entry["files"]):
        lines.append("COPY " + json.dumps([f"files/{number}", str(part["dest"])]))
    for key, value in (entry.get("env") or {}).items():
        lines.append(f"ENV {key}={json.dumps(str(value), ensure_ascii=False).replace('$', chr(92) + '$')}")
    site = [_CA, _APT_AUTH, _PIP_INDEX, _UV_INDEX, _NPM_INDEX]
    lines += [_run(site, [command]) for command in entry.get("run") or []]
    user = entry.get("user") or place.user
    if user:
        lines.append(f"USER {user}")
    return "\n".join(lines) + "\n"
