# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t
from datetime import datetime, timezone

from ansible_collections.galilean.hub.plugins.plugin_utils._file_content import file_content
from ansible_collections.galilean.hub.plugins.plugin_utils._of_mapping import of_mapping

DOCUMENTATION = r"""
name: access_problems
short_description: What is wrong with a hub's groups, environments, folders and approvals
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - Checks what the types of the settings cannot say, such as an environment for a group that nobody can be in.
  - Used by the preflight of the role P(galilean.hub.jupyterhub#role).
options:
  _input:
    description:
      - The role's variables C(groups), C(approval), C(profiles), C(shared_folders), C(data_mounts) and C(repositories), without
        C(jupyterhub_), with C(login) as P(galilean.hub.login_problems#filter) takes it, and C(images) as name of the image to the
        image that it stands for. The list that C(approval.file) names is read.
      - C(approvals_before) may have the list that counts on the host, as P(ansible.builtin.slurp#module) gives it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse environments that nobody could choose
  ansible.builtin.assert:
    that: settings | galilean.hub.access_problems | length == 0
"""

RETURN = r"""
_value:
  description: One sentence for each problem, without its full stop. Empty when there is none.
  type: list
  elements: str
  sample: ["jupyterhub_approval lacks source: give file, url, script or endpoint"]
"""


def judged(settings: dict[str, t.Any]) -> list[str]:
    """The pure code's answer."""
    import base64

    from ansible_collections.galilean.hub.plugins.module_utils.authorization.access_settings import (
        access_problems,
        approved_problems,
    )

    before = base64.b64decode(settings.get("approvals_before") or "")
    content = file_content(settings["approval"].get("file"))
    found = access_problems(settings)
    # A file that is not there is told where its path is checked.
    if content is not None:
        found += approved_problems(settings["approval"], content, before, datetime.now(timezone.utc))
    return found


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"access_problems": of_mapping("access_problems", judged)}
