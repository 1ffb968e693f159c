# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Stands between a hub and the Docker engine: it passes on what the hub's spawner needs, and denies the rest.

model.py: what the settings allow, from the hub's data file; policy.py: whether one request is allowed,
without I/O; server.py: the sockets.
"""
