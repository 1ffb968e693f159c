# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Lists of packages, as their package managers take them. Pure.

What would fail in the build, after minutes, or do something else there, is refused; PyPA's own parser judges requirements of Python.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Sequence

# Ansible brings it along.
from packaging.requirements import InvalidRequirement, Requirement

# A word that is no option: an option would turn a list into a command line.
_DEBIAN = re.compile(r"[a-z0-9](?:[a-z0-9+.-]*[a-z0-9+.])?(?::[a-z0-9]+)?(?:=[A-Za-z0-9.+:~*-]+)?")
_NPM = re.compile(
    r"(?:@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~][A-Za-z0-9._~-]*(?:@(?P<wanted>[^\s@/:]+|npm:\S+|https?://\S+))?"
)
_CONDA = re.compile(
    r"(?:[A-Za-z0-9_./-]+::)?[A-Za-z0-9_][A-Za-z0-9_.-]*(?:\s*[=<>!~][\w.*+!=<>~,|\s-]*|\s+[\w.*+]+(?:\s+\w+)?|\[[^\[\]]+\])?"
)
_COMMENT = re.compile(r"(?:^|\s+)#.*$")
_HASH = re.compile(r"\s--hash[=\s]\s*(\S+)")
_DIGEST = re.compile(r"(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})")
_VCS = re.compile(r"\b(?:git|hg|svn|bzr)\+|^git@|^(?:git|ssh)://")
_GIT = re.compile(r"git\+https?://\S+")
_ADDRESS = re.compile(r"https?://\S+")
_LOCAL = re.compile(
    r"^[./~]|^file:|\bfile://|^[^@:\s]+(?:\.whl|\.tar\.gz|\.zip|\.deb|\.tgz|\.conda|\.txt|\.in)$"
)
_VARIABLE = re.compile(r"\$\{?\w+\}?")

_PATH = "no file of the controller is there in the build; give its address, as in {}"
_OPTION = "options are not taken, only packages"
_LINES = "no file of the controller is there in the build; write its lines into the list"
_EDITABLE = "images hold no editable packages; leave the option out"
_OPTIONS = {
    **dict.fromkeys(("-r", "--requirement", "-c", "--constraint"), _LINES),
    **dict.fromkeys(("-e", "--editable"), _EDITABLE),
}


def lines(packages: Sequence[t.Any]) -> list[t.Any]:
    """The entries of a list without comments and what is empty; one of several lines is several entries."""
    found: list[t.Any] = []
    for entry in packages:
        if not isinstance(entry, str):
            found.append(entry)
            continue
        # As pip does it: a backslash joins lines before comments end them.
        for line in re.sub(r"\s*\\\n\s*", " ", entry).splitlines():
            text = _COMMENT.sub("", line).strip()
            if text:
                found.append(text)
    return found


def needs_git(packages: Sequence[str]) -> list[str]:
    return [entry for entry in packages if _VCS.search(entry)]


def _common(entry: t.Any, example: str) -> str:
    if not isinstance(entry, str):
        return "give a text"
    if entry.startswith("-"):
        return _OPTION
    if _VARIABLE.search(entry):
        return "no variables are there in the build; write the value"
    return _PATH.format(example) if _LOCAL.search(entry) else ""


def _pip(entry: t.Any) -> str:
    example = "name @ https://example.org/name-1.0-py3-none-any.whl"
    option = re.match(r"--?[a-z-]+", entry) if isinstance(entry, str) else None
    problem = _OPTIONS.get(option[0]) if option else None
    problem = problem or _common(entry, example)
    if problem:
        return problem
    hashes = _HASH.findall(entry)
    text = _HASH.sub("", entry)
    if re.search(r"\s--?[a-z]", text):
        return "of options, only --hash is taken"
    wrong = [digest for digest in hashes if not _DIGEST.fullmatch(digest)]
    if wrong:
        return f"the hash {wrong[0]!r} is none; give one as in --hash=sha256:<64 digits>"
    address = text.partition("@")[2].strip() if re.match(r"[\w.\[\],-]+\s*@", text) else text
    if _VCS.search(text) and not _GIT.match(address):
        return "builds have no keys and no other programs than git; give an address as in git+https://example.org/name.git@v1.0"
    if _GIT.fullmatch(text) or _ADDRESS.fullmatch(text):
        return ""
    try:
        parsed = Requirement(text)
    except InvalidRequirement:
        return "name one package as pip takes it, with a version as in numpy==2.1.0"
    if hashes and not parsed.url and not any(one.operator in ("==", "===") for one in parsed.specifier):
        return "what has a hash needs its version, as in numpy==2.1.0"
    if parsed.url and not (_GIT.fullmatch(parsed.url) or _ADDRESS.fullmatch(parsed.url)):
        return f"give an address as in {example}"
    return ""


def _npm(entry: t.Any) -> str:
    problem = _common(entry, "https://example.org/name-1.0.tgz")
    if problem:
        return problem
    if _VCS.search(entry) or re.match(r"(?:github|gitlab|bitbucket|gist):|[\w-]+/[\w.-]+(?:#|$)", entry):
        return "builds have no git; give the address of an archive, as in https://example.org/name-1.0.tgz"
    if _ADDRESS.fullmatch(entry) or _NPM.fullmatch(entry):
        return ""
    return "name one package, with a version as in name@1.2.3"


def _apt(entry: t.Any) -> str:
    problem = _common(entry, "a package of the distribution")
    if isinstance(entry, str) and (_ADDRESS.match(entry) or (problem and _LOCAL.search(entry))):
        return "only packages of the distribution are taken; bring a file along with files, and install it with run"
    if problem or _DEBIAN.fullmatch(entry):
        return problem
    return "name one package of the distribution, or one version of it as name=version"


def _conda(entry: t.Any) -> str:
    problem = _common(entry, "a package of a channel")
    if isinstance(entry, str) and (_ADDRESS.match(entry) or (problem and _LOCAL.search(entry))):
        return "only packages of channels are taken; name the channel in conda_channels"
    if problem or _CONDA.fullmatch(entry):
        return problem
    return "name one package, with a version as in gdal=3.9"


_RULES = {"apt": _apt, "pip": _pip, "extensions": _pip, "npm": _npm, "conda": _conda}
KINDS = tuple(_RULES)


def problem_of(kind: str, entry: t.Any) -> str:
    """What keeps one of lines() from being installed, and the fix; empty where nothing does."""
    return _RULES[kind](entry)


# Settings that are lists of packages of the distribution.
SETTINGS = (
    "docker_packages_extra",
    "images_base_packages",
    "images_base_packages_extra",
    "openstack_packages",
)


def setting_problems(setting: str, value: t.Any) -> list[str]:
    """A sentence for each entry of such a setting that is no package."""
    if setting not in SETTINGS or not isinstance(value, list):
        return []
    return [
        f"{setting} has {entry!r}: {fix}."
        for entry in value
        if isinstance(entry, str) and (fix := _apt(entry))
    ]
