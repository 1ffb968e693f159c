# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Data services on private addresses that the attacked instance allows: beyond the host, and its own."""

from __future__ import annotations

ALLOWED_ADDRESS, ALLOWED_PORT = "10.255.77.2", 5432
HOST_ADDRESS, HOST_PORT = "10.255.77.1", 5433
ALLOWED = [
    {"address": ALLOWED_ADDRESS, "ports": [str(ALLOWED_PORT)]},
    {"address": HOST_ADDRESS, "ports": [str(HOST_PORT)]},
]
