# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the argument spec of the role bootstrap cannot say: one sentence for each problem."""

from __future__ import annotations

import re

from ansible_collections.galilean.hub.plugins.module_utils.core import proxy
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings

TIMEZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
LOCALE = re.compile(r"C|POSIX|C\.UTF-8|[a-z]{2,3}_[A-Z]{2}\.UTF-8(@[a-z]+)?")
TIME = re.compile(r"|([01][0-9]|2[0-3]):[0-5][0-9]")


def proxy_addresses(settings: Settings) -> list[str]:
    return proxy.problems(
        {name: settings[f"bootstrap_{name}"] for name in ("http_proxy", "https_proxy", "no_proxy")}
    )


def numbers(settings: Settings) -> list[str]:
    wait, swap, swappiness = (
        settings[f"bootstrap_{name}"] for name in ("packages_wait", "swap_gib", "swappiness")
    )
    return [
        *(
            [f"bootstrap_packages_wait is {wait}: give a number of seconds, or 0 to wait for nobody"]
            if wait < 0
            else []
        ),
        *([f"bootstrap_swap_gib is {swap}: give a number of GiB, or 0 for no swap file"] if swap < 0 else []),
        *(
            [f"bootstrap_swappiness is {swappiness}: give a number from 0 to 200"]
            if not 0 <= swappiness <= 200
            else []
        ),
    ]


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


CHECKS = (proxy_addresses, numbers, texts)
