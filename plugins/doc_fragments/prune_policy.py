# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations


class ModuleDocFragment:
    """What engine_usage and engine_prune take alike: POLICY_SPEC of module_utils/usage/policy.py."""

    DOCUMENTATION = r"""
options:
  repository_prefix:
    description: What stands before the names of the images that are meant.
    type: str
    default: galilean
  wanted:
    description: Full references of the images that the current settings want, as M(galilean.hub.image) returns them.
    type: list
    elements: str
    default: []
  keep:
    description: How many versions of each image to keep, the wanted one included, beside those in use. V(0) keeps all.
    type: int
    default: 3
  software_keep:
    description: How many versions of each software volume to keep, beside those in use. V(0) keeps all that were finished.
    type: int
    default: 0
  cache_keep_gib:
    description: How many GiB the build cache may take. V(0) is no limit.
    type: float
    default: 0
  cache_keep_days:
    description: For how many days the build cache keeps what is not used. V(0) is no limit.
    type: float
    default: 0
  foreign:
    description: Whether images without a name and the build cache count that are not ours.
    type: bool
    default: false
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
"""
