# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: edge_headers
short_description: Merge the security headers of the edge
version_added: 0.4.0
author: galilean.hub contributors (@galilean)
description:
  - Merges the operator's headers over the edge's default headers. Names are case-insensitive.
  - Used by the role P(galilean.hub.edge#role).
options:
  _input:
    description: Headers by name. A header with an empty value is not sent.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the headers
  ansible.builtin.debug:
    msg: "{{ {'X-Frame-Options': 'DENY', 'Permissions-Policy': ''} | galilean.hub.edge_headers }}"
"""

RETURN = r"""
_value:
  description:
    - The headers, sorted by name. C(variable) is the name in nginx variables, C(value) is escaped for quotes in nginx.
    - With C(fill), the header is only added to responses without it.
  type: list
  elements: dict
  sample: [{name: Referrer-Policy, variable: referrer_policy, value: same-origin, fill: true}]
"""


def edge_headers_filter(given: t.Any) -> list[dict[str, t.Any]]:
    """Filter wrapper: checks the input's type."""
    from ansible_collections.galilean.hub.plugins.module_utils.edge.headers import edge_headers

    if not isinstance(given, dict):
        raise AnsibleFilterError(
            f"The galilean.hub.edge_headers input must be a mapping, not {type(given).__name__}"
        )
    return edge_headers(to_plain(given))


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"edge_headers": edge_headers_filter}
