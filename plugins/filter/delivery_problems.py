# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: delivery_problems
short_description: What is wrong with the settings of how images come to hosts
version_added: 0.2.0
author: galilean.hub contributors (@galilean)
description:
  - Checks the settings for the delivery of images and for what is kept of them, before a host is touched.
positional: _input
options:
  _input:
    description:
      - The settings of the C(images) role that begin with C(images_delivery), C(images_registry), C(images_keep) and
        C(images_cache_keep), without C(images_).
    type: dict
    required: true
  parents:
    description: What images are built on, by name or full reference.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Refuse a registry that is none
  ansible.builtin.assert:
    that: "{'delivery': 'registry', 'registry': 'https://registry.example.org'} | galilean.hub.delivery_problems | length == 0"
"""

RETURN = r"""
_value:
  description: One sentence for each problem, with the setting, the value and the fix. Empty when there is none.
  type: list
  elements: str
"""


def delivery_problems_filter(settings: t.Any, parents: t.Any = ()) -> list[str]:
    """Filter wrapper: checks the type, then asks the pure code."""
    from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_settings import (
        delivery_problems,
    )

    plain = to_plain(settings)
    if not isinstance(plain, dict):
        raise AnsibleFilterError(
            f"The galilean.hub.delivery_problems input must be a mapping, not {type(plain).__name__}."
        )
    return delivery_problems(plain, to_plain(list(parents)))


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"delivery_problems": delivery_problems_filter}
