# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: openstack_problems
short_description: What is wrong with the settings of servers on a cloud
version_added: 0.3.0
author: galilean.hub contributors (@galilean)
description:
  - Finds what is missing or does not fit together, without asking the cloud, such as two values of what a deployment has once.
  - Used by the preflight of the role P(galilean.hub.openstack#role).
options:
  _input:
    description:
      - The role's settings as each host sees them, by their full names, with the inventory's name of the host as C(host) and the
        content of the public key's file as C(public_key).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse settings that do not fit together
  ansible.builtin.assert:
    that: hosts | galilean.hub.openstack_problems | length == 0
"""

RETURN = r"""
_value:
  description: One sentence for each problem. Empty when there is none.
  type: list
  elements: str
  sample: ["hub: openstack_image is not set: name one that the cloud has (openstack image list)."]
"""


def openstack_problems(hosts: t.Any) -> list[str]:
    """Filter wrapper: checks the input's type."""
    from ansible_collections.galilean.hub.plugins.module_utils.cloud import settings

    if not isinstance(hosts, (list, tuple)):
        raise AnsibleFilterError(
            f"The galilean.hub.openstack_problems input must be a list, not {type(hosts).__name__}"
        )
    return settings.problems(to_plain(hosts))


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"openstack_problems": openstack_problems}
