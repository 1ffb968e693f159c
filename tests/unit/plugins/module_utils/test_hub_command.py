# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.hub.command import hub_command

ROOT = "/home/ops/hub"
COMMON, LOCAL = f"{ROOT}/inventories/common", f"{ROOT}/inventories/local"


@pytest.mark.parametrize(
    ("target", "sources", "root", "given", "limit", "command"),
    [
        ("prune", [COMMON, LOCAL], ROOT, {}, "", "make prune"),
        ("teardown", [COMMON, LOCAL], ROOT, {"teardown_confirm": "hub"}, "", "make teardown CONFIRM=hub"),
        (
            "teardown",
            [COMMON, f"{ROOT}/inventories/proto/"],
            ROOT,
            {"teardown_confirm": "proto"},
            "",
            "make teardown INVENTORY=inventories/proto CONFIRM=proto",
        ),
        ("site", [COMMON, "/etc/hubs/x"], ROOT, {}, "", "make site INVENTORY=/etc/hubs/x"),
        (
            "restore_home",
            ["/x.yml", "/a/the other"],
            "",
            {"restore_user": "anna"},
            "two",
            "ansible-playbook galilean.hub.restore_home -i /x.yml -i '/a/the other' -e restore_user=anna "
            "--limit two",
        ),
        ("web-dev", ["/a/one", "/b"], ROOT, {}, "", "ansible-playbook galilean.hub.web_dev -i /a/one -i /b"),
        ("prune", [COMMON, LOCAL], ROOT, {"more": "1"}, "two", 'make prune ARGS="-e more=1 --limit two"'),
    ],
)
def test_commands_lead_to_the_hub_of_this_run(
    target: str, sources: list[str], root: str, given: dict[str, str], limit: str, command: str
) -> None:
    assert hub_command(target, sources, root, given, limit) == command
