# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Limits of homes and shared folders: the agent that measures, and the hub's part."""
