# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

DOCUMENTATION = r"""
name: public_address
short_description: Remove user and password from a URL
version_added: 0.7.0
author: galilean.hub contributors (@galilean)
description:
  - Returns the part of a URL that is safe to show.
positional: _input
options:
  _input:
    description: The URL.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show a mirror
  ansible.builtin.debug:
    msg: "{{ images_base_mirror | galilean.hub.public_address }}"
"""

RETURN = r"""
_value:
  description: The URL.
  type: str
"""


def public_address_filter(url: t.Any) -> str:
    """Filter wrapper: without the part that ends with the last @ of the host."""
    scheme, mark, rest = str(url).partition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}" if mark else str(url)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"public_address": public_address_filter}
