# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the argument spec of the role bootstrap cannot say, and what the host cannot do: one sentence for each problem."""

from __future__ import annotations

import re

from ansible_collections.galilean.hub.plugins.module_utils.core import proxy
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings

TIMEZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
LOCALE = re.compile(r"C|POSIX|C\.UTF-8|[a-z]{2,3}_[A-Z]{2}\.UTF-8(@[a-z]+)?")
GIB = 2**30
TIME = re.compile(r"|([01][0-9]|2[0-3]):[0-5][0-9]")


def proxy_addresses(settings: Settings) -> list[str]:
    return proxy.problems(
        {name: settings[f"bootstrap_{name}"] for name in ("http_proxy", "https_proxy", "no_proxy")}
    )


def texts(settings: Settings) -> list[str]:
    wanted = (
        ("timezone", TIMEZONE, "give a name such as Europe/Rome, see timedatectl list-timezones"),
        ("locale", LOCALE, "give C.UTF-8, or language, country and UTF-8, such as it_IT.UTF-8"),
        ("reboot_time", TIME, 'give hours and minutes in quotes, such as "04:00", or leave it empty'),
    )
    return [
        f"bootstrap_{name} is '{value}': {fix}"
        for name, form, fix in wanted
        for value in [settings[f"bootstrap_{name}"]]
        if not form.fullmatch(str(value))
    ]


def names(settings: Settings) -> list[str]:
    """Names of a time zone and a locale that the host does not know; without the packages, it knows nothing of them yet."""
    found = settings.found["bootstrap"]
    problems = []
    if "zone_unknown" in found:
        problems.append(
            f"bootstrap_timezone is '{settings['bootstrap_timezone']}', which this host does not know: give a name such as "
            "Europe/Rome, see 'timedatectl list-timezones'"
        )
    if "locale_unknown" in found and not found["has_locale"]:
        problems.append(
            f"bootstrap_locale is '{settings['bootstrap_locale']}', which this host cannot generate: give one of "
            "/usr/share/i18n/SUPPORTED"
        )
    return problems


def swap_room(settings: Settings) -> list[str]:
    """The room for the swap file, with that of the file that it replaces."""
    found, wanted = settings.found["bootstrap"], settings["bootstrap_swap_gib"]
    room = int(found["swap_free"]) + int(found.get("swap_size", 0))
    if wanted <= 0 or found["swap_right"] or room >= (wanted + 1) * GIB:
        return []
    return [
        f"bootstrap_swap_gib is {wanted}, but {room / GIB:.1f} GiB are free where the swap file is, and one GiB must stay free: give less, or free some space"
    ]


CHECKS = (proxy_addresses, texts)
HOST_CHECKS = (names, swap_room)
