# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Backups and drills on a server with systemd: the timer, the journal, a night that was missed."""

from __future__ import annotations

import json
import time
import typing as t

import pytest
from deployment import wait_until
from machine import Machine

pytestmark = pytest.mark.slow

DROP_IN = "/run/systemd/system/hub-backup.timer.d"


@pytest.fixture(scope="module", autouse=True)
def backed_up(machine: Machine) -> t.Iterator[None]:
    machine.sh("mkdir -p /mnt/backup")
    machine.set(backup_repository="/mnt/backup/hub", backup_password="of the tests, long")
    machine.run("site", name="chaos-backup").assert_done()
    yield
    machine.set()
    machine.run("site", name="chaos-without-backup").assert_done()


def status(machine: Machine) -> dict[str, t.Any]:
    return dict(json.loads(machine.sh("/srv/hub/bin/backup status")))


def good(machine: Machine) -> str:
    return str((status(machine).get("good") or {}).get("snapshot", ""))


def test_the_timer_makes_a_backup(machine: Machine) -> None:
    assert machine.sh("systemctl is-enabled hub-backup.timer") == "enabled"
    when = time.strftime("%H:%M:%S", time.gmtime(int(machine.sh("date +%s")) + 5))
    # The same timer, with a nearer time.
    machine.sh(
        f"mkdir -p {DROP_IN}; printf '[Timer]\\nOnCalendar=\\nOnCalendar={when} UTC\\nAccuracySec=1s\\n' "
        f">{DROP_IN}/soon.conf;"
        "systemctl daemon-reload; systemctl restart hub-backup.timer"
    )
    wait_until(lambda: bool(good(machine)), 60, "a backup by the timer")
    machine.sh(f"rm -r {DROP_IN}; systemctl daemon-reload; systemctl restart hub-backup.timer")
    wait_until(
        lambda: machine.sh("systemctl show --value --property=ActiveState hub-backup") == "inactive",
        60,
        "its end",
    )
    assert machine.sh("systemctl show --value --property=Result hub-backup") == "success"
    assert "Snapshot" in machine.sh("journalctl --unit=hub-backup --output=cat")


def test_a_failure_is_in_the_journal(machine: Machine) -> None:
    last = good(machine)
    machine.sh("mv /mnt/backup /mnt/away")
    try:
        machine.sh("systemctl start hub-backup.service", check=False)
        assert machine.sh("systemctl is-failed hub-backup.service") == "failed"
        assert "there is no folder /mnt/backup" in machine.sh(
            "journalctl --unit=hub-backup --output=cat --lines=5"
        )
        found = status(machine)
        assert (found["ok"], found["good"]["snapshot"]) == (False, last)
    finally:
        machine.sh("mv /mnt/away /mnt/backup")
    machine.sh("systemctl start hub-backup.service")
    assert good(machine) != last


def test_a_night_that_was_missed_is_made_good(machine: Machine) -> None:
    """The host was off at that time."""
    last = good(machine)
    machine.sh(
        "systemctl stop hub-backup.timer;"
        "touch --date='2 days ago' /var/lib/systemd/timers/stamp-hub-backup.timer"
    )
    machine.reboot()
    wait_until(lambda: good(machine) != last, 120, "the backup after the boot")


def test_a_drill_leaves_no_unit(machine: Machine) -> None:
    before = machine.state()
    assert "is removed again" in machine.run("drill", name="chaos-drill").assert_done().flat()
    assert machine.state() == before
    assert not machine.sh(
        "systemctl list-units --all --plain --no-legend 'hub-drill*';find /etc/systemd/system -name '*drill*'"
    )
