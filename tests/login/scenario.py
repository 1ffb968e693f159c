# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The instance under test, its settings, and what people do at its login."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

from ansible.plugins.loader import init_plugin_loader
from browser import Visit, visit
from deployment import (
    ARTIFACTS,
    Deployment,
    Outcome,
    as_root,
    collection_tree,
    docker,
    server_of,
    wait_until,
)
from idp import Provider

# At import time: the tests import the collection's own client of the hub's API.
COLLECTIONS = collection_tree()
init_plugin_loader([str(COLLECTIONS)])


class Scenario:
    """One instance through changes of its settings."""

    def __init__(self, site: Deployment, provider: Provider, settings: dict[str, t.Any]) -> None:
        self.site, self.provider = site, provider
        self._tokens: dict[str, str] = {}
        self._base = {"images_software_stack": "", "jupyterhub_contact": "help@example.org", **settings}
        self._deployed = site.container("hub") in site.owned("container")

    def begin(self) -> None:
        """Begin with nothing of the instance."""
        self.site.set()
        if self.site.left():
            self.site.teardown(data=True).assert_done()
        self._deployed = False

    def deploy(self, name: str, verbosity: int = 0, **settings: t.Any) -> Outcome:
        """Run the playbook with these settings: all of it at first or to be verbose, else the hub's part."""
        self.site.set(**{**self._base, **settings})
        options = [f"-{'v' * verbosity}"] if verbosity else []
        outcome = self.site.run("hub" if self._deployed and not verbosity else "site", *options, name=name)
        if outcome.code == 0:
            self._deployed = True
        return outcome

    def with_provider(self, name: str, **settings: t.Any) -> Outcome:
        return self.deploy(name, **{**self.provider.settings(), **settings})

    @contextlib.contextmanager
    def visit(self) -> t.Iterator[Visit]:
        """A browser with nothing remembered. The provider's certificate is one that no browser knows."""
        with visit(self.site.url, ARTIFACTS, own_certificate=True) as somebody:
            yield somebody

    def log(self) -> str:
        """What the hub has said since it started."""
        argv = as_root(["docker", "logs", self.site.container("hub")])
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
        return done.stdout

    def wait_for_hub(self) -> None:
        """Wait until the login page is there: who comes earlier is told that the hub is away."""
        wait_until(
            lambda: urllib.request.urlopen(f"{self.site.url}/hub/login", timeout=30).status == 200,
            120,
            "the login page",
        )

    @contextlib.contextmanager
    def paused(self, part: str) -> t.Iterator[None]:
        """A container of the instance that stands still; what it was asked for comes afterwards."""
        docker("pause", self.site.container(part))
        try:
            yield
        finally:
            docker("unpause", self.site.container(part))

    def started(self, part: str) -> str:
        """When a container of the instance was started."""
        return docker("inspect", "--format", "{{.State.StartedAt}}", self.site.container(part))

    def servers(self) -> list[str]:
        """Names of the users whose containers run."""
        labels = (f"galilean.hub.instance={self.site.instance}", "galilean.hub.role=user")
        shown = '{{.Label "galilean.hub.user"}}'
        argv = ["ps", "--format", shown, *(f"--filter=label={label}" for label in labels)]
        return sorted(docker(*argv).splitlines())

    def base_image(self) -> str:
        """Debian, as the hub's own images are built on it."""
        return docker("images", "--format", "{{.Repository}}:{{.Tag}}", "galilean/base").split()[0]

    def trust(self, certificate: Path) -> None:
        """Add an authority to those that the hub trusts."""
        bundle = Path(self._base["jupyterhub_ca_bundle"])
        with bundle.open("a", encoding="utf-8") as file:
            file.write(certificate.read_text(encoding="utf-8"))

    def wait_for_end(self, user: str, seconds: float) -> float:
        return wait_until(lambda: user not in self.servers(), seconds, f"the end of the server of {user}")

    def inspect(self, user: str) -> dict[str, t.Any]:
        """What Docker knows of a user's container."""
        model: dict[str, t.Any] = json.loads(docker("inspect", server_of(self.site.instance, user)))[0]
        return model

    def inside(self, user: str, *argv: str, check: bool = True) -> str:
        """Run a program in a user's server, as the user."""
        return docker("exec", server_of(self.site.instance, user), *argv, check=check)

    def tries(self, user: str, *argv: str) -> str:
        """What a program in a user's server says that is expected to fail."""
        command = ["docker", "exec", server_of(self.site.instance, user), *argv]
        done = subprocess.run(as_root(command), capture_output=True, text=True, check=False)
        assert done.returncode != 0, f"{argv} has worked for {user}: {done.stdout}"
        return done.stderr

    def keep_token(self, name: str, token: str) -> None:
        """The API token that requests of this user come with."""
        self._tokens[name] = token

    def request(self, name: str, method: str, path: str, follow: bool = True) -> tuple[int, str]:
        """Send a request with the user's token; its status and text."""
        request = urllib.request.Request(f"{self.site.url}{path}", method=method)
        request.add_header("Authorization", f"token {self._tokens[name]}")
        handlers = [] if follow else [NoRedirect()]
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=30) as answer:
                return int(answer.status), answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect as it is."""

    def redirect_request(self, *_: t.Any) -> None:
        return None


def sign_in(somebody: Visit, name: str, wanted: str = "/hub/login") -> None:
    """Log in by the provider's own pages, and give the hub what it asks for; `wanted` is the page behind."""
    page = somebody.page
    somebody.go(wanted)
    page.get_by_role("button", name="Sign in with the institute").or_(
        page.get_by_role("link", name="Sign in with the institute")
    ).first.click()
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", "any")
    page.click("button[type=submit]")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(re.compile(r"^http://127\.0\.0\.1"))


def in_lab(somebody: Visit) -> None:
    """Wait until JupyterLab is there."""
    somebody.page.wait_for_url(re.compile(r"/user/[^/]+/lab"))
    somebody.page.wait_for_selector("#jp-main-dock-panel")
    somebody.page.wait_for_selector("#jupyterlab-splash", state="detached")
