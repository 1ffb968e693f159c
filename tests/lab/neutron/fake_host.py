# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Ports of fake servers: no agent runs on their host, so Neutron would refuse to bind them."""

from neutron_lib.plugins.ml2 import api  # type: ignore[import-not-found]

# As in settings.py, which Neutron does not see.
FAKE_HOST = "fake"


class FakeHostDriver(api.MechanismDriver):  # type: ignore[misc]
    def initialize(self) -> None:
        pass

    def bind_port(self, context: api.PortContext) -> None:
        if context.host == FAKE_HOST:
            context.set_binding(context.segments_to_bind[0][api.ID], "other", {}, status="ACTIVE")
