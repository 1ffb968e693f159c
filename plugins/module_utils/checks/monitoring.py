# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the argument spec of the role monitoring cannot say: one sentence for each problem."""

from __future__ import annotations

import ipaddress
import re

from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings, absent

# Parts of an hour, as timers and cron begin anew with each. Most starts of a server are done sooner.
MINUTES = (5, 6, 10, 12, 15, 20, 30, 60)
RULES = "roles/monitoring/files/galilean_hub.rules.yml"
# A name or an address, and a port.
SERVER = re.compile(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})")
MAIL = re.compile(r"[^@\s]+@[^@\s]+")


def metrics(settings: Settings) -> list[str]:
    minutes = settings["monitoring_check_minutes"]
    if minutes in (0, *MINUTES):
        return []
    return [
        f"monitoring_check_minutes is {minutes}: give {', '.join(map(str, MINUTES[:-1]))} or {MINUTES[-1]}, or 0 for no checks"
    ]


def server(settings: Settings) -> list[str]:
    own = settings.role("monitoring")
    found = []
    try:
        ipaddress.ip_address(own["bind_address"])
    except ValueError:
        found.append(f"monitoring_bind_address is '{own['bind_address']}': give an address such as 127.0.0.1")
    if own["prometheus_port"] == own["alertmanager_port"]:
        found.append(
            f"monitoring_prometheus_port is {own['prometheus_port']}, as is monitoring_alertmanager_port: give one of them another"
        )
    if not re.fullmatch(r"[1-9]\d*[hdwy]", own["retention"]):
        found.append(
            f"monitoring_retention is '{own['retention']}': give a number with h, d, w or y, such as 30d"
        )
    return found


def receivers(settings: Settings) -> list[str]:
    own = settings.role("monitoring", secrets=True)
    found = [
        f"monitoring_email_to has '{one}': give a mail address"
        for one in own["email_to"]
        if not MAIL.fullmatch(str(one))
    ]
    if own["email_to"] and not MAIL.fullmatch(own["email_from"]):
        found.append(
            f"monitoring_email_from is '{own['email_from']}': give the mail address that alerts come from"
        )
    server = SERVER.fullmatch(own["smtp_host"])
    if not server or not 1 <= int(server[1]) <= 65535:
        found.append(
            f"monitoring_smtp_host is '{own['smtp_host']}': give server and port, such as mail.example.org:587"
        )
    if own["smtp_password"] and not own["smtp_user"]:
        found.append(
            "monitoring_smtp_password is set and monitoring_smtp_user is empty: give the name that belongs to it"
        )
    # What follows the scheme may be a secret.
    if own["webhook_url"] and not re.fullmatch(r"https?://\S+", own["webhook_url"]):
        found.append("monitoring_webhook_url is no address: begin with https:// or http://")
    return found


def rules(settings: Settings) -> list[str]:
    text = (settings.content(f"{settings.collection}/{RULES}") or b"").decode()
    known = re.findall(r"(?m)^ +- alert: (\w+)$", text)
    found = [
        f"monitoring_alerts_disabled has '{name}', which is no alert of the collection: use names of docs/monitoring.md"
        for name in settings["monitoring_alerts_disabled"]
        if name not in known
    ]
    return found + [
        absent(
            settings,
            f"monitoring_rules_files has {path}",
            path,
            "correct the path or leave it out",
            short=True,
        )
        for path in settings["monitoring_rules_files"]
        if not settings.is_file(path)
    ]


CHECKS = (metrics, server, receivers, rules)
