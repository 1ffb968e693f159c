# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the role monitoring wrote down for this instance."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path


class Problem(Exception):
    """One sentence for the operator."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """All of settings.json.

    instance: name of the hub instance; state_dir: its folder; edge_dir: where the edge reads; host: the name that the edge is asked by;
    hub_metrics, proxy_metrics, node_metrics: addresses on this host; containers: names by part; socket: of the engine; check_minutes: between two checks.
    """

    instance: str
    state_dir: str
    edge_dir: str
    host: str
    hub_metrics: str
    proxy_metrics: str
    node_metrics: str
    containers: dict[str, str]
    socket: str
    check_minutes: int

    @property
    def state(self) -> Path:
        return Path(self.state_dir)

    @property
    def endpoint(self) -> Path:
        """What the edge serves at /_edge/metrics."""
        return Path(self.edge_dir) / "metrics.prom"

    def secret(self, name: str) -> str:
        path = self.state / "secrets" / name
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as exc:
            raise Problem(
                f"{path} cannot be read ({exc.strerror}): run site.yml again, it makes it."
            ) from exc


def load(folder: str) -> Settings:
    """Read settings.json of a folder; raises Problem when it is not there or not ours."""
    path = Path(folder) / "settings.json"
    try:
        return Settings(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as exc:
        raise Problem(f"{path} cannot be used ({exc}): run the role galilean.hub.monitoring again.") from exc
