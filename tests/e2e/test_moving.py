# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""People come from another system, and find their files in their new server."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest
from deployment import Deployment, as_root
from user_client import UserClient

pytestmark = pytest.mark.slow

# Nothing here is about the shared software.
SETTINGS: dict[str, t.Any] = {"images_software_stack": ""}


def test_homes_of_another_system(site: Deployment, tmp_path: Path) -> None:
    site.set(**SETTINGS, jupyterhub_allowed_users=["ada", "bob"])
    site.run("site").assert_done()
    for name in ("ada", "bob-old", "eve"):
        folder = tmp_path / "home" / f"jupyter-{name}"
        folder.mkdir(parents=True)
        (folder / "kept.txt").write_text(f"the work of {name}")
        subprocess.run(as_root(["chown", "-R", "1001:1001", str(folder)]), check=True)
    (tmp_path / "names.csv").write_text("old;new\nbob-old;bob\n")
    options = [
        *("-e", "migrate_from=tljh", "-e", f"migrate_root={tmp_path}/home"),
        *("-e", f"migrate_names_file={tmp_path}/names.csv"),
    ]
    refused = site.run("migrate_homes", *options, name="migrate-refused")
    assert refused.code != 0
    assert "jupyter-eve (no account 'eve')" in refused.flat()
    with (tmp_path / "names.csv").open("a") as table:
        table.write("eve;\n")
    shown = site.run("migrate_homes", "--check", *options, name="migrate-check").assert_done().flat()
    assert "ada (from jupyter-ada): 1 files" in shown
    done = site.run("migrate_homes", *options, name="migrate").assert_done().flat()
    assert "bob (from jupyter-bob-old): 1 files" in done
    for name, content in (("ada", "the work of ada"), ("bob", "the work of bob-old")):
        user = UserClient(site.url, site.token, name)
        user.start()
        assert user.read("kept.txt")["content"] == content
        user.write("kept.txt", "and more")
        user.stop()
    site.run("migrate_homes", *options, name="migrate-again").assert_unchanged()
