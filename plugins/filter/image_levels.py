# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: image_levels
short_description: Images in the order in which they can be built
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Checks a list of images and sorts it into levels. The images of one level need only images of the levels before it,
    so they can be built at the same time.
  - The first level holds the base, when an image stands on it.
  - What an entry lists as packages, kernels, files, environment and commands becomes the text of a Dockerfile; on an image
    C(<name>-plain) when the entry has a Dockerfile of its own, too.
positional: _input
options:
  _input:
    description:
      - The images, with the keys that the role C(images) documents for C(images_catalog).
      - A C(parent) is the name of another image, V(base), or the full reference of an image that is there already.
    type: list
    elements: dict
    required: true
  extra:
    description: Further images, or changes to those of the same name.
    type: list
    elements: dict
    default: []
  stack:
    description: The software stack to have. Others that are marked with C(stack) are left out.
    type: str
    default: ''
  files_path:
    description: The folder that holds a folder for each image that does not give its own C(path).
    type: path
    default: ''
  base:
    description: An C(image) of a registry or an C(archive) for the base, instead of a bootstrap.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show what can be built at the same time
  ansible.builtin.debug:
    msg: >-
      {{ [{'name': 'hub', 'parent': 'hub-core'}, {'name': 'hub-core'}, {'name': 'proxy'}]
      | galilean.hub.image_levels | map('map', attribute='name') }}
  # [['base'], ['hub-core', 'proxy'], ['hub']]
"""

RETURN = r"""
_value:
  description:
    - A list for each level, with its images as M(galilean.hub.image_plan) takes them.
    - Beside these keys, C(file) is what has to exist on the controller (or nothing), C(stack) and C(internal) come from the
      entry, and C(awaited) tells whether others are built on the image.
  type: list
  elements: list
"""


def image_levels_filter(
    catalog: t.Any, extra: t.Any = (), stack: str = "", files_path: str = "", base: t.Any = None
) -> list[list[dict[str, t.Any]]]:
    """Filter wrapper: checks the type, and turns HubError into the error that Ansible shows as one sentence."""
    from ansible_collections.galilean.hub.plugins.module_utils.catalog.catalog import image_levels

    plain, plain_extra = to_plain(catalog), to_plain(extra)
    for value in (plain, plain_extra):
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise AnsibleFilterError(
                f"The galilean.hub.image_levels input must be a list of dictionaries, not {value!r}."
            )
    try:
        return image_levels(plain, plain_extra, str(stack or ""), str(files_path), to_plain(base or {}))
    except HubError as exc:
        raise AnsibleFilterError(exc.message) from exc


class FilterModule:
    """One filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"image_levels": image_levels_filter}
