# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: catalog_images
short_description: The images of a catalog, parents first
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Checks a catalog of images and gives the list of those to build, parents first, as M(galilean.hub.image) takes it.
  - The first one is the base, when an image is built on it.
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
    description:
      - An C(image) of a registry or an C(archive) for the base, where it is not bootstrapped.
      - Otherwise the options of M(galilean.hub.image) for a bootstrap.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show which images there are to be
  ansible.builtin.debug:
    msg: >-
      {{ [{'name': 'hub', 'parent': 'hub-core'}, {'name': 'hub-core'}, {'name': 'proxy'}]
      | galilean.hub.catalog_images | map(attribute='name') }}
  # ['base', 'hub-core', 'proxy', 'hub']
"""

RETURN = r"""
_value:
  description:
    - The images with the options of M(galilean.hub.image).
    - Beside these, C(file) is what has to exist on the controller (or nothing), and C(stack) and C(internal) come from the entry.
  type: list
  elements: dict
"""


def catalog_images_filter(
    catalog: t.Any, extra: t.Any = (), stack: str = "", files_path: str = "", base: t.Any = None
) -> list[dict[str, t.Any]]:
    """Filter wrapper: checks the type, and turns HubError into the error that Ansible shows as one sentence."""
    from ansible_collections.galilean.hub.plugins.module_utils.catalog.catalog import catalog_images

    plain, plain_extra = to_plain(catalog), to_plain(extra)
    for value in (plain, plain_extra):
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise AnsibleFilterError(
                f"The galilean.hub.catalog_images input must be a list of dictionaries, not {value!r}."
            )
    try:
        return catalog_images(plain, plain_extra, str(stack or ""), str(files_path), to_plain(base or {}))
    except HubError as exc:
        raise AnsibleFilterError(exc.message) from exc


class FilterModule:
    """One filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"catalog_images": catalog_images_filter}
