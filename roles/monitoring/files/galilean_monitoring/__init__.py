# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Gathers the metrics of a hub instance, and checks it as a user would; installed on the host by the role monitoring."""
