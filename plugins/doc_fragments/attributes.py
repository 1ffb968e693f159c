# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations


class ModuleDocFragment:
    # What every module of the collection says about itself; each module fills in its own support.
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and says what would change without changing it.
  diff_mode:
    description: Says in diff mode what changed, or in check mode what would change.
  idempotent:
    description:
      - When run twice in a row outside check mode with the same arguments, the second run changes nothing.
      - This assumes that what the module manages was not changed in between by something else.
"""

    # Named beside the standard fragment by every module that is in the collection's action group.
    ACTIONGROUP_HUB = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/galilean.hub.hub) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - galilean.hub.hub
"""

    # Named beside the standard fragment by a module that only reads.
    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module changes nothing.
  diff_mode:
    support: N/A
    details:
      - This module changes nothing.
  idempotent:
    support: full
    details:
      - This module changes nothing.
"""

    # Named beside the standard fragment by a module that writes files.
    FILES = r"""
options: {}
attributes:
  safe_file_operations:
    description: Writes files through a temporary one that takes the place of the old one at once.
    support: full
"""
