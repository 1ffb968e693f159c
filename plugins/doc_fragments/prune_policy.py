# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations


class ModuleDocFragment:
    """What engine_usage and engine_prune take alike: POLICY_SPEC of module_utils/usage/policy.py."""

    DOCUMENTATION = r"""
options:
  repository_prefix:
    description: Prefix of the image names.
    type: str
    default: galilean
  wanted:
    description: Full references of the images of the current settings, from M(galilean.hub.image).
    type: list
    elements: str
    default: []
  keep:
    description: Number of versions of each image to keep, including the wanted one, in addition to those in use. V(0) keeps all.
    type: int
    default: 3
  software_keep:
    description: Number of versions of each software volume to keep, in addition to those in use. V(0) keeps all complete ones.
    type: int
    default: 0
  cache_keep_gib:
    description: Maximum size of the build cache in GiB. V(0) means no limit.
    type: float
    default: 0
  cache_keep_days:
    description: Days for which the build cache keeps unused records. V(0) means no limit.
    type: float
    default: 0
  foreign:
    description: Whether to include untagged images and build cache that do not belong to this collection.
    type: bool
    default: false
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
"""
