# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: branding
short_description: Render title, announcement and links for the hub's pages and JupyterLab
version_added: 0.2.0
author: galilean.hub contributors (@galilean)
description:
  - Renders settings of the role P(galilean.hub.jupyterhub#role) into the content of a file that is read for each page.
  - The hub serves the file without login. It contains text, no markup.
options:
  _input:
    description: The role's variables C(title), C(announcement) and C(links), without the prefix C(jupyterhub_web_).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what a browser gets
  ansible.builtin.debug:
    msg: "{{ {'title': 'My hub', 'announcement': '', 'links': [{'label': 'Help', 'url': '/services/help/'}]} | galilean.hub.branding }}"
"""

RETURN = r"""
_value:
  description: The content of the file.
  type: dict
  contains:
    title:
      description: Name of the hub.
      type: str
    announcement:
      description: The announcement, empty for none.
      type: str
    links:
      description: Links, each with C(label), C(url) and the C(places) where it is shown.
      type: list
      elements: dict
"""


def branding_filter(settings: t.Any) -> dict[str, t.Any]:
    """Filter wrapper: checks the input."""
    from ansible_collections.galilean.hub.plugins.module_utils.hub.branding import branding, web_problems

    if not isinstance(settings, dict):
        raise AnsibleFilterError(
            f"The galilean.hub.branding input must be a mapping, not {type(settings).__name__}"
        )
    settings = to_plain(settings)
    try:
        problems = web_problems(settings)
    except KeyError as exc:
        raise AnsibleFilterError(f"The galilean.hub.branding input lacks the key {exc}") from exc
    if problems:
        raise AnsibleFilterError("; ".join(problems))
    return branding(settings)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"branding": branding_filter}
