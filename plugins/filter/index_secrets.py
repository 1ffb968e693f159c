# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: index_secrets
short_description: Render package index settings as build secrets
version_added: 0.7.0
author: galilean.hub contributors (@galilean)
description:
  - Returns the texts of the configuration files in which pip, uv, npm and apt find an index and its password.
positional: _input
options:
  _input:
    description: URLs in C(pypi), C(npm) and C(mirror), with user and password if needed.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Build with an index of the site's own
  galilean.hub.image:
    name: mine
    path: /root/mine
    secret_texts: "{{ {'pypi': images_pypi_index} | galilean.hub.index_secrets }}"
"""

RETURN = r"""
_value:
  description: Texts by ID of the secret, C(pip), C(uv), C(npm) and C(apt). Unneeded ones are omitted.
  type: dict
"""


def _secrets(settings: dict[str, t.Any]) -> dict[str, str]:
    from ansible_collections.galilean.hub.plugins.module_utils.core.proxy import build_secrets

    return build_secrets(settings)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"index_secrets": of_mapping("index_secrets", _secrets)}
