# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What is wrong with a list of accounts, as sentences.

Pure: used by the filter before a host is touched and by the module on the host. No sentence ever shows a
password hash or what was given in place of one.
"""

from __future__ import annotations

import re
import typing as t

NAME = re.compile(r"^[a-z_][a-z0-9_-]{0,31}$")
CRYPT_HASH = re.compile(r"^\$(?:y|gy|7|2[abxy]|6|5)\$[^\s:!*]{8,}$")
SSH_KEY = re.compile(
    r"(?:^|\s)(?:ssh-|ecdsa-|sk-ssh-|sk-ecdsa-)[a-z0-9@.-]+\s+AAAA[A-Za-z0-9+/]+={0,3}(?:\s|$)"
)

# Accounts and groups that Debian and Ubuntu reserve, and those that the packages of a hub's host bring.
RESERVED = frozenset(
    [
        "root",
        "daemon",
        "bin",
        "sys",
        "sync",
        "games",
        "man",
        "lp",
        "mail",
        "news",
        "uucp",
        "proxy",
        "www-data",
        "backup",
        "list",
        "irc",
        "gnats",
        "nobody",
        "nogroup",
        "_apt",
        "messagebus",
        "sshd",
        "systemd-network",
        "systemd-resolve",
        "systemd-timesync",
        "systemd-coredump",
        "systemd-journal",
        "polkitd",
        "dnsmasq",
        "libvirt-qemu",
        "ntp",
        "_chrony",
        "syslog",
        "tcpdump",
        "tss",
        "uuidd",
        "landscape",
        "pollinate",
        "usbmux",
        "lxd",
        "postfix",
        "postgres",
    ]
)
RESERVED_GROUPS = frozenset(
    ["root", "daemon", "bin", "sys", "shadow", "tty", "disk", "kmem", "utmp", "nogroup"]
)
SUDO_WORDS = {"all": "ALL=(ALL:ALL) ALL", "nopasswd": "ALL=(ALL:ALL) NOPASSWD: ALL"}

Entry = t.Mapping[str, t.Any]


def sudo_file(name: str, rules: t.Sequence[str]) -> str:
    """Return the content of the account's file in /etc/sudoers.d, empty when there is no rule."""
    lines = [f"{name} {SUDO_WORDS.get(rule, rule)}" for rule in rules]
    return (
        "".join(["# Written by galilean.hub: changes are overwritten.\n"] + [f"{line}\n" for line in lines])
        if lines
        else ""
    )


def _name_problems(setting: str, name: str, reserved: t.Container[str]) -> list[str]:
    if not NAME.match(name):
        return [
            f"{setting} is '{name}': use 1 to 32 lower-case letters, digits, dashes or underscores, starting with a letter."
        ]
    if name in reserved:
        return [f"{setting} is '{name}': this name belongs to the system, choose another one."]
    return []


def _sudo_problems(setting: str, entry: Entry) -> list[str]:
    problems = []
    for rule in entry.get("sudo") or []:
        if rule in SUDO_WORDS:
            continue
        if "\n" in rule or "\r" in rule or "=" not in rule:
            problems.append(
                f"{setting}.sudo has '{' '.join(rule.split())[:60]}': use all, nopasswd or one rule on one line"
                " without the name, such as 'ALL=(root) NOPASSWD: /usr/bin/systemctl restart hub'."
            )
    if "all" in (entry.get("sudo") or []) and not entry.get("password_hash"):
        problems.append(
            f"{setting}.sudo is 'all', which asks for a password that is locked: use nopasswd or give password_hash."
        )
    return problems


def _key_problems(setting: str, entry: Entry) -> list[str]:
    problems = []
    for index, key in enumerate(entry.get("ssh_keys") or []):
        if "PRIVATE KEY" in key:
            problems.append(
                f"{setting}.ssh_keys[{index}] is a private key: give the public one (the line of the .pub file)."
            )
        elif "\n" in key.strip() or not SSH_KEY.search(key):
            problems.append(
                f"{setting}.ssh_keys[{index}] is '{' '.join(key.split())[:40]}': give one public key, the line of its .pub file."
            )
    return problems


def _admin_problems(entry: Entry) -> list[str]:
    name = str(entry.get("name", ""))
    setting = f"users_admins[{name}]"
    problems = _name_problems("users_admins.name", name, RESERVED)
    if entry.get("state", "present") == "absent":
        return problems
    password = entry.get("password_hash")
    if password is not None and not CRYPT_HASH.match(str(password)):
        problems.append(
            f"{setting}.password_hash is not a crypt hash ($y$, $6$, $5$ or $2b$; the value is not shown):"
            " make one with 'openssl passwd -6' and give that."
        )
    uid = entry.get("uid")
    if uid is not None and not 1000 <= int(uid) <= 59999:
        problems.append(f"{setting}.uid is {uid}: use a number from 1000 to 59999.")
    for field in ("comment", "shell"):
        if re.search(r"[:\n\r]", str(entry.get(field) or "")):
            problems.append(f"{setting}.{field} has a colon or a line break: remove it.")
    if entry.get("shell") and not str(entry["shell"]).startswith("/"):
        problems.append(f"{setting}.shell is '{entry['shell']}': give a full path, such as /bin/bash.")
    return problems + _sudo_problems(setting, entry) + _key_problems(setting, entry)


def _doubles(setting: str, values: t.Sequence[t.Any]) -> list[str]:
    return [
        f"{setting} has {value!r} more than once: keep one."
        for value in dict.fromkeys(values)
        if values.count(value) > 1
    ]


def account_problems(service: Entry, groups: t.Sequence[Entry], admins: t.Sequence[Entry]) -> list[str]:
    """Return one sentence for each thing that must be put right before a host is touched."""
    name = str(service.get("name", ""))
    problems = _name_problems("users_service_account", name, RESERVED)
    problems += _name_problems(
        "users_service_group", str(service.get("group") or name), RESERVED | RESERVED_GROUPS
    )
    for setting, value in (
        ("users_service_uid", service.get("uid")),
        ("users_service_gid", service.get("gid")),
    ):
        if value is not None and not 1 <= int(value) <= 59999:
            problems.append(f"{setting} is {value}: use a number from 1 to 59999, or leave it out.")
    for group in groups:
        problems += _name_problems("users_groups.name", str(group.get("name", "")), RESERVED_GROUPS)
    for admin in admins:
        problems += _admin_problems(admin)
    names = [str(admin.get("name", "")) for admin in admins]
    problems += _doubles("users_admins.name", names)
    problems += _doubles(
        "users_admins.uid", [admin["uid"] for admin in admins if admin.get("uid") is not None]
    )
    problems += _doubles("users_groups.name", [str(group.get("name", "")) for group in groups])
    if name in names:
        problems.append(
            f"users_admins has '{name}', the service account of the hub: choose another name for one of them."
        )
    return problems
