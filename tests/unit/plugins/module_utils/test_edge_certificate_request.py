# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.edge.certificate_request import certificate_request


@pytest.mark.parametrize(
    ("names", "alternative", "limits"),
    [
        (["hub.example.org"], ["DNS:hub.example.org"], ["DNS:hub.example.org"]),
        (["*.example.org", "example.org"], ["DNS:*.example.org", "DNS:example.org"], ["DNS:example.org"]),
        (["192.0.2.7"], ["IP:192.0.2.7"], ["IP:192.0.2.7/32"]),
        (["2001:db8:0::1"], ["IP:2001:db8::1"], ["IP:2001:db8::1/128"]),
        ([], [], []),
    ],
)
def test_names(names: list[str], alternative: list[str], limits: list[str]) -> None:
    assert certificate_request(names) == {"subject_alt_name": alternative, "name_constraints": limits}
