# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the role has written for this program, and what is wrong in one sentence."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from pathlib import Path


class Problem(Exception):
    """One sentence for the operator: what is wrong, the value, and what to do."""


class Busy(Problem):
    """Somebody else is at it: to be tried again later."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """All of settings.json.

    instance: name of the hub instance; version: of the collection; url: where browsers find the hub, direct_url: where this host does;
    docker: the docker command; start_command: what starts a stopped instance; containers: for each part name, image and state (a label, empty
    for none) as deployed; announcement: the one of the settings; notice: what stays whatever is announced; tls: whether the edge has a
    certificate; check: what the check does, with the certificates to trust, as text or as a path; all others are folders.
    """

    instance: str
    version: str
    url: str
    direct_url: str
    docker: list[str]
    start_command: str
    containers: dict[str, dict[str, str]]
    announcement: str
    tls: bool
    check: dict[str, t.Any]
    state_dir: str
    config_dir: str
    secrets_dir: str
    edge_dir: str
    disk_dir: str
    log_dir: str
    bin_dir: str
    notice: str = ""
    # Where all of this is.
    folder: str = ""

    def program(self, name: str) -> Path:
        """Another program of the instance, which may not be there."""
        return Path(self.bin_dir) / name


def load(folder: str) -> Settings:
    """Read settings.json of a folder; raises Problem when it is not there or not ours."""
    path = Path(folder) / "settings.json"
    try:
        return Settings(**{**json.loads(path.read_text(encoding="utf-8")), "folder": folder})
    except (OSError, ValueError, TypeError) as exc:
        raise Problem(f"{path} cannot be used ({exc}): run site.yml again.") from exc
