# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A new server has what it needs, and nothing else."""

from __future__ import annotations

import re

from testinfra.host import Host

KEY = "Unattended-Upgrade::"


def has_systemd(host: Host) -> bool:
    return bool(host.file("/run/systemd/system").exists)


def test_python_can_install_packages(host: Host) -> None:
    assert host.check_output("/usr/bin/python3 -c 'import apt_pkg; print(apt_pkg.VERSION)'")


def test_the_time_is_that_of_the_zone(host: Host) -> None:
    assert host.check_output("readlink /etc/localtime") == "/usr/share/zoneinfo/Europe/Rome"
    assert host.check_output("date --date=2026-07-01T00:00:00Z +%Z%z") == "CEST+0200"
    if host.file("/etc/timezone").exists:
        assert host.file("/etc/timezone").content_string == "Europe/Rome\n"


def test_something_keeps_the_clock_where_that_can_be(host: Host) -> None:
    installed = host.package("systemd-timesyncd").is_installed
    assert installed is has_systemd(host)
    if installed:
        assert host.service("systemd-timesyncd").is_enabled
        # A container has no clock of its own: the unit says so, and that is no failure.
        assert "container" in host.check_output("systemctl cat systemd-timesyncd.service")


def test_new_logins_have_the_language(host: Host) -> None:
    path = host.check_output("realpath /etc/default/locale")
    assert "LANG=C.UTF-8" in host.file(path).content_string.splitlines()
    assert host.check_output("LC_ALL=C.UTF-8 locale charmap") == "UTF-8"
    assert not host.package("locales").is_installed


def test_upgrades_come_from_the_security_origin_only(host: Host) -> None:
    """By the program itself, as its timer starts it."""
    codename = host.check_output(". /etc/os-release; echo $VERSION_CODENAME")
    run = host.run("unattended-upgrade --dry-run --verbose")
    assert run.rc == 0, run.stdout + run.stderr
    said = re.search(r"Allowed origins are: (.*)", run.stdout + run.stderr)
    assert said, run.stdout + run.stderr
    assert said[1].strip() == f"origin=Debian,codename={codename}-security,label=Debian-Security"
    options = host.check_output("apt-config dump").splitlines()
    assert 'APT::Periodic::Unattended-Upgrade "1";' in options
    assert 'APT::Periodic::Update-Package-Lists "1";' in options


def test_it_restarts_by_itself_only_where_it_is_told_when(host: Host) -> None:
    options = host.check_output("apt-config dump").splitlines()
    told = "trixie" in host.check_output("cat /etc/os-release")
    assert f'{KEY}Automatic-Reboot "{"true" if told else "false"}";' in options
    times = [line for line in options if line.startswith(f"{KEY}Automatic-Reboot-Time ")]
    assert times == ([f'{KEY}Automatic-Reboot-Time "04:30";'] if told else [])


def test_there_is_no_swap_file_of_ours(host: Host) -> None:
    assert not host.file("/var/lib/galilean-hub/swapfile").exists
    assert "swap" not in host.check_output("cat /etc/fstab")
    now = host.check_output("cat /proc/sys/vm/swappiness")
    assert f"vm.swappiness = {now}\n" in host.file("/etc/sysctl.d/60-galilean-hub-swap.conf").content_string


def test_nothing_else_was_installed(host: Host) -> None:
    """By the package manager's own account of what was asked for."""
    history = host.file("/var/log/apt/history.log").content_string
    installed = re.findall(
        r"[ ,]([a-z0-9.+-]+):\w+ \(([^)]*)\)", "".join(re.findall(r"^Install:.*", history, re.MULTILINE))
    )
    asked = {name for name, version in installed if "automatic" not in version}
    assert {"python3", "python3-apt", "unattended-upgrades"} <= asked
    assert asked <= {"python3", "python3-apt", "unattended-upgrades", "tzdata", "systemd-timesyncd"}
