# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What galilean.hub adds to JupyterHub: a configuration loader, a spawner and a check of settings."""
