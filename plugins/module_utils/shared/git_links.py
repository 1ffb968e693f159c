# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Which repositories links may bring into homes. Pure; settings, hub and users' servers judge alike by it.

It is part of the images of hub and notebook as well, so it imports nothing of the collection.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote, unquote, urlencode

LONGEST = 1000
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# Addresses of a page of a repository, as GitHub, GitLab, Bitbucket and Gitea have them.
_PAGE = re.compile(
    r"(?P<repo>.+?)/(?:-/)?(?:tree|blob|raw|src/branch|src/tag|src)/(?P<branch>[^/?#]+)(?:/(?P<file>[^?#]*))?"
)
# What git-check-ref-format(1) refuses, and what git would take for an option.
_NO_BRANCH = re.compile(r"^[-/]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|^\.|\.lock(?:/|$)|[./]$")


class LinkProblem(ValueError):
    """A link that is not followed; one sentence says why."""


def _host(text: str, address: str) -> str:
    """Host and port as everybody writes them."""
    name, colon, port = text.partition(":")
    # One dot at the end is the same host for DNS, and another one for whoever compares text.
    name = name.lower().removesuffix(".")
    if not _HOST.fullmatch(name):
        raise LinkProblem(
            f"{address!r} has no host that can be read: write its name with small letters of ASCII"
        )
    if colon and (not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536):
        raise LinkProblem(f"{address!r} has the port {port!r}: give a number up to 65535, or leave it out")
    return name if not colon or int(port) == 443 else f"{name}:{int(port)}"


def _path(text: str, address: str) -> str:
    """Its path, each part quoted in one way."""
    parts = [unquote(part) for part in text.strip("/").split("/")] if text.strip("/") else []
    for part in parts:
        if part in ("", ".", "..") or not part.isprintable() or set(part) & set("/\\%?#"):
            raise LinkProblem(
                f"{address!r} has the part {part!r} in its path: give the address that git clones"
            )
    return "".join("/" + quote(part, safe="~@!$&'()*+,;=:") for part in parts)


def canonical(address: str) -> str:
    """The address of a repository in the one form that is compared and given to git; LinkProblem for others.

    Only HTTPS, without a name or password: git has further ways to fetch, some of which run programs.
    """
    if len(address) > LONGEST or not address.isprintable() or set(address) & set(" \\"):
        raise LinkProblem("The address of the repository has letters that no address has, or is too long.")
    # What it holds may be a secret, so it is not said.
    if re.match(r"[a-zA-Z+]+://[^/?#]*@", address):
        raise LinkProblem("The address of the repository has a name or a token in it: take it out.")
    scheme, _, rest = address.partition("://")
    if scheme.lower() != "https" or not rest:
        raise LinkProblem(
            f"{address!r} does not begin with https://, and links to nothing else are followed."
        )
    if set(rest) & set("?#"):
        raise LinkProblem(
            f"{address!r} has a question mark or a number sign: give the address that git clones."
        )
    host, _, path = rest.partition("/")
    return f"https://{_host(host, address)}{_path(path, address)}"


def entry_problem(entry: str) -> str:
    """What is wrong with an entry of the list of what links may bring; empty for nothing."""
    if "://" in entry:
        return "leave https:// out, all links use it"
    if "@" in entry:
        return "leave out what is before the @"
    try:
        canonical(f"https://{entry}")
    except LinkProblem:
        return "give a host, and after a slash a folder of it, such as git.example.org or git.example.org/teaching"
    return ""


def refusal(address: str, allowed: t.Sequence[str]) -> str:
    """Why the repository at this address may not be brought by a link; empty where it may."""
    try:
        url = canonical(address)
        if url.count("/") < 3:
            raise LinkProblem(f"{address!r} names a host and no repository.")
    except LinkProblem as exc:
        return str(exc)
    whole = f"{url.removesuffix('.git')}/"
    if any(whole.startswith(canonical(f"https://{one}").removesuffix(".git") + "/") for one in allowed):
        return ""
    listed = ", ".join(allowed)
    return f"Links may bring repositories from {listed}, and {url.removeprefix('https://')} is not there."


def folder_of(address: str) -> str:
    """The folder that git itself would choose."""
    name = unquote(re.split(r"[/:]", address.rstrip("/"))[-1])
    return name.removesuffix(".git")


def branch_problem(branch: str) -> str:
    """What is wrong with the name of a branch or tag; empty for nothing, and for none."""
    if branch and _NO_BRANCH.search(branch):
        return f"{branch!r} is no name of a branch or of a tag."
    return ""


def taken_apart(address: str) -> tuple[str, str, str]:
    """Repository, branch and file of an address that somebody has copied from a page of the repository."""
    found = _PAGE.fullmatch(re.sub(r"[?#].*", "", address.strip()))
    if not found:
        return address.strip(), "", ""
    return found["repo"], unquote(found["branch"]), unquote(found["file"] or "").strip("/")


def link_to(hub: str, address: str, branch: str, file: str, classic: bool) -> str:
    """The link that brings a repository and opens a file or folder of it.

    hub: the hub's own address, with /hub at its end. The parameters are those of nbgitpuller's links.
    """
    path = "/".join(part for part in (folder_of(address), file.strip("/")) if part)
    page = "notebooks" if classic and path.endswith(".ipynb") else "tree" if classic else "lab/tree"
    asked = {"repo": address, "branch": branch, "urlpath": f"{page}/{quote(path)}"}
    given = {name: value for name, value in asked.items() if value}
    return f"{hub.rstrip('/')}/user-redirect/git-pull?{urlencode(given, quote_via=quote)}"
