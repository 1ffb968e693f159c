# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Day-2 commands of one hub instance, on its host and without Ansible: the standard library and the docker client only."""
