# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: apt_proxy
short_description: Render a proxy as apt configuration
version_added: 0.7.0
author: galilean.hub contributors (@galilean)
description:
  - Returns the text of a file for C(/etc/apt/apt.conf.d). It may contain a password.
positional: _input
options:
  _input:
    description: Result of P(galilean.hub.settings#lookup) for V(host_proxy).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Ensure apt knows the proxy
  ansible.builtin.copy:
    dest: /etc/apt/apt.conf.d/61proxy
    content: "{{ variables | galilean.hub.apt_proxy }}"
    mode: "0600"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""


def _options(variables: dict[str, t.Any]) -> str:
    from ansible_collections.galilean.hub.plugins.module_utils.core.proxy import apt_options

    return apt_options(variables)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"apt_proxy": of_mapping("apt_proxy", _options)}
