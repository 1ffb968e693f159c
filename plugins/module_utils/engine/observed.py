# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Images and volumes as the engine reports them."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

# A label of each image that was built here: what it was built from.
LABEL_INPUTS = "galilean.hub.inputs"


@dataclass(frozen=True)
class ObservedImage:
    """One image as the engine has it."""

    id: str
    labels: dict[str, str] = field(default_factory=dict)
    size: int = 0

    @property
    def inputs(self) -> dict[str, str]:
        try:
            inputs = json.loads(self.labels.get(LABEL_INPUTS, "{}"))
        except ValueError:
            return {}
        return inputs if isinstance(inputs, dict) else {}


@dataclass(frozen=True)
class ObservedVolume:
    """One volume as the engine has it; ``sealed`` is what its marker says, None without a marker."""

    name: str
    labels: dict[str, str] = field(default_factory=dict)
    mountpoint: str = ""
    created: str = ""
    sealed: dict[str, t.Any] | None = None
    users: tuple[str, ...] = ()
