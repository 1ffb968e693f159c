# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations


class ModuleDocFragment:
    # Which hub is meant, and with what token; the options are in module_utils/hub/connection.py.
    DOCUMENTATION = r"""
options:
  url:
    description:
      - Address of the hub, with its path below the host if it has one. The public one, or that of the hub itself where it is in reach.
    type: str
    required: true
  token:
    description:
      - Token of a service or an administrator. What it must be allowed is said in the module's description.
      - Exactly one of O(token) and O(token_path) is needed.
    type: str
  token_path:
    description: File on the host that holds the token.
    type: path
  validate_certs:
    description: Whether the certificate of an C(https) address must be valid.
    type: bool
    default: true
  ca_path:
    description: File of certificates to trust in place of the system's, as for a test authority.
    type: path
  ca_content:
    description: The same as text, for certificates that are not on the host. Other blocks than certificates are passed over.
    type: str
"""
