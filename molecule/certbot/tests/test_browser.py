# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A person at a browser, behind the front door: nothing that a page needs is blocked."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from browser import visit
from conftest import EPHEMERAL, NAME, Site, wait_until


def digest(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# MiB. JupyterLab sends what is larger than one in parts.
@pytest.mark.parametrize("size", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_nothing_is_blocked(site: Site, tmp_path: Path, size: int) -> None:
    """Log in, start a server, work in JupyterLab and a terminal, upload and download a large file."""
    big = tmp_path / "big.bin"
    with open(big, "wb") as stream:
        for _ in range(size):
            stream.write(os.urandom(2**20))
    password = site.sh("cat /data/hubs/hub/secrets/login-password")
    with visit(
        site.url, EPHEMERAL / "pictures", own_certificate=True, hosts=f"MAP {NAME} {site.address}"
    ) as seen:
        failed: list[str] = []
        seen.page.on("requestfailed", lambda request: failed.append(f"{request.url} {request.failure}"))
        seen.go("/")
        seen.page.wait_for_selector("#username_input")
        seen.picture("1-login")
        # A person for each, as the next one would find the terminal where this one left it.
        seen.log_in(f"hedy{size}", password)
        seen.picture("2-lab")
        seen.upload(big)
        assert digest(seen.download("big.bin")) == digest(big)
        seen.picture("3-files")
        seen.in_terminal("sha256sum big.bin > sum.txt")
        server = f"$(docker ps -q --filter label=galilean.hub.user=hedy{size})"
        held = f"docker exec {server} cat /home/jovyan/sum.txt"
        wait_until(lambda: site.host.run(held).stdout.startswith(digest(big)), 60, "what the terminal wrote")
        seen.picture("4-terminal")
        assert seen.errors == []
        # A download ends as a navigation that is given up.
        assert [one for one in failed if "ERR_ABORTED" not in one] == []
