# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What looks after an instance's certificate on the hub host, without Ansible: the standard library and openssl only."""
