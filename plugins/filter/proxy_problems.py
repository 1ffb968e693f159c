# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: proxy_problems
short_description: What is wrong with the addresses of a proxy and of package indexes
version_added: 0.7.0
author: galilean.hub contributors (@galilean)
description:
  - Checks addresses that may have a user and a password in them, which it does not show.
positional: _input
options:
  _input:
    description: What is to be checked of C(http_proxy), C(https_proxy), C(no_proxy), C(pypi), C(npm) and C(mirror).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse a proxy that no program can use
  ansible.builtin.assert:
    that: "{'http_proxy': bootstrap_http_proxy} | galilean.hub.proxy_problems | length == 0"
"""

RETURN = r"""
_value:
  description: One sentence for each problem, with the setting, the value and the fix. Empty when there is none.
  type: list
  elements: str
"""


def _problems(settings: dict[str, t.Any]) -> list[str]:
    from ansible_collections.galilean.hub.plugins.module_utils.core.proxy import problems

    return problems(settings)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"proxy_problems": of_mapping("proxy_problems", _problems)}
