# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the argument spec of the role backup cannot say: one sentence for each problem."""

from __future__ import annotations

import os.path
import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.urls import parts_of, web_address
from ansible_collections.galilean.hub.plugins.module_utils.derived.instance import layout
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings, absent

# What restic 0.14 knows, as in Debian 12; others of its names go through rclone or to one vendor.
SCHEMES = ("local", "sftp", "s3", "swift", "rest", "azure", "gs", "b2", "rclone")
EXAMPLES = {
    "sftp": "sftp://hub@nas.example.org:22//srv/hub",
    "rest": "rest:https://backup.example.org:8000/hub/",
}
PERIODS = ("last", "hourly", "daily", "weekly", "monthly", "yearly")
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
SHORTEST = 12


def wanted(settings: Settings) -> bool:
    return bool(settings["backup_repository"])


def repository(settings: Settings) -> list[str]:
    name = settings["backup_repository"]
    if not name:
        return []
    scheme, found, rest = name.partition(":")
    if not name.isprintable() or name != name.strip():
        return [f"backup_repository is {name!r}: give it in one line, without blanks at its ends"]
    if not name.startswith("/") and (not found or scheme not in SCHEMES or not rest):
        return [
            f"backup_repository is '{name}': give the absolute path of a folder, or one of {', '.join(f'{one}:...' for one in SCHEMES[1:5])} as "
            "docs/backup.md shows"
        ]
    if scheme == "local" and not rest.startswith("/"):
        return [f"backup_repository is '{name}': give the absolute path of a folder"]
    if re.search(r"//[^/@]*:[^/@]*@", name):
        shown = re.sub(r"(//[^/@:]*):[^/@]*@", r"\1:***@", name)
        return [
            f"backup_repository is '{shown}', with a password in it: put that into backup_environment, as RESTIC_REST_USERNAME and "
            "RESTIC_REST_PASSWORD"
        ]
    broken = parts_of(name) if name.startswith("sftp://") else web_address(rest) if scheme == "rest" else True
    if not broken:
        return [
            f"backup_repository is '{name}', whose host or port cannot be read: write it as in {EXAMPLES[scheme]}"
        ]
    # Two slashes at the beginning stay two.
    folder = os.path.normpath(re.sub("^//+", "/", name.removeprefix("local:")))
    state = layout(settings)["state_dir"]
    if folder.startswith("/") and f"{folder}/".startswith(f"{os.path.normpath(state)}/"):
        return [
            f"backup_repository is '{name}', in the folder of the instance itself: give one on another disk or machine"
        ]
    return []


def access(settings: Settings) -> list[str]:
    """The keys of each kind of target."""
    if not wanted(settings):
        return []
    own = settings.role("backup", secrets=True)
    name, environment = own["repository"], own["environment"]
    found = []
    if name.startswith("sftp:"):
        if not own["ssh_key"]:
            found.append(
                f"backup_repository is '{name}' and backup_ssh_key is empty: give a private key that the target lets in"
            )
        if not own["ssh_known_hosts"].strip():
            found.append(
                f"backup_repository is '{name}' and backup_ssh_known_hosts is empty: give the target's host key, as ssh-keyscan prints it"
            )
    if own["ssh_key"] and not PRIVATE_KEY.search(own["ssh_key"]):
        found.append(
            "backup_ssh_key is no private key: give the whole text of its file, from -----BEGIN to the last -----"
        )
    if name.startswith("s3:"):
        missing = [one for one in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if not environment.get(one)]
        if missing and not environment.get("AWS_SHARED_CREDENTIALS_FILE"):
            found.append(
                f"backup_environment has no {' and no '.join(missing)}, which {name} asks for: add it"
            )
    if name.startswith("swift:") and not any(
        environment.get(one) for one in ("OS_AUTH_URL", "ST_AUTH", "OS_STORAGE_URL")
    ):
        found.append(
            f"backup_environment has no OS_AUTH_URL, which {name} asks for: add it with the other variables of OpenStack (or ST_AUTH, ST_USER, ST_KEY)"
        )
    return found


def _option_problems(options: t.Iterable[t.Any]) -> list[str]:
    """Words of restic's command: one that begins with a dash, or the value of such a one before it."""
    found, open_ = [], False
    for option in map(str, options):
        if option.startswith("-"):
            right, open_ = not re.match(r"[^=]*\s", option), "=" not in option
        else:
            right, open_ = open_, False
        if not right:
            found.append(
                f"backup_restic_options has '{option}': give each option as one word, such as --limit-upload=2048"
            )
    return found


def values(settings: Settings) -> list[str]:
    own: dict[str, t.Any] = settings.role("backup", secrets=True)
    found = []
    if own["password"] and len(own["password"]) < SHORTEST:
        found.append(
            f"backup_password has {len(own['password'])} characters: use at least {SHORTEST}, such as from openssl rand -hex 32"
        )
    hours = sorted({int(one) for one in own["hours"]})
    if not hours:
        found.append("backup_hours is []: give at least one hour from 0 to 23")
    for name, count in own["keep"].items():
        if name not in PERIODS:
            found.append(f"backup_keep.{name} is no period: use {', '.join(PERIODS[:-1])} or {PERIODS[-1]}")
        elif isinstance(count, bool) or not re.fullmatch(r"\d+", str(count)):
            found.append(f"backup_keep.{name} is '{count}': give how many backups stay, such as 7")
    longest = max(
        (later - hour for hour, later in zip(hours, [*hours[1:], *[one + 24 for one in hours]])), default=0
    )
    if own["max_age"] < longest:
        found.append(
            f"backup_max_age is {own['max_age']} and backup_hours leaves {longest} hours between two backups: give more than {longest}"
        )
    found += _option_problems(own["restic_options"])
    if own["metrics_file"] and not own["metrics_file"].startswith("/"):
        found.append(f"backup_metrics_file is '{own['metrics_file']}': give an absolute path on the host")
    found += [
        f"backup_environment.{name} is no name of a variable: use letters, digits and underscores"
        for name in own["environment"]
        if not re.fullmatch(r"[A-Za-z_]\w*", str(name))
    ]
    return found


def files(settings: Settings) -> list[str]:
    path = settings["backup_ca_file"]
    if not wanted(settings) or not path or settings.is_file(path):
        return []
    return [
        absent(settings, f"backup_ca_file is {path}", path, "correct the path or leave it out", short=True)
    ]


CHECKS = (repository, access, values, files)
