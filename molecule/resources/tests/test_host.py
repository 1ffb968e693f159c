# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What holds on every test host after every scenario."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from testinfra.host import Host


def test_the_scenario_has_tests_of_its_own() -> None:
    """Molecule calls a scenario without tests a success."""
    assert list(Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"]).glob("tests/test_*.py"))


def test_no_unit_has_failed(host: Host) -> None:
    if not host.file("/run/systemd/system").exists:
        return
    failed = host.check_output("systemctl list-units --failed --plain --no-legend")
    if failed:
        units = " ".join(line.split()[0] for line in failed.splitlines())
        pytest.fail(f"{failed}\n{host.run(f'systemctl status --no-pager --lines 20 {units}').stdout}")
