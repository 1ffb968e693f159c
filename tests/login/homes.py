# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Whose homes there are, for a run after which people are called otherwise."""

from __future__ import annotations

import json
import subprocess

from deployment import as_root, docker
from scenario import Scenario

from ansible_collections.galilean.hub.plugins.module_utils.shared.home_owners import user_today


def keep_names(story: Scenario) -> dict[str, str]:
    """A jupyterhub_rename_map by which whoever has a home keeps the name."""
    instance = story.site.instance
    filters = [f"label=galilean.hub.instance={instance}", "label=galilean.hub.role=home"]
    words = [word for label in filters for word in ("--filter", label)]
    homes = docker("volume", "ls", *words, "--format", '{{.Label "galilean.hub.user"}}').splitlines()
    argv = as_root(["cat", f"/srv/{instance}/hub/homes.json"])
    kept = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
    users = {user_today(home, json.loads(kept or "{}")) for home in homes}
    # The check has its name from a setting of its own.
    return {user: user for user in sorted(users - {"hub-check"})}
