# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What an owner may want to be different, and what is refused."""

from __future__ import annotations

import re
import typing as t

import pytest
from conftest import Site

SWAP = "/var/lib/docker/swapfile"
LINE = f"{SWAP} none swap sw,x-galilean-hub 0 0"
OTHER = "/var/lib/docker/others"
LIMA = {"bootstrap_timezone": "America/Lima", "bootstrap_locale": "it_IT.UTF-8"}
UPGRADES = "/etc/apt/apt.conf.d/60galilean-hub"
UNCHANGED = "rc=0 bookworm=0 initless=0 trixie=0"


@pytest.fixture
def swap(site: Site) -> t.Iterator[str]:
    """A path on a file system that takes swap files. The kernel is this machine's, too: it is given back."""
    yield SWAP
    site.do(
        "bookworm",
        f"swapoff {SWAP} {OTHER}; rm -f {SWAP}* {OTHER}; sed -i '/docker/d' /etc/fstab",
        check=False,
    )


def changes(said: str, host: str) -> int:
    """How much a run that has ended well has changed, or would change."""
    found = re.search(rf" rc=0 {host}=(\d+)$", said)
    assert found, said
    return int(found[1])


def test_a_second_run_is_quick_and_changes_nothing(site: Site) -> None:
    said = site.apply()
    assert said.endswith(UNCHANGED), said
    # Python, facts, a look: whatever else there is must be skipped.
    assert re.search(r"bookworm : ok=\d+ changed=0 unreachable=0 failed=0 skipped=1?[0-9] ", said), said


def test_check_mode_without_python_is_one_sentence(site: Site) -> None:
    site.do("bookworm", "mv /usr/bin/python3 /usr/bin/python3.away")
    try:
        said = site.apply("--check", "--limit", "bookworm")
    finally:
        site.do("bookworm", "mv /usr/bin/python3.away /usr/bin/python3")
    assert "bookworm has no Python (with python3-apt) yet: a run without --check installs it" in said
    assert said.endswith("rc=0 bookworm=1"), said
    assert "Traceback" not in said
    # The rest of the play leaves it out.
    assert "Look at the server" not in said


def test_python_that_was_half_installed_is_finished(site: Site) -> None:
    """As a run leaves it that is stopped between unpacking and setting up."""
    site.do("bookworm", "apt-get download python3-apt && dpkg --remove --force-depends python3-apt")
    site.do("bookworm", "dpkg --unpack --force-depends python3-apt_*.deb && rm python3-apt_*.deb")
    assert "unpacked" in site.do(
        "bookworm", "dpkg-query --show --showformat='${db:Status-Status}' python3-apt"
    )
    site.do("bookworm", "mv /usr/lib/python3/dist-packages/apt_pkg*.so /root/")
    try:
        site.do("bookworm", "! /usr/bin/python3 -c 'import apt_pkg'")
        # The file itself is back only where the package is installed once more.
        site.apply("--limit", "bookworm")
        assert "installed" in site.do(
            "bookworm", "dpkg-query --show --showformat='${db:Status-Status}' python3-apt"
        )
    finally:
        site.do("bookworm", "mv -n /root/apt_pkg*.so /usr/lib/python3/dist-packages/", check=False)


def test_the_first_boot_is_waited_for_and_named(site: Site) -> None:
    """By cloud-init's own word; it writes result.json when it is done."""
    install = "apt-get install -qq -y --no-install-recommends cloud-init >/dev/null 2>&1"
    begun = "mkdir -p /run/cloud-init; touch /run/cloud-init/enabled"
    site.do("trixie", f"DEBIAN_FRONTEND=noninteractive {install}; {begun}")
    still = "cloud-init is still setting the machine up"
    try:
        # A container has nothing that it would be set up from.
        site.do("trixie", "rm -f /run/cloud-init/disabled")
        assert "not started" in site.do("trixie", "cloud-init status", check=False)
        said = site.apply("--limit", "trixie", bootstrap_packages_wait=3)
        assert f"of waiting, {still}. See there what it does (cloud-init status --long)" in said, said
        assert said.endswith("rc=2 trixie=0"), said
        said = site.apply("--check", "--limit", "trixie")
        assert f"{still}: a run without --check waits" in said, said
        assert said.endswith("rc=0 trixie=0"), said
        site.do("trixie", "(sleep 20; touch /run/cloud-init/result.json) >/dev/null 2>&1 &")
        said = site.apply("--limit", "trixie")
        assert f"trixie yet, as {still}: waiting, for up to " in said, said
        assert said.endswith("rc=0 trixie=0"), said
    finally:
        site.do("trixie", "rm -rf /run/cloud-init; apt-get purge -qq -y cloud-init >/dev/null 2>&1")


def test_a_lock_is_waited_for_where_python_is_missing(site: Site) -> None:
    """As apt itself says who holds it: there is nothing else to ask on such a host."""
    lock = "held = open('/var/lib/dpkg/lock-frontend', 'w'); fcntl.lockf(held, fcntl.LOCK_EX)"
    hold = f"import fcntl, time; {lock}; time.sleep(25)"
    site.do("bookworm", f'python3 -c "{hold}" >/dev/null 2>&1 &')
    site.do("bookworm", "mv /usr/lib/python3/dist-packages/apt_pkg*.so /root/")
    try:
        said = site.apply("--limit", "bookworm")
    finally:
        site.do("bookworm", "mv -n /root/apt_pkg*.so /usr/lib/python3/dist-packages/", check=False)
    assert re.search(r"yet, as python3 \(process \d+\) holds the dpkg frontend lock: waiting", said), said
    assert "rc=0" in said, said


def test_apt_goes_through_the_proxy_that_only_root_can_read(site: Site) -> None:
    """Nothing is there to answer: what counts is whom apt asks, and what is seen of the password."""
    given = {
        "bootstrap_http_proxy": "http://ada:p%40ss%25word@127.0.0.2:9",
        "bootstrap_no_proxy": ["near.example.org"],
    }
    said = site.apply("--limit", "bookworm", **given)
    assert "which builds and containers take for themselves" in said, said
    given["bootstrap_http_proxy"] = "http://ada:p%40ss%25word@192.0.2.9:9"
    for changed in ("1", "0"):
        said = site.apply("-vv", "--diff", "--limit", "bookworm", **given)
        assert said.endswith(f"rc=0 bookworm={changed}"), said
        assert "p%40ss" not in said
        assert "p@ss" not in said
    path = "/etc/apt/apt.conf.d/61galilean-hub-proxy"
    assert site.do("bookworm", f"stat --format='%a %U' {path}") == "600 root"
    options = site.do("bookworm", "apt-config dump").splitlines()
    for scheme in ("http", "https"):
        assert f'Acquire::{scheme}::Proxy "http://ada:p%40ss%25word@192.0.2.9:9";' in options
        assert f'Acquire::{scheme}::Proxy::near.example.org "DIRECT";' in options
    assert site.apply("--limit", "bookworm").endswith("rc=0 bookworm=1")
    assert site.do("bookworm", f"ls {path}", check=False) == ""
    assert site.apply("--limit", "bookworm").endswith("rc=0 bookworm=0")


def test_zone_and_language_of_a_host_that_has_none(site: Site) -> None:
    """Check mode tells of it before there are any zones and locales."""
    limit = ("--limit", "initless")
    site.do(
        "initless",
        "apt-get purge -qq -y tzdata; rm -rf /etc/localtime /usr/share/zoneinfo /etc/default/locale",
    )
    said = site.apply("--check", "--diff", *limit, **LIMA)
    assert changes(said, "initless") >= 4
    for line in (
        "locales tzdata",
        "Ensure the time zone is America/Lima",
        "+it_IT.UTF-8 UTF-8",
        "+LANG=it_IT.UTF-8",
    ):
        assert line in said, said
    nothing = "ls -d /etc/localtime /etc/locale.gen /usr/share/zoneinfo /etc/default/locale"
    assert site.do("initless", nothing, check=False) == ""
    # What cannot be is known, and is one sentence, as soon as the zones are there.
    said = site.apply(*limit, **{**LIMA, "bootstrap_timezone": "Mars/Base"})
    assert "bootstrap_timezone is 'Mars/Base', which this host does not know: give a name" in said, said
    assert " rc=2 " in said, said
    assert changes(site.apply(*limit, **LIMA), "initless") > 0
    assert site.do("initless", "date --date=2026-07-01T00:00:00Z +%z") == "-0500"
    assert site.do("initless", "LC_ALL=it_IT.UTF-8 date --date=2026-07-01 +%A") == "mercoledì"
    assert site.do("initless", "grep -v '^#' /etc/locale.gen") == "it_IT.UTF-8 UTF-8"
    assert "LANG=it_IT.UTF-8" in site.do("initless", "cat /etc/default/locale")
    assert changes(site.apply(*limit, **LIMA), "initless") == 0
    # It stands in the list, and was never generated.
    site.do("initless", "rm -rf /usr/lib/locale/locale-archive /usr/lib/locale/it_IT*")
    assert changes(site.apply("--check", *limit, **LIMA), "initless") == 1
    assert changes(site.apply(*limit, **LIMA), "initless") == 1
    assert "it_IT.utf8" in site.do("initless", "locale -a").split()
    assert changes(site.apply(*limit), "initless") > 0


def test_zone_and_language_change_and_change_back(site: Site) -> None:
    limit = ("--limit", "trixie")
    assert changes(site.apply(*limit, **LIMA), "trixie") > 0
    # The language stands elsewhere there.
    site.do("trixie", "test -L /etc/default/locale && echo LC_TIME=C >> $(realpath /etc/default/locale)")
    said = site.apply("--check", "--diff", *limit)
    assert changes(said, "trixie") == 2
    zones = "/usr/share/zoneinfo"
    assert f'- "src": "{zones}/America/Lima" + "src": "{zones}/Europe/Rome"' in said, said
    assert "-LANG=it_IT.UTF-8 +LANG=C.UTF-8 LC_TIME=C" in said, said
    assert "LANG=it_IT.UTF-8" in site.do("trixie", "cat /etc/default/locale")
    assert changes(site.apply(*limit), "trixie") == 2
    assert site.do("trixie", "grep -v '#' /etc/default/locale").split() == ["LANG=C.UTF-8", "LC_TIME=C"]
    assert site.do("trixie", "readlink /etc/localtime") == "/usr/share/zoneinfo/Europe/Rome"


def test_zone_and_language_that_are_said_in_other_words_are_right(site: Site) -> None:
    site.do("bookworm", "ln -sf ../usr/share/zoneinfo/Europe/Rome /etc/localtime")
    site.do("bookworm", "printf '#LANG=C\\nLANGUAGE=it\\n LANG=\"C.UTF-8\"\\n' > /etc/default/locale")
    assert changes(site.apply("--limit", "bookworm"), "bookworm") == 0
    # A run that was stopped between the zone and its name.
    site.do("bookworm", "echo Etc/UTC > /etc/timezone")
    assert changes(site.apply("--limit", "bookworm"), "bookworm") == 1
    assert site.do("bookworm", "cat /etc/timezone") == "Europe/Rome"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"bootstrap_timezone": "Mars/Base"},
            "bootstrap_timezone is 'Mars/Base', which this host does not know",
        ),
        ({"bootstrap_timezone": "../etc"}, "bootstrap_timezone is '../etc': give a name such as Europe/Rome"),
        (
            {"bootstrap_locale": "xx_YY.UTF-8"},
            "bootstrap_locale is 'xx_YY.UTF-8', which this host cannot generate",
        ),
        (
            {"bootstrap_locale": "Italian"},
            "bootstrap_locale is 'Italian': give C.UTF-8, or language, country and UTF-8",
        ),
        # As YAML reads 22:30 without quotes.
        (
            {"bootstrap_reboot_time": 1350},
            "bootstrap_reboot_time is '1350': give hours and minutes in quotes",
        ),
        ({"bootstrap_swap_gib": -1}, "bootstrap_swap_gib is -1: give 0 or more"),
        ({"bootstrap_swap_gib": 100000}, "bootstrap_swap_gib is 100000, but"),
        ({"bootstrap_packages_wait": -1}, "bootstrap_packages_wait is -1: give 0 or more"),
        (
            {"bootstrap_http_proxy": "proxy:3128"},
            "bootstrap_http_proxy is 'proxy:3128', which has no scheme",
        ),
        ({"bootstrap_swappiness": 201}, "bootstrap_swappiness is 201: give a number from 0 to 200"),
    ],
)
def test_what_cannot_be_is_one_sentence(site: Site, settings: dict[str, t.Any], sentence: str) -> None:
    said = site.apply("--limit", "trixie", **settings)
    assert sentence in said, said
    assert said.endswith("rc=2 trixie=0"), said
    assert "Traceback" not in said


def test_upgrades_by_hand(site: Site) -> None:
    off = {"bootstrap_security_upgrades": False}
    assert site.apply("--limit", "initless", **off).endswith("rc=0 initless=1")
    assert site.do("initless", f"ls {UPGRADES}", check=False) == ""
    assert site.do("initless", "command -v unattended-upgrade")
    assert site.apply("--limit", "initless", **off).endswith("rc=0 initless=0")
    assert site.apply("--limit", "initless").endswith("rc=0 initless=1")
    assert "Debian-Security" in site.do("initless", f"cat {UPGRADES}")


def test_a_swap_file_comes_grows_and_goes(site: Site, swap: str) -> None:
    """And that of somebody else stays as it is."""
    site.do("bookworm", f"fallocate -l 64M {OTHER} && chmod 600 {OTHER} && mkswap {OTHER} && swapon {OTHER}")
    site.do("bookworm", f"echo '{OTHER} none swap sw 0 0' >> /etc/fstab")
    limit = ("--limit", "bookworm")

    def run(size: int, *argv: str) -> int:
        return changes(
            site.apply(*argv, *limit, bootstrap_swap_gib=size, __bootstrap_swap_path=swap), "bookworm"
        )

    said = site.apply("--check", "--diff", *limit, bootstrap_swap_gib=1, __bootstrap_swap_path=swap)
    assert changes(said, "bookworm") >= 2
    assert f"+{LINE}" in said, said
    assert "Make a swap file of GiB: 1]" in said, said
    assert swap not in site.do("bookworm", "cat /proc/swaps /etc/fstab; ls -d /var/lib/docker/*")
    for size in (1, 2):
        # The second size begins with what a stopped run left.
        site.do("bookworm", f"truncate --size=1M {swap}.new")
        assert run(size, "--check") >= 2
        assert run(size) >= 2
        assert re.search(
            rf"^{swap} file {size * 1048576 - 4} ",
            " ".join(site.do("bookworm", f"grep {swap} /proc/swaps").split()),
        )
        assert site.do("bookworm", f"stat --format='%a %U %s' {swap}") == f"600 root {size * 2**30}"
        assert site.do("bookworm", f"grep {swap} /etc/fstab") == LINE
        assert site.do("bookworm", f"ls {swap}.new", check=False) == ""
        assert run(size) == 0
    assert run(0, "--check") >= 3
    assert swap in site.do("bookworm", "cat /proc/swaps")
    assert run(0) >= 3
    left = site.do("bookworm", "cat /proc/swaps /etc/fstab; ls -d /var/lib/docker/*")
    assert swap not in left
    assert left.count(OTHER) == 3


def test_a_run_that_was_stopped_is_finished_by_the_next_one(site: Site, swap: str) -> None:
    def run(size: int, *argv: str) -> str:
        argv = (*argv, "--limit", "bookworm")
        return site.apply(*argv, bootstrap_swap_gib=size, __bootstrap_swap_path=swap)

    # One that is killed where the file is half made.
    site.do("bookworm", "cp --preserve $(realpath /sbin/mkswap) /root/mkswap")
    site.do("bookworm", "printf '#!/bin/sh\\nkill -9 $PPID\\n' > /sbin/mkswap")
    said = run(1)
    site.do("bookworm", "cp --preserve /root/mkswap /sbin/mkswap")
    assert " rc=2 " in said, said
    assert "The swap file cannot be set up (" in said, said
    assert site.do("bookworm", f"ls {swap}*") == f"{swap}.new"
    assert changes(run(1), "bookworm") > 0
    # What else may be left: a file that is not finished, one that is not in use, no line, somebody's own.
    for left, count in (
        (f"swapoff {swap} && rm {swap} && truncate --size=1G {swap}", 2),
        (f"swapoff {swap}", 1),
        ("sed -i '/swapfile/d' /etc/fstab", 1),
        ("sed -i 's/sw,x-galilean-hub/sw/' /etc/fstab", 1),
    ):
        site.do("bookworm", left)
        if left.startswith("swapoff"):
            assert changes(run(1, "--check"), "bookworm") == count, left
        assert changes(run(1), "bookworm") == count, left
        assert swap in site.do("bookworm", "cat /proc/swaps")
        assert site.do("bookworm", f"grep {swap} /etc/fstab") == LINE
    # And of one that removes it.
    site.do("bookworm", f"swapoff {swap}")
    assert changes(run(0), "bookworm") == 2
    assert swap not in site.do("bookworm", "cat /etc/fstab; find /var/lib/docker")
    site.do("bookworm", f"truncate --size=1M {swap}.new")
    assert changes(run(0), "bookworm") == 1
    assert swap not in site.do("bookworm", "find /var/lib/docker")


def test_a_swap_file_that_is_replaced_gives_its_room(site: Site) -> None:
    argv, path = ("--check", "--limit", "bookworm"), "/mnt/swapfile"
    site.do("bookworm", "mount -t tmpfs -o size=2G tmpfs /mnt")
    try:
        said = site.apply(*argv, bootstrap_swap_gib=6, __bootstrap_swap_path=path)
        assert "bootstrap_swap_gib is 6, but 2.0 GiB are free where the swap file is" in said, said
        site.do("bookworm", f"truncate --size=5G {path}")
        said = site.apply(*argv, bootstrap_swap_gib=6, __bootstrap_swap_path=path)
        assert changes(said, "bookworm") > 0
    finally:
        site.do("bookworm", "umount /mnt")


def test_swappiness_holds_now_and_after_a_restart(site: Site) -> None:
    """The kernel is this machine's, too: it is given back."""
    path = "/proc/sys/vm/swappiness"
    before = int(site.do("bookworm", f"cat {path}"))
    other = before + 1
    argv = ("--limit", "bookworm")
    try:
        said = site.apply("--check", "--diff", *argv, bootstrap_swappiness=other)
        assert changes(said, "bookworm") == 2
        assert f"-vm.swappiness = {before} +vm.swappiness = {other}" in said, said
        assert site.do("bookworm", f"cat {path}") == str(before)
        assert changes(site.apply(*argv, bootstrap_swappiness=other), "bookworm") == 2
        assert site.do("bookworm", f"cat {path}") == str(other)
        assert changes(site.apply(*argv, bootstrap_swappiness=other), "bookworm") == 0
        # As systemd does it at each boot.
        site.do("bookworm", f"echo {before} > {path} && /usr/lib/systemd/systemd-sysctl")
        assert site.do("bookworm", f"cat {path}") == str(other)
        # Where it cannot be set, as in most containers, the file holds it.
        site.do("bookworm", f"echo {before} > {path}; mount --bind {path} {path}")
        site.do("bookworm", f"mount -o remount,bind,ro {path}")
        try:
            assert changes(site.apply(*argv, bootstrap_swappiness=other), "bookworm") == 0
            assert changes(site.apply(*argv), "bookworm") == 1
        finally:
            site.do("bookworm", f"umount {path}")
    finally:
        site.do("bookworm", f"echo {before} > {path}")
    assert changes(site.apply(*argv), "bookworm") == 0


def test_a_file_system_without_swap_files_is_one_sentence(site: Site) -> None:
    """The root of a container is one."""
    try:
        said = site.apply("--limit", "bookworm", bootstrap_swap_gib=1)
        assert "this kernel or file system takes no swap files, so set bootstrap_swap_gib to 0" in said, said
    finally:
        assert changes(site.apply("--limit", "bookworm"), "bookworm") > 0
    assert site.do("bookworm", "grep -c swap /etc/fstab; ls /var/lib/galilean-hub", check=False) == "0"


def test_another_clock_is_left_alone(site: Site) -> None:
    site.do("trixie", "ln -s /dev/null /etc/systemd/system/chrony.service")
    # The distribution allows one at a time: it takes the place of the other.
    install = "apt-get install -qq -y --no-install-recommends chrony"
    site.do("trixie", f"DEBIAN_FRONTEND=noninteractive {install} >/dev/null 2>&1")
    assert site.do("trixie", "ls /usr/lib/systemd/systemd-timesyncd", check=False) == ""
    said = site.apply("--limit", "trixie")
    assert said.endswith("rc=0 trixie=0"), said


def test_a_clock_that_was_switched_off_comes_back_unless_it_is_masked(site: Site) -> None:
    site.do("bookworm", "systemctl disable --quiet systemd-timesyncd.service")
    assert site.apply("--check", "--limit", "bookworm").endswith("rc=0 bookworm=1")
    assert site.apply("--limit", "bookworm").endswith("rc=0 bookworm=1")
    assert site.do("bookworm", "systemctl is-enabled systemd-timesyncd.service") == "enabled"
    site.do("bookworm", "systemctl mask --quiet systemd-timesyncd.service")
    assert site.apply("--limit", "bookworm").endswith("rc=0 bookworm=0")
    site.do("bookworm", "systemctl unmask --quiet systemd-timesyncd.service")


def test_a_clock_that_stands_still_runs_again(site: Site) -> None:
    """A container has no clock of its own: here, the unit is told that it has."""
    folder = "/etc/systemd/system/systemd-timesyncd.service.d"
    can = "[Unit]\\nConditionVirtualization=\\n"
    unit = f"{can}[Service]\\nType=exec\\nExecStart=\\nExecStart=sleep infinity\\n"
    site.do("bookworm", f"mkdir {folder} && printf '{unit}' > {folder}/test.conf && systemctl daemon-reload")
    try:
        site.do("bookworm", "systemctl start systemd-timesyncd && systemctl stop systemd-timesyncd")
        assert changes(site.apply("--check", "--limit", "bookworm"), "bookworm") == 1
        assert changes(site.apply("--limit", "bookworm"), "bookworm") == 1
        assert site.do("bookworm", "systemctl is-active systemd-timesyncd") == "active"
        assert changes(site.apply("--limit", "bookworm"), "bookworm") == 0
    finally:
        site.do("bookworm", f"systemctl stop systemd-timesyncd; rm -r {folder}; systemctl daemon-reload")


def test_a_host_without_a_clock_gets_one(site: Site) -> None:
    site.do("bookworm", "dpkg --purge --force-depends systemd-timesyncd >/dev/null 2>&1")
    said = site.apply("--check", "--limit", "bookworm")
    assert changes(said, "bookworm") == 1
    assert "systemd-timesyncd" in said
    assert changes(site.apply("--limit", "bookworm"), "bookworm") == 1
    assert site.do("bookworm", "systemctl is-enabled systemd-timesyncd.service") == "enabled"
    assert changes(site.apply("--limit", "bookworm"), "bookworm") == 0


def test_the_machine_of_the_controller_is_only_looked_at(site: Site) -> None:
    said = site.apply("--check", "--limit", "bookworm", "--connection", "local", ansible_connection="local",
                      ansible_python_interpreter="{{ ansible_playbook_python }}")  # fmt: skip
    assert said.endswith("rc=0 bookworm=0"), said
    assert "Gather the facts that roles read] *" in said
    assert re.search(r"Look at the server\] \*+ skipping: \[bookworm\]", said), said
