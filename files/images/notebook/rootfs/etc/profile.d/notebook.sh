# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Terminals are login shells, and /etc/profile has just reset PATH.
PATH="${HOME}/.local/bin:${PATH}"
