# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Writes a file that holds a secret."""

from __future__ import annotations

import os
import tempfile

from ansible.module_utils.basic import AnsibleModule


def write(module: AnsibleModule, path: str, text: str) -> None:
    """The file appears whole or not at all. A new one has mode 0600, one that was there keeps owner and mode."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    module.atomic_move(temporary, path)
