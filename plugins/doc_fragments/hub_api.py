# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations


class ModuleDocFragment:
    # Which hub is meant, and with what token; the options are in module_utils/hub/connection.py.
    DOCUMENTATION = r"""
options:
  url:
    description:
      - URL of the hub with its base path. Either the public URL or, if reachable, the hub's own address.
    type: str
    required: true
  token:
    description:
      - Token of a service or an administrator. The module's description lists the required scopes.
      - Exactly one of O(token) and O(token_path) is required.
    type: str
  token_path:
    description: File on the host with the token.
    type: path
  validate_certs:
    description: Whether the certificate of an C(https) URL must be valid.
    type: bool
    default: true
  ca_path:
    description: File of CA certificates to trust instead of the system's, for example of a test authority.
    type: path
  ca_content:
    description: CA certificates as text, instead of a file on the host. Other PEM blocks are ignored.
    type: str
"""
