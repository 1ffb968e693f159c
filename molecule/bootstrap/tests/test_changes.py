# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What an owner may want to be different, and what is refused."""

from __future__ import annotations

import re
import typing as t

import pytest
from conftest import Site

SWAP = "/var/lib/docker/swapfile"
UPGRADES = "/etc/apt/apt.conf.d/60galilean-hub"
UNCHANGED = "rc=0 bookworm=0 initless=0 trixie=0"


@pytest.fixture
def swap(site: Site) -> t.Iterator[str]:
    """A path on a file system that takes swap files. The kernel is this machine's, too: it is given back."""
    yield SWAP
    site.do("bookworm", f"swapoff {SWAP}; rm -f {SWAP}", check=False)


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


def test_another_zone_and_language(site: Site) -> None:
    settings = {"bootstrap_timezone": "America/Lima", "bootstrap_locale": "it_IT.UTF-8"}
    said = site.apply("--check", "--diff", "--limit", "trixie", **settings)
    assert '+ "timezone": "America/Lima"' in said, said
    assert not said.endswith("trixie=0"), said
    assert site.do("trixie", "readlink /etc/localtime") == "/usr/share/zoneinfo/Europe/Rome"
    said = site.apply("--limit", "trixie", **settings)
    assert "rc=0" in said, said
    assert site.do("trixie", "date --date=2026-07-01T00:00:00Z +%z") == "-0500"
    assert site.do("trixie", "LC_ALL=it_IT.UTF-8 date --date=2026-07-01 +%A") == "mercoledì"
    assert "LANG=it_IT.UTF-8" in site.do("trixie", "cat /etc/default/locale")
    said = site.apply("--limit", "trixie", **settings)
    assert said.endswith("rc=0 trixie=0"), said
    site.do("trixie", "echo LC_TIME=C >> $(realpath /etc/default/locale)")
    assert site.apply("--limit", "trixie").endswith("rc=0 trixie=1")
    assert site.do("trixie", "cat /etc/default/locale").split() == ["LC_TIME=C", "LANG=C.UTF-8"]


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
        ({"bootstrap_swap_gib": -1}, "bootstrap_swap_gib is -1: give a number of GiB"),
        ({"bootstrap_swap_gib": 100000}, "bootstrap_swap_gib is 100000, but"),
        ({"bootstrap_packages_wait": -1}, "bootstrap_packages_wait is -1: give a number of seconds"),
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
    limit = ("--limit", "bookworm")
    check = site.apply("--check", *limit, bootstrap_swap_gib=1, __bootstrap_swap_path=swap)
    assert check.endswith("rc=0 bookworm=1"), check
    assert swap not in site.do("bookworm", "cat /proc/swaps")
    for size in (1, 2):
        # The second size begins with what a stopped run left.
        site.do("bookworm", f"truncate --size=1M {swap}.new")
        said = site.apply(*limit, bootstrap_swap_gib=size, __bootstrap_swap_path=swap)
        assert said.endswith("rc=0 bookworm=1"), said
        assert re.search(
            rf"^{swap} file {size * 1048576 - 4} ",
            " ".join(site.do("bookworm", f"grep {swap} /proc/swaps").split()),
        )
        assert site.do("bookworm", f"stat --format='%a %U %s' {swap}") == f"600 root {size * 2**30}"
        assert site.do("bookworm", "grep swap /etc/fstab") == f"{swap} none swap sw,x-galilean-hub 0 0"
        assert site.do("bookworm", f"ls {swap}.new", check=False) == ""
        said = site.apply(*limit, bootstrap_swap_gib=size, __bootstrap_swap_path=swap)
        assert said.endswith("rc=0 bookworm=0"), said
    said = site.apply(*limit, __bootstrap_swap_path=swap)
    assert said.endswith("rc=0 bookworm=1"), said
    assert swap not in site.do("bookworm", "cat /proc/swaps /etc/fstab; ls /var/lib/docker")


def test_a_file_system_without_swap_files_is_one_sentence(site: Site) -> None:
    """The root of a container is one."""
    try:
        said = site.apply("--limit", "bookworm", bootstrap_swap_gib=1)
        assert "this kernel or file system takes no swap files, so set bootstrap_swap_gib to 0" in said, said
    finally:
        assert site.apply("--limit", "bookworm").endswith("rc=0 bookworm=1")
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


def test_the_machine_of_the_controller_is_only_looked_at(site: Site) -> None:
    said = site.apply("--check", "--limit", "bookworm", "--connection", "local", ansible_connection="local",
                      ansible_python_interpreter="{{ ansible_playbook_python }}")  # fmt: skip
    assert said.endswith("rc=0 bookworm=0"), said
    assert "Gather the facts that roles read] *" in said
    assert re.search(r"Look at the server\] \*+ skipping: \[bookworm\]", said), said
