# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.host import base_plan as planning
from ansible_collections.galilean.hub.plugins.module_utils.host.base_plan import (
    GIB,
    Base,
    Swap,
    Wanted,
    make_plan,
)

PATH = "/var/lib/galilean-hub/swapfile"
LINE = f"{PATH} none swap sw,x-galilean-hub 0 0\n"
OTHERS = "UUID=1 / ext4 defaults 0 1\n/dev/vdb2 none swap sw 0 0\n"
WANTED = Wanted("Etc/UTC", "C.UTF-8", PATH, 0, 10)
RIGHT = Base(
    "Etc/UTC", "Etc/UTC\n", True, "LANG=C.UTF-8\n", swappiness=10, fstab=OTHERS, swap=Swap(free=9 * GIB)
)
SWAPPING = replace(WANTED, swap=2 * GIB)
IN_USE = replace(RIGHT, swap=Swap(2 * GIB, True, True, free=9 * GIB), fstab=OTHERS + LINE)
MAKE = ["swap_make", "swap_table", "swap_on"]

STEPS: list[tuple[str, Wanted, Base, list[str]]] = [
    ("all as it shall be", WANTED, RIGHT, []),
    ("nothing is asked for", Wanted(), Base(), []),
    ("a new server", WANTED, Base(swap=Swap(free=GIB)), ["timezone", "locale"]),
    # Time zone.
    ("another zone", replace(WANTED, timezone="Europe/Rome"), RIGHT, ["timezone", "timezone_name"]),
    ("no name of the zone", WANTED, replace(RIGHT, zone_text=None), []),
    ("the zones are not installed yet", WANTED, replace(RIGHT, timezone="", has_zone=None), ["timezone"]),
    ("stopped before the name", WANTED, replace(RIGHT, zone_text="Europe/Rome\n"), ["timezone_name"]),
    # Locale.
    ("another locale", replace(WANTED, locale="it_IT.UTF-8"), RIGHT, ["locale_generate", "locale"]),
    (
        "another locale, which the host has",
        replace(WANTED, locale="it_IT.UTF-8"),
        replace(RIGHT, locales=frozenset(["C", "it_IT.utf8"])),
        ["locale"],
    ),
    (
        "it is set, and was never generated",
        replace(WANTED, locale="it_IT.UTF-8"),
        replace(RIGHT, locale_text="LANG=it_IT.UTF-8\n", supported=frozenset(["it_IT.UTF-8 UTF-8"])),
        ["locale_generate"],
    ),
    ("back to the built-in one", WANTED, replace(RIGHT, locale_text="LANG=it_IT.UTF-8\n"), ["locale"]),
    # Swap.
    ("a swap file", SWAPPING, RIGHT, MAKE),
    ("in use", SWAPPING, IN_USE, []),
    ("after a reboot without it", SWAPPING, replace(IN_USE, swap=Swap(2 * GIB, True, free=GIB)), ["swap_on"]),
    ("stopped while it was made", SWAPPING, replace(RIGHT, swap=Swap(half=True, free=9 * GIB)), MAKE),
    ("never finished", SWAPPING, replace(RIGHT, swap=Swap(2 * GIB, False, free=9 * GIB)), MAKE),
    ("the line is gone", SWAPPING, replace(IN_USE, fstab=OTHERS), ["swap_table"]),
    (
        "somebody's own line for it",
        SWAPPING,
        replace(IN_USE, fstab=f"{PATH} none swap sw 0 0\n"),
        ["swap_table"],
    ),
    (
        "another size",
        replace(WANTED, swap=3 * GIB),
        IN_USE,
        ["swap_off", "swap_make", "swap_on"],
    ),
    ("no swap any more", WANTED, IN_USE, ["swap_off", "swap_table", "swap_remove"]),
    (
        "stopped after it was switched off",
        WANTED,
        replace(IN_USE, swap=Swap(2 * GIB, True)),
        ["swap_table", "swap_remove"],
    ),
    ("only half of one is left", WANTED, replace(RIGHT, swap=Swap(half=True)), ["swap_remove"]),
    ("swap is nobody's business", Wanted("Etc/UTC", "C.UTF-8"), IN_USE, []),
    # The kernel.
    ("another swappiness", WANTED, replace(RIGHT, swappiness=60), ["swappiness"]),
    ("swappiness cannot be set here", WANTED, replace(RIGHT, swappiness=None), []),
]


@pytest.mark.parametrize(("name", "wanted", "base", "expected"), STEPS, ids=[case[0] for case in STEPS])
def test_steps(name: str, wanted: Wanted, base: Base, expected: list[str]) -> None:
    plan = make_plan(wanted, base)
    assert [action.kind for action in plan.actions] == expected
    assert all(action.reason for action in plan.actions)


def test_nobody_elses_swap_is_touched() -> None:
    assert make_plan(WANTED, IN_USE).fstab == OTHERS
    assert make_plan(SWAPPING, RIGHT).fstab == OTHERS + LINE


REFUSED: list[tuple[Wanted, Base, str]] = [
    (
        replace(WANTED, timezone="Mars/Base"),
        replace(RIGHT, has_zone=False),
        "bootstrap_timezone is 'Mars/Base', which this host does not know: give a name such as Europe/Rome",
    ),
    (
        replace(WANTED, locale="xx_YY.UTF-8"),
        replace(RIGHT, supported=frozenset(["it_IT.UTF-8 UTF-8"])),
        "bootstrap_locale is 'xx_YY.UTF-8', which this host cannot generate: give one of",
    ),
    (
        replace(WANTED, swap=9 * GIB),
        RIGHT,
        "bootstrap_swap_gib is 9, but 9.0 GiB are free where the swap file is, and one GiB shall stay so",
    ),
]


@pytest.mark.parametrize(("wanted", "base", "message"), REFUSED)
def test_what_cannot_be_is_one_sentence(wanted: Wanted, base: Base, message: str) -> None:
    with pytest.raises(HubError, match=f"^{re.escape(message)}"):
        make_plan(wanted, base)


def test_a_swap_file_that_is_replaced_gives_its_room() -> None:
    base = replace(IN_USE, swap=Swap(2 * GIB, True, True, free=3 * GIB))
    assert make_plan(replace(WANTED, swap=4 * GIB), base).actions[0].kind == "swap_off"


def test_before_and_after() -> None:
    plan = make_plan(replace(SWAPPING, timezone="Europe/Rome"), replace(RIGHT, swappiness=None))
    assert plan.before == {"locale": "C.UTF-8", "swap_gib": 0, "swappiness": None, "timezone": "Etc/UTC"}
    assert plan.after == {"locale": "C.UTF-8", "swap_gib": 2, "swappiness": None, "timezone": "Europe/Rome"}
    left_alone = make_plan(Wanted(), IN_USE)
    assert left_alone.after == left_alone.before


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("", ""),
        ("LANG=it_IT.UTF-8\n", "it_IT.UTF-8"),
        ('#  File generated by update-locale\nLANG="de_DE.UTF-8"\nLC_TIME=C\n', "de_DE.UTF-8"),
        ("LANGUAGE=it\n", ""),
        ("#LANG=C\n", ""),
    ],
)
def test_lang(text: str, lang: str) -> None:
    assert planning.lang_of(text) == lang
    changed = planning.with_lang(text, "C.UTF-8")
    assert planning.lang_of(changed) == "C.UTF-8"
    kept = [line for line in text.splitlines() if not line.startswith("LANG=")]
    assert changed.splitlines() == [*kept, "LANG=C.UTF-8"]


GENERATED = "# comment\n# it_IT ISO-8859-1\n# it_IT.UTF-8 UTF-8\n# it_IT.UTF-8@x UTF-8\n"


def test_a_locale_is_taken_out_of_its_comment() -> None:
    assert planning.with_line(GENERATED, "it_IT.UTF-8") == GENERATED.replace(
        "# it_IT.UTF-8 UTF", "it_IT.UTF-8 UTF"
    )
    assert planning.with_line("a\nit_IT.UTF-8 UTF-8\n", "it_IT.UTF-8") == "a\nit_IT.UTF-8 UTF-8\n"
    assert planning.with_line("a", "it_IT.UTF-8") == "a\nit_IT.UTF-8 UTF-8\n"
    assert planning.with_line("", "it_IT.UTF-8") == "it_IT.UTF-8 UTF-8\n"


CLOCKS: list[tuple[set[str], bool, tuple[str, list[str]]]] = [
    (set(), True, ("systemd-timesyncd.service", ["systemd-timesyncd"])),
    ({"systemd-timesyncd"}, True, ("systemd-timesyncd.service", [])),
    ({"chrony"}, True, ("", [])),
    ({"ntpsec", "systemd-timesyncd"}, True, ("", [])),
    (set(), False, ("", [])),
]


@pytest.mark.parametrize(("installed", "systemd", "expected"), CLOCKS)
def test_one_clock_is_enough(installed: set[str], systemd: bool, expected: tuple[str, list[str]]) -> None:
    assert planning.clock_of(installed, systemd) == expected


UNITS: list[tuple[str, bool]] = [
    ("LoadState=loaded\nUnitFileState=enabled\nActiveState=active\nConditionResult=yes", False),
    ("LoadState=loaded\nUnitFileState=disabled\nActiveState=inactive", True),
    ("LoadState=loaded\nUnitFileState=enabled\nActiveState=failed\nConditionResult=yes", True),
    # Never tried, as of a package that was unpacked a moment ago.
    (
        "LoadState=loaded\nUnitFileState=enabled\nActiveState=inactive\nConditionResult=no\nConditionTimestampMonotonic=0",
        True,
    ),
    # Tried, and not meant for a host like this, as a container.
    (
        "LoadState=loaded\nUnitFileState=enabled\nActiveState=inactive\nConditionResult=no\nConditionTimestampMonotonic=7",
        False,
    ),
    ("LoadState=masked\nUnitFileState=masked\nActiveState=inactive", False),
    ("LoadState=not-found\nUnitFileState=\nActiveState=inactive", False),
    ("", False),
]


@pytest.mark.parametrize(("properties", "todo"), UNITS)
def test_a_clock_is_switched_on_where_it_can_run(properties: str, todo: bool) -> None:
    assert planning.clock_todo(properties) is todo
