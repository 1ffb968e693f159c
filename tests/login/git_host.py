# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""An institute's git server, beyond the host: servers of users reach it as they reach the internet.

It asks the OpenID provider about each token: git_http.py of the end-to-end tests.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from deployment import ROOT, as_root, docker, wait_until
from idp import Provider, make_pair

# Addresses for examples (RFC 5737): the host's end of the wire, and the server's.
GATEWAY, ADDRESS, PORT = "198.51.100.1", "198.51.100.2", 8443
USER = "oauth2"

PROGRAM = ROOT / "tests/e2e/git_http.py"


class GitHost:
    """The running server and its repositories."""

    name = f"{ADDRESS}:{PORT}"

    def __init__(self, folder: Path, provider: Provider, container: str) -> None:
        self._folder, self._provider, self._container = folder, provider, container
        self.certificate = make_pair(folder, ADDRESS)
        (folder / "provider.pem").write_bytes(provider.certificate.read_bytes())
        # The server's own account is another one than the test's.
        (folder / "key.pem").chmod(0o644)
        folder.chmod(0o755)

    def url(self, name: str) -> str:
        return f"https://{self.name}/{name}.git"

    def start(self, image: str) -> None:
        """Run it in a container of an image with Python and git, on a wire of its own."""
        self.stop()
        docker(
            *("run", "--detach", "--init", "--rm", "--network=none", f"--name={self._container}"),
            *("--user=root", f"--env=GIT_USER={USER}", f"--env=USERINFO={self._provider.issuer}/me"),
            # The image has users' git trust repositories in their homes alone.
            "--env=GIT_TEST_ASSUME_DIFFERENT_OWNER=0",
            *(f"--volume={self._folder}:/srv/tls:ro", f"--volume={PROGRAM}:/srv/git_http.py:ro"),
            *("--entrypoint=python3", image, "/srv/git_http.py"),
        )
        pid = docker("inspect", "--format", "{{.State.Pid}}", self._container)
        inside = ["nsenter", f"--target={pid}", "--net"]
        for command in (
            ["ip", "link", "add", "git-of-tests", "type", "veth", "peer", "name", "eth0", "netns", pid],
            ["ip", "address", "add", f"{GATEWAY}/30", "dev", "git-of-tests"],
            ["ip", "link", "set", "git-of-tests", "up"],
            [*inside, "ip", "address", "add", f"{ADDRESS}/30", "dev", "eth0"],
            [*inside, "ip", "link", "set", "eth0", "up"],
            [*inside, "ip", "route", "add", "default", "via", GATEWAY],
        ):
            subprocess.run(as_root(command), check=True)

    def stop(self) -> None:
        docker("rm", "--force", self._container, check=False)
        wait_until(lambda: not Path("/sys/class/net/git-of-tests").exists(), 60, "the end of the wire")

    def commit(self, name: str, **files: str) -> None:
        """One more commit with these files; the first one makes the repository."""
        work, bare = f"/srv/work/{name}", f"/srv/git/{name}.git"
        script = f"""
        [ -d {bare} ] || git init -q --bare --initial-branch=main {bare}
        [ -d {work} ] || git clone -q {bare} {work}
        cd {work}
        {" ".join(f"printf %s '{text}' > {file}.txt;" for file, text in files.items())}
        git add --all
        git -c user.name=up -c user.email=up@example.org commit -q -m change
        git push -q origin HEAD:main
        """
        docker("exec", "--user=root", self._container, "sh", "-ec", script)
