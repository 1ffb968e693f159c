# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Time zone, locale and swap of a host as they shall be, and the steps to there. Pure: no files, no commands.

PRIVATE to the collection: may change at any time.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.galilean.hub.plugins.module_utils.core import fstab as fstab_file
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

GIB = 2**30
# What has to stay free beside a swap file.
MARGIN = GIB
# Locales that the C library brings along.
BUILT_IN = ("C", "C.UTF-8", "POSIX")
# Packages that keep a clock, and the unit of each. The first one is what a host gets that has none.
CLOCKS = {
    "systemd-timesyncd": "systemd-timesyncd.service",
    "chrony": "chrony.service",
    "ntpsec": "ntpsec.service",
    "ntp": "ntp.service",
    "openntpd": "openntpd.service",
}


@dataclass(frozen=True)
class Wanted:
    """The settings; None for what shall be left alone."""

    timezone: str | None = None
    locale: str | None = None
    swap_path: str | None = None
    swap: int = 0
    swappiness: int | None = None


@dataclass(frozen=True)
class Swap:
    """A swap file; ``signed`` is one that mkswap has finished, ``half`` what a stopped run left of one."""

    size: int | None = None
    signed: bool = False
    active: bool = False
    half: bool = False
    free: int = 0


@dataclass(frozen=True)
class Base:
    """What is.

    timezone: where /etc/localtime leads; zone_text: /etc/timezone, None where there is none; has_zone: whether the host
    knows the wanted zone, None where it has no zones at all; locale: LANG of new logins; locales: those that were
    generated; supported: those that could be, None where the host has no tool for it; swappiness: None where it cannot
    be set.
    """

    timezone: str = ""
    zone_text: str | None = None
    has_zone: bool | None = True
    locale_text: str = ""
    locales: frozenset[str] = frozenset()
    supported: frozenset[str] | None = None
    swap: Swap = field(default_factory=Swap)
    swappiness: int | None = None
    fstab: str = ""


@dataclass(frozen=True)
class Action:
    """One step, with the reason for it."""

    kind: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """The steps in their order, the texts that they write, and the settings before and after."""

    actions: tuple[Action, ...]
    locale_text: str
    fstab: str
    before: t.Mapping[str, t.Any]
    after: t.Mapping[str, t.Any]


def lang_of(text: str) -> str:
    """LANG as a file of variables sets it."""
    found = re.findall(r"^\s*LANG=[\"']?([^\"'\s]*)", text, re.MULTILINE)
    return str(found[-1]) if found else ""


def with_lang(text: str, locale: str) -> str:
    """The file with this LANG; the other variables in it are somebody's own."""
    lines = [line for line in text.splitlines() if not re.match(r"\s*LANG=", line)]
    return "".join(f"{line}\n" for line in [*lines, f"LANG={locale}"])


def with_line(text: str, locale: str) -> str:
    """/etc/locale.gen with this locale among those to generate."""
    line = f"{locale} UTF-8"
    if any(one.strip() == line for one in text.splitlines()):
        return text
    commented = re.compile(rf"^#[ \t]*{re.escape(line)}[ \t]*$", re.MULTILINE)
    if commented.search(text):
        return commented.sub(line, text, count=1)
    return f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{line}\n"


def spelled(locale: str) -> str:
    """A locale as `locale -a` lists it."""
    return locale.replace(".UTF-8", ".utf8")


def clock_of(installed: t.Iterable[str], systemd: bool) -> tuple[str, list[str]]:
    """The unit that keeps the clock and is ours to switch on, and what has to be installed for it.

    Whoever has another one has set it up himself. Without systemd there is none that could be relied on.
    """
    there = set(installed)
    if not systemd or there & (CLOCKS.keys() - {"systemd-timesyncd"}):
        return "", []
    return CLOCKS["systemd-timesyncd"], [] if there else ["systemd-timesyncd"]


def clock_todo(properties: str) -> bool:
    """Whether a unit, by `systemctl show`, has to be switched on.

    One that is masked was switched off by somebody; one whose conditions are not met, as in a container, cannot run.
    """
    known = dict(line.split("=", 1) for line in properties.splitlines() if "=" in line)
    if known.get("LoadState") != "loaded":
        return False
    if known.get("UnitFileState") == "disabled":
        return True
    unmet = known.get("ConditionResult") == "no" and known.get("ConditionTimestampMonotonic", "0") != "0"
    return known.get("ActiveState") in ("inactive", "failed") and not unmet


def _zone(wanted: Wanted, base: Base) -> t.Iterator[Action]:
    if wanted.timezone is None:
        return
    if base.has_zone is False:
        raise HubError(
            f"bootstrap_timezone is '{wanted.timezone}', which this host does not know: give a name such as Europe/Rome, see "
            "'timedatectl list-timezones'."
        )
    if base.timezone != wanted.timezone:
        yield Action("timezone", f"it is {base.timezone or 'not set'}")
    if base.zone_text is not None and base.zone_text.strip() != wanted.timezone:
        yield Action("timezone_name", "/etc/timezone names another one")


def _locale(wanted: Wanted, base: Base) -> t.Iterator[Action]:
    if wanted.locale is None:
        return
    if wanted.locale not in BUILT_IN and spelled(wanted.locale) not in base.locales:
        if base.supported is not None and f"{wanted.locale} UTF-8" not in base.supported:
            raise HubError(
                f"bootstrap_locale is '{wanted.locale}', which this host cannot generate: give one of /usr/share/i18n/SUPPORTED."
            )
        yield Action("locale_generate", f"{wanted.locale} is missing")
    if lang_of(base.locale_text) != wanted.locale:
        yield Action("locale", f"it is {lang_of(base.locale_text) or 'not set'}")


def _no_swap(wanted: Wanted, base: Base, fstab: str) -> t.Iterator[Action]:
    swap = base.swap
    if swap.active:
        yield Action("swap_off", "there shall be none")
    if fstab != base.fstab:
        yield Action("swap_table", f"/etc/fstab has {wanted.swap_path}")
    if swap.size is not None or swap.half:
        yield Action("swap_remove", "there shall be none")


def _swap(wanted: Wanted, base: Base, fstab: str) -> t.Iterator[Action]:
    swap = base.swap
    right = swap.size == wanted.swap and swap.signed
    if not right:
        free = swap.free + (swap.size or 0)
        if free < wanted.swap + MARGIN:
            raise HubError(
                f"bootstrap_swap_gib is {wanted.swap // GIB}, but {free / GIB:.1f} GiB are free where the swap file is, and one GiB "
                "shall stay so: give less, or free some space."
            )
        if swap.active:
            yield Action("swap_off", "it has another size")
        yield Action(
            "swap_make", "it is missing" if swap.size is None else "it has another size, or is not complete"
        )
    if fstab != base.fstab:
        yield Action("swap_table", "/etc/fstab does not have it")
    if not right or not swap.active:
        yield Action("swap_on", "it is not in use")


def make_plan(wanted: Wanted, base: Base) -> Plan:
    """Compare what is with what shall be."""
    fstab = base.fstab
    steps = [*_zone(wanted, base), *_locale(wanted, base)]
    if wanted.swap_path:
        entry = fstab_file.Entry(wanted.swap_path, "none", "swap", ("sw", fstab_file.MARK))
        line = fstab_file.line_of(entry) if wanted.swap else ""
        fstab = fstab_file.replaced(base.fstab, lambda one: one.source == wanted.swap_path, line)
        steps += (_swap if wanted.swap else _no_swap)(wanted, base, fstab)
    if wanted.swappiness is not None and base.swappiness not in (None, wanted.swappiness):
        steps.append(Action("swappiness", f"it is {base.swappiness}"))
    locale_text = base.locale_text
    if wanted.locale is not None and lang_of(locale_text) != wanted.locale:
        locale_text = with_lang(locale_text, wanted.locale)
    before = {
        "locale": lang_of(base.locale_text),
        "swap_gib": round((base.swap.size or 0) / GIB, 2) if base.swap.active else 0,
        "swappiness": base.swappiness,
        "timezone": base.timezone,
    }
    asked: dict[str, t.Any] = {"locale": wanted.locale, "timezone": wanted.timezone}
    asked["swap_gib"] = wanted.swap // GIB if wanted.swap_path else None
    asked["swappiness"] = wanted.swappiness if base.swappiness is not None else None
    after = {**before, **{key: value for key, value in asked.items() if value is not None}}
    return Plan(tuple(steps), locale_text, fstab, before, after)
