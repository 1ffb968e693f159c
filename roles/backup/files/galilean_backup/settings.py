# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the role backup wrote down for this instance."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path


class Problem(Exception):
    """One sentence for the operator: what is wrong, the value, and what to do."""


class Busy(Problem):
    """Another run of this program is at work."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """All of settings.json.

    instance: name of the hub instance; name: what its snapshots are called in the repository; version: of the collection;
    repository: in restic's syntax; keep: how many snapshots of each period stay, empty for all; max_age: hours; exclude: patterns of
    restic; options: further options of restic; state_dir: the instance's folder; hub_dir: the hub's
    own state; archive_dir: the archives of homes; account: name of the service account; docker: the docker command; hub_container:
    the hub's container; ssh_key, known_hosts, ca_file: paths of files on this host, empty for none; metrics_file: one more copy
    of the metrics, empty for none; password_outside: whether the password is also kept outside of this host; drill_max_age: days, 0 for none.
    """

    instance: str
    name: str
    version: str
    repository: str
    keep: dict[str, int]
    max_age: float
    exclude: list[str]
    options: list[str]
    state_dir: str
    hub_dir: str
    archive_dir: str
    account: str
    docker: list[str]
    hub_container: str
    ssh_key: str = ""
    known_hosts: str = ""
    ca_file: str = ""
    metrics_file: str = ""
    password_outside: bool = False
    drill_max_age: float = 0
    # Where all of this is.
    folder: str = ""

    @property
    def home(self) -> Path:
        return Path(self.folder)

    @property
    def password_file(self) -> Path:
        return self.home / "secrets" / "password"

    @property
    def work(self) -> Path:
        """What is made anew by each run."""
        return self.home / "work"

    def environment(self) -> dict[str, str]:
        """The secrets that the target asks for."""
        try:
            found = json.loads((self.home / "secrets" / "environment").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return {str(name): str(value) for name, value in found.items()}


def load(folder: str) -> Settings:
    """Read settings.json of a folder; raises Problem when it is not there or not ours."""
    path = Path(folder) / "settings.json"
    try:
        return Settings(**{**json.loads(path.read_text(encoding="utf-8")), "folder": folder})
    except (OSError, ValueError, TypeError) as exc:
        raise Problem(f"{path} cannot be used ({exc}): run the role galilean.hub.backup again.") from exc
