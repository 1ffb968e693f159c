# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub's HTTP server and client: who asks, how much, and what is refused."""
