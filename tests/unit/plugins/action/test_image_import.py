# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which folders on a host are whose; sending is tested on hosts in molecule/delivery."""

from __future__ import annotations

import os

from ansible_collections.galilean.hub.plugins.action.image_import import folder_name, over
from ansible_collections.galilean.hub.plugins.module_utils.core.runs import controller_id, run_token


def test_folders_of_runs() -> None:
    mine = folder_name(run_token(os.getpid()), "one")
    assert mine != folder_name(run_token(os.getpid()), "two"), "two names of one machine"
    ended = folder_name("999999999-1", "one")
    another = ended.replace(controller_id(), "0" * 12)
    assert over([mine, ended, another, "notes", "a.b"]) == [ended]
