# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import datetime
import typing as t

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: certificate_problems
short_description: What keeps a certificate and a key from serving together
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Checks that the first certificate of a PEM text is valid today and for certain names, that the key belongs to it, and that
    the others follow in their order.
  - Used by the role P(galilean.hub.edge#role) before the pair replaces the one in use. The key is never quoted.
  - Needs the Python library cryptography on the controller, which ansible-core brings.
positional: _input, key
options:
  _input:
    description: The server's certificate in PEM form, followed by the intermediate ones.
    type: str
    required: true
  key:
    description: The private key in PEM form, without a password.
    type: str
    required: true
  names:
    description:
      - Host names and addresses that the certificate must hold. A star in it stands for one label.
    type: list
    elements: str
    default: []
    version_added: 0.4.0
  now:
    description:
      - Moment to check for, in ISO 8601 form with its offset.
      - Empty for the present one.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Refuse a certificate that cannot serve
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join('; ') }}."
  vars:
    problems: "{{ lookup('file', '/etc/hub.crt') | galilean.hub.certificate_problems(lookup('file', '/etc/hub.key')) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each problem, without its full stop. Empty when there is none.
  type: list
  elements: str
  sample: ["edge_tls_certificate ended on 2026-01-31: give one that is valid today"]
"""


def certificate_problems_filter(
    certificate: t.Any, key: t.Any, now: str = "", names: t.Sequence[str] = ()
) -> list[str]:
    """Filter wrapper: checks the inputs' types and asks the clock."""
    from ansible_collections.galilean.hub.plugins.module_utils.edge.certificate import (
        HAS_CRYPTOGRAPHY,
        certificate_problems,
    )

    if not isinstance(certificate, str) or not isinstance(key, str):
        raise AnsibleFilterError(
            "The galilean.hub.certificate_problems inputs must both be strings in PEM form"
        )
    if not HAS_CRYPTOGRAPHY:
        raise AnsibleFilterError(
            "galilean.hub.certificate_problems needs the Python library cryptography here"
        )
    try:
        moment = (
            datetime.datetime.fromisoformat(str(now)) if now else datetime.datetime.now(datetime.timezone.utc)
        )
    except ValueError as exc:
        raise AnsibleFilterError(
            f"galilean.hub.certificate_problems: now is {str(now)!r}, not an ISO 8601 time"
        ) from exc
    return certificate_problems(str(certificate), str(key), moment, [str(name) for name in names])


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"certificate_problems": certificate_problems_filter}
