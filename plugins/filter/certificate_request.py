# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: certificate_request
short_description: Format host names for a certificate signing request
version_added: 0.4.0
author: galilean.hub contributors (@galilean)
description:
  - Converts host names and addresses into options of M(community.crypto.openssl_csr_pipe), for a certificate and for an authority
    that may sign only for these names.
  - Used by the role P(galilean.hub.edge#role).
options:
  _input:
    description: Host names, including wildcards, and IP addresses.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Describe a certificate
  community.crypto.openssl_csr_pipe:
    privatekey_path: /srv/hub/certificate/local.key
    subject_alt_name: "{{ (['hub.example.org'] | galilean.hub.certificate_request).subject_alt_name }}"
"""

RETURN = r"""
_value:
  description: The two lists.
  type: dict
  contains:
    subject_alt_name:
      description: For the certificate.
      type: list
      elements: str
    name_constraints:
      description: For the authority that signs it.
      type: list
      elements: str
  sample:
    subject_alt_name: ["DNS:hub.example.org", "IP:192.0.2.7"]
    name_constraints: ["DNS:hub.example.org", "IP:192.0.2.7/32"]
"""


def certificate_request_filter(names: t.Any) -> dict[str, list[str]]:
    """Filter wrapper: checks the input's type."""
    from ansible_collections.galilean.hub.plugins.module_utils.edge.certificate_request import (
        certificate_request,
    )

    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise AnsibleFilterError("The galilean.hub.certificate_request input must be a list of names")
    return certificate_request([str(name) for name in names])


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"certificate_request": certificate_request_filter}
