# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the roles wrote down for this instance."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from pathlib import Path


class Problem(Exception):
    """One sentence for the operator: what is wrong, the value, and what to do."""


@dataclasses.dataclass(frozen=True)
class Certbot:
    """All of certbot.json, which the role certbot writes.

    command: certbot itself; config: its configuration file; environment: set for it; names: what the certificate shall
    hold; key_type: ecdsa or rsa; directory: address of the ACME directory; lineage: its folder below certbot's live/.
    """

    command: list[str]
    config: str
    environment: dict[str, str]
    names: list[str]
    key_type: str
    directory: str
    lineage: str


@dataclasses.dataclass(frozen=True)
class Settings:
    """All of settings.json, which the role edge writes.

    instance: name of the hub instance; mode: edge_tls_mode; server_name: the name that a browser asks for, empty for none;
    edge_dir: folder that nginx reads; group: its group's number; container: nginx's container; docker: the docker command;
    host, port: where nginx answers from the host itself; proxy_protocol: whether it speaks that there; tls_conf: text of tls.conf
    with PAIR for the pair's file name, empty where nginx reads the pair at each handshake; metrics_file: for Prometheus' node
    exporter, empty for none; warn_days: edge_tls_warn_days; patience: seconds for nginx to load something.
    """

    instance: str
    mode: str
    server_name: str
    edge_dir: str
    group: int
    container: str
    docker: list[str]
    host: str
    port: int
    tls_conf: str
    proxy_protocol: bool = False
    metrics_file: str = ""
    warn_days: int = 0
    patience: float = 20.0
    # Where all of this is, and what the status is written beside.
    folder: str = ""

    def certbot(self) -> Certbot:
        """The settings of certbot; raises Problem when it does not care for this instance."""
        if self.mode != "acme":
            raise Problem(
                f"The instance {self.instance} has no certbot: edge_tls_mode is {self.mode!r}, not 'acme'."
            )
        return Certbot(**_read(Path(self.folder) / "certbot.json", "certbot"))


def load(folder: str) -> Settings:
    """Read settings.json of a folder; raises Problem when it is not there or not ours."""
    return Settings(**{**_read(Path(folder) / "settings.json", "edge"), "folder": folder})


def _read(path: Path, role: str) -> dict[str, t.Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise Problem(f"{path} cannot be used ({exc}): run the role galilean.hub.{role} again.") from exc
    return t.cast("dict[str, t.Any]", found)
