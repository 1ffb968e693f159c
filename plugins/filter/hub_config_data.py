# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

DOCUMENTATION = r"""
name: hub_config_data
short_description: Settings of a hub as the data file that its image loads
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Renders the settings of the role P(galilean.hub.jupyterhub#role) into the traits of JupyterHub and its spawner.
  - The result holds no secrets. It is what M(galilean.hub.hub_config) checks and writes.
positional: _input
options:
  _input:
    description: The instance's names and paths, as P(galilean.hub.settings#lookup) gives them for V(instance).
    type: dict
    required: true
  settings:
    description: The role's settings without their prefix, with all defaults applied.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the hub's data
  ansible.builtin.debug:
    msg: "{{ __jupyterhub_layout | galilean.hub.hub_config_data(settings=__jupyterhub_settings) }}"
"""

RETURN = r"""
_value:
  description: The data; RV(_value.traits) maps classes to their traits.
  type: dict
  contains:
    schema:
      description: Version of the form of the data.
      type: int
    image:
      description: Image of the hub that the data is for.
      type: str
    culler:
      description: Options of the idle culler, V(null) when it is off.
      type: dict
    web_live:
      description: Whether templates are read again for each page, because somebody works on them.
      type: bool
    traits:
      description: Names of classes to names of traits to values.
      type: dict
"""


def hub_config_data_filter(layout: t.Any, settings: t.Any) -> dict[str, t.Any]:
    """Filter wrapper: checks the types and turns HubError into the error that Ansible shows as one sentence."""
    from ansible_collections.galilean.hub.plugins.module_utils.hub.config_data import hub_config_data

    for name, value in (("input", layout), ("settings", settings)):
        if not isinstance(value, dict):
            raise AnsibleFilterError(
                f"The galilean.hub.hub_config_data {name} must be a dictionary, not {type(value).__name__}"
            )
    try:
        return hub_config_data(layout, settings)
    except HubError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"hub_config_data": hub_config_data_filter}
