# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

DOCUMENTATION = r"""
name: catalog_images
short_description: List the images of a catalog, parents first
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Checks a catalog of images and returns the list of images to build for M(galilean.hub.image), parents first.
  - The first one is the base image, if an image is built on it.
  - Packages, kernels, files, environment and commands of an entry become the text of a Dockerfile. If the entry also has its own
    Dockerfile, that one builds C(<name>-plain), the parent of the image.
positional: _input
options:
  _input:
    description:
      - The images, with the keys of C(images_catalog) in the role C(images).
      - A C(parent) is the name of another image, V(base), or the full reference of an existing image.
    type: list
    elements: dict
    required: true
  extra:
    description: Further images, or changes to images with the same name.
    type: list
    elements: dict
    default: []
  stack:
    description: Name of the software stack to build. Other images with C(stack) are omitted.
    type: str
    default: ''
  files_path:
    description: Folder with a subfolder for each image without C(path).
    type: path
    default: ''
  base:
    description:
      - C(image) of a registry or C(archive) for the base image, if it is not bootstrapped.
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
    - In addition, C(file) is the path that must exist on the controller (or nothing). C(stack) and C(internal) come from the entry.
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
