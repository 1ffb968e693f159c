# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

DOCUMENTATION = r"""
name: hub_config_data
short_description: Render the configuration data of a hub
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Renders the settings of the role P(galilean.hub.jupyterhub#role) into traits of JupyterHub and its spawner.
  - The result contains no secrets. M(galilean.hub.hub_config) checks and writes it.
positional: _input
options:
  _input:
    description: Names and paths of the instance, from P(galilean.hub.settings#lookup) for V(instance).
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
      description: Version of the data format.
      type: int
    image:
      description: Image of the hub.
      type: str
    culler:
      description: Options of the idle culler, V(null) when it is off.
      type: dict
    web_live:
      description: Whether templates are read again for each page, for work on the branding.
      type: bool
    traits:
      description: Values by class and trait.
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
