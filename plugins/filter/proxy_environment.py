# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: proxy_environment
short_description: The variables of a proxy
version_added: 0.7.0
author: galilean.hub contributors (@galilean)
description:
  - What programs read a proxy from, C(http_proxy), C(https_proxy) and C(no_proxy), with all that is reached without it.
  - Passwords in them are escaped so that every program reads the same.
positional: _input
options:
  _input:
    description: Address of the proxy for addresses with C(http). Empty for none.
    type: str
    required: true
  https:
    description: The one for addresses with C(https).
    type: str
    default: ''
  no_proxy:
    description: Names, domains, addresses and networks that are reached directly.
    type: list
    elements: str
    default: []
  networks:
    description: The same, of which the site needs to say nothing.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show what a program gets
  ansible.builtin.debug:
    msg: "{{ 'http://proxy.example.org:3128' | galilean.hub.proxy_environment(no_proxy=['.example.org']) }}"
"""

RETURN = r"""
_value:
  description: Values by variable. Empty without a proxy.
  type: dict
"""


def proxy_environment_filter(
    http: t.Any, https: t.Any = "", no_proxy: t.Any = (), networks: t.Any = ()
) -> dict[str, str]:
    """Filter wrapper: hands on to the pure code."""
    from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
    from ansible_collections.galilean.hub.plugins.module_utils.core.proxy import environment

    try:
        return environment(*[to_plain(value) for value in (http, https, no_proxy, networks)])
    except HubError as exc:
        raise AnsibleFilterError(exc.message) from exc


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"proxy_environment": proxy_environment_filter}
