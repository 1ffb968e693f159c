# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The page that makes links to repositories (docs/repositories.md). Off by default.

For whoever has an account: it names the hosts that the settings allow. It works without scripts, and asks
nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from jupyterhub.handlers.base import BaseHandler
from tornado import web

from ..shared.git_links import (
    LinkProblem,
    branch_problem,
    canonical,
    folder_of,
    link_to,
    refusal,
    taken_apart,
)

HANDLERS: list[tuple[str, Any]] = []
FIELDS = ("repo", "branch", "file", "page")


def made(given: Mapping[str, str], hub: str, hosts: Sequence[str]) -> dict[str, Any]:
    """What the page shows for what somebody has filled in: the fields, and a link or what is wrong."""
    repository, branch, file = taken_apart(given["repo"])
    fields = {
        **given,
        "repo": repository,
        "branch": given["branch"].strip() or branch,
        "file": given["file"].strip() or file,
    }
    problem = (refusal(repository, hosts) or branch_problem(fields["branch"])) if repository else ""
    if repository and not problem:
        try:
            address = canonical(repository)
            if folder_of(address).startswith("."):
                raise LinkProblem(f"{folder_of(address)!r} is hidden: links bring no folder of such a name.")
            link = link_to(hub, address, fields["branch"], fields["file"], given["page"] == "classic")
            return {"fields": fields, "problem": "", "link": link, "folder": folder_of(address)}
        except LinkProblem as exc:
            problem = str(exc)
    return {"fields": fields, "problem": problem, "link": "", "folder": ""}


class GitLinks(BaseHandler):
    """The form, and below it the link."""

    hosts: ClassVar[Sequence[str]] = ()

    @web.authenticated
    async def get(self) -> None:
        given = {name: self.get_argument(name, "") for name in FIELDS}
        public = self.settings["public_url"]
        hub = f"{public.scheme}://{public.netloc}{self.hub.base_url}"
        page = {**made(given, hub, self.hosts), "hosts": self.hosts}
        self.finish(await self.render_template("git-links.html", **page))


def use(hosts: Sequence[str]) -> None:
    """Have the hub serve the page; hosts: what links may bring."""
    GitLinks.hosts = hosts
    HANDLERS.append((r"/git-links", GitLinks))
